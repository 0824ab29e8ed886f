package screen

import (
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Append writes the canvas to b, its rows parted by line ends, with as few
// changes of style as possible. Each row starts and ends in the terminal's own
// style, so that a row can be written alone. inks says what the styles look
// like; one that it does not hold looks like style 0. With inks nil, no escape
// sequence is written at all.
func (c *Canvas) Append(b []byte, inks []Ink) []byte {
	c.settle()
	p := plotter{b: b, inks: inks}
	for y := range c.h {
		if y > 0 {
			p.b = append(p.b, '\n')
		}
		for i := y * c.w; i < (y+1)*c.w; i++ {
			if c.cells[i].width > 0 {
				p.write(c, &c.cells[i])
			}
		}
		p.look(Ink{})
	}
	return p.b
}

// settle puts U+FFFD for what a terminal would draw into the character before
// it: a mark, or two halves of one, as of a flag. So it does for what some
// terminals might go on with in the next row.
func (c *Canvas) settle() {
	for i := range c.cells {
		cl := &c.cells[i]
		if cl.plain() || cl.char == utf8.RuneError {
			continue
		}
		over := i%c.w+c.reach(cl) > c.w
		if !over && !halfFlag(cl.char) && !c.clings(cl) && (i%c.w == 0 || !c.merges(c.cells[i-i%c.w:i], cl)) {
			continue
		}
		cl.char = utf8.RuneError
		if cl.width == 2 {
			cl.width = 1
			c.cells[i+1] = *cl
		}
	}
}

// halfFlag tells whether a character is a regional indicator without its
// second half: it would join with whatever half follows, and no one reads it.
func halfFlag(char rune) bool { return char >= 0x1f1e6 && char <= 0x1f1ff }

// reach is how many columns a terminal may take for cl: one may not join its code
// points, as the Linux console, and one may think it wide.
func (c *Canvas) reach(cl *cell) int {
	n := 0
	for _, r := range string(c.text(nil, cl.char)) {
		n += max(1, ansi.StringWidthWc(string(r)))
	}
	return max(n, 2)
}

// clings tells whether cl is drawn into any character before it, as are marks
// and the colours of skin.
func (c *Canvas) clings(cl *cell) bool {
	return ansi.StringWidth(string(c.text([]byte("\ufffd"), cl.char))) != 1+int(cl.width)
}

// merges tells whether cl, which does not cling to all, would be drawn into the
// character before it.
func (c *Canvas) merges(before []cell, cl *cell) bool {
	last := &before[len(before)-1]
	if last.width == 0 {
		last = &before[len(before)-2]
	}
	if last.plain() || last.char == utf8.RuneError {
		return false
	}
	both := c.text(c.text(nil, last.char), cl.char)
	return ansi.StringWidth(string(both)) != int(last.width)+int(cl.width)
}

// plain tells of common characters that they are never drawn into one another,
// and are as wide everywhere.
func (cl *cell) plain() bool {
	return cl.char >= 0 && (cl.char < utf8.RuneSelf || cl.width == 1 && sober(cl.char))
}
