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
	x, room := r.X+1, r.W-2
	if s.Finding >= 0 {
		for _, does := range [...]string{" what to do", " help"} {
			if w := 1 + len(does); text.Width(mark+s.Text)+2+w <= room {
				p.segments(x+room-w, r.Y, w, segment{theme.Key, "f"}, segment{theme.Dim, does})
				break
			}
		}
	}
	first, rest := mark+s.Text, "" // none where there is one line
	if r.H > 1 {
		if lines := text.Wrap(s.Text, max(room-2, 1)); len(lines) > 1 {
			first, rest = mark+lines[0], strings.TrimPrefix(s.Text, lines[0]+" ")
		}
	}
	p.canvas.Text(x, r.Y, room, style, first)
	p.canvas.Text(x+2, r.Y+1, room-2, style, rest)
}
