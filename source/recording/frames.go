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
// is no frame. An error is that of reading.
func frames(file io.ReaderAt, size int64) ([]int64, error) {
	r := &window{file: file}
	var list starts
	for at := int64(0); at < size; {
		next, data, err := skipFrame(r, at)
		if data {
			list.add(at)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, errNoFrame) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("look for the moments: %w", err)
		}
		at = next
	}
	return list.all(), nil
}

// starts are where frames begin. Where there are too many, every other one is
// left out, but for the last.
type starts struct {
	list    []int64
	last    int64
	n, skip int // how many there were, and are left out behind each
}

func (s *starts) add(at int64) {
	if s.last = at; s.n%(s.skip+1) == 0 {
		s.list = append(s.list, at)
	}
	s.n++
	if len(s.list) == maxPoints {
		for i := range len(s.list) / 2 {
			s.list[i] = s.list[2*i]
		}
		s.list, s.skip = s.list[:len(s.list)/2], 2*s.skip+1
	}
}

func (s *starts) all() []int64 {
	if n := len(s.list); n > 0 && s.list[n-1] != s.last {
		return append(s.list, s.last)
	}
	return s.list
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
