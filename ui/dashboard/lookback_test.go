package dashboard

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
	"ephtop/source/race"
	"ephtop/source/recording"
	"ephtop/ui/dashboard/paint"
)

// runPast starts a model on a host on which another connection is made each
// second, the first one at once, and lets so many polls answer.
func runPast(t *testing.T, cfg Config, polls int, body func(h *harness)) {
	t.Helper()
	runConfig(t, some(1), cfg, func(h *harness) {
		for n := 2; n <= polls; n++ {
			h.grow(n)
		}
		body(h)
	})
}

// grow lets the next poll see n connections.
func (h *harness) grow(n int) {
	h.src.set(func(s *fakeSource) { s.sockets = some(n) })
	h.sleep(time.Second)
}

// wantRows wants so many connections on screen.
func (h *harness) wantRows(want int) {
	h.Helper()
	h.send(nil)
	if got := len(h.m.view.Rows); got != want {
		h.Errorf("%d connections on screen, want %d", got, want)
	}
}

// wantLine wants a text in a line of the screen, counted from the end where n is
// negative.
func (h *harness) wantLine(n int, want string) {
	h.Helper()
	h.send(nil)
	lines := strings.Split(h.m.View(), "\n")
	if got := lines[(n+len(lines))%len(lines)]; !strings.Contains(got, want) {
		h.Errorf("line %d lacks %q: %q", n, want, got)
	}
}

func TestLookBack(t *testing.T) {
	t.Parallel()
	runPast(t, Config{}, 20, func(h *harness) {
		h.press("space")
		h.wantLine(0, "‖ paused 0s ago · space")
		for n := 21; n <= 25; n++ {
			h.grow(n)
		}
		h.wantLine(0, "‖ paused 5s ago · space")
		h.press("left", "left")
		h.wantRows(18)
		h.wantLine(0, "◂ looking back 7s")
		if line := h.m.view.Timeline; line.Last.Sub(line.First) != 24*time.Second || line.Position.Sub(line.First) != 17*time.Second {
			t.Errorf("the time line is %+v", line)
		}
		h.press("shift+left")
		h.wantRows(8)
		h.press("right")
		h.wantRows(9)
		h.press("home")
		h.wantRows(1)
		polls := h.src.polls()
		h.grow(26)
		h.wantRows(1)
		h.wantLine(0, "◂ looking back 25s")
		if h.src.polls() != polls+1 {
			t.Error("nothing is polled while one looks back")
		}
		h.press("space")
		h.wantStatus(paint.StatusLive)
		h.wantRows(26)
		if h.m.view.Timeline.On {
			t.Error("there is a time line still")
		}
		h.grow(27)
		h.wantRows(27)
	})
}

// What is polled while one looks back can be come to as well.
func TestLookOn(t *testing.T) {
	t.Parallel()
	runPast(t, Config{}, 10, func(h *harness) {
		h.press("space", "left", "left", "right", "right")
		h.wantRows(10)
		h.press("right")
		h.wantRows(10)
		for n := 11; n <= 15; n++ {
			h.grow(n)
		}
		h.wantRows(10)
		h.press("right")
		h.wantRows(11)
		h.press("shift+right")
		h.wantRows(15)
		h.wantStatus(paint.StatusPaused)
		h.press("left")
		h.wantRows(14)
		h.press("space")
		h.wantStatus(paint.StatusLive)
	})
}

// The keys belong to the panes while nothing is paused.
func TestArrowsChangePanesWhileLive(t *testing.T) {
	t.Parallel()
	runPast(t, Config{}, 5, func(h *harness) {
		before := h.m.view.Focus
		h.press("left")
		h.wantStatus(paint.StatusLive)
		if h.m.view.Focus == before {
			t.Error("the focus did not move")
		}
		h.press("space", "l")
		h.wantStatus(paint.StatusPaused)
		if h.m.view.Focus != before || h.m.view.Timeline.On {
			t.Error("l does not move the focus back during a pause")
		}
	})
}

func TestWaysBackToThePresent(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"space", "esc", "end"} {
		for _, back := range []string{"", "left", "home"} {
			t.Run(key+" after "+back, func(t *testing.T) {
				runPast(t, Config{}, 5, func(h *harness) {
					h.press("space")
					if back != "" {
						h.press(back)
					}
					h.press(key)
					h.wantStatus(paint.StatusLive)
					h.wantRows(5)
					h.grow(6)
					h.wantRows(6)
				})
			})
		}
	}
}

// An overlay and a filter are closed before the present comes back.
func TestEscapeClosesTheNearestFirst(t *testing.T) {
	t.Parallel()
	runPast(t, Config{}, 5, func(h *harness) {
		h.press("space", "left", "/")
		h.typeText("lport:40002")
		h.press("enter", "?")
		h.wantRows(1)
		h.press("esc", "esc")
		h.wantRows(4)
		h.wantLine(0, "◂ looking back 1s")
		h.press("esc")
		h.wantStatus(paint.StatusLive)
	})
}

// What is chosen while one looks back holds for the present too.
func TestChooseWhileLookingBack(t *testing.T) {
	t.Parallel()
	runPast(t, Config{}, 9, func(h *harness) {
		h.press("space", "left", "/")
		h.typeText("lport:40007-40009")
		h.press("enter")
		h.wantRows(2)
		h.press("space")
		if diff := cmp.Diff([]uint16{40007, 40008, 40009}, h.ports()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLookBackToChangesOfTheLevel(t *testing.T) {
	t.Parallel()
	runConfig(t, some(1), Config{}, func(h *harness) {
		h.src.portRange = source.PortRange{Low: 40001, High: 40020}
		for n := 2; n <= 19; n++ {
			h.grow(n)
		}
		h.press("space", "[")
		h.wantRows(16) // of 20: critical
		h.wantLine(-1, "critical from")
		h.press("[")
		h.wantRows(12)
		h.press("[")
		h.wantLine(-1, "no change of the level before this")
		h.press("]")
		h.wantRows(16)
		h.press("]", "]")
		h.wantLine(-1, "no change of the level after this")
	})
}

func TestNothingToLookBackAtYet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, Config{}, &fakeSource{sockets: some(1), takes: 4 * time.Second})
		h.press("space", "left")
		h.wantLine(-1, "nothing was kept to look back at yet")
		h.sleep(5 * time.Second)
		h.press("left")
		h.wantRows(1)
		h.end()
	})
}

// A poll that hangs or fails keeps nobody from looking back, and is told of.
func TestLookBackWhilePollsFail(t *testing.T) {
	t.Parallel()
	runPast(t, Config{Timeout: 3 * time.Second}, 9, func(h *harness) {
		h.src.set(func(s *fakeSource) { s.hangs = true })
		h.sleep(1500 * time.Millisecond)
		h.press("space", "left")
		h.wantRows(8)
		h.src.set(func(s *fakeSource) { s.hangs, s.err = false, errFake })
		h.sleep(10 * time.Second)
		h.wantRows(8)
		h.wantLine(0, "◂ looking back 1s")
		h.wantLine(-1, "✖ netlink is sulking")
		h.wantLine(-1, "s ago")
		h.press("left")
		h.wantRows(7)
		h.press("space")
		h.wantStatus(paint.StatusStale)
		h.wantRows(9)
	})
}

// A recording goes on as if nobody looked back.
func TestRecordWhileLookingBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runPast(t, Config{RecordDir: dir}, 5, func(h *harness) {
		h.press("r", "space", "left", "home")
		for n := 6; n <= 15; n++ {
			h.grow(n)
		}
		h.press("right", "r")
		h.wantRows(2)
	})
	files, err := filepath.Glob(filepath.Join(dir, "*.eph"))
	if err != nil || len(files) != 1 {
		t.Fatalf("recordings %q: %v", files, err)
	}
	f, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := recording.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for n := 6; n <= 15; n++ {
		var m source.Moment
		if err := r.Next(&m); err != nil || len(m.Room) != n {
			t.Errorf("%d sockets recorded, want %d: %v", len(m.Room), n, err)
		}
	}
}

// The source spoils the memory that it is handed: nothing on screen and nothing
// that is kept may be among it.
func TestMomentsThatAreKeptAreNeverPolledInto(t *testing.T) {
	t.Parallel()
	runPast(t, Config{}, 5, func(h *harness) {
		h.src.set(func(s *fakeSource) { s.takes = 70 * time.Millisecond })
		keys := []string{"space", "left", "right", "home", "]", "s", "space", "left", "space", "home", "tab", "esc"}
		for n := range 200 {
			h.press(keys[n%len(keys)])
			h.sleep(130 * time.Millisecond)
			if slices.Contains(h.ports(), 6666) {
				t.Fatalf("after key %d the screen shows memory that a poll writes to", n)
			}
		}
		if n := len(h.m.spare); n > 4 {
			t.Errorf("%d readings lie about", n)
		}
	})
}

// On a large host a glance comes first, and then all of the history.
func TestLookBackOnALargeHost(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector has it take minutes, and sees the same with few sockets")
	}
	t.Parallel()
	runConfig(t, many(4500), Config{}, func(h *harness) { // in two minutes, more than a glance has time for
		h.sleep(120 * time.Second)
		h.press("space", "left")
		if n := len(h.m.shown.state.History); n != 120 {
			t.Errorf("%d samples of history, want all 120", n)
		}
	})
}
