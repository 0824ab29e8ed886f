package recording

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// blockHeader is the size of what stands before each block (RFC 8878, section
// 3.1.1.2).
const blockHeader = 3

// frames lists where the zstd frames of a file begin, without decompressing
// them. It ends where the file does, or at the first thing that is no frame.
// An error is that of reading.
func frames(r io.ReaderAt, size int64) ([]int64, error) {
	var starts []int64
	for at := int64(0); at < size && len(starts) < maxPoints; {
		next, data, err := skipFrame(r, at)
		if data {
			starts = append(starts, at)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, errNoFrame) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("look for the moments: %w", err)
		}
		at = next
	}
	return starts, nil
}

var errNoFrame = errors.New("no zstd frame")

// skipFrame gives the offset behind the frame at an offset, and tells whether
// it holds data.
func skipFrame(r io.ReaderAt, at int64) (next int64, data bool, err error) {
	var b [zstd.HeaderMaxSize]byte
	n, err := r.ReadAt(b[:], at)
	if err != nil && err != io.EOF {
		return 0, false, err
	}
	var h zstd.Header
	if h.Decode(b[:n]) != nil {
		return 0, false, errNoFrame
	}
	at += int64(h.HeaderSize)
	if h.Skippable {
		return at + int64(h.SkippableSize), false, nil
	}
	for last := false; !last; {
		if n, err := r.ReadAt(b[:blockHeader], at); n < blockHeader {
			return 0, true, err
		}
		head := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		size := int64(head >> 3)
		if head>>1&3 == 1 { // one byte, repeated
			size = 1
		}
		at += blockHeader + size
		last = head&1 == 1
	}
	if h.HasCheckSum {
		at += 4
	}
	return at, true, nil
}
