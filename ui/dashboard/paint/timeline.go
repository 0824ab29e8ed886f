package paint

import (
	"fmt"
	"time"

	"ephtop/model"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// cellOfTime is one column of the time line.
type cellOfTime struct {
	level   model.Level
	known   bool
	changed bool
}

// drawTimeline draws where the replay is, and where which level holds.
func (p *Painter) drawTimeline(r screen.Rect, v *View) {
	line := &v.Timeline
	at, span := line.Position.Sub(line.First), line.Last.Sub(line.First)
	before, after := clockText(at, span), clockText(span, span)
	p.canvas.Text(r.X+1, r.Y, r.W-2, theme.Strong, before)
	p.canvas.TextRight(r.X+1, r.Y, r.W-2, theme.Dim, after)
	x, n := r.X+2+len(before), r.W-4-len(before)-len(after)
	if n < 2 {
		return
	}
	cells := line.cells(n)
	here := line.column(line.Position, n)
	for i, c := range cells {
		style, sign := levelRoles[c.level], '─'
		if c.level == model.LevelOK {
			style = theme.Dim
		}
		if i < here {
			sign = '━'
			if c.level == model.LevelOK {
				style = theme.Text
			}
		}
		if !c.known {
			style = theme.Dim
		}
		if c.changed {
			style = levelRoles[c.level]
			p.canvas.Text(x+i, r.Y, 1, style, levelMark(c.level))
			continue
		}
		p.canvas.Put(x+i, r.Y, style, sign)
	}
	p.canvas.Put(x+here, r.Y, theme.Strong, '●')
}

// column is the column of a time in a line of n columns.
func (l *Timeline) column(t time.Time, n int) int {
	span := l.Last.Sub(l.First)
	if span <= 0 {
		return 0
	}
	return max(0, min(int(float64(t.Sub(l.First))/float64(span)*float64(n-1)+0.5), n-1))
}

// cells says what is known of each column: the worst level in it, and whether
// the level changes there.
func (l *Timeline) cells(n int) []cellOfTime {
	cells := make([]cellOfTime, n)
	for i, c := range l.Changes {
		from := l.column(c.Time, n)
		to := l.column(l.Scanned, n)
		if i+1 < len(l.Changes) {
			to = l.column(l.Changes[i+1].Time, n)
		}
		// A column in which the level changes is marked by the worst one that
		// begins there; the one that ends there has its own columns.
		if i > 0 {
			if !cells[from].changed || c.Level > cells[from].level {
				cells[from].level = c.Level
			}
			cells[from].changed, cells[from].known = true, true
			from++
		}
		for j := from; j <= to; j++ {
			cells[j].level, cells[j].known = c.Level, true
		}
	}
	return cells
}

// clockText writes a time since the start as in "4:31", with hours if the
// whole has some.
func clockText(d, whole time.Duration) string {
	s := int(max(d, 0).Round(time.Second) / time.Second)
	if whole >= time.Hour {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// replaySegment says how a replay goes.
func replaySegment(v *View) segment {
	line := &v.Timeline
	word := "replay "
	if v.Width < boxWidth && v.layout().timeline.Empty() {
		word = ""
	}
	s := segment{theme.OK, "▶ " + word + text.Times(v.Speed)}
	switch {
	case v.Status == StatusWaiting:
		return segment{theme.Dim, "reading the recording…"}
	case line.Back:
		s = segment{theme.Warn, "◂ looking back " + text.Duration(line.Ago)}
		if line.Seeking {
			s.text += "…"
		}
	case line.Seeking:
		s = segment{theme.Dim, "… seeking"}
	case v.Status == StatusEnded:
		s = segment{theme.Warn, "■ end"}
	case !line.Playing:
		s = segment{theme.Warn, "‖ replay"}
	}
	if v.layout().timeline.Empty() {
		span := line.Last.Sub(line.First)
		s.text += "  " + clockText(line.Position.Sub(line.First), span) + "/" + clockText(span, span)
	}
	return s
}

// recordSegment says that a recording is being written.
func recordSegment(v *View) segment {
	if !v.Recording.On {
		return segment{}
	}
	s := segment{theme.Critical, "● rec  "}
	if v.Width >= boxWidth {
		s.text = "● rec " + text.Duration(v.Now.Sub(v.Recording.Since)) + " " + text.Bytes(v.Recording.Size) + "  "
	}
	return s
}
