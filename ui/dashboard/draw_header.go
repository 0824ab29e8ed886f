package dashboard

import (
	"ephtop/model"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// drawHeader says which host this is, and how fresh what is shown.
func (p *painter) drawHeader(r screen.Rect, v *view) {
	if r.Empty() {
		return
	}
	right := []segment{statusSegment(v)}
	if v.state != nil {
		clock := segment{theme.Strong, v.state.Snapshot.Time.Format("15:04:05")}
		every := segment{theme.Dim, "every " + text.Duration(v.interval) + "  "}
		if v.interval < 1e9 {
			every.text = "every " + v.interval.String() + "  "
		}
		if r.W < boxWidth && len(v.state.Snapshot.Degraded) > 0 {
			every = segment{theme.Warn, "! partial  "}
		} else if r.W < boxWidth {
			every.text = ""
		}
		right = append(right, segment{theme.Text, "  "}, every, clock)
	}
	room := r.W - 2
	if w := measure(right); w < room {
		p.segments(r.X+1+room-w, r.Y, w, right...)
		room -= w + 2
	} else {
		p.segments(r.X+1, r.Y, room, right[0])
		return
	}
	left := []segment{{theme.Brand, "ephtop"}}
	if v.state != nil {
		s := v.state.Snapshot
		left = append(left, segment{theme.Text, "  "}, segment{theme.Strong, text.Sanitize(s.Host)})
		if r.W >= mapWidth {
			left = append(left, segment{theme.Dim, "  " + text.Sanitize(s.OS+" "+s.Kernel)},
				segment{theme.Dim, "  " + s.Source + " " + milliseconds(s.Took)})
		}
	}
	p.segments(r.X+1, r.Y, room, left...)
}

// statusSegment says how fresh the data is, in a sign, a word and a colour.
func statusSegment(v *view) segment {
	switch v.status {
	case statusLive:
		return segment{theme.OK, "● live"}
	case statusPaused:
		s := segment{theme.Warn, "‖ paused"}
		if v.state != nil {
			s.text += "  " + text.Duration(v.now.Sub(v.state.Snapshot.Time)) + " old"
		}
		return s
	case statusStale:
		if v.state == nil {
			return segment{theme.Critical, "! no data"}
		}
		return segment{theme.Critical, "! stale since " + v.errSince.Format("15:04:05")}
	case statusEnded:
		return segment{theme.Warn, "■ ended"}
	}
	return segment{theme.Dim, "reading sockets…"}
}

// The words and signs of the levels.
var (
	levelRoles = [...]theme.Role{
		model.LevelOK: theme.OK, model.LevelWarning: theme.Warn, model.LevelCritical: theme.Critical,
		model.LevelExhausted: theme.Exhausted,
	}
	levelWords = [...]string{
		model.LevelOK: "· ok", model.LevelWarning: "! warning", model.LevelCritical: "‼ critical",
		model.LevelExhausted: "✖ exhausted",
	}
)

func levelSegment(l model.Level) segment {
	l = min(l, model.LevelExhausted)
	return segment{levelRoles[l], levelWords[l]}
}
