package dashboard

import (
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source"
	"ephtop/source/recording"
)

// runTraced starts a model on a source that traces from the second poll on.
func runTraced(t *testing.T, body func(h *harness)) {
	t.Helper()
	tracing := new(source.Tracing)
	runConfig(t, some(3), Config{Tracing: tracing}, func(h *harness) {
		tracing.Want(true)
		h.src.set(func(s *fakeSource) { s.tracing, s.trace = tracing, source.TraceOn })
		h.sleep(time.Second)
		if h.m.view.Notice != "" {
			t.Errorf("notice %q, though nobody has asked", h.m.view.Notice)
		}
		body(h)
	})
}

func (h *harness) wantTracing(state source.TraceState, notice string) {
	h.Helper()
	h.msgs <- nil
	if got := h.m.view.Tracing.State; got != state || !strings.HasPrefix(h.m.view.Notice, notice) || notice == "" && h.m.view.Notice != "" {
		h.Errorf("tracing stands at %d, notice %q; want %d, %q", got, h.m.view.Notice, state, notice)
	}
}

func TestTraceIsTurnedOnAndOff(t *testing.T) {
	t.Parallel()
	runTraced(t, func(h *harness) {
		began := len(h.m.shown.state.History)
		h.press("t")
		h.wantTracing(source.TraceOn, "tracing ends with the next poll")
		h.sleep(time.Second)
		h.wantTracing(source.TraceOff, "traced no more")
		h.press("t")
		h.wantTracing(source.TraceOff, "tracing begins with the next poll")
		h.sleep(time.Second)
		h.wantTracing(source.TraceOn, "tracing: from now on")
		h.press("n") // what has been said is not said again
		h.sleep(time.Second)
		h.wantTracing(source.TraceOn, "")
		if now := len(h.m.shown.state.History); now != began+3 {
			t.Errorf("the history has %d points, want %d and three more", now, began)
		}
	})
}

// A press takes back the one before, as long as no poll has taken it.
func TestTraceIsToggledBetweenPolls(t *testing.T) {
	t.Parallel()
	runTraced(t, func(h *harness) {
		h.press("t", "t", "t", "t")
		h.sleep(time.Second)
		h.wantTracing(source.TraceOn, "tracing: from now on")
		h.press("t", "t", "t")
		h.sleep(time.Second)
		h.wantTracing(source.TraceOff, "traced no more")
	})
}

// While a poll lasts, the key answers at once, and the next poll heeds it.
func TestTraceDuringASlowPoll(t *testing.T) {
	t.Parallel()
	runTraced(t, func(h *harness) {
		h.src.set(func(s *fakeSource) { s.takes = 4 * time.Second })
		h.sleep(2 * time.Second)
		h.press("t")
		h.wantTracing(source.TraceOn, "tracing ends with the next poll")
		h.sleep(4 * time.Second) // the poll has ended, and the next one runs
		h.wantTracing(source.TraceOn, "tracing ends with the next poll")
		h.sleep(4 * time.Second)
		h.wantTracing(source.TraceOff, "traced no more")
	})
}

// Nobody waits a minute for what a key does.
func TestTraceHurriesThePoll(t *testing.T) {
	t.Parallel()
	runTraced(t, func(h *harness) {
		h.m.pacer.Ask(time.Minute)
		h.m.paced()
		h.sleep(2 * time.Second) // one poll was due already
		polls := h.src.polls()
		h.press("t")
		h.sleep(time.Second)
		h.wantTracing(source.TraceOff, "traced no more")
		h.sleep(50 * time.Second)
		if got := h.src.polls(); got != polls+1 {
			t.Errorf("%d polls, want one", got-polls)
		}
	})
}

func TestTraceIsRefused(t *testing.T) {
	t.Parallel()
	runTraced(t, func(h *harness) {
		h.src.set(func(s *fakeSource) { s.trace, s.why = source.TraceRefused, "it takes root: run ephtop with sudo" })
		h.press("t")
		h.sleep(time.Second)
		h.press("t")
		h.sleep(time.Second)
		h.wantTracing(source.TraceRefused, "cannot trace: it takes root: run ephtop with sudo")
		if h.m.view.Tracing.Why == "" {
			t.Error("the view does not say why")
		}
	})
}

func TestTraceStopsByItself(t *testing.T) {
	t.Parallel()
	runTraced(t, func(h *harness) {
		h.src.set(func(s *fakeSource) { s.trace, s.why = source.TraceStopped, "31000 5" })
		h.sleep(time.Second)
		h.wantTracing(source.TraceStopped, "tracing stopped: 31,000 events/s would cost more than 5 % of a core; t starts it again")
		h.press("n")
		h.sleep(time.Second)
		h.wantTracing(source.TraceStopped, "")
		h.src.set(func(s *fakeSource) { s.trace, s.why = source.TraceOn, "" })
		h.press("t")
		h.sleep(time.Second)
		h.wantTracing(source.TraceOn, "tracing: from now on")
	})
}

// In a demo, and in what was recorded, there is nothing to turn on.
func TestNothingToTrace(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		h.press("t")
		h.wantTracing(source.TraceNone, "t does nothing here")
	})
	for _, group := range DefaultKeyMap().suited(&Config{Replay: new(recording.Player)}).groups() {
		for _, k := range group.Keys {
			if k.Key == "t" {
				t.Errorf("the help of a replay tells of t: %+v", k)
			}
		}
	}
}

// What a key press has come to is read whole at 80 columns.
func TestTraceIsToldWhole(t *testing.T) {
	t.Parallel()
	wantWhole := func(h *harness) {
		h.Helper()
		h.send(tea.WindowSizeMsg{Width: 80, Height: 24})
		lines := strings.Split(h.m.View(), "\n")
		if last := lines[len(lines)-1]; h.m.view.Notice == "" || !strings.Contains(last, h.m.view.Notice) {
			t.Errorf("of %q it shows %q", h.m.view.Notice, last)
		}
	}
	run(t, some(3), func(h *harness) {
		h.press("t")
		wantWhole(h)
	})
	runTraced(t, func(h *harness) {
		for range 2 {
			h.press("t")
			wantWhole(h)
			h.sleep(time.Second)
			wantWhole(h)
		}
	})
}
