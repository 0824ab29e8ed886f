package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// told is a teller of so many events a poll, each at a price.
type told struct {
	each   int
	price  time.Duration
	spent  time.Duration
	closed bool
}

func (f *told) Drain(dst []source.Event) ([]source.Event, int, error) {
	f.spent += time.Duration(f.each) * f.price
	return append(dst, make([]source.Event, f.each)...), 0, nil
}

func (f *told) Spent() time.Duration { return f.spent }
func (f *told) Partial() error       { return nil }
func (f *told) Close() error         { f.closed = true; return nil }

// clocked is a source of which each look is a second after the one before, and
// fails where it is told to.
type clocked struct {
	looks int
	err   error
}

func (c *clocked) Poll(_ context.Context, m *source.Moment) error {
	c.looks++
	m.Reset()
	m.Mono = time.Duration(c.looks) * time.Second
	m.Time = time.Unix(0, 0).Add(m.Mono)
	return c.err
}

func (*clocked) Close() error { return nil }

// tracedLab traces a clocked source.
type tracedLab struct {
	source.Source
	clock   clocked
	tracing source.Tracing
	tellers []*told
	next    told  // what the next teller is
	refuses error // instead
}

func newTracedLab(mode string, refuses error) *tracedLab {
	l := &tracedLab{refuses: refuses}
	l.tracing.Want(mode != TraceOff)
	p := plan{Options: Options{Trace: mode, Tracing: &l.tracing, Log: slog.New(slog.DiscardHandler)}, failed: make(failures), tracing: &l.tracing}
	l.Source = p.tracedBy(&l.clock, func() (teller, error) {
		if l.refuses != nil {
			return nil, l.refuses
		}
		f := l.next
		l.tellers = append(l.tellers, &f)
		return &f, nil
	}, func() error { return l.refuses })
	return l
}

// poll says in one line how it went: the events, how tracing stands, and what was
// not seen.
func (l *tracedLab) poll() string {
	var m source.Moment
	err := l.Poll(context.Background(), &m)
	state, why := l.tracing.State()
	says := fmt.Sprintf("%d %v %s", len(m.Events), m.Traced, [...]string{"none", "off", "refused", "on", "stopped"}[state])
	for _, s := range []string{why, fmt.Sprint(m.Limits)} {
		if s != "" && s != "[]" {
			says += ", " + s
		}
	}
	if err != nil {
		says += ", " + err.Error()
	}
	return says
}

// Tracing is turned on and off between two polls, and what was told until then is
// in the moment that ends it.
func TestTracingIsTurnedOnAndOff(t *testing.T) {
	t.Parallel()
	l := newTracedLab(TraceOff, nil)
	l.next.each = 3
	var got []string
	for _, wish := range []func(){
		func() {},
		func() { l.tracing.Want(true) },
		func() {},
		func() { l.tracing.Want(false) },
		func() {},
		func() { l.tracing.Toggle(); l.tracing.Toggle() },
		func() { l.tracing.Toggle(); l.clock.err = errors.New("broken") },
		func() { l.tracing.Toggle() },
		func() { l.clock.err = nil },
	} {
		wish()
		got = append(got, l.poll())
	}
	want := []string{"0 false off", "3 true on", "3 true on", "3 true off", "0 false off", "0 false off", "0 false on, broken", "0 false off, broken", "0 false off"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i, f := range l.tellers {
		if !f.closed {
			t.Errorf("teller %d of %d goes on", i, len(l.tellers))
		}
	}
}

// What can't be traced is no news with auto, and each moment says so where it was
// insisted upon.
func TestTracingIsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mode string
		want []string // at first, when it is wanted again, and when it could be
	}{
		{TraceAuto, []string{"0 false refused, no right", "0 false refused, no right", "0 true on"}},
		{TraceOff, []string{"0 false refused, no right", "0 false refused, no right", "0 true on"}},
		{TraceOn, []string{"0 false refused, no right, [{untraced no right}]", "0 false refused, no right, [{untraced no right}]", "0 true on"}},
	} {
		t.Run(test.mode, func(t *testing.T) {
			t.Parallel()
			l := newTracedLab(test.mode, errors.New("no right"))
			got := []string{l.poll()}
			l.tracing.Want(true)
			got = append(got, l.poll())
			l.refuses = nil
			l.tracing.Want(true)
			got = append(got, l.poll())
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Tracing that costs more than 5 % of a core for several seconds stops, says so in
// each moment, and can be begun again.
func TestTracingStopsByItself(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		each  int
		price time.Duration
		stops int // in which poll; 0 for never
	}{
		{"4 %", 200, 200 * time.Microsecond, 0},
		{"6 %", 300, 200 * time.Microsecond, 27},
		{"10 %", 500, 200 * time.Microsecond, 7},
		{"a whole core", 5000, 200 * time.Microsecond, 4},
		{"little that is dear", 10, 10 * time.Millisecond, 7},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := newTracedLab(TraceOff, nil)
			l.tracing.Want(true)
			l.next = told{each: test.each, price: test.price}
			stops := 0
			for n := 1; n <= 100 && stops == 0; n++ {
				l.poll()
				if state, _ := l.tracing.State(); state == source.TraceStopped {
					stops = n
				}
			}
			if stops != test.stops {
				t.Errorf("stops in poll %d, want %d", stops, test.stops)
			}
			if stops == 0 {
				return
			}
			why := fmt.Sprintf("%d 5", test.each)
			if got, want := l.poll(), "0 false stopped, "+why+", [{trace-stopped "+why+"}]"; got != want || !l.tellers[0].closed {
				t.Errorf("then %q, closed %v; want %q", got, l.tellers[0].closed, want)
			}
			l.next = told{each: 1}
			l.tracing.Toggle()
			if got, want := l.poll(), "1 true on"; got != want {
				t.Errorf("begun again: %q, want %q", got, want)
			}
		})
	}
}

// A flood that is over at once is paid for by what was saved.
func TestShortFloodIsTraced(t *testing.T) {
	t.Parallel()
	l := newTracedLab(TraceOff, nil)
	l.tracing.Want(true)
	l.next.price = 2 * time.Millisecond
	for n := range 30 {
		l.poll()
		l.tellers[0].each = 1
		if n%10 == 4 {
			l.tellers[0].each = 150 // 30 % of a core
		}
	}
	if state, why := l.tracing.State(); state != source.TraceOn {
		t.Errorf("state %d, %s", state, why)
	}
}
