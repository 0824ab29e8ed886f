package recording

import (
	"bufio"
	"encoding/binary"
	"io"
	"math"
)

// What an index is made of (see the package comment).
const (
	indexMagic  = 0x184d2a5e
	indexEnd    = 0x8f92eab1
	indexHead   = 8
	indexEntry  = 8
	indexFooter = 9
	frameMagic  = 0xfd2fb528 // of a frame that holds anything (RFC 8878, section 3.1.1)
)

// index lists the frames of a recording while it is written.
type index struct {
	frames []frameSize
	lost   bool // there are too many, or one is too large
}

type frameSize struct{ packed, text uint32 }

// begin says that a frame begins.
func (x *index) begin() {
	if x.lost = x.lost || len(x.frames) == maxFrames; x.lost {
		x.frames = nil
		return
	}
	x.frames = append(x.frames, frameSize{})
}

// add says that the last frame goes on with so many bytes, and so many of text.
func (x *index) add(packed, text int) {
	if x.lost {
		return
	}
	last := &x.frames[len(x.frames)-1]
	p, t := int64(last.packed)+int64(packed), int64(last.text)+int64(text)
	x.lost = max(p, t) > math.MaxUint32
	*last = frameSize{uint32(p), uint32(t)}
}

// appendTo appends the index, if there is one.
func (x *index) appendTo(b []byte) []byte {
	if x.lost {
		return b
	}
	put := binary.LittleEndian.AppendUint32
	b = put(put(b, indexMagic), uint32(indexEntry*len(x.frames)+indexFooter))
	for _, f := range x.frames {
		b = put(put(b, f.packed), f.text)
	}
	return put(append(put(b, uint32(len(x.frames))), 0), indexEnd)
}

// readIndex lists, as frames does, what the index at the end of a file says. It
// gives nothing where there is none, or one that does not fit the file. That a
// frame begins where it says so is looked at; what is in it, only its reader
// finds out.
func readIndex(file io.ReaderAt, size int64) []int64 {
	get := binary.LittleEndian.Uint32
	var b [indexFooter]byte
	read := func(n int, at int64) bool {
		_, err := file.ReadAt(b[:n], at)
		return err == nil || err == io.EOF
	}
	if size < indexFooter || !read(indexFooter, size-indexFooter) || get(b[5:]) != indexEnd || b[4] != 0 {
		return nil
	}
	n := int64(get(b[:]))
	begin := size - indexHead - indexEntry*n - indexFooter
	if n > maxFrames || begin < 0 || !read(indexHead, begin) ||
		get(b[:]) != indexMagic || int64(get(b[4:])) != indexEntry*n+indexFooter {
		return nil
	}
	entries := bufio.NewReader(io.NewSectionReader(file, begin+indexHead, indexEntry*n))
	var list starts
	at := int64(0)
	for range n {
		if _, err := io.ReadFull(entries, b[:indexEntry]); err != nil {
			return nil
		}
		list.add(at)
		packed := get(b[:])
		if at += int64(packed); packed == 0 || at > begin {
			return nil
		}
	}
	if at != begin {
		return nil
	}
	all := list.all()
	for _, at := range all {
		if !read(4, at) || get(b[:]) != frameMagic {
			return nil
		}
	}
	return all
}
