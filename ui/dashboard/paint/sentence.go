package paint

import (
	"strings"

	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// drawSentence says what is wrong, and where that leaves room, by which key one
// learns what to do.
func (p *Painter) drawSentence(r screen.Rect, v *View) {
	if v.State == nil {
		return
	}
	s := &v.Sentence
	style, mark := levelRoles[s.Level], levelMark(s.Level)+" "
	x, room, said := r.X+1, r.W-2, s.Text
	if s.Finding >= 0 {
		for _, way := range [...]struct{ said, does string }{{s.Text, " what to do"}, {s.Text, " fix"}, {s.Brief, " fix"}} {
			if w := 1 + len(way.does); text.Width(mark+way.said)+2+w <= room {
				said = way.said
				p.segments(x+room-w, r.Y, w, segment{theme.Key, "f"}, segment{theme.Dim, way.does})
				break
			}
		}
	}
	first, rest := mark+said, "" // none where there is one line
	if r.H > 1 {
		if lines := text.Wrap(s.Text, max(room-2, 1)); len(lines) > 1 {
			first, rest = mark+lines[0], strings.TrimPrefix(s.Text, lines[0]+" ")
		}
	}
	p.canvas.Text(x, r.Y, room, style, first)
	p.canvas.Text(x+2, r.Y+1, room-2, style, rest)
}
