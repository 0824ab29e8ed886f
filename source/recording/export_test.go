package recording

import (
	"bytes"
	"io"
)

// NewSmallWriter is NewWriter with little memory for zstd: a fuzzer makes many.
func NewSmallWriter(w io.Writer, h Header) (*Writer, error) { return newWriter(w, h, 1<<15) }

// Points is the number of places from which reading can begin.
func (p *Player) Points() int { return len(p.points) }

// ReadIndex gives the frames that the index of a recording lists.
func ReadIndex(b []byte) []int64 { return readIndex(bytes.NewReader(b), int64(len(b))) }

// Frames gives those that are found without one.
func Frames(b []byte) []int64 {
	list, _ := frames(bytes.NewReader(b), int64(len(b))) // of memory, which does not fail
	return list
}
