package dashboard

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ephtop/model"
	"ephtop/source/recording"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/session"
)

func TestReplayPlays(t *testing.T) {
	t.Parallel()
	runReplay(t, quiet(), Config{}, func(h *replayHarness) {
		h.wantPosition(0)
		h.wantHeader("▶ replay 1×")
		h.sleep(10500 * time.Millisecond)
		h.wantPosition(10 * time.Second)
		h.wantStraight()

		h.press("space")
		h.wantHeader("‖ replay")
		h.sleep(10 * time.Second)
		h.wantPosition(10 * time.Second)

		h.press("space")
		h.sleep(1500 * time.Millisecond)
		h.wantPosition(11 * time.Second)
		h.wantHeader("▶ replay 1×")
	})
}

func TestReplaySpeed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		speed float64
		keys  string
		after time.Duration
		want  time.Duration
		shown string
	}{
		{"twice", 0, ">", 10500 * time.Millisecond, 21 * time.Second, "2×"},
		{"the fastest", 0, ">>>>>>>>", 10 * time.Second, 160 * time.Second, "16×"},
		{"the slowest", 0, "<<<<<", 10 * time.Second, 2 * time.Second, "0.25×"},
		{"and back", 0, ">><<", 10500 * time.Millisecond, 10 * time.Second, "1×"},
		{"as it was told", 8, "", 10 * time.Second, 80 * time.Second, "8×"},
		{"more than there is", 1000, "", 10 * time.Second, 160 * time.Second, "16×"},
	} {
		t.Run(test.name, func(t *testing.T) {
			runReplay(t, quiet(), Config{Speed: test.speed}, func(h *replayHarness) {
				h.typeText(test.keys)
				h.sleep(test.after)
				h.wantPosition(test.want)
				h.wantHeader("▶ replay " + test.shown)
				h.wantStraight()
			})
		})
	}
}

// Where a change of speed comes between two moments, the wait for the next one
// is shortened from then on.
func TestReplaySpeedBetweenMoments(t *testing.T) {
	t.Parallel()
	runReplay(t, recordDemo("browsing", 4*time.Second, 10), Config{}, func(h *replayHarness) {
		h.sleep(2 * time.Second) // of 4
		h.press(">")
		h.sleep(900 * time.Millisecond)
		h.wantPosition(0)
		h.sleep(200 * time.Millisecond)
		h.wantPosition(4 * time.Second)
	})
}

// Moments that come faster than frames can be shown are not all drawn, but the
// tracker sees all of them.
func TestReplayOfShortMoments(t *testing.T) {
	t.Parallel()
	data := recordDemo("browsing", 100*time.Millisecond, 600)
	runReplay(t, data, Config{Speed: 16}, func(h *replayHarness) {
		h.sleep(2 * time.Second)
		if at := h.position(); at < 31*time.Second || at > 32*time.Second {
			t.Errorf("at %v after 2 s at 16×", at)
		}
		h.wantStraight()
	})
}

func TestReplaySeeks(t *testing.T) {
	t.Parallel()
	runReplay(t, quiet(), Config{Speed: 16}, func(h *replayHarness) {
		h.press("space")
		for _, test := range []struct {
			name string
			keys string
			want time.Duration
		}{
			{"a second on", "right", 101 * time.Second},
			{"a second back", "left", 99 * time.Second},
			{"ten seconds on", "shift+right", 110 * time.Second},
			{"ten seconds back", "shift+left", 90 * time.Second},
			{"many at once", "shift+right shift+right shift+right left left", 128 * time.Second},
			{"to the start", "home", 0},
			{"to the end", "end", 399 * time.Second},
			{"from the end", "end shift+left", 389 * time.Second},
			{"before the start", "home left", 0},
			{"over the end", "end right", 399 * time.Second},
		} {
			h.m.seekForTest(h, 100*time.Second)
			h.press(strings.Fields(test.keys)...)
			h.wantPosition(test.want)
			h.wantStraight()
			if h.Failed() {
				h.Fatal(test.name)
			}
		}
	})
}

// All keys of a burst come before the first of the seeks has ended.
func TestReplaySeekCancelsTheOneBefore(t *testing.T) {
	t.Parallel()
	runReplay(t, quiet(), Config{}, func(h *replayHarness) {
		h.press("space")
		var cmds []func()
		for _, k := range []string{"end", "home", "shift+right", "shift+right", "right"} {
			_, cmd := h.m.Update(keyMsg(k))
			cmds = append(cmds, func() { h.spawn(cmd) })
		}
		if line := h.m.view.Timeline; !line.Seeking || line.Position.Sub(h.first) != 21*time.Second {
			t.Errorf("the time line does not show where the seek leads: %v", line.Position.Sub(h.first))
		}
		h.press("E") // the screen is of a moment on the way
		if !strings.Contains(h.m.view.Notice, "no report while it seeks") {
			t.Errorf("a report of what is not on screen yet: %q", h.m.view.Notice)
		}
		for _, start := range cmds {
			start()
		}
		synctest.Wait()
		h.wantPosition(21 * time.Second)
		h.wantStraight()
	})
}

func TestReplaySeekGoesOnPlaying(t *testing.T) {
	t.Parallel()
	runReplay(t, quiet(), Config{}, func(h *replayHarness) {
		h.press("shift+right")
		h.sleep(3500 * time.Millisecond)
		h.wantPosition(13 * time.Second)
		h.press("shift+left")
		h.sleep(1500 * time.Millisecond)
		h.wantPosition(4 * time.Second)
		h.wantStraight()
	})
}

// Where moments are farther apart than a step, each key is a moment.
func TestReplaySeekBySparseMoments(t *testing.T) {
	t.Parallel()
	runReplay(t, recordDemo("browsing", 4*time.Second, 10), Config{}, func(h *replayHarness) {
		h.press("space")
		for _, step := range []struct {
			key  string
			want time.Duration
		}{{"right", 4}, {"right", 8}, {"left", 4}, {"left", 0}, {"shift+right", 12}, {"shift+right", 24}, {"shift+left", 16}} {
			h.press(step.key)
			h.wantPosition(step.want * time.Second)
		}
	})
}

func TestReplayKeysForListsStay(t *testing.T) {
	t.Parallel()
	runReplay(t, quiet(), Config{}, func(h *replayHarness) {
		h.press("space", "shift+right")
		h.press("l")
		if h.m.view.Focus == paint.PaneConnections {
			t.Error("l does not move to the next pane")
		}
		h.press("h", "G")
		if n := h.cursor().Line; n != len(h.m.view.Rows)-1 {
			t.Errorf("G leads to line %d of %d", n, len(h.m.view.Rows))
		}
		h.press("g")
		if n := h.cursor().Line; n != 0 {
			t.Errorf("g leads to line %d", n)
		}
		h.wantPosition(10 * time.Second)
		interval := h.m.view.Interval
		for _, name := range []string{"r", "+"} {
			h.press(name)
			if h.m.view.Notice != name+" does nothing · ? help" || h.m.view.Recording.On || h.m.view.Interval != interval {
				t.Errorf("%s does something in a replay: %q", name, h.m.view.Notice)
			}
		}
	})
}

func TestReplayJumpsToChangesOfTheLevel(t *testing.T) {
	t.Parallel()
	runReplay(t, trouble(), Config{}, func(h *replayHarness) {
		h.press("space")
		h.sleep(time.Second)
		if !h.m.replay.scanned {
			t.Fatal("the levels are not known")
		}
		var levels []model.Level
		var at []time.Duration
		for range 20 {
			h.press("]")
			if strings.Contains(h.m.view.Notice, "no change") {
				break
			}
			levels, at = append(levels, h.m.view.State.Level), append(at, h.position())
		}
		if len(levels) < 3 {
			t.Fatalf("changes to %v", levels)
		}
		for i := 1; i < len(levels); i++ {
			if levels[i] == levels[i-1] || at[i] <= at[i-1] {
				t.Errorf("from %v at %v to %v at %v", levels[i-1], at[i-1], levels[i], at[i])
			}
		}
		for i := len(at) - 2; i >= 0; i-- {
			h.press("[")
			h.wantPosition(at[i])
		}
		h.press("[")
		h.wantPosition(at[0])
		h.wantFooter("no change of the level before this")
		h.wantScreen(h.straight())
	})
}

func TestReplayEnds(t *testing.T) {
	t.Parallel()
	runReplay(t, quiet(), Config{Speed: 16}, func(h *replayHarness) {
		h.sleep(30 * time.Second)
		h.wantPosition(399 * time.Second)
		h.wantStatus(paint.StatusEnded)
		h.wantHeader("■ end")
		h.wantStraight()
		if h.m.view.Timeline.Note != "" {
			t.Errorf("a whole recording ends with %q", h.m.view.Timeline.Note)
		}
		h.press("left")
		h.wantHeader("‖ replay")
		h.press("end", "space")
		h.wantHeader("▶ replay")
		h.sleep(1030 * time.Millisecond)
		h.wantPosition(16 * time.Second)
	})
}

func TestReplayOfACutRecording(t *testing.T) {
	t.Parallel()
	data := quiet()
	runReplay(t, data[:len(data)*3/4], Config{Speed: 16}, func(h *replayHarness) {
		h.sleep(30 * time.Second)
		h.wantStatus(paint.StatusEnded)
		h.wantFooter("recording ends here: it was cut")
		if at := h.position(); at < 200*time.Second || at > 399*time.Second {
			t.Errorf("ends at %v", at)
		}
		h.wantStraight()
		h.press("shift+left")
		h.wantHeader("‖ replay")
		if h.m.view.Timeline.Note != "" {
			t.Errorf("before the end: %q", h.m.view.Timeline.Note)
		}
	})
}

func TestReplayOfJoinedRecordings(t *testing.T) {
	t.Parallel()
	data := quiet()
	runReplay(t, slices.Concat(data, data), Config{Speed: 16}, func(h *replayHarness) {
		h.sleep(30 * time.Second)
		h.wantPosition(399 * time.Second)
		h.wantStatus(paint.StatusEnded)
		h.wantFooter("recording ends here: another begins behind it, and is not read")
		h.wantStraight()
	})
}

func TestReplayIsAsLongAsTheScanFinds(t *testing.T) {
	t.Parallel()
	data := quiet()
	for part := 80; part < 96; part += 2 { // some of these cuts are in full moments
		data := data[:len(data)*part/100]
		runReplay(t, data, Config{}, func(h *replayHarness) {
			h.m.view.Timeline.Last = h.first
			h.m.replay.scan = session.NewScan(h.player, model.Options{})
			h.spawn(h.m.scanOn())
			synctest.Wait()
			h.press("end")
			h.wantStatus(paint.StatusEnded)
			h.wantFooter("it was cut")
			if at := h.position(); h.m.view.Timeline.Last.Sub(h.first) != at || at < 200*time.Second {
				t.Errorf("cut to %d %%: the end is at %v of %v", part, at, h.m.view.Timeline.Last.Sub(h.first))
			}
		})
	}
}

func TestReplayOfADamagedRecording(t *testing.T) {
	t.Parallel()
	data := bytes.Clone(quiet())
	copy(data[len(data)/2:], "this is not what was written here")
	runReplay(t, data, Config{Speed: 16}, func(h *replayHarness) {
		h.sleep(30 * time.Second)
		h.wantStatus(paint.StatusEnded)
		h.wantFooter("recording ends here: ")
		h.wantStraight()
		h.press("home")
		h.wantPosition(0)
	})
}

func TestReplayOfAPipe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// Out of a file, all comes at once, and is shown in its own time.
		p, err := recording.NewLive(io.NopCloser(bytes.NewReader(quiet())))
		if err != nil {
			t.Fatal(err)
		}
		runPlayer(t, p, quiet(), Config{}, func(h *replayHarness) {
			h.wantHeader("● live, piped")
			h.sleep(10500 * time.Millisecond)
			if at := h.position(); at != 10*time.Second {
				t.Errorf("at %v after 10.5 s", at)
			}
			h.wantStraight()
			h.press("space")
			h.wantHeader("‖ paused")
			h.sleep(5 * time.Second)
			h.press("shift+left")
			if at := h.position(); at != 0 {
				t.Errorf("at %v, having looked back 10 s", at)
			}
			h.wantHeader("◂ looking back 15s")
			h.wantStraight()
			h.press("space")
			if at := h.position(); at != 15*time.Second {
				t.Errorf("at %v after a pause: a pipe goes on", at)
			}
			h.sleep(400 * time.Second)
			h.wantHeader("■ ended")
			h.wantStraight()
		})
	})
}
