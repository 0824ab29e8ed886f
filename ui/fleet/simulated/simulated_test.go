package simulated

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
	"ephtop/source/fleet"
	"ephtop/source/race"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// The same hosts say the same, whenever they are asked: the worst of them can be
// told, and two don't answer.
func TestTheSameEachTime(t *testing.T) {
	t.Parallel()
	if race.Enabled {
		t.Skip("one goroutine computes all of it: the race detector finds nothing there")
	}
	story := func() []fleet.Host {
		var all []fleet.Host
		for _, h := range hosts {
			if h.scenario == "" {
				all = append(all, fleet.Host{Name: h.name, Trouble: h.trouble})
				continue
			}
			w, err := newFollower(h, noon, 2*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			for w.host.Time.Before(noon) {
				if err := w.next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			w.host.Name = h.name
			all = append(all, w.host)
			w.session.Close()
		}
		return all
	}
	first := story()
	if diff := cmp.Diff(first, story()); diff != "" {
		t.Errorf("the second time (-first +second):\n%s", diff)
	}
	table := &fleet.Table{Patience: time.Minute}
	table.Take(fleet.Report{Hosts: first}, noon)
	rows := table.Rows(nil, noon)
	if tally := fleet.Count(rows); len(rows) != 12 || tally[fleet.StandingSilent] != 2 || tally[fleet.StandingExhausted] == 0 || tally[fleet.StandingOK] < 4 {
		t.Errorf("they stand %v", tally)
	}
}

// The feed tells of all, and ends.
func TestRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	f := New(noon, time.Second)
	told := make(chan string)
	go func() {
		defer close(told)
		f.Run(ctx, func(r fleet.Report) { told <- r.Hosts[0].Name })
	}()
	missing := Names()
	if race.Enabled { // which has the large hosts take minutes
		missing = []string{"db-old", "vault", "desk-04", "desk-11", "pay-01"}
	}
	for name := range told {
		if missing = slices.DeleteFunc(missing, func(n string) bool { return n == name }); len(missing) == 0 {
			cancel()
		}
	}
	if len(missing) > 0 {
		t.Errorf("nothing of %v", missing)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	f := New(noon, time.Second)
	h, err := f.Open("reports-01", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	var m source.Moment
	if err := h.Poll(t.Context(), &m); err != nil || m.Time.Before(noon) || m.Time.After(noon.Add(time.Minute)) {
		t.Errorf("it begins at %v, %v", m.Time, err)
	}
	for name, want := range map[string]string{"db-old": "unreachable: connection timed out", "nobody": "there is no host nobody"} {
		if _, err := f.Open(name, time.Second); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}
