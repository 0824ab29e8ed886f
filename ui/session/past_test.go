package session

import (
	"errors"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/race"
	"ephtop/source/recording"
)

// keep looks at a source so often, an interval apart, and hands each look to
// see. Two looks take turns.
func keep(t *testing.T, src source.Source, interval time.Duration, times int, see func(*Look)) *Session {
	t.Helper()
	s := New(src, Options{Keep: true})
	looks := [2]Look{}
	for n := range times {
		l := &looks[n%2]
		if err := s.Look(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		see(l)
		time.Sleep(interval)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

func past(t *testing.T, s *Session) *Past {
	t.Helper()
	p, err := s.Past()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// What is looked back at is what was to be seen live, and the levels are those
// that were said.
func TestPast(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine computes all of it: it runs without the race detector")
	}
	t.Parallel()
	const times, step = 70, 2 * time.Second
	synctest.Test(t, func(t *testing.T) {
		d, err := demo.New(demo.Options{Scenario: "no-pool", Seed: 7, Start: start, Step: step})
		if err != nil {
			t.Fatal(err)
		}
		var changes []model.LevelChange
		var last *Look
		s := keep(t, d, time.Second, times, func(l *Look) {
			last = l
			if n := len(changes); n == 0 || changes[n-1].Level != l.Overview.Level {
				changes = append(changes, model.LevelChange{Time: l.Moment.Time, Level: l.Overview.Level})
			}
		})
		p := past(t, s)
		if !p.First.Equal(start) || !p.Last.Equal(start.Add(time.Duration(times-1)*step)) {
			t.Errorf("it is from %v to %v", p.First, p.Last)
		}
		if diff := cmp.Diff(changes, p.Changes); diff != "" || len(changes) < 3 {
			t.Errorf("levels (-live +past):\n%s", diff)
		}
		p.Tape.Go(t.Context(), Goal{To: start.Add(100 * time.Second)}, new(Look))
		back := p.Tape.Go(t.Context(), Goal{To: p.Last}, new(Look)).Look.State()
		live, all := last.State(), cmp.Exporter(func(reflect.Type) bool { return true })
		if diff := cmp.Diff(live.TCP.Pressure, back.TCP.Pressure, all, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the pressure (-live +past):\n%s", diff)
		}
		if diff := cmp.Diff(live.History, back.History, all); diff != "" {
			t.Errorf("the history (-live +past):\n%s", diff)
		}
	})
}

// Of polls that come faster than is kept, no event is lost.
func TestPastOfFastPolls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := keep(t, &host{}, 100*time.Millisecond, 50, func(*Look) {})
		tape := past(t, s).Tape
		events, moments := 0, 0
		for at := tape.Go(t.Context(), Goal{To: start}, new(Look)); at.Moved; at = tape.Go(t.Context(), Goal{Onward: true}, at.Look) {
			events, moments = events+len(at.Look.Moment.Events), moments+1
		}
		if moments < 5 || moments > 7 || events < 45 {
			t.Errorf("%d moments with %d events, want one of 9 or 10 and the events of all up to the last", moments, events)
		}
	})
}

// Where so much happens that it would not fit until a moment is kept, one is kept
// sooner, and what fits none is lost.
func TestPastOfManyEvents(t *testing.T) {
	if race.Enabled {
		t.Skip("a million events take minutes with the race detector, which sees the same of fewer")
	}
	t.Parallel()
	for _, c := range []struct{ each, polls, kept int }{
		{keepEvents/3 - 1, 12, 9}, {recording.FreeEvents - 1000, 2, 2}, {recording.FreeEvents + 1000, 2, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := keep(t, &host{more: c.each - 1}, 100*time.Millisecond, c.polls, func(*Look) {})
			tape := past(t, s).Tape
			events, lost := 0, 0
			for at := tape.Go(t.Context(), Goal{To: start}, new(Look)); at.Moved; at = tape.Go(t.Context(), Goal{Onward: true}, at.Look) {
				n := len(at.Look.Moment.Events)
				events, lost = events+n, lost+at.Look.Moment.LostEvents
				if n > recording.FreeEvents {
					t.Errorf("a moment has %d events", n)
				}
			}
			if events+lost < c.kept*c.each || (lost > 0) != (c.each > recording.FreeEvents) {
				t.Errorf("%d events, and %d lost, of %d polls of %d", events, lost, c.polls, c.each)
			}
		})
	}
}

// What happens while a moment is written waits, up to a bound.
func TestEventsWaitForAMoment(t *testing.T) {
	t.Parallel()
	k := newKeeper()
	k.done = make(chan struct{}) // it is being written
	m := &source.Moment{Events: make([]source.Event, mostWaiting), LostEvents: 1}
	for range 5 {
		k.keep(m, 0)
	}
	if len(k.waiting) != mostWaiting || k.lost != 5+4*mostWaiting {
		t.Errorf("%d events wait and %d are lost", len(k.waiting), k.lost)
	}
}

// The first moment of a large host is not kept, but for its events: another source takes
// over from the one that it is of.
func TestFirstMomentOfALargeHost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sockets, first int }{{keepFirst, 0}, {keepFirst + 1, 1}} {
		synctest.Test(t, func(t *testing.T) {
			s := keep(t, &host{crowd: c.sockets - 1}, 6*time.Second, 2, func(*Look) {})
			p := past(t, s)
			if want := start.Add(time.Duration(c.first) * time.Second); !p.First.Equal(want) {
				t.Errorf("of %d sockets the past begins at %v, want %v", c.sockets, p.First, want)
			}
			at := p.Tape.Go(t.Context(), Goal{To: p.First}, new(Look))
			if n := len(at.Look.Moment.Events); n != 1+c.first {
				t.Errorf("of %d sockets there are %d events, want %d", c.sockets, n, 1+c.first)
			}
		})
	}
}

// A moment that is too large has the past begin anew, and does not end it.
func TestPastAfterAMomentThatIsTooLarge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(&host{}, Options{Keep: true})
		defer s.Close()
		looks := [2]Look{}
		keep := func(times int) {
			for n := range times {
				if err := s.Look(t.Context(), &looks[n%2]); err != nil {
					t.Fatal(err)
				}
				<-s.keeper.done
				time.Sleep(time.Second)
			}
		}
		small, err := recording.NewRing(pastLength, 100) // for which every moment is too large
		if err != nil {
			t.Fatal(err)
		}
		keep(2)
		s.keeper.ring = small
		keep(1)
		if _, err := s.Past(); !errors.Is(err, ErrNoPast) || !errors.Is(err, recording.ErrTooLarge) {
			t.Errorf("error %v", err)
		}
		again := time.Now()
		keep(6)
		if p := past(t, s); p.First.Before(again) || p.Last.Sub(p.First) < 2*time.Second {
			t.Errorf("it goes from %v to %v, want from %v on", p.First, p.Last, again)
		}
	})
}

func TestThereIsNoPastYet(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{}, {Keep: true}} {
		if _, err := New(&host{}, o).Past(); !errors.Is(err, ErrNoPast) {
			t.Errorf("%+v: error %v", o, err)
		}
	}
}
