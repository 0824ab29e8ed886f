package dashboard

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/ui/dashboard/paint"
	"ephtop/ui/session"
)

func TestPollsAreOneIntervalApart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		takes       time.Duration
		interval    time.Duration
		wantBetween time.Duration
	}{
		{"a poll that takes no time", 0, time.Second, time.Second},
		{"a poll that takes part of the interval", 300 * time.Millisecond, time.Second, time.Second},
		{"a poll that takes longer than the interval", 1700 * time.Millisecond, time.Second, 1700 * time.Millisecond},
		{"a short interval", 0, 100 * time.Millisecond, 100 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			runConfig(t, some(3), Config{Interval: test.interval}, func(h *harness) {
				h.src.set(func(s *fakeSource) { s.takes = test.takes })
				h.sleep(20 * time.Second)
				starts := h.src.started()
				if len(starts) < 5 {
					t.Fatalf("%d polls in 20 s", len(starts))
				}
				for i := 2; i < len(starts); i++ {
					if d := starts[i].Sub(starts[i-1]); d != test.wantBetween {
						t.Fatalf("poll %d came %v after the one before, want %v", i, d, test.wantBetween)
					}
				}
			})
		})
	}
}

func TestFirstPoll(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		h.wantStatus(paint.StatusLive)
		if got := h.m.view.Total; got != 3 {
			t.Errorf("total %d, want 3", got)
		}
	})
}

func TestWaitingForTheFirstPoll(t *testing.T) {
	t.Parallel()
	src := some(3)
	runConfig(t, src, Config{}, func(h *harness) {
		// The harness has let the first poll answer; a new model has not.
		m, err := New(Config{Source: h.src})
		if err != nil {
			t.Fatal(err)
		}
		if m.view.Status != paint.StatusWaiting || m.view.State != nil {
			t.Errorf("status %d, state %v before the first poll", m.view.Status, m.view.State)
		}
		m.Stop(time.Second)
	})
}

func TestFailingPollKeepsTheLastGoodData(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		before := h.ports()
		h.src.set(func(s *fakeSource) { s.err = errFake })
		failedAt := h.src.started()[0].Add(time.Second)
		h.sleep(5500 * time.Millisecond)
		h.wantStatus(paint.StatusStale)
		if !errors.Is(h.m.view.Err, errFake) {
			t.Errorf("error %v, want %v", h.m.view.Err, errFake)
		}
		if !h.m.view.ErrSince.Equal(failedAt) {
			t.Errorf("since %v, want the start of the first poll that failed, %v", h.m.view.ErrSince, failedAt)
		}
		if diff := cmp.Diff(before, h.ports()); diff != "" {
			t.Errorf("the data changed (-before +after):\n%s", diff)
		}
		if n := h.src.polls(); n != 6 {
			t.Errorf("%d polls in 5.5 s, want 6: it must go on polling", n)
		}

		h.src.set(func(s *fakeSource) { s.err = nil; s.sockets = some(4) })
		h.sleep(time.Second)
		h.wantStatus(paint.StatusLive)
		if h.m.view.Err != nil || !h.m.view.ErrSince.IsZero() {
			t.Errorf("after recovery: error %v since %v", h.m.view.Err, h.m.view.ErrSince)
		}
		if len(h.m.view.Rows) != 4 {
			t.Errorf("%d rows after recovery, want 4", len(h.m.view.Rows))
		}
	})
}

func TestSourceThatEnds(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		h.src.set(func(s *fakeSource) { s.err = io.EOF })
		h.sleep(time.Second)
		polls := h.src.polls()
		h.sleep(10 * time.Second)
		h.wantStatus(paint.StatusEnded)
		if h.m.view.Err != nil {
			t.Errorf("the end is not an error, got %v", h.m.view.Err)
		}
		if n := h.src.polls(); n != polls {
			t.Errorf("polled %d times after the end", n-polls)
		}
		h.press("+", "j", "/")
		h.typeText("lport:40002")
		if diff := cmp.Diff([]uint16{40002}, h.ports()); diff != "" {
			t.Errorf("the last data cannot be filtered:\n%s", diff)
		}
	})
}

func TestPollThatHangs(t *testing.T) {
	t.Parallel()
	t.Run("is shown as stale while it lasts", func(t *testing.T) {
		run(t, some(3), func(h *harness) {
			h.src.set(func(s *fakeSource) { s.takes = 20 * time.Second })
			h.sleep(10 * time.Second)
			h.wantStatus(paint.StatusStale)
			if !errors.Is(h.m.view.Err, errNoAnswer) {
				t.Errorf("error %v", h.m.view.Err)
			}
			h.press("down", "down")
			if h.port() != 40003 {
				t.Errorf("keys do not work: cursor on %d", h.port())
			}
			h.src.set(func(s *fakeSource) { s.takes = 0 })
			h.sleep(13 * time.Second)
			h.wantStatus(paint.StatusLive)
		})
	})
	t.Run("is cancelled after the time out and tried again", func(t *testing.T) {
		runConfig(t, some(3), Config{Timeout: 3 * time.Second}, func(h *harness) {
			h.src.set(func(s *fakeSource) { s.hangs = true })
			h.sleep(4500 * time.Millisecond)
			h.wantStatus(paint.StatusStale)
			if err := h.m.view.Err; err == nil || !strings.Contains(err.Error(), "no answer within 3s") {
				t.Errorf("error %v", err)
			}
			h.src.set(func(s *fakeSource) { s.hangs = false })
			h.sleep(4 * time.Second)
			h.wantStatus(paint.StatusLive)
		})
	})
	t.Run("is cancelled and waited for at the end", func(t *testing.T) {
		run(t, some(3), func(h *harness) {
			h.src.set(func(s *fakeSource) { s.hangs = true })
			h.sleep(2 * time.Second)
			if !h.m.Stop(time.Second) {
				t.Fatal("Stop did not wait for the poll")
			}
			if h.src.running.Load() != 0 {
				t.Error("the poll still runs after Stop")
			}
			if err := h.src.Close(); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestPause(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		h.press("space")
		h.wantStatus(paint.StatusPaused)
		frozen := h.m.view.State
		at := frozen.Moment.Time
		for n := range 10 {
			h.src.set(func(s *fakeSource) { s.sockets = some(10 + n) })
			h.sleep(time.Second)
		}
		if h.m.view.State != frozen || !frozen.Moment.Time.Equal(at) || len(h.m.view.Rows) != 3 {
			t.Error("the view did not stand still")
		}
		if diff := cmp.Diff([]uint16{40001, 40002, 40003}, h.ports()); diff != "" {
			t.Errorf("the frozen frame was written to:\n%s", diff)
		}
		if n := h.src.polls(); n != 11 {
			t.Errorf("%d polls, want 11: polling goes on", n)
		}
		if age := h.m.view.Now.Sub(at); age < 9*time.Second {
			t.Errorf("the age of the data is said to be %v after 10 s", age)
		}
		h.press("space")
		h.wantStatus(paint.StatusLive)
		if len(h.m.view.Rows) != 19 {
			t.Errorf("%d rows at once after the pause, want the 19 polled last", len(h.m.view.Rows))
		}
	})
}

func TestPauseThenChoose(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		h.press("space")
		h.src.set(func(s *fakeSource) { s.sockets = some(5) })
		h.sleep(2 * time.Second)
		h.press("/")
		h.typeText("lport:40002-40004")
		h.press("enter")
		if diff := cmp.Diff([]uint16{40002, 40003}, h.ports()); diff != "" {
			t.Errorf("while paused:\n%s", diff)
		}
		h.press("space")
		if diff := cmp.Diff([]uint16{40002, 40003, 40004}, h.ports()); diff != "" {
			t.Errorf("after the pause:\n%s", diff)
		}
	})
}

func TestChoiceDuringAPollHoldsForItsAnswer(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		h.src.set(func(s *fakeSource) { s.takes = 500 * time.Millisecond; s.sockets = some(6) })
		h.sleep(1200 * time.Millisecond) // a poll runs
		if h.src.running.Load() != 1 {
			t.Fatal("no poll runs")
		}
		h.press("/")
		h.typeText("lport:40005")
		h.press("enter")
		h.sleep(400 * time.Millisecond)
		if diff := cmp.Diff([]uint16{40005}, h.ports()); diff != "" {
			t.Errorf("the answer was not filtered anew:\n%s", diff)
		}
	})
}

// The source spoils the memory that it is handed; nothing on screen may be
// among it, whatever keys come between.
func TestFramesOnScreenAreNeverPolledInto(t *testing.T) {
	t.Parallel()
	run(t, some(50), func(h *harness) {
		h.src.set(func(s *fakeSource) { s.takes = 70 * time.Millisecond })
		keys := []string{"s", "S", "space", "b", "p", "p", "p", "tab", "j", "G", "space", "g", "?", "?"}
		for n := range 200 {
			h.press(keys[n%len(keys)])
			h.sleep(130 * time.Millisecond)
			if slices.Contains(h.ports(), 6666) {
				t.Fatalf("after key %d the screen shows memory that a poll writes to", n)
			}
			if len(h.m.spare)+1 > 3 {
				t.Fatalf("%d spare frames: they leak", len(h.m.spare))
			}
		}
	})
}

func TestInterval(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		from time.Duration
		key  string
		want time.Duration
	}{
		{"longer", time.Second, "+", 2 * time.Second},
		{"shorter", time.Second, "-", 500 * time.Millisecond},
		{"longer from between two steps", 3 * time.Second, "+", 5 * time.Second},
		{"shorter from between two steps", 3 * time.Second, "-", 2 * time.Second},
		{"not longer than a minute", time.Minute, "+", time.Minute},
		{"not shorter than a tenth", 100 * time.Millisecond, "-", 100 * time.Millisecond},
		{"the key without shift", time.Second, "=", 2 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			runConfig(t, some(1), Config{Interval: test.from}, func(h *harness) {
				h.press(test.key)
				if h.m.view.Interval != test.want {
					t.Errorf("interval %v, want %v", h.m.view.Interval, test.want)
				}
				if !strings.Contains(h.m.view.Notice, test.want.String()) {
					t.Errorf("notice %q does not name %v", h.m.view.Notice, test.want)
				}
			})
		})
	}
	t.Run("holds at once for the poll that is waited for", func(t *testing.T) {
		runConfig(t, some(1), Config{Interval: time.Minute}, func(h *harness) {
			h.sleep(2 * time.Second)
			h.press("-", "-", "-", "-") // 2 s
			h.sleep(5 * time.Second)
			if n := h.src.polls(); n != 4 {
				t.Errorf("%d polls in 7 s, want 4", n)
			}
		})
	})
}

// A host that suffers is not burdened: polls that take more than their share of
// the interval are farther apart, and the header says so and why.
func TestPollsSlowDownAndComeBack(t *testing.T) {
	t.Parallel()
	runConfig(t, some(manySockets), Config{Interval: time.Second, PollShare: session.OwnShare}, func(h *harness) {
		header := func() string { return strings.SplitN(h.m.View(), "\n", 2)[0] }
		h.src.set(func(s *fakeSource) { s.takes = 320 * time.Millisecond })
		h.sleep(10 * time.Second)
		if got := header(); !strings.Contains(got, " every 4s: 20,000 sockets ") {
			t.Errorf("polls take 320 ms, and the header is %q", got)
		}
		polls := h.src.polls()
		h.sleep(12 * time.Second)
		if n := h.src.polls() - polls; n != 3 {
			t.Errorf("%d polls in 12 s, want 3", n)
		}
		h.press("-")
		if got := header(); !strings.Contains(got, " every 2s ") {
			t.Errorf("2 s asked for by hand, and the header is %q", got)
		}
		h.press("-", "-")
		if got := header(); !strings.Contains(got, " every 700ms: 20,000 sockets ") || h.m.view.Notice != "every 700ms: 20,000 sockets" {
			t.Errorf("half a second asked for by hand, and the header is %q, the notice %q", got, h.m.view.Notice)
		}
	})
	runConfig(t, some(3), Config{Interval: time.Second, PollShare: session.OwnShare}, func(h *harness) {
		h.src.set(func(s *fakeSource) { s.takes = 320 * time.Millisecond })
		h.sleep(10 * time.Second)
		if got := strings.SplitN(h.m.View(), "\n", 2)[0]; !strings.Contains(got, " every 4s: a poll takes 320ms ") {
			t.Errorf("few sockets, and the header is %q", got)
		}
		h.src.set(func(s *fakeSource) { s.takes = 0 })
		h.sleep(20 * time.Second)
		if got := strings.SplitN(h.m.View(), "\n", 2)[0]; strings.Contains(got, ": a poll takes") {
			t.Errorf("polls take nothing again, and the header is %q", got)
		}
	})
}

// A wait that was put off may have ended in the same instant.
func TestDueMessageOfAFormerWait(t *testing.T) {
	t.Parallel()
	runConfig(t, some(1), Config{Interval: time.Minute}, func(h *harness) {
		former := h.m.pollNumber
		h.press("+", "-", "-")
		polls := h.src.polls()
		h.send(dueMsg{former, time.Now()})
		if n := h.src.polls(); n != polls {
			t.Error("it started a poll")
		}
	})
}

func TestIntervalKeysDuringAPollStartNoOther(t *testing.T) {
	t.Parallel()
	run(t, some(1), func(h *harness) {
		h.src.set(func(s *fakeSource) { s.takes = 700 * time.Millisecond })
		h.sleep(1100 * time.Millisecond) // a poll runs
		h.press("-", "-", "+", "+")
		h.sleep(10 * time.Second)
		if n := h.src.polls(); n != 12 {
			t.Errorf("%d polls in 11.1 s, want 12", n)
		}
	})
}

func TestDebugLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	runConfig(t, some(3), Config{Log: logger}, func(h *harness) {
		h.src.set(func(s *fakeSource) { s.err = errFake })
		h.sleep(1500 * time.Millisecond)
	})
	for _, want := range []string{"sockets=3", "netlink is sulking"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log lacks %q:\n%s", want, &log)
		}
	}
}
