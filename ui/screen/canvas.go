package screen

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Style is the number of a style; what it looks like is said to
// [Canvas.Append]. Style 0 is the terminal's own.
type Style uint8

// Ink is what a style looks like.
type Ink struct {
	// SGR holds the parameters of Select Graphic Rendition (ECMA-48) that turn
	// the style on after a reset, as in "1;31"; "" is the terminal's default.
	SGR string
	// Solid says that the style shows on a blank too: it has a background, is
	// reversed, or underlined.
	Solid bool
}

// cell is one column of one row. The text of a character of several code
// points is in Canvas.clusters, and char is then ^index.
type cell struct {
	char  rune
	style Style
	// width is the number of columns: 2 for a wide character, and 0 for the
	// cell that its right half covers.
	width uint8
}

// Canvas is a grid of cells. Its memory is kept from frame to frame. The zero
// Canvas is empty and ready for [Canvas.Reset].
type Canvas struct {
	w, h     int
	cells    []cell
	clusters []string
	ascii    bool
}

// MaxWidth and MaxHeight bound a canvas: a terminal may call itself 65535 by
// 65535, and nobody reads what is beyond.
const MaxWidth, MaxHeight = 1000, 500

// Reset makes the canvas w by h blank cells, MaxWidth by MaxHeight at most. With
// ascii, whatever is drawn is turned into plain ASCII, a column for a column.
func (c *Canvas) Reset(w, h int, ascii bool) {
	c.w, c.h, c.ascii = min(max(w, 0), MaxWidth), min(max(h, 0), MaxHeight), ascii
	c.clusters = c.clusters[:0]
	n := c.w * c.h
	if cap(c.cells) < n {
		c.cells = make([]cell, n)
	}
	c.cells = c.cells[:n]
	c.fill(c.cells, cell{' ', 0, 1})
}

func (c *Canvas) fill(cells []cell, v cell) {
	if len(cells) == 0 {
		return
	}
	cells[0] = v
	for n := 1; n < len(cells); n *= 2 {
		copy(cells[n:], cells[:n])
	}
}

// Clear makes r blank.
func (c *Canvas) Clear(r Rect) {
	for y := r.Y; y < r.Y+r.H; y++ {
		c.Repeat(r.X, y, r.W, 0, ' ')
	}
}

// Repaint gives the cells of r another style, but for those that have one of keep.
func (c *Canvas) Repaint(r Rect, st Style, keep ...Style) {
	for y := max(r.Y, 0); y < min(r.Y+r.H, c.h); y++ {
		for x := max(r.X, 0); x < min(r.X+r.W, c.w); x++ {
			if cl := &c.cells[y*c.w+x]; !slices.Contains(keep, cl.style) {
				cl.style = st
			}
		}
	}
}

// Put draws one character of width 1.
func (c *Canvas) Put(x, y int, st Style, r rune) {
	if x < 0 || y < 0 || x >= c.w || y >= c.h {
		return
	}
	if c.ascii {
		r = fold(r)
	}
	i := y*c.w + x
	c.sever(i)
	c.cells[i] = cell{r, st, 1}
}

// Repeat draws a character of width 1 n times, to the right.
func (c *Canvas) Repeat(x, y, n int, st Style, r rune) {
	end := min(x+n, c.w)
	x = max(x, 0)
	if y < 0 || y >= c.h || x >= end {
		return
	}
	if c.ascii {
		r = fold(r)
	}
	c.sever(y*c.w + x)
	c.sever(y*c.w + end - 1)
	c.fill(c.cells[y*c.w+x:y*c.w+end], cell{r, st, 1})
}

// sever blanks the other half of a wide character that has a half at cell i,
// which is about to be overwritten.
func (c *Canvas) sever(i int) {
	switch c.cells[i].width {
	case 0:
		c.cells[i-1] = cell{' ', c.cells[i-1].style, 1}
	case 2:
		c.cells[i+1] = cell{' ', c.cells[i+1].style, 1}
	}
}

// Text draws s in the w columns from x, cut with "…" where it is wider, and
// returns the columns it took. Control characters are left out.
func (c *Canvas) Text(x, y, w int, st Style, s string) int { return write(c, x, y, w, st, s) }

// Bytes is [Canvas.Text] for text in a buffer that is used again.
func (c *Canvas) Bytes(x, y, w int, st Style, s []byte) int { return write(c, x, y, w, st, s) }

// TextRight draws s at the right end of the w columns from x, cut as by
// [Canvas.Text].
func (c *Canvas) TextRight(x, y, w int, st Style, s string) { writeRight(c, x, y, w, st, s) }

// BytesRight is [Canvas.TextRight] for text in a buffer that is used again.
func (c *Canvas) BytesRight(x, y, w int, st Style, s []byte) { writeRight(c, x, y, w, st, s) }

func writeRight[T string | []byte](c *Canvas, x, y, w int, st Style, s T) {
	n := min(width(s), max(w, 0))
	write(c, x+w-n, y, n, st, s)
}

// width is the columns that write takes for s.
func width[T string | []byte](s T) int {
	n := 0
	for len(s) > 0 {
		size, w := next(s)
		s, n = s[size:], n+w
	}
	return n
}

func write[T string | []byte](c *Canvas, x, y, w int, st Style, s T) int {
	if y < 0 || y >= c.h || w <= 0 || x >= c.w {
		return 0
	}
	start, end := x, x+w
	for len(s) > 0 {
		size, n := next(s)
		if x+n > end || x+n == end && width(s[size:]) > 0 {
			break
		}
		if n > 0 {
			place(c, x, y, n, st, s[:size])
		} else if size > 0 && x > start {
			join(c, x-1, y, s[:size])
		}
		x, s = x+n, s[size:]
	}
	if len(s) > 0 && x < end {
		c.Put(x, y, st, '…')
		x++
	}
	return x - start
}

// next gives the size in bytes and the width of the first character of s. It
// reads text as ansi.StringWidth does, so that the widths of lines agree with
// what Bubble Tea takes them for: an ASCII character stands alone, and marks
// that follow it are a character of width 0.
func next[T string | []byte](s T) (size, w int) {
	if b := s[0]; b < utf8.RuneSelf {
		if b < 0x20 || b == 0x7f {
			return 1, 0
		}
		return 1, 1
	}
	cluster, w := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
	return max(len(cluster), 1), w
}

// place draws one character of width w, of which a part that is off the canvas
// becomes blank.
func place[T string | []byte](c *Canvas, x, y, w int, st Style, s T) {
	if w == 1 && len(s) == 1 && s[0] < utf8.RuneSelf {
		c.Put(x, y, st, rune(s[0]))
		return
	}
	r, size := decode(s)
	switch {
	case c.ascii || w > 2 || x < 0 || x+w > c.w:
		for i := range w {
			if i > 0 || !c.ascii {
				r = ' '
			}
			c.Put(x+i, y, st, r)
		}
		return
	case r == utf8.RuneError:
		c.Repeat(x, y, w, st, utf8.RuneError)
		return
	case size < len(s):
		// A character may draw in the one after it. Such are not shown.
		if !alone(string(s), w) {
			c.Repeat(x, y, w, st, utf8.RuneError)
			return
		}
		r = c.cluster(string(s))
	case !sober(r) && !alone(string(s), w):
		c.Repeat(x, y, w, st, utf8.RuneError)
		return
	}
	i := y*c.w + x
	c.sever(i)
	c.sever(i + w - 1)
	c.cells[i] = cell{r, st, uint8(w)}
	if w == 2 {
		c.cells[i+1] = cell{' ', st, 0}
	}
}

// alone tells whether a character of width w leaves the one after it alone. A
// joiner at its end would draw some in.
func alone(s string, w int) bool {
	return utf8.ValidString(s) && ansi.StringWidth(s+"x ") == w+2 && !strings.HasSuffix(s, "\u200d")
}

// sober tells of common characters that they never draw in the one after them:
// Latin letters, punctuation, arrows, boxes and blocks.
func sober(r rune) bool {
	return r >= 0xae && r < 0x300 || r >= 0x2010 && r < 0x2028 || r >= 0x2190 && r < 0x2300 || r >= 0x2500 && r < 0x2600
}

// join adds a mark of width 0 to the character at x.
func join[T string | []byte](c *Canvas, x, y int, s T) {
	if r, _ := decode(s); c.ascii || x < 0 || x >= c.w || r < 0xa0 || r == utf8.RuneError {
		return
	}
	i := y*c.w + x
	if c.cells[i].width == 0 {
		i--
	}
	with := string(c.text(nil, c.cells[i].char)) + string(s)
	if alone(with, int(c.cells[i].width)) {
		c.cells[i].char = c.cluster(with)
	}
}

func (c *Canvas) cluster(s string) rune {
	c.clusters = append(c.clusters, s)
	return ^rune(len(c.clusters) - 1)
}

func decode[T string | []byte](s T) (rune, int) {
	return utf8.DecodeRuneInString(string(s[:min(len(s), utf8.UTFMax)]))
}

func (c *Canvas) text(b []byte, r rune) []byte {
	if r < 0 {
		return append(b, c.clusters[^r]...)
	}
	return utf8.AppendRune(b, r)
}
