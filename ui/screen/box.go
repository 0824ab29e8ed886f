package screen

import "github.com/charmbracelet/x/ansi"

// Box is a frame with texts in its edges.
type Box struct {
	// Title stands at the left of the top edge, Right at its right, Note at the
	// left of the bottom edge, Foot at its right. What does not fit is cut, Right
	// before Title and Note before Foot; none of them breaks the frame.
	Title, Right, Note, Foot string
	// Edge is the style of the frame, TitleStyle, RightStyle, NoteStyle and
	// FootStyle those of the texts.
	Edge, TitleStyle, RightStyle, NoteStyle, FootStyle Style
}

// Box clears r, draws a box along its edge and returns what is inside. A box
// that is too small for a frame gets none.
func (c *Canvas) Box(r Rect, b Box) Rect {
	c.Clear(r)
	if r.W < 2 || r.H < 2 {
		return r
	}
	right, bottom := r.X+r.W-1, r.Y+r.H-1
	c.Repeat(r.X, r.Y, r.W, b.Edge, '─')
	c.Repeat(r.X, bottom, r.W, b.Edge, '─')
	for y := r.Y + 1; y < bottom; y++ {
		c.Put(r.X, y, b.Edge, '│')
		c.Put(right, y, b.Edge, '│')
	}
	c.Put(r.X, r.Y, b.Edge, '╭')
	c.Put(right, r.Y, b.Edge, '╮')
	c.Put(r.X, bottom, b.Edge, '╰')
	c.Put(right, bottom, b.Edge, '╯')

	// Two columns of frame at each end, and a blank around each text.
	room := r.W - 4
	title := min(ansi.StringWidth(b.Title)+2, room)
	if b.Title != "" && title > 2 {
		c.label(r.X+2, r.Y, title, b.TitleStyle, b.Title)
		room -= title + 1
	}
	if w := min(ansi.StringWidth(b.Right)+2, room); b.Right != "" && w > 4 {
		c.label(right-1-w, r.Y, w, b.RightStyle, b.Right)
	}
	room = r.W - 4
	if w := min(ansi.StringWidth(b.Foot)+2, room); b.Foot != "" && w > 2 {
		c.label(right-1-w, bottom, w, b.FootStyle, b.Foot)
		room -= w + 1
	}
	if w := min(ansi.StringWidth(b.Note)+2, room); b.Note != "" && w > 4 {
		c.label(r.X+2, bottom, w, b.NoteStyle, b.Note)
	}
	return r.Inset(1, 1)
}

// label writes s with a blank at either side in w columns.
func (c *Canvas) label(x, y, w int, st Style, s string) {
	c.Repeat(x, y, w, st, ' ')
	c.Text(x+1, y, w-2, st, s)
}
