package dashboard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/muesli/termenv"

	"ephtop/model"
	"ephtop/ui/screen"
	"ephtop/ui/theme"
)

// replayView is the sample in the midst of a recording of 10 min.
func replayView(width, height int) *view {
	v := sampleView(width, height)
	start := sampleTime.Add(-271 * time.Second)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	v.speed = 1
	v.timeline = timeline{
		on: true, first: start, last: at(600), position: sampleTime, playing: true, scanned: at(600),
		changes: []levelChange{
			{at(0), model.LevelOK}, {at(180), model.LevelWarning}, {at(300), model.LevelCritical},
			{at(360), model.LevelExhausted}, {at(450), model.LevelWarning}, {at(470), model.LevelOK},
		},
	}
	v.hints, v.help = sampleKeys("replay")
	return v
}

func TestFrameOfAReplay(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{40, 9}, {40, 10}, {60, 20}, {80, 24}, {120, 40}, {200, 60}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			requireFrame(t, plain(), replayView(size[0], size[1]))
		})
	}
	for _, test := range []struct {
		name   string
		change func(v *view)
	}{
		{"stopped", func(v *view) { v.timeline.playing, v.status = false, statusPaused }},
		{"seeking", func(v *view) { v.timeline.seeking = true }},
		{"fast", func(v *view) { v.speed = 16 }},
		{"at the end of a cut recording", func(v *view) {
			v.timeline.position, v.timeline.playing, v.status = v.timeline.last, false, statusEnded
			v.timeline.note = "recording ends here: it was cut"
		}},
		{"levels known in part", func(v *view) {
			v.timeline.changes, v.timeline.scanned = v.timeline.changes[:3], v.timeline.first.Add(320*time.Second)
		}},
		{"of one moment", func(v *view) {
			v.timeline.last, v.timeline.position = v.timeline.first, v.timeline.first
			v.timeline.changes = v.timeline.changes[:1]
		}},
		{"before the first moment", func(v *view) { v.state, v.status = nil, statusWaiting }},
		{"help", func(v *view) { v.overlay = overlayHelp }},
		{"from a pipe", func(v *view) { v.timeline, v.speed = timeline{on: true, pipe: true}, 0 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := replayView(80, 24)
			test.change(v)
			requireFrame(t, plain(), v)
		})
	}
	t.Run("in colour", func(t *testing.T) {
		requireFrame(t, coloured(t, "default", termenv.ANSI), replayView(80, 24))
	})
	t.Run("ascii", func(t *testing.T) {
		requireFrame(t, newPainter(theme.Theme{}, true), replayView(80, 24))
	})
}

func TestReplayAtEachSize(t *testing.T) {
	t.Parallel()
	p := plain()
	for width := 1; width <= 170; width += 7 {
		for height := 1; height <= 45; height++ {
			v := replayView(width, height)
			requireSize(t, p.frame(v), width, height)
			l := v.layout()
			for _, r := range []screen.Rect{l.states, l.consumers, l.destinations, l.connections, l.gauges} {
				if !l.timeline.Empty() && !r.Empty() && r.Y+r.H > l.timeline.Y {
					t.Fatalf("%dx%d: %+v covers the time line at %+v", width, height, r, l.timeline)
				}
			}
		}
	}
}

func TestFrameWhileRecording(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{40, 10}, {80, 24}, {120, 40}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			v := sampleView(size[0], size[1])
			v.record = record{on: true, since: v.now.Add(-12 * time.Second), size: 34_567}
			requireFrame(t, plain(), v)
		})
	}
}

func TestTimeOfALongRecording(t *testing.T) {
	t.Parallel()
	v := replayView(80, 24)
	v.timeline.last = v.timeline.first.Add(26 * time.Hour)
	lines := strings.Split(plain().frame(v), "\n")
	if line := lines[len(lines)-2]; !strings.Contains(line, " 0:04:31 ●") || !strings.HasSuffix(line, " 26:00:00 ") {
		t.Errorf("%q", line)
	}
}
