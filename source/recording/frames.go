package recording

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The parts of zstd's frames (RFC 8878, section 3.1).
const (
	zstdMagic      = 0xfd2fb528
	skippableMagic = 0x184d2a50 // and the 15 numbers above it
	blockHeader    = 3
)

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
	var b [8]byte
	if err := readAt(r, b[:5], at); err != nil {
		return 0, false, err
	}
	switch magic := binary.LittleEndian.Uint32(b[:4]); {
	case magic&^15 == skippableMagic:
		if err := readAt(r, b[:], at); err != nil {
			return 0, false, err
		}
		return at + 8 + int64(binary.LittleEndian.Uint32(b[4:])), false, nil
	case magic != zstdMagic:
		return 0, false, errNoFrame
	}
	descriptor := b[4]
	at += 5 + frameHeaderRest(descriptor)
	for {
		if err := readAt(r, b[:blockHeader], at); err != nil {
			return 0, true, err
		}
		head := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		size := int64(head >> 3)
		if head>>1&3 == 1 { // one byte, repeated
			size = 1
		}
		at += blockHeader + size
		if head&1 == 1 {
			break
		}
	}
	if descriptor&4 != 0 { // a checksum
		at += 4
	}
	return at, true, nil
}

// frameHeaderRest is the size of a frame header behind its descriptor.
func frameHeaderRest(descriptor byte) int64 {
	size := [...]int64{0, 1, 2, 4}[descriptor&3] + [...]int64{0, 2, 4, 8}[descriptor>>6]
	single := descriptor&0x20 != 0
	if !single || descriptor>>6 == 0 {
		size++ // the window, or a content size of one byte
	}
	return size
}

// readAt fills b, or gives io.EOF.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	return err
}
