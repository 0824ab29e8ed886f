package recording

import "io"

// NewSmallWriter is NewWriter with little memory for zstd: a fuzzer makes many.
func NewSmallWriter(w io.Writer, h Header) (*Writer, error) { return newWriter(w, h, 1<<15) }

// Points is the number of places from which reading can begin.
func (p *Player) Points() int { return len(p.points) }
