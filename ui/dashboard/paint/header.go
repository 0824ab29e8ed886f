package paint

import (
	"strconv"
	"strings"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// drawHeader says which host this is, and how fresh what is shown.
func (p *Painter) drawHeader(r screen.Rect, v *View) {
	right := []segment{statusSegment(v)}
	if v.State != nil {
		clock := segment{theme.Strong, v.State.Moment.Time.Format("15:04:05")}
		right = append(right, segment{theme.Text, "  "}, recordSegment(v))
		if r.W < boxWidth && len(v.State.Moment.Limits) > 0 {
			right = append(right, segment{theme.Warn, "! partial  "})
		}
		rest := []segment{tracedSegment(v), clock}
		if every := everySegment(v); r.W >= boxWidth || v.Slowed != "" && measure(right)+measure(rest)+text.Width(every.text)+leastHeaderLeft <= r.W {
			right = append(right, every)
		}
		right = append(right, rest...)
		zone := segment{theme.Dim, v.State.Moment.Time.Format(" MST")}
		if r.W >= boxWidth && measure(right)+measure([]segment{zone})+leastHeaderLeft <= r.W {
			right = append(right, zone)
		}
	}
	room := r.W - 2
	if w := measure(right); w < room {
		p.segments(r.X+1+room-w, r.Y, w, right...)
		room -= w + 2
	} else {
		p.segments(r.X+1, r.Y, room, right[0])
		return
	}
	p.segments(r.X+1, r.Y, room, headerLeft(v, room)...)
}

// everySegment says how far apart polls are, and why they are that far where
// that is not what was asked for.
func everySegment(v *View) segment {
	if v.Timeline.On {
		return segment{} // that was up to the recorder
	}
	interval := text.Duration(v.Interval)
	if v.Interval%time.Second != 0 {
		interval = v.Interval.String()
	}
	if v.Slowed != "" {
		return segment{theme.Warn, "every " + interval + ": " + v.Slowed + "  "}
	}
	return segment{theme.Dim, "every " + interval + "  "}
}

// leastHeaderLeft is what the zone of the time leaves to the name of the host.
const leastHeaderLeft = 24

// headerLeft names the host, the namespace and where the data is from, as far as
// there is room.
func headerLeft(v *View, room int) []segment {
	left := []segment{{theme.Brand, "ephtop"}}
	if v.State == nil {
		return left
	}
	s := v.State.Moment
	gap := segment{theme.Text, "  "}
	host := []segment{gap, {theme.Strong, text.Sanitize(s.Host)}}
	if v.named() {
		host = namespaceSegments(v, room-measure(left))
	}
	left = append(left, host...)
	if worse := elsewhere(v); worse.text != "" && measure(left)+2+text.Width(worse.text) <= room {
		left = append(left, gap, worse)
	}
	for _, more := range [...]string{s.Source + ", poll " + milliseconds(s.Took), text.Sanitize(s.OS + " " + s.Kernel)} {
		if measure(left)+2+text.Width(more) > room {
			break
		}
		left = append(left, gap, segment{theme.Dim, more})
	}
	return left
}

// namespaceSegments names the host and the one of its namespaces that is shown,
// or that alone where there is no room for both; and nothing where the box of
// gauges names it, and what is wrong elsewhere needs the room.
func namespaceSegments(v *View, room int) []segment {
	name := segment{theme.Strong, advice.Namespace(&v.State.Snapshot.Scope)}
	gap := segment{theme.Text, "  "}
	if worse := elsewhere(v); worse.text != "" {
		room -= 2 + text.Width(worse.text)
	}
	both := []segment{gap, {theme.Text, text.Sanitize(v.State.Moment.Host)}, {theme.Dim, " › "}, name}
	switch alone := both[3:]; {
	case measure(both) <= room:
		return both
	case 2+measure(alone) <= room || v.layout().gauges.Empty():
		return []segment{gap, name}
	}
	return nil
}

// elsewhere says that a namespace that is not shown is worse off, where the
// sentence does not.
func elsewhere(v *View) segment {
	if !v.several() || v.Overview.Level <= v.State.Level {
		return segment{}
	}
	if i := v.Sentence.Finding; i >= 0 && i < len(v.Findings) && v.Overview.States[v.Findings[i].State] != v.State {
		return segment{}
	}
	worst := v.Overview.States[0]
	return segment{levelRoles[worst.Level], levelMark(worst.Level) + " " + advice.Namespace(&worst.Snapshot.Scope) + " (3)"}
}

// milliseconds writes how long a poll took.
func milliseconds(d time.Duration) string {
	if d < 10*time.Millisecond {
		return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) + " ms"
	}
	return text.Count(int(d.Milliseconds())) + " ms"
}

// tracedSegment says that the kernel tells of closes and failed connects, what of
// that was lost, and that it tells no more as it cost too much.
func tracedSegment(v *View) segment {
	s := v.State.Moment
	switch {
	case v.Tracing.State == source.TraceStopped && v.Width >= boxWidth:
		return segment{theme.Warn, "trace stopped  "}
	case !s.Traced || v.Tracing.State == source.TraceOff:
		return segment{}
	case s.LostEvents > 0:
		return segment{theme.Warn, "traced, " + text.Plural(s.LostEvents, "event", "events") + " lost  "}
	case v.Width < boxWidth:
		return segment{}
	}
	return segment{theme.Dim, "traced  "}
}

// statusSegment says how fresh the data is, in a sign, a word and a colour.
func statusSegment(v *View) segment {
	if v.Timeline.On && !v.Timeline.Pipe {
		return replaySegment(v)
	}
	switch v.Status {
	case StatusLive:
		switch {
		case v.Timeline.Pipe:
			return segment{theme.OK, "● live, piped"}
		case v.Speed != 0 && v.Speed != 1:
			return segment{theme.OK, "● live " + text.Times(v.Speed)}
		}
		return segment{theme.OK, "● live"}
	case StatusPaused:
		s := segment{theme.Warn, "‖ paused " + text.Duration(v.Now.Sub(v.PausedSince)) + " ago"}
		if v.Width >= boxWidth {
			s.text += " · space"
		}
		return s
	case StatusStale:
		if v.State == nil {
			return segment{theme.Critical, "! no data"}
		}
		return segment{theme.Critical, "! stale since " + v.ErrSince.Format("15:04:05")}
	case StatusEnded:
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

// levelMark is the sign of a level alone.
func levelMark(l model.Level) string {
	mark, _, _ := strings.Cut(levelWords[l], " ")
	return mark
}

func levelSegment(l model.Level) segment {
	l = min(l, model.LevelExhausted)
	return segment{levelRoles[l], levelWords[l]}
}
