package model

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// fleet follows several namespaces.
type fleet struct {
	*Fleet
	o Overview
}

func newFleet() *fleet { return &fleet{Fleet: NewFleet(Options{})} }

func (f *fleet) tell(m *source.Moment) *Overview {
	f.Update(m, &f.o)
	return &f.o
}

// of is the State of the namespace with this number.
func (f *fleet) of(netns uint64) *State {
	if at := f.o.Find(source.Scope{Netns: netns}); at >= 0 {
		return f.o.States[at]
	}
	return nil
}

// full is a moment of namespaces 1, 2 … of which so many ports are used.
func full(seconds float64, used ...int) *source.Moment {
	m := moment(seconds)
	m.Snapshots = nil
	for i, n := range used {
		s := m.Add(source.Scope{Netns: uint64(i + 1)})
		s.Settings, s.Sockets = testSettings(), connections(n, source.Established, "10.0.0.1", 40000, 1, db)
	}
	return m
}

// old makes a namespace's rows be from so long ago.
func old(m *source.Moment, netns int, age time.Duration) *source.Moment {
	m.Snapshots[netns-1].Age = age
	return m
}

func TestANamespaceNumberThatComesBack(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		cookies []uint64
		fresh   bool
	}{
		{"never known", []uint64{0, 0}, false},
		{"the same", []uint64{5, 5}, false},
		{"becomes known", []uint64{0, 5}, false},
		{"not told for once", []uint64{5, 0, 5}, false},
		{"another one", []uint64{5, 6}, true},
		{"another one, after one that did not tell", []uint64{5, 0, 6}, true},
	}
	for _, c := range cases {
		f := newFleet()
		for i, cookie := range c.cookies {
			m := full(float64(i), 10)
			m.Snapshots[0].Scope.Cookie = cookie
			f.tell(m)
		}
		st := f.o.States[0]
		if fresh := len(st.History) == 1 && st.Age(0) == 0 && st.Elapsed == 0; fresh != c.fresh || len(f.trackers) != 1 {
			t.Errorf("%s: begins anew is %v, want %v; %d trackers", c.name, fresh, c.fresh, len(f.trackers))
		}
	}
}

// A recording may hold one number twice in a moment.
func TestTwoNamespacesOfOneNumber(t *testing.T) {
	t.Parallel()
	f := newFleet()
	for i := range 3 {
		m := full(float64(i), 10, 20)
		m.Snapshots[0].Scope.Cookie, m.Snapshots[1].Scope = 5, source.Scope{Netns: 1, Cookie: 6}
		f.tell(m)
	}
	if a, b := len(f.o.States[0].Rows), len(f.o.States[1].Rows); a != 20 || b != 10 || f.o.Find(source.Scope{Netns: 1, Cookie: 5}) != 1 {
		t.Errorf("%d and %d rows", a, b)
	}
}

// Those that were not looked at are listed, and are no trouble.
func TestQuietNamespaces(t *testing.T) {
	t.Parallel()
	m := full(0, 10)
	m.Quiet = []source.Brief{{Scope: source.Scope{Netns: 9}, Bound: 99, Usable: 100}}
	o := newFleet().tell(m)
	if diff := cmp.Diff(m.Quiet, o.Quiet); diff != "" || o.Level != LevelOK || o.Find(source.Scope{Netns: 9}) != -1 {
		t.Errorf("level %v, quiet (-want +got):\n%s", o.Level, diff)
	}
}

// What is shown where nobody has chosen: the worst, but it does not jump.
func TestFocus(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		used [][]int // of namespaces 1, 2 and so on, moment by moment
		want []uint64
	}{
		{"the worst", [][]int{{10, 30, 20}}, []uint64{2}},
		{"stays while another is a little worse", [][]int{{30, 20}, {30, 35}, {30, 39}, {30, 39}, {30, 39}, {30, 39}, {30, 39}}, []uint64{1, 1, 1, 1, 1, 1, 1}},
		{"goes to one of a higher level at once", [][]int{{50, 20}, {50, 61}, {59, 61}, {61, 62}, {81, 62}}, []uint64{1, 2, 2, 2, 1}},
		{"goes to one that is clearly worse for a while", [][]int{{10, 0}, {10, 20}, {10, 20}, {10, 20}, {10, 20}, {10, 20}}, []uint64{1, 1, 1, 1, 1, 2}},
		{"a short time is none", [][]int{{10, 0}, {10, 20}, {10, 20}, {10, 20}, {10, 20}, {15, 20}, {10, 20}}, []uint64{1, 1, 1, 1, 1, 1, 1}},
		{"leaves one that is gone", [][]int{{10, 15, 30}, {10, 15}}, []uint64{3, 2}},
		{"of equals, the first", [][]int{{10, 10}}, []uint64{1}},
	}
	for _, c := range cases {
		f := newFleet()
		var got []uint64
		for i, used := range c.used {
			m := full(float64(i), used...)
			if i%2 == 1 {
				slices.Reverse(m.Snapshots) // their order says nothing
			}
			o := f.tell(m)
			got = append(got, o.States[o.Focus].Snapshot.Scope.Netns)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: namespaces %v, want %v", c.name, got, c.want)
		}
	}
}

// A namespace that is looked at each third moment only: what it holds grows by
// two ports a second, and its rows that come again are no news.
func TestRowsOfAnEarlierMoment(t *testing.T) {
	t.Parallel()
	f := newFleet()
	for i := range 31 {
		looked := i - i%3
		m := old(full(float64(i), 2*looked), 1, time.Duration(i-looked)*time.Second)
		m.Snapshots[0].Sockets = append(m.Snapshots[0].Sockets, socket(source.Established, "10.0.0.2:40099", cache))
		f.tell(m)
		st := f.o.States[0]
		if st.Clock != epoch.Add(time.Duration(looked)*time.Second).UnixNano() || len(st.History) != i/3+1 {
			t.Fatalf("second %d: clock %v, %d samples; want that of second %d", i, time.Unix(0, st.Clock), len(st.History), looked)
		}
		if looked < 6 {
			continue
		}
		if last := len(st.Rows) - 1; st.Age(last) != time.Duration(looked)*time.Second {
			t.Fatalf("second %d: seen for %v", i, st.Age(last))
		}
		if math.Abs(st.Outlook.Rate-2) > 1e-9 {
			t.Fatalf("second %d: rate %v, want 2", i, st.Outlook.Rate)
		}
	}
	if rate := f.o.States[0].TCP.Consumers[ByDestination][0].Rate; math.Abs(rate-2) > 0.1 {
		t.Errorf("the consumer grows by %v, want about 2", rate)
	}
}

// The age is what the source measured: a little more or less is no new look,
// and nonsense does no harm.
func TestAgesThatAreOff(t *testing.T) {
	t.Parallel()
	f := newFleet()
	f.tell(full(0, 10))
	for i, age := range []time.Duration{time.Second - 3*time.Millisecond, 2*time.Second + 3*time.Millisecond, math.MaxInt64, math.MinInt64} {
		f.tell(old(full(float64(i+1), 10), 1, age))
		want := time.Duration(0)
		if age < 0 {
			want = 4 * time.Second
		}
		if st := f.o.States[0]; st.Elapsed != want || st.Age(0) != want {
			t.Errorf("age %v: elapsed %v, seen for %v; want %v", age, st.Elapsed, st.Age(0), want)
		}
	}
}

// A close that is told while nobody looks meets its TIME_WAIT at the next look.
func TestACloseWaitsForTheNextLook(t *testing.T) {
	t.Parallel()
	f := newFleet()
	e := closed("10.0.0.1:40050", db, java)
	e.Netns = 1
	f.tell(withEvents(full(0, 0, 0), e))
	for i := 1; i < 6; i++ {
		f.tell(withEvents(old(full(float64(i), 0, 0), 1, time.Duration(i)*time.Second)))
	}
	m := withEvents(full(6, 0, 0))
	m.Snapshots[0].Sockets = []source.Socket{socket(source.TimeWait, "10.0.0.1:40050", db)}
	f.tell(m)
	if st := f.of(1); st.Rows[0].Tier != OwnerTraced {
		t.Errorf("owner %+v %v, want java, traced", st.Process(0), st.Rows[0].Tier)
	}
}

// What fails in a namespace that nobody looks at says that somebody should, and
// is known when somebody does.
func TestFailuresElsewhere(t *testing.T) {
	t.Parallel()
	in := func(netns uint64, kind source.EventKind) source.Event {
		e := failed(0, db, java)
		e.Netns, e.Kind = netns, kind
		return e
	}
	f := newFleet()
	o := f.tell(withEvents(full(0, 10, 10), in(1, source.ConnectFailed), in(7, source.ConnectFailed), in(7, source.ConnectFailed),
		in(0, source.ConnectFailed), in(7, source.Closed)))
	want := []Elsewhere{{Netns: 7, Count: 2, Last: epoch}, {Netns: 0, Count: 1, Last: epoch}}
	if diff := cmp.Diff(want, o.Elsewhere); diff != "" || f.of(2).Failures.Count != 0 {
		t.Errorf("(-want +got):\n%s", diff)
	}
	m := withEvents(full(1, 10, 10, 10), in(7, source.ConnectFailed))
	m.Snapshots[2].Scope.Netns = 7
	o = f.tell(m)
	st := f.of(7)
	if st.Failures.Count != 3 || st.Failures.Recent != 3 || st.Failures.By[0].Count != 3 || st.Level != LevelExhausted {
		t.Errorf("failures %+v, level %v; want 3", st.Failures, st.Level)
	}
	if len(o.Elsewhere) != 1 || o.Elsewhere[0].Netns != 0 {
		t.Errorf("elsewhere %+v, want only what nobody can place", o.Elsewhere)
	}
	if o = f.tell(full(400, 10, 10)); len(o.Elsewhere) != 0 {
		t.Errorf("elsewhere %+v after a long time, want none", o.Elsewhere)
	}
}

// The number of a namespace that is gone is another's: what failed in the one is
// not the other's, whether the kernel told the cookie or not.
func TestFailuresOfANumberThatComesBack(t *testing.T) {
	t.Parallel()
	at := func(seconds float64, used int, cookie uint64, events ...source.Event) *source.Moment {
		m := withEvents(full(seconds, 10, used), events...)
		m.Snapshots[1].Scope.Cookie = cookie
		return m
	}
	fails := func(cookie uint64) source.Event {
		e := failed(0, db, java)
		e.Netns, e.Cookie = 2, cookie
		return e
	}
	cases := []struct {
		name    string
		moments []*source.Moment
		want    int
	}{
		{"its own", []*source.Moment{at(0, 10, 6, fails(6))}, 1},
		{"the cookie is not told", []*source.Moment{at(0, 10, 0, fails(6))}, 1},
		{"gone between two looks", []*source.Moment{at(0, 10, 5), at(1, 0, 6, fails(5))}, 0},
		{"gone before the look, and again", []*source.Moment{full(0, 10), withEvents(full(1, 10), fails(5)), at(2, 0, 6)}, 0},
		{"made and gone between two looks", []*source.Moment{at(0, 10, 5), at(1, 0, 7, fails(6)), at(2, 0, 7)}, 0},
		{"made after the look", []*source.Moment{withEvents(full(0, 10), fails(6)), at(1, 10, 6)}, 1},
		{"made after the look, in place of another", []*source.Moment{at(0, 10, 5, fails(6)), at(1, 10, 6)}, 1},
		{"not looked at, and no cookie", []*source.Moment{withEvents(full(0, 10), fails(0)), at(1, 10, 6)}, 1},
		{"gone at a look, and no cookie", []*source.Moment{withEvents(full(0, 10), fails(0)), full(1, 10), at(2, 0, 6)}, 0},
	}
	for _, c := range cases {
		f := newFleet()
		for _, m := range c.moments {
			f.tell(m)
		}
		if st := f.of(2); st.Failures.Count != c.want {
			t.Errorf("%s: %d failures, want %d", c.name, st.Failures.Count, c.want)
		}
	}
}

// One that is known and not looked at keeps what failed there.
func TestFailuresOfAQuietNamespace(t *testing.T) {
	t.Parallel()
	e := failed(0, db, java)
	e.Netns = 2
	quiet := []source.Brief{{Scope: source.Scope{Netns: 2, Cookie: 6}}}
	f := newFleet()
	for i := range 3 {
		m := full(float64(i), 10)
		if m.Quiet = quiet; i == 0 {
			m = withEvents(m, e)
		}
		f.tell(m)
	}
	if f.tell(full(3, 10, 10)); f.of(2).Failures.Count != 1 {
		t.Errorf("failures %+v, want one", f.of(2).Failures)
	}
}

// What failed a minute ago is no reason to say that it fails now.
func TestLateFailuresAreOld(t *testing.T) {
	t.Parallel()
	f := newFleet()
	e := failed(0, db, java)
	e.Netns = 2
	f.tell(withEvents(full(0, 10), e))
	f.tell(withEvents(full(60, 10, 10)))
	if st := f.of(2); st.Failures.Count != 1 || st.Failures.Recent != 0 || st.Level != LevelOK {
		t.Errorf("failures %+v, level %v; want one, none lately", st.Failures, st.Level)
	}
}

// However many namespaces and failures there are, little is remembered.
func TestFailuresElsewhereAreBounded(t *testing.T) {
	t.Parallel()
	f := newFleet()
	var events []source.Event
	for i := range 5000 {
		e := failed(0, db, java)
		e.Netns = uint64(100 + i%500)
		events = append(events, e)
	}
	for i := range 10 {
		f.tell(withEvents(full(float64(i), 1, 1), events...))
	}
	if n := len(f.elsewhere); n > maxElsewhere || n != len(f.o.Elsewhere) {
		t.Errorf("%d namespaces, %d told", n, len(f.o.Elsewhere))
	}
	for _, l := range f.elsewhere {
		if l.count != 10 || len(l.events) > maxLate {
			t.Errorf("%d failures, %d kept", l.count, len(l.events))
		}
	}
}

// Which namespace comes first changes; what was made for many rows stays with
// those that have them.
func TestMemoryStaysWithItsNamespace(t *testing.T) {
	t.Parallel()
	f, o, set := NewFleet(Options{}), new(Overview), testSettings()
	large := source.Snapshot{Scope: source.Scope{Netns: 1}, Settings: set, Sockets: slices.Repeat([]source.Socket{socket(source.Established, "10.0.0.1:40001", cache)}, 10_000)}
	small := source.Snapshot{Scope: source.Scope{Netns: 2}, Settings: set}
	for i, order := range [][]source.Snapshot{{large}, {small, large}, {large, small}, {small, large}} {
		m := moment(0)
		m.Time, m.Snapshots = m.Time.Add(time.Duration(i)*time.Second), order
		f.Update(m, o)
		total := 0
		for _, st := range o.pool {
			total += cap(st.Rows)
			if len(st.Rows) != len(st.Snapshot.Sockets) {
				t.Errorf("moment %d: %d rows of %d sockets", i, len(st.Rows), len(st.Snapshot.Sockets))
			}
		}
		if total > 10_000*5/4 {
			t.Errorf("moment %d: memory for %d rows is kept for 10,000 sockets", i, total)
		}
	}
}
