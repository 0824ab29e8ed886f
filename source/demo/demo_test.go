package demo_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/race"
)

var _ source.Source = (*demo.Host)(nil)

// newHost makes a host or fails the test.
func newHost(t testing.TB, o demo.Options) *demo.Host {
	t.Helper()
	h, err := demo.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// poll gives the next snapshot.
func poll(t testing.TB, h *demo.Host, s *source.Moment) {
	t.Helper()
	if err := h.Poll(context.Background(), s); err != nil {
		t.Fatal(err)
	}
}

// eachScenario runs a test for each scenario. With the race detector two do, side
// by side, of hosts with few sockets: one goroutine computes all of each.
func eachScenario(t *testing.T, test func(t *testing.T, name string)) {
	for _, s := range demo.Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			if race.Enabled && s.Name != "blocked" && s.Name != "leak" {
				t.Skip("one goroutine computes all of it: two small hosts tell the race detector as much as all")
			}
			test(t, s.Name)
		})
	}
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		o    demo.Options
		want []string
	}{
		{"unknown scenario", demo.Options{Scenario: "nope"}, []string{`"nope"`, "browsing", "no-pool", "leak", "blocked", "busy"}},
		{"time goes back", demo.Options{Step: -time.Second}, []string{"-1s"}},
		{"a beginning before the beginning", demo.Options{Skip: -time.Minute}, []string{"-1m0s"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := demo.New(tt.o)
			if err == nil {
				t.Fatal("no error")
			}
			for _, word := range tt.want {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("error %q does not name %q", err, word)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q takes more than a line", err)
			}
		})
	}
}

func TestScenariosHaveTitles(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, s := range demo.Scenarios() {
		if s.Name == "" || s.Title == "" || strings.Contains(s.Title, "\n") || seen[s.Name] {
			t.Errorf("scenario %+v", s)
		}
		seen[s.Name] = true
	}
	if !seen[demo.DefaultScenario] {
		t.Errorf("no scenario is called %q", demo.DefaultScenario)
	}
}

func TestTheFirstSnapshotIsTheStartAndEachPollAStep(t *testing.T) {
	t.Parallel()
	start := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	h := newHost(t, demo.Options{Scenario: "browsing", Start: start, Step: 250 * time.Millisecond})
	var s source.Moment
	for i, want := range []time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond} {
		poll(t, h, &s)
		if got := s.Time.Sub(start); got != want {
			t.Errorf("poll %d is %v after the start, want %v", i, got, want)
		}
	}
	h.SetStep(2 * time.Second)
	poll(t, h, &s)
	if got := s.Time.Sub(start); got != 2500*time.Millisecond {
		t.Errorf("after a change of the step: %v, want 2.5s", got)
	}
}

func TestWhatASnapshotSays(t *testing.T) {
	t.Parallel()
	eachScenario(t, func(t *testing.T, name string) {
		h := newHost(t, demo.Options{Scenario: name})
		var s source.Moment
		poll(t, h, &s)
		if !strings.HasPrefix(s.Host, "demo-") || s.OS != "linux" || s.Kernel != "6.18.0" || s.Source != map[bool]string{true: "tables", false: demo.SourceName}[name == "containers" || name == "bound-first" || name == "snat"] {
			t.Errorf("host %q, os %q, kernel %q, source %q", s.Host, s.OS, s.Kernel, s.Source)
		}
		if !s.Snapshots[0].BoundListed || s.Took <= 0 || len(s.Limits) > 0 || s.Snapshots[0].Settings.Range.String() != "32768-60999" {
			t.Errorf("bound listed %v, took %v, limits %q, range %v", s.Snapshots[0].BoundListed, s.Took, s.Limits, s.Snapshots[0].Settings.Range)
		}
		if s.Traced != (name == "no-pool" || name == "containers" || name == "bound-first" || name == "snat") {
			t.Errorf("traced %v", s.Traced)
		}
	})
}

func TestTheSameSeedGivesTheSameSnapshots(t *testing.T) {
	t.Parallel()
	eachScenario(t, func(t *testing.T, name string) {
		o := demo.Options{Scenario: name, Seed: 1, Step: 19 * time.Second}
		one, again := newHost(t, o), newHost(t, o)
		o.Seed = 2
		other := newHost(t, o)
		var s, same, differs source.Moment
		for range 5 {
			poll(t, one, &s)
			poll(t, again, &same)
			poll(t, other, &differs)
			if diff := difference(s, same); diff != "" {
				t.Fatalf("the same seed gives another snapshot:\n%s", diff)
			}
			if slices.Equal(s.Snapshots[0].Sockets, differs.Snapshots[0].Sockets) {
				t.Fatal("another seed gives the same sockets")
			}
		}
	})
}

// difference compares two snapshots, the long lists in a way that takes no
// minute.
func difference(a, b source.Moment) string {
	if !slices.Equal(a.Room, b.Room) {
		return "the sockets differ"
	}
	if !slices.Equal(a.Events, b.Events) {
		return "the events differ"
	}
	for _, m := range []*source.Moment{&a, &b} {
		m.Events, m.Room = nil, nil
		m.Snapshots = slices.Clone(m.Snapshots)
		for i := range m.Snapshots {
			m.Snapshots[i].Sockets = m.Snapshots[i].Sockets[:0]
		}
	}
	return cmp.Diff(a, b)
}

// The story does not depend on who looks at it, and how often.
func TestPollingDoesNotChangeTheStory(t *testing.T) {
	t.Parallel()
	at := func(step time.Duration) map[source.Tuple]source.State {
		h := newHost(t, demo.Options{Scenario: "leak", Step: step})
		var s source.Moment
		for range int(30*time.Second/step) + 1 {
			poll(t, h, &s)
		}
		states := make(map[source.Tuple]source.State)
		for i := range s.Snapshots[0].Sockets {
			states[s.Snapshots[0].Sockets[i].Tuple()] = s.Snapshots[0].Sockets[i].State
		}
		return states
	}
	if diff := cmp.Diff(at(500*time.Millisecond), at(15*time.Second)); diff != "" {
		t.Errorf("after 30 s in steps of 0.5 s and of 15 s:\n%.2000s", diff)
	}
}

func TestSkip(t *testing.T) {
	t.Parallel()
	h := newHost(t, demo.Options{Scenario: "leak", Skip: 20 * time.Second})
	var s source.Moment
	poll(t, h, &s)
	skipped := len(s.Snapshots[0].Sockets)
	h = newHost(t, demo.Options{Scenario: "leak", Step: 20 * time.Second})
	poll(t, h, &s)
	poll(t, h, &s)
	if len(s.Snapshots[0].Sockets) != skipped {
		t.Errorf("%d sockets after a skip of 20 s, %d after a step of 20 s", skipped, len(s.Snapshots[0].Sockets))
	}
}

func TestACancelledPollFails(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	h := newHost(t, demo.Options{})
	if err := h.Poll(ctx, &source.Moment{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}
