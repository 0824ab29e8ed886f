package session

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ephtop/source"
)

// host is a source with one connection, whose moments are a second apart.
type host struct {
	polls int
	fail  error // of the next poll
	hangs bool
	ends  int // after so many polls; 0 for never
	more  int // events in each poll beside one
	crowd int // sockets beside one
}

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func (h *host) Poll(ctx context.Context, m *source.Moment) error {
	m.Reset()
	if h.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if h.fail != nil {
		return h.fail
	}
	if h.ends > 0 && h.polls == h.ends {
		return io.EOF
	}
	m.Time, m.Host, m.Traced = start.Add(time.Duration(h.polls)*time.Second), "web-01", true
	h.polls++
	s := m.Add(source.Scope{})
	s.Settings = source.Settings{Range: source.PortRange{Low: 40000, High: 40009}, TimeWait: time.Minute}
	m.Room = append(m.Room, source.Socket{
		Proto: source.TCP, State: source.Established, LocalPort: uint16(40000 + h.polls%10), RemotePort: 443, Process: source.NoProcess,
	})
	for range h.crowd {
		m.Room = append(m.Room, m.Room[0])
	}
	s.Sockets = m.Room
	for range 1 + h.more {
		m.Events = append(m.Events, source.Event{Kind: source.Closed, Tuple: source.Tuple{Proto: source.TCP, LocalPort: uint16(h.polls)}})
	}
	return nil
}

func (*host) Close() error { return nil }

func TestPollThatTakesTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{hangs: true}
		s := New(h, Options{Timeout: 3 * time.Second})
		err := s.Look(t.Context(), new(Look))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "no answer within 3s") {
			t.Errorf("the error is %v", err)
		}
		h.hangs = false
		l := new(Look)
		if err := s.Look(t.Context(), l); err != nil || l.State().TCP.States.Total() != 1 {
			t.Errorf("the next look: %v", err)
		}
	})
}

func TestPacerRuns(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, test := range []struct {
		name   string
		length time.Duration
		takes  []time.Duration // each time, and 0 from then on
		want   []time.Duration // since the start
	}{
		{"one interval apart", 3 * s, nil, []time.Duration{0, s, 2 * s, 3 * s}},
		{"the last one at the end", 2500 * time.Millisecond, nil, []time.Duration{0, s, 2 * s, 2500 * time.Millisecond}},
		{"part of the interval", 3 * s, []time.Duration{s / 2, s / 4}, []time.Duration{0, s, 2 * s, 3 * s}},
		{"what took longer is not made up for", 6 * s, []time.Duration{3500 * time.Millisecond},
			[]time.Duration{0, 3500 * time.Millisecond, 4500 * time.Millisecond, 5500 * time.Millisecond, 6 * s}},
		{"longer than all", 2 * s, []time.Duration{5 * s}, []time.Duration{0, 5 * s}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var got []time.Duration
				err := NewPacer(s, 0).Run(t.Context(), test.length, func() error {
					got = append(got, time.Since(began))
					if n := len(got); n <= len(test.takes) {
						time.Sleep(test.takes[n-1])
					}
					return nil
				})
				if err != nil || !slices.Equal(got, test.want) {
					t.Errorf("at %v, %v; want %v", got, err, test.want)
				}
			})
		})
	}
}

func TestPacerEnds(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	for _, test := range []struct {
		name string
		do   func(cancel func()) error
		want error
	}{
		{"with an error", func(func()) error { return failed }, failed},
		{"with its context", func(cancel func()) error { cancel(); return nil }, nil},
		{"with its context, whatever fails for that", func(cancel func()) error { cancel(); return failed }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			times := 0
			err := NewPacer(time.Hour, 0).Run(ctx, 0, func() error { times++; return test.do(cancel) })
			if err != test.want || times != 1 {
				t.Errorf("%v after %d times, want %v after one", err, times, test.want)
			}
		})
	}
}

func TestWatchKeepsTheLastLook(t *testing.T) {
	t.Parallel()
	h := &host{}
	w := New(h, Options{}).Watch()
	for range 2 {
		if err := w.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h.fail = errors.New("no memory")
	if err := w.Look(t.Context()); !errors.Is(err, h.fail) {
		t.Errorf("the error is %v", err)
	}
	if at := w.Seen().State().Moment.Time; w.Looks != 2 || !at.Equal(start.Add(time.Second)) {
		t.Errorf("%d looks, the last one of %v", w.Looks, at)
	}
}

func TestWatchThroughAPast(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		until func(time.Time) time.Time
		looks int
		err   error
	}{
		{"to the end", nil, 5, io.EOF},
		{"to a moment", func(first time.Time) time.Time { return first.Add(2 * time.Second) }, 3, nil},
		{"between moments", func(first time.Time) time.Time { return first.Add(2500 * time.Millisecond) }, 3, nil},
		{"beyond the end", func(first time.Time) time.Time { return first.Add(time.Hour) }, 5, io.EOF},
		{"before the first", func(first time.Time) time.Time { return first.Add(-1) }, 0, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := New(&host{ends: 5}, Options{}).Watch()
			if err := w.Through(t.Context(), test.until); err != test.err {
				t.Errorf("it ends with %v, want %v", err, test.err)
			}
			last := start.Add(time.Duration(max(test.looks-1, 0)) * time.Second)
			if w.Looks != test.looks || !w.First.Equal(start) || !w.Last.Equal(last) {
				t.Errorf("%d looks from %v to %v, want %d to %v", w.Looks, w.First, w.Last, test.looks, last)
			}
			if w.Looks > 0 && !w.Seen().State().Moment.Time.Equal(last) {
				t.Errorf("the moment is that of %v", w.Seen().State().Moment.Time)
			}
		})
	}
}
