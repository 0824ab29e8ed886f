package screen

import (
	"iter"
	"slices"
)

// Cell is one character of a row, as it is drawn.
type Cell struct {
	// X is its first column, Width the number of columns: 1 or 2.
	X, Width int
	Style    Style
	// Text is one character, of several code points perhaps; never a control
	// character.
	Text string
}

// Size is the number of columns and rows.
func (c *Canvas) Size() (width, height int) { return c.w, c.h }

// Cells are the characters of row y, from left to right: just what
// [Canvas.Append] writes.
func (c *Canvas) Cells(y int) iter.Seq[Cell] {
	c.settle()
	return func(yield func(Cell) bool) {
		for x := range c.w {
			cl := &c.cells[y*c.w+x]
			if cl.width == 0 {
				continue
			}
			if !yield(Cell{x, int(cl.width), cl.style, string(c.text(nil, cl.char))}) {
				return
			}
		}
	}
}

// Equal reports whether two canvases look the same, whatever the styles look
// like.
func (c *Canvas) Equal(other *Canvas) bool {
	if c.w != other.w || c.h != other.h {
		return false
	}
	c.settle()
	other.settle()
	same := func(a, b cell) bool {
		if a.char < 0 && b.char < 0 {
			return a.style == b.style && a.width == b.width && c.clusters[^a.char] == other.clusters[^b.char]
		}
		return a == b
	}
	return slices.EqualFunc(c.cells, other.cells, same)
}
