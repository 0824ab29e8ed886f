package paint

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
func replayView(width, height int) *View {
	v := sampleView(width, height)
	start := sampleTime.Add(-271 * time.Second)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	v.Speed = 1
	v.Timeline = Timeline{
		On: true, First: start, Last: at(600), Position: sampleTime, Playing: true, Scanned: at(600),
		Changes: []model.LevelChange{
			{Time: at(0), Level: model.LevelOK}, {Time: at(180), Level: model.LevelWarning}, {Time: at(300), Level: model.LevelCritical},
			{Time: at(360), Level: model.LevelExhausted}, {Time: at(450), Level: model.LevelWarning}, {Time: at(470), Level: model.LevelOK},
		},
	}
	v.Hints, v.Help = sampleKeys("replay")
	return v
}

// lookBack makes the replay a live dashboard's.
func lookBack(v *View) {
	v.Status, v.Timeline.Playing, v.Timeline.Back = StatusPaused, false, true
	v.Timeline.Ago = v.Timeline.Last.Sub(v.Timeline.Position) + 42*time.Second
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
		change func(v *View)
	}{
		{"stopped", func(v *View) { v.Timeline.Playing, v.Status = false, StatusPaused }},
		{"seeking", func(v *View) { v.Timeline.Seeking = true }},
		{"fast", func(v *View) { v.Speed = 16 }},
		{"at the end of a cut recording", func(v *View) {
			v.Timeline.Position, v.Timeline.Playing, v.Status = v.Timeline.Last, false, StatusEnded
			v.Timeline.Note = "recording ends here: it was cut"
		}},
		{"levels known in part", func(v *View) {
			v.Timeline.Changes, v.Timeline.Scanned = v.Timeline.Changes[:3], v.Timeline.First.Add(320*time.Second)
		}},
		{"of one moment", func(v *View) {
			v.Timeline.Last, v.Timeline.Position = v.Timeline.First, v.Timeline.First
			v.Timeline.Changes = v.Timeline.Changes[:1]
		}},
		{"before the first moment", func(v *View) { v.State, v.Status = nil, StatusWaiting }},
		{"help", func(v *View) { v.Overlay = OverlayHelp }},
		{"from a pipe", func(v *View) { v.Timeline, v.Speed = Timeline{On: true, Pipe: true}, 0 }},
		{"looking back", lookBack},
		{"looking back, to another moment", func(v *View) { lookBack(v); v.Timeline.Seeking = true }},
		{"looking back 40x10", func(v *View) { lookBack(v); v.Width, v.Height = 40, 10 }},
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
		requireFrame(t, New(theme.Theme{}, true), replayView(80, 24))
	})
}

func TestReplayAtEachSize(t *testing.T) {
	t.Parallel()
	p, v := plain(), replayView(1, 1)
	for width := 1; width <= 170; width += 7 {
		for height := 1; height <= 45; height++ {
			v.Width, v.Height = width, height
			requireSize(t, p.Frame(v), width, height)
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
			v.Recording = Recording{On: true, Since: v.Now.Add(-12 * time.Second), Size: 34_567}
			requireFrame(t, plain(), v)
		})
	}
}

func TestTimeOfALongRecording(t *testing.T) {
	t.Parallel()
	v := replayView(80, 24)
	v.Timeline.Last = v.Timeline.First.Add(26 * time.Hour)
	lines := strings.Split(plain().Frame(v), "\n")
	if line := lines[len(lines)-2]; !strings.Contains(line, " 0:04:31 ●") || !strings.HasSuffix(line, " 26:00:00 ") {
		t.Errorf("%q", line)
	}
}
