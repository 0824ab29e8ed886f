package screen

import (
	"slices"
	"strconv"
	"unicode/utf8"
)

// bridge is the longest stretch of unchanged cells that is written again to
// get from one change to the next: moving the cursor takes as many bytes.
const bridge = 4

// AppendChanges writes to b what turns a terminal that shows before into one
// that shows c: moves of the cursor, and the cells that differ. Where before
// has another size, that is all cells. The terminal must be as wide as c, and
// its text in its own style, in which it is left; nothing is written where
// nothing differs. inks is as for [Canvas.Append], and must be the one that
// before was written with.
func (c *Canvas) AppendChanges(b []byte, before *Canvas, inks []Ink) []byte {
	c.settle()
	all := before.w != c.w || before.h != c.h
	p := plotter{b: b, inks: inks, x: -1}
	for y := range c.h {
		spilt := 0 // up to where what was written may have spilt
		for x := 0; x < c.w; x++ {
			cl := &c.cells[y*c.w+x]
			if cl.width == 0 || !all && x >= spilt && c.same(before, y*c.w+x, inks) {
				continue
			}
			p.moveTo(c, x, y)
			if !cl.plain() {
				p.blank(cl)
				p.moveTo(c, x, y)
				spilt = x + c.reach(cl)
			}
			p.write(c, cl)
		}
	}
	p.look(Ink{})
	return p.b
}

// blank clears what a cell is to be written on: some terminals may think its
// character narrower.
func (p *plotter) blank(cl *cell) {
	p.look(lookOf(cl, p.inks, p.now))
	for range cl.width {
		p.b = append(p.b, ' ')
	}
	p.x = -1
}

// same tells whether cell i looks as it did before.
func (c *Canvas) same(before *Canvas, i int, inks []Ink) bool {
	a, o := &c.cells[i], &before.cells[i]
	if a.width != o.width || a.style != o.style && lookOf(a, inks, Ink{}) != lookOf(o, inks, Ink{}) {
		return false
	}
	return a.char == o.char && a.char >= 0 ||
		a.char < 0 && o.char < 0 && c.clusters[^a.char] == before.clusters[^o.char]
}

// lookOf is how a cell is drawn: a blank in the present look where neither
// that nor its own shows on it.
func lookOf(cl *cell, inks []Ink, now Ink) Ink {
	var ink Ink
	if int(cl.style) < len(inks) {
		ink = inks[cl.style]
	}
	if cl.char == ' ' && !ink.Solid && !now.Solid {
		return now
	}
	return ink
}

// plotter writes cells to a terminal.
type plotter struct {
	b    []byte
	inks []Ink
	now  Ink
	// x and y are where the cursor is; x is -1 where that is not sure.
	x, y int
}

// moveTo brings the cursor to a cell: to the right by writing again what is
// there, where that is no longer than to move.
func (p *plotter) moveTo(c *Canvas, x, y int) {
	if p.x == x && p.y == y {
		return
	}
	if gap := x - p.x; p.x >= 0 && p.y == y && gap > 0 {
		from := y*c.w + p.x
		if gap <= bridge && p.short(c.cells[from:from+gap]) {
			for i := range gap {
				p.write(c, &c.cells[from+i])
			}
			return
		}
		p.b = append(strconv.AppendInt(append(p.b, "\x1b["...), int64(gap), 10), 'C')
	} else {
		p.b = strconv.AppendInt(append(p.b, "\x1b["...), int64(y+1), 10)
		p.b = append(strconv.AppendInt(append(p.b, ';'), int64(x+1), 10), 'H')
	}
	p.x, p.y = x, y
}

// short tells whether cells take a byte each, in the present look.
func (p *plotter) short(cells []cell) bool {
	return !slices.ContainsFunc(cells, func(cl cell) bool {
		return cl.char < 0 || cl.char >= utf8.RuneSelf || lookOf(&cl, p.inks, p.now) != p.now
	})
}

// look changes the look, with a reset where another one was on.
func (p *plotter) look(ink Ink) {
	if ink == p.now {
		return
	}
	p.b = append(p.b, "\x1b["...)
	if p.now.SGR != "" && ink.SGR != "" {
		p.b = append(p.b, "0;"...)
	}
	p.b = append(append(p.b, ink.SGR...), 'm')
	p.now = ink
}

// write writes one character at the cursor.
func (p *plotter) write(c *Canvas, cl *cell) {
	p.look(lookOf(cl, p.inks, p.now))
	p.b = c.text(p.b, cl.char)
	p.x += int(cl.width)
	if !cl.plain() || p.x >= c.w {
		p.x = -1 // terminals differ in how wide it is, or it was the last column
	}
}
