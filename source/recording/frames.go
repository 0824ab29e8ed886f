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

// frames lists where the zstd frames of a file begin that hold anything, without
// decompressing them. It ends where the file does, or at the first thing that
// is no frame. Where there are too many, it leaves out every other one, but for
// the last. An error is that of reading.
func frames(file io.ReaderAt, size int64) ([]int64, error) {
	r := &window{file: file}
	var starts []int64
	last, stride, n := int64(-1), 1, 0
	for at := int64(0); at < size; {
		next, data, err := skipFrame(r, at)
		if data {
			if last = at; n%stride == 0 {
				starts = append(starts, at)
			}
			n++
		}
		if len(starts) == maxPoints {
			starts, stride = everyOther(starts), 2*stride
		}
		if errors.Is(err, io.EOF) || errors.Is(err, errNoFrame) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("look for the moments: %w", err)
		}
		at = next
	}
	if len(starts) > 0 && starts[len(starts)-1] != last {
		starts = append(starts, last)
	}
	return starts, nil
}

// everyOther keeps every other element of a list, the first one on.
func everyOther(list []int64) []int64 {
	for i := range len(list) / 2 {
		list[i] = list[2*i]
	}
	return list[:len(list)/2]
}

// window reads a page of a file at a time, so that blocks that lie close to each
// other take one read.
type window struct {
	file io.ReaderAt
	page [4 << 10]byte
	at   int64
	n    int
}

// ReadAt reads from an offset. Less than p comes with io.EOF.
func (w *window) ReadAt(p []byte, at int64) (int, error) {
	if at < w.at || at+int64(len(p)) > w.at+int64(w.n) {
		n, err := w.file.ReadAt(w.page[:], at)
		if err != nil && err != io.EOF {
			return 0, err
		}
		w.at, w.n = at, n
	}
	n := copy(p, w.page[at-w.at:w.n])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

var errNoFrame = errors.New("no zstd frame")

// skipFrame gives the offset behind the frame at an offset, and tells whether
// it holds anything.
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
			return 0, data, err
		}
		head := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		size := int64(head >> 3)
		if head>>1&3 == 1 { // one byte, repeated
			size = 1
		}
		data = data || head>>3 > 0
		at += blockHeader + size
		last = head&1 == 1
	}
	if h.HasCheckSum {
		at += 4
	}
	return at, data, nil
}
