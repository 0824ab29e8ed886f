package svg

import (
	"strings"
	"time"
	"unicode/utf8"

	"ephtop/ui/screen"
	"ephtop/ui/theme"
)

// kind is how a piece is drawn.
type kind uint8

const (
	// blank is nothing to see.
	blank kind = iota
	// ground is a background.
	ground
	// shape are characters whose form is known, drawn as what they are made of.
	shape
	// words are characters of the Latin script, which any monospaced font has.
	words
	// sign is one other character. Fonts differ in how wide it is, and whether
	// they have it.
	sign
)

// piece is what stands somewhere in one style.
type piece struct {
	kind  kind
	style screen.Style
	// x, y and width are in cells.
	x, y, width int
	text        string
	since       time.Duration
}

// same tells whether two pieces look the same at one place of a row.
func (p *piece) same(o *piece) bool {
	return p.x == o.x && p.kind == o.kind && p.style == o.style && p.width == o.width && p.text == o.text
}

// cut cuts row y of a canvas into pieces, from left to right. Words go on over
// one blank.
func (d *drawing) cut(c *screen.Canvas, y int) row {
	var r row
	for cell := range c.Cells(y) {
		if int(cell.Style) >= theme.NumRoles {
			cell.Style = 0
		}
		if d.sheet.Roles[cell.Style].Back != "" || d.light.Roles[cell.Style].Back != "" {
			r.backs = lay(r.backs, piece{kind: ground, style: cell.Style, x: cell.X, y: y, width: cell.Width})
		}
		if k := kindOf(&cell); k != blank {
			r.fronts = lay(r.fronts, piece{kind: k, style: cell.Style, x: cell.X, y: y, width: cell.Width, text: cell.Text})
		}
	}
	return r
}

// lay adds a piece, to the last one where that goes on with it.
func lay(pieces []piece, p piece) []piece {
	if len(pieces) == 0 {
		return append(pieces, p)
	}
	last := &pieces[len(pieces)-1]
	gap := p.x - last.x - last.width
	if last.kind != p.kind || last.style != p.style || p.kind == sign || gap > 1 || gap == 1 && p.kind != words {
		return append(pieces, p)
	}
	last.text += strings.Repeat(" ", gap) + p.text
	last.width += gap + p.width
	return pieces
}

// kindOf tells how a cell is drawn.
func kindOf(c *screen.Cell) kind {
	r, size := utf8.DecodeRuneInString(c.Text)
	switch {
	case c.Text == " ":
		return blank
	case size < len(c.Text) || c.Width != 1:
		return sign
	case shapes[r] != "":
		return shape
	case r < 0x250 && r != 0xad, strings.ContainsRune(common, r):
		return words
	}
	return sign
}

// common are characters beyond the Latin letters that monospaced fonts have.
const common = "–—’†…›−≤≥"
