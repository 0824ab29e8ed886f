package paint

import (
	"errors"
	"strconv"
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
		p.drawFilterLine(r, &v.Filter)
		return
	}
	x, room := r.X+1, r.W-2
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
	p.drawHints(x+used, r.Y, room-used, v)
}

// drawHints draws the keys, most important first, as many as fit whole.
func (p *Painter) drawHints(x, y, room int, v *View) {
	for _, h := range v.Hints {
		w := text.Width(h.Key) + 1 + text.Width(h.Does)
		if w > room {
			continue
		}
		n := p.canvas.Text(x, y, room, theme.Key, h.Key)
		p.canvas.Text(x+n+1, y, room-n-1, theme.Dim, h.Does)
		x, room = x+w+2, room-w-2
	}
}

// drawFilterLine draws the filter that is being typed, and beside it what is
// wrong with it and where.
func (p *Painter) drawFilterLine(r screen.Rect, f *FilterLine) {
	p.canvas.Text(r.X+1, r.Y, 1, theme.Key, "/")
	x, room := r.X+3, r.W-4
	reason, wrongFrom := filterError(f)
	input := room
	if reason != "" {
		input = max(min(text.Width(f.Input)+2, room*2/3), min(12, room))
		p.canvas.Text(x+input+1, r.Y, room-input-1, theme.Critical, "✖ "+text.Sanitize(reason))
	} else if f.Input == "" && f.Pos == 0 {
		p.canvas.Text(x+2, r.Y, room-2, theme.Dim, "state:tw  proc:nginx  rport:443  10.0.0.0/8  !state:listen")
	}
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
