package paint

import (
	"slices"
	"strconv"
	"strings"

	"ephtop/model/list"
	"ephtop/ui/advice"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// String names the face as its title does.
func (f Face) String() string {
	return [NumFaces]string{"Connections", "Destinations", "Namespaces"}[f%NumFaces]
}

// faceTitle names a face, the third one by what there is in it.
func faceTitle(v *View, f Face) string {
	if f == FaceNamespaces && v.Overview != nil && HasNATLines(v.Overview) {
		var names []string
		if v.several() {
			names = append(names, f.String())
		}
		if translates(v.Overview) {
			names = append(names, "SNAT")
		}
		if len(v.Overview.Ways) > 0 {
			names = append(names, "NAT")
		}
		return strings.Join(names, ", ")
	}
	return f.String()
}

// SortColumn is a column that a face can be sorted by, and the letter for it.
type SortColumn struct {
	Column list.Column
	Key    rune
}

// Columns are those that the face can be sorted by.
func (f Face) Columns() []SortColumn {
	return [NumFaces][]SortColumn{
		{{list.ColumnWorst, 'w'}, {list.ColumnLocal, 'l'}, {list.ColumnRemote, 'r'}, {list.ColumnState, 't'}, {list.ColumnPID, 'i'},
			{list.ColumnProcess, 'p'}, {list.ColumnAge, 'a'}, {list.ColumnLeft, 'e'}, {list.ColumnProto, 'o'}},
		{{list.ColumnWorst, 'w'}, {list.ColumnDestination, 'd'}, {list.ColumnUsed, 'u'}, {list.ColumnFree, 'f'}, {list.ColumnLive, 'l'},
			{list.ColumnTimeWait, 't'}, {list.ColumnRate, 'r'}, {list.ColumnOutlook, 'o'}, {list.ColumnHolder, 'h'}},
		{{list.ColumnWorst, 'w'}, {list.ColumnName, 'n'}, {list.ColumnKind, 'k'}, {list.ColumnUsed, 'u'}, {list.ColumnLevel, 'l'},
			{list.ColumnSockets, 'o'}},
	}[f%NumFaces]
}

// header is the name of a column; sort is the one to sort by, 0 for none.
type header struct {
	w     int
	name  string
	right bool
	sort  list.Column
}

// headers draws the names of the columns. The one that the list is sorted by has
// a sign before it.
func (p *Painter) headers(x, y int, v *View, headers []header) {
	for _, h := range headers {
		at := next(&x, h.w)
		if h.right {
			at += h.w - len(h.name)
		}
		if h.w < len(h.name) {
			continue
		}
		p.canvas.Text(at, y, len(h.name), theme.Dim, h.name)
		if h.name != "" && h.sort == v.Order.Column && h.sort != list.ColumnWorst {
			p.canvas.Put(at-1, y, theme.Dim, direction(v.Order.Descending()))
		}
	}
}

// direction is the sign of an order.
func direction(descending bool) rune {
	if descending {
		return '▾'
	}
	return '▴'
}

// faceBox draws the frame of the list, which names the faces by their keys, and
// says by what the list is filtered, and sorted where no header tells.
func (p *Painter) faceBox(r screen.Rect, v *View, foot string, headers []header) screen.Rect {
	box := screen.Box{Title: faceTitle(v, v.Face), Foot: foot}
	if v.Face == FaceConnections && v.several() && v.State != nil && v.layout().gauges.Empty() {
		box.Title = advice.Namespace(&v.State.Snapshot.Scope)
	}
	if v.Filter.Text != "" {
		box.FootStyle = theme.Filter
	}
	// Two columns of frame at each end, a blank around each text and a piece of
	// frame between them.
	room := r.W - 4 - text.Width(box.Title) - 2 - 1 - 2
	const gap = "   "
	words, filter := "", 0
	if v.Filter.Text != "" {
		words = "filter: " + text.Sanitize(v.Filter.Text)
		filter = text.Width(words) + len(gap)
	}
	right := faceTabs(v, false)
	if measure(right)+filter > room {
		right = faceTabs(v, true)
	}
	if room -= measure(right); room < 0 {
		right, room = nil, room+measure(right)
	}
	if words != "" {
		s := segment{theme.Filter, text.Truncate(words, max(room-len(gap), 8))}
		right = append([]segment{s, {theme.Dim, gap}}, right...)
	}
	box.Note = orderText(v, headers, listLines(r, 3) < r.H-2)
	inside := p.box(r, v.Focus == v.Face.Pane(), box)
	if n := measure(right); n > 0 && r.W > n+6 && r.H >= 2 {
		x := r.X + r.W - 4 - n
		p.canvas.Repeat(x, r.Y, n+2, theme.Dim, ' ')
		p.segments(x+1, r.Y, n, right...)
	}
	return inside
}

// faceTabs names the faces that there are by their keys, short by these alone.
func faceTabs(v *View, short bool) []segment {
	var tabs []segment
	for f := range Face(NumFaces) {
		if f == FaceNamespaces && !v.third() {
			continue
		}
		s := segment{theme.Dim, strconv.Itoa(int(f) + 1)}
		if !short {
			s.text += " " + faceTitle(v, f)
		}
		if f == v.Face {
			s.style = theme.Title
		}
		if len(tabs) > 0 {
			tabs = append(tabs, blanks(2))
		}
		tabs = append(tabs, s)
	}
	return tabs
}

// orderText says what the list is sorted by, where no header on screen does.
func orderText(v *View, headers []header, headed bool) string {
	switch {
	case v.Order.Column == list.ColumnWorst && v.Order.Reverse:
		return "worst last"
	case v.Order.Column == list.ColumnWorst:
		return "worst first"
	case headed && slices.ContainsFunc(headers, func(h header) bool { return h.sort == v.Order.Column && h.w >= len(h.name) && h.name != "" }):
		return ""
	}
	return "by " + strings.ToLower(v.Order.Column.String()) + " " + string(direction(v.Order.Descending()))
}

// pickerRect is where the columns to sort by are, at the end of the list, of which
// the addresses stay in sight; empty where they are not.
func pickerRect(v *View) screen.Rect {
	if !v.Picking || v.Height < 5 {
		return screen.Rect{}
	}
	rows, columns := pickerSize(v)
	w, h := min(columns*pickerWidth+3, v.Width), rows+2
	return screen.Rect{X: max(0, v.Width-w-2), Y: v.Height - 1 - h, W: w, H: h}
}

const pickerWidth = 18

// pickerSize is how many rows the picker has, and how many columns.
func pickerSize(v *View) (rows, columns int) {
	n := len(v.Face.Columns())
	rows = min(n, v.Height-4)
	return rows, (n + rows - 1) / rows
}

// drawPicker draws the columns to sort by, with their letters.
func (p *Painter) drawPicker(r screen.Rect, v *View) {
	p.canvas.Clear(screen.Rect{X: r.X - 1, Y: r.Y, W: r.W + 2, H: r.H})
	inside := p.box(r, true, screen.Box{Title: "Sort by"})
	rows, _ := pickerSize(v)
	for i, c := range v.Face.Columns() {
		x, y := inside.X+gutter+i/rows*pickerWidth, inside.Y+i%rows
		room := inside.X + inside.W - x
		line := []segment{{theme.Key, string(c.Key)}, {theme.Text, "  " + strings.ToLower(c.Column.String())}}
		if c.Column == v.Order.Column {
			line = append(line, segment{theme.Text, " " + string(direction(v.Order.Descending()))})
		}
		p.segments(x, y, room, line...)
		if c.Column == v.Order.Column {
			p.mark(screen.Rect{X: x - gutter, Y: y, W: min(pickerWidth, room+gutter), H: 1}, y)
		}
	}
}
