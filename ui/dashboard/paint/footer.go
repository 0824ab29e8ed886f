package paint

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"ephtop/model/filter"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// drawFooter draws the last line: the filter that is being typed, or what a
// key has done or the last poll's error, and then the keys.
func (p *Painter) drawFooter(r screen.Rect, v *View) {
	p.canvas.Clear(r)
	if v.Filter.Editing {
		p.drawFilterLine(r, v)
		return
	}
	x, room := r.X+1, r.W-2
	room -= p.drawLastHint(x, r.Y, room, v)
	used := 0
	switch {
	case v.Notice != "":
		used = p.canvas.Text(x, r.Y, room, theme.Strong, text.Sanitize(v.Notice))
	case v.Timeline.Note != "":
		used = p.canvas.Text(x, r.Y, room, theme.Warn, text.Sanitize(v.Timeline.Note))
	case v.Err != nil:
		used = p.segments(x, r.Y, room, segment{theme.Critical, "✖ " + text.Sanitize(v.Err.Error())},
			segment{theme.Dim, "  " + text.Duration(v.Now.Sub(v.ErrSince)) + " ago"})
	}
	if used > 0 {
		used += 3
	}
	for i := range len(v.Hints) - 1 {
		if w := p.drawHint(x+used, r.Y, room-used, &v.Hints[i]); w > 0 {
			used += w + 2
		}
	}
}

// drawLastHint draws at the right how to get away, which nothing may cut, and
// gives the columns that this and the gap before it take.
func (p *Painter) drawLastHint(x, y, room int, v *View) int {
	if len(v.Hints) == 0 {
		return 0
	}
	h := &v.Hints[len(v.Hints)-1]
	w := text.Width(h.Key) + 1 + text.Width(h.Does)
	if p.drawHint(x+max(room-w, 0), y, room, h) == 0 {
		return 0
	}
	return w + 2
}

// drawHint draws a key and what it does, and gives the columns that it took: 0
// where there is no room for the whole.
func (p *Painter) drawHint(x, y, room int, h *Hint) int {
	w := text.Width(h.Key) + 1 + text.Width(h.Does)
	if w > room {
		return 0
	}
	n := p.canvas.Text(x, y, room, theme.Key, h.Key)
	p.canvas.Text(x+n+1, y, room-n-1, theme.Dim, h.Does)
	return w
}

// drawFilterLine draws the filter that is being typed, and beside it what is
// wrong with it and where, or how it can go on.
func (p *Painter) drawFilterLine(r screen.Rect, v *View) {
	f := &v.Filter
	p.canvas.Text(r.X+1, r.Y, 1, theme.Key, "/")
	x, room := r.X+3, r.W-4
	input := max(min(text.Width(f.Input)+2, room*2/3), min(12, room))
	switch beside := besideFilter(v, room-input-1); {
	case f.Input == "" && f.Pos == 0:
		input = room
		example := "state:tw  proc:nginx  rport:443  10.0.0.0/8  !state:listen"
		if v.Fleet != nil {
			example = "web-01  10.0.9.2:5432  java  critical  !ok"
		}
		p.canvas.Text(x+2, r.Y, room-2, theme.Dim, example)
	case beside == nil:
		input = room
	default:
		p.segments(x+input+1, r.Y, room-input-1, beside...)
	}
	reason, wrongFrom := filterError(f)
	// The end of what stands before the cursor is always in sight.
	before, after := f.Input[:f.Pos], f.Input[f.Pos:]
	skipped := 0
	for before != "" && text.Width(before) > input-1 {
		_, n := utf8.DecodeRuneInString(before)
		before, skipped = before[n:], skipped+n
	}
	good, bad := before, ""
	if at := max(wrongFrom-skipped, 0); reason != "" && at < len(before) {
		good, bad = before[:at], before[at:]
	}
	n := p.segments(x, r.Y, input, segment{theme.Text, good}, segment{theme.Critical, bad})
	p.drawCursor(x+n, r.Y, input-n, after)
}

// besideFilter is what is said about the filter that is being typed, in so many
// columns; nil for nothing.
func besideFilter(v *View, room int) []segment {
	f := &v.Filter
	// shortened is what fits of the same in fewer and fewer words.
	shortened := func(style screen.Style, forms ...string) []segment {
		for _, form := range forms {
			if text.Width(form) <= room {
				return []segment{{style, form}}
			}
		}
		return []segment{{style, forms[len(forms)-1]}}
	}
	reason, _ := filterError(f)
	switch {
	case reason != "":
		return []segment{{theme.Critical, "✖ " + text.Sanitize(reason)}}
	case v.Fleet != nil && f.Text != "" && len(v.Fleet.Rows) == 0:
		return shortened(theme.Warn, "0 match · spaces mean and, ! negates", "0 match")
	case filter.Misread(f.Input):
		return shortened(theme.Warn, "spaces mean and, ! negates, commas mean or", "space is and, ! is not", "! is not")
	case !f.Held && f.Text != "" && v.State != nil && v.passing() == 0:
		return shortened(theme.Warn, "0 match · spaces mean and, ! negates", "0 match")
	case len(f.Next) > 0:
		return []segment{{theme.Key, "tab"}, {theme.Dim, " " + text.Sanitize(strings.Join(f.Next, "  "))}}
	}
	return nil
}

// passing is how many lines of the list on screen pass the filter.
func (v *View) passing() int {
	if v.Face == FaceNamespaces {
		return len(v.Namespaces)
	}
	return len(v.Rows)
}

// drawCursor draws the rest of a line from the cursor on.
func (p *Painter) drawCursor(x, y, room int, after string) {
	if p.inks == nil { // a cursor that is no change of style
		p.canvas.Put(x, y, theme.Cursor, '▏')
		if p.ascii {
			p.canvas.Put(x, y, theme.Cursor, '_')
		}
		p.canvas.Text(x+1, y, room-1, theme.Text, after)
		return
	}
	if after == "" {
		after = " "
	}
	_, n := utf8.DecodeRuneInString(after)
	w := p.canvas.Text(x, y, room, theme.Cursor, after[:n])
	p.canvas.Text(x+w, y, room-w, theme.Text, after[n:])
}

// filterError says what is wrong with a filter and from which byte on.
func filterError(f *FilterLine) (reason string, from int) {
	var wrong *filter.Error
	switch {
	case f.Err == nil:
		return "", 0
	case !errors.As(f.Err, &wrong):
		return f.Err.Error(), 0
	}
	from = max(0, min(wrong.Offset, len(f.Input)))
	at := utf8.RuneCountInString(f.Input[:from]) + 1
	return "at " + strconv.Itoa(at) + ": " + wrong.Reason, from
}
