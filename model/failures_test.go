package model

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"ephtop/source"
)

// A namespace in which nothing holds a port any more is not the worst for a
// failure that is over; one that is in use is, and one without a port to give.
func TestFailuresThatAreOver(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name     string
		used     int
		reserved bool
		again    float64 // when another one fails
		second   float64
		want     Level
	}{
		{"has just failed", 0, false, 0, 2, LevelExhausted},
		{"nothing is in use", 0, false, 0, 4, LevelOK},
		{"nothing is in use, and fails again", 0, false, 4, 6, LevelExhausted},
		{"in use", 1, false, 0, 4, LevelExhausted},
		{"no port to give", 0, true, 0, 4, LevelExhausted},
		{"in use, long ago", 1, false, 0, 11, LevelOK},
	}
	for _, c := range cases {
		f := newFleet()
		for second := 0.0; second <= c.second; second++ {
			m := full(second, c.used, 43)
			if c.reserved {
				m.Snapshots[0].Settings.Reserved = []source.PortRange{{Low: 1, High: 65535}}
			}
			if second == 0 || second == c.again {
				e := failed(second, db, java)
				e.Netns = 1
				m = withEvents(m, e)
			}
			f.tell(m)
		}
		worst, shown := f.o.States[0].Snapshot.Scope.Netns, f.o.States[f.o.Focus].Snapshot.Scope.Netns
		want := uint64(2)
		if c.want > LevelOK {
			want = 1
		}
		if st := f.of(1); st.Level != c.want || worst != want || c.used == 0 && shown != want {
			t.Errorf("%s: level %v, the worst is %d and %d is shown; want %v and %d", c.name, st.Level, worst, shown, c.want, want)
		}
	}
}

// What is so now comes before what is over, whatever failed then. Where nothing
// holds a port any more, it is worth knowing and no more.
func TestFindingsOfThePastComeLast(t *testing.T) {
	t.Parallel()
	f := newFleet()
	e := failed(0, db, java)
	e.Netns = 1
	f.tell(withEvents(full(0, 1, 65), e))
	o := f.tell(full(30, 1, 65))
	if first := o.Findings[0]; first.Problem != TupleFull || o.States[first.State].Snapshot.Scope.Netns != 2 {
		t.Errorf("the first of the findings is %+v, want the destination that is past a threshold", first)
	}
	i := slices.IndexFunc(o.Findings, func(f Finding) bool { return f.Problem == ConnectsFail })
	if i < 0 || !o.Findings[i].Past || o.Findings[i].Level != LevelWarning {
		t.Errorf("findings %+v, want the failure among them, as a warning of the past", o.Findings)
	}
	o = f.tell(full(31, 0, 65))
	if i := slices.IndexFunc(o.Findings, func(f Finding) bool { return f.Problem == ConnectsFail }); i < 0 || o.Findings[i].Level != LevelOK {
		t.Errorf("findings %+v, want the failure among them, of no weight", o.Findings)
	}
}

// Failures of an hour ago have no part in today's.
func TestFailuresLeaveTheCounts(t *testing.T) {
	t.Parallel()
	host := newTeller()
	var old []source.Event
	for range 100 {
		old = append(old, failed(0, "10.0.9.3:80", java))
	}
	host.tell(withEvents(moment(0), old...))
	for i := 1; i <= 60; i++ {
		host.tell(withEvents(moment(float64(60 * i))))
	}
	st := host.tell(withEvents(moment(3601), failed(3601, db, curl)))
	if by := st.Failures.By; len(by) != 1 || by[0].Count != 1 || by[0].Process.Name != "curl" {
		t.Errorf("failures by destination %+v, want the one of now", by)
	}
	if st.Failures.Count != 101 {
		t.Errorf("%d failures since the start, want 101", st.Failures.Count)
	}
	if f := find(st, ConnectsFail); f == nil || f.Tuple.Port != 5432 {
		t.Errorf("finding %+v, want one about the destination of now", f)
	}
}

// Of failures that go on, those of more than five minutes ago leave the count.
func TestFailuresAreCountedByTheMinute(t *testing.T) {
	t.Parallel()
	host := newTeller()
	var st *State
	for i := range 20 {
		at := float64(60 * i)
		st = host.tell(withEvents(moment(at), failed(at, db, java)))
	}
	if n := st.Failures.By[0].Count; n != 6 {
		t.Errorf("%d failures counted, want those of the present minute and of the five before", n)
	}
}

// However many pairs failed before, the one that fails now is listed.
func TestManyPairsMakeRoomForTheNext(t *testing.T) {
	t.Parallel()
	host := newTeller()
	for i := range 4 {
		var events []source.Event
		for j := range 100 {
			events = append(events, failed(float64(i), fmt.Sprintf("10.0.%d.%d:80", i, j), java))
		}
		host.tell(withEvents(moment(float64(i)), events...))
	}
	now := withEvents(moment(5), failed(5, db, curl), failed(5, db, curl))
	st := host.tell(now)
	if by := st.Failures.By; len(by) != maxFailures || by[0].Process.Name != "curl" || by[0].Count != 2 {
		t.Errorf("%d pairs, first %+v; want %d, and curl first", len(by), by[0], maxFailures)
	}
}

// Whatever time a recording names, it is no reason to end in a panic, and a
// wall clock that is set makes no failure older.
func TestFailuresAtAnyTime(t *testing.T) {
	t.Parallel()
	for _, year := range []int{1, 1960, 1970, 2300, 9999} {
		host := newTeller()
		for i := range 3 {
			m := withEvents(moment(float64(i)), failed(0, db, java))
			m.Time = m.Time.AddDate(year-m.Time.Year(), 0, 0)
			if st := host.tell(m); st.Failures.By[0].Count != i+1 || find(st, ConnectsFail) == nil {
				t.Errorf("year %d: failures %+v", year, st.Failures)
			}
		}
	}
	host := newTeller()
	m := withEvents(moment(0), failed(0, db, java))
	m.Mono = time.Second
	host.tell(m)
	m = withEvents(moment(1))
	m.Time, m.Mono = m.Time.Add(time.Hour), 2*time.Second
	if st := host.tell(m); find(st, ConnectsFail) == nil {
		t.Error("no finding a second after a failure, as the wall clock was set")
	}
}

// A process that has closed its last socket is named all the same.
func TestAFindingNamesAProcessWithoutSockets(t *testing.T) {
	t.Parallel()
	host := newTeller()
	host.tell(withProcesses(moment(0, owned(socket(source.Established, "10.0.0.1:40000", db), 1, 0)), java))
	st := host.tell(withEvents(moment(1), failed(1, db, java)))
	if f := find(st, ConnectsFail); f == nil || f.Process == source.NoProcess || st.Processes[f.Process].Name != "java" {
		t.Errorf("finding %+v, want one that names java", f)
	}
}

// A bind that found no port is a failure too, of the address's pool.
func TestFailedBinds(t *testing.T) {
	t.Parallel()
	bind := func(proto source.Proto, local string) source.Event {
		e := failed(0, db, java)
		e.Kind, e.Tuple = source.BindFailed, source.Tuple{Proto: proto}
		e.Tuple.Local, _ = endpoint(local + ":0")
		return e
	}
	st := update(withEvents(moment(0),
		bind(source.TCP, "10.0.0.1"), bind(source.TCP, "10.0.0.1"), bind(source.TCP, "10.0.0.2"), bind(source.UDP, "10.0.0.1"), failed(0, db, java)))
	f := &st.Failures
	local, _ := endpoint("10.0.0.1:0")
	if f.Count != 5 || f.Recent != 5 || len(f.By) != 4 || st.Level != LevelExhausted {
		t.Errorf("%+v, level %v; want 5 of 4 sorts, exhausted", f, st.Level)
	}
	if by := f.By[0]; by.Kind != source.BindFailed || by.Proto != source.TCP || by.Local != local || by.Port != 0 || by.Count != 2 {
		t.Errorf("most %+v, want the binds on 10.0.0.1", by)
	}
	if found := find(st, ConnectsFail); found == nil || found.Tuple != (TupleKey{Source: local}) {
		t.Errorf("finding %+v, want one about 10.0.0.1", found)
	}
}

// Which local address a connect would have had makes no other failure of it.
func TestFailedConnectsAreOneWhateverTheirAddress(t *testing.T) {
	t.Parallel()
	chosen := failed(0, db, java)
	chosen.Tuple.Local, _ = endpoint("10.0.0.1:0")
	if by := update(withEvents(moment(0), failed(0, db, java), chosen)).Failures.By; len(by) != 1 || by[0].Count != 2 {
		t.Errorf("%+v, want one sort", by)
	}
}

// The error is the same, and it is not the ports.
// Where connects fail, the tuple that was about to be full is; where they failed
// long ago, or to another destination, it is not.
func TestFailedConnectsAreTheEndOfTheForecast(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		to   string
		ago  float64
		now  bool
	}{{"now", db, 0, true}, {"elsewhere", "10.0.9.3:80", 0, false}, {"before", db, 11, false}} {
		host := newTeller()
		look := func(seconds float64) *source.Moment {
			list := append(churning(40, 0, 10, "10.0.0.1", db), spread(1000, source.Established, "10.0.0.1", db)...)
			return place(settingsOf(moment(seconds, list...), ports(2000)))
		}
		host.tell(withEvents(look(0), failed(0, test.to, java)))
		o := host.tell(withEvents(look(1 + test.ago))).Outlook
		if o.Trend != TrendFull || (o.In == 0) != test.now {
			t.Errorf("%s: %+v, want full, and now is %v", test.name, o, test.now)
		}
	}
}

func TestRefusedAddresses(t *testing.T) {
	t.Parallel()
	e := failed(0, db, java)
	e.Kind = source.AddressRefused
	e.Tuple.Local, _ = endpoint("10.0.0.77:0")
	host := newTeller()
	st := host.tell(withEvents(moment(0), e, e))
	f := &st.Failures
	if f.Count != 0 || f.Recent != 0 || len(f.By) != 0 || st.Level != LevelOK || find(st, ConnectsFail) != nil {
		t.Errorf("%+v, level %v; want no failure", f, st.Level)
	}
	if f.Refused != 2 || len(f.RefusedBy) != 1 || f.RefusedBy[0].Local != e.Tuple.Local || f.RefusedBy[0].Port != 5432 || f.RefusedBy[0].Process.Name != "java" {
		t.Errorf("refused %d: %+v; want 2 of java, with the address", f.Refused, f.RefusedBy)
	}
	if st = host.tell(withEvents(moment(400))); st.Failures.Refused != 2 || len(st.Failures.RefusedBy) != 0 {
		t.Errorf("much later: %+v", st.Failures)
	}
}

// A program that is started anew for each call is one thing to mend, and what
// another one wants another.
func TestRefusedAddressesOfOneProgram(t *testing.T) {
	t.Parallel()
	var events []source.Event
	for i := range 9 {
		p := java
		p.PID += int32(i)
		e := failed(0, db, p)
		e.Kind = source.AddressRefused
		events = append(events, e)
	}
	other := events[0]
	other.Process.PID, other.Process.Name = 77, "php"
	host := newTeller()
	st := host.tell(withEvents(moment(0), append(events, other)...))
	counts := map[int]int{}
	for _, f := range st.Findings {
		if f.Problem == AddressRefused {
			counts[f.Count]++
		}
	}
	if want := map[int]int{9: 1, 1: 1}; !maps.Equal(counts, want) {
		t.Errorf("findings by count %v, want %v", counts, want)
	}
}

// bindFailed is the event of a bind that was refused.
func bindFailed(proto source.Proto, local string, p source.Process) source.Event {
	e := failed(0, db, p)
	e.Kind, e.Tuple = source.BindFailed, source.Tuple{Proto: proto}
	e.Tuple.Local, e.Tuple.LocalPort = endpoint(local)
	return e
}

// Each sort of failure has a count of its own.
func TestFailuresBySort(t *testing.T) {
	t.Parallel()
	st := update(withEvents(moment(0), failed(0, db, java), bindFailed(source.TCP, "127.0.0.1:0", java), bindFailed(source.TCP, "[::1]:0", java),
		bindFailed(source.UDP, "0.0.0.0:0", java), bindFailed(source.UDP, "0.0.0.0:0", java), bindFailed(source.UDP, "10.0.0.1:0", curl)))
	if f := &st.Failures; f.Count != 6 || f.Connects() != 1 || f.Binds != 2 || f.UDP != 3 {
		t.Errorf("%d: %d connects, %d binds, %d of UDP; want 6: 1, 2, 3", f.Count, f.Connects(), f.Binds, f.UDP)
	}
	if f := &st.Failures; f.Recent != 6 || f.RecentUDP != 3 {
		t.Errorf("%d lately, %d of UDP; want 6, 3", f.Recent, f.RecentUDP)
	}
}

// A port that was named and is taken is no want of ports.
func TestTakenPorts(t *testing.T) {
	t.Parallel()
	host := newTeller()
	st := host.tell(withEvents(moment(0), bindFailed(source.TCP, "0.0.0.0:40050", java), bindFailed(source.TCP, "0.0.0.0:40050", java),
		bindFailed(source.UDP, "[::]:53", curl)))
	f := &st.Failures
	if f.Count != 0 || f.Recent != 0 || len(f.By) != 0 || st.Level != LevelOK || find(st, ConnectsFail) != nil {
		t.Errorf("%+v, level %v; want no failure", f, st.Level)
	}
	if f.Taken != 3 || len(f.TakenBy) != 2 || f.TakenBy[0].LocalPort != 40050 || f.TakenBy[0].Count != 2 {
		t.Errorf("%d taken, %+v; want 3, most on 40050", f.Taken, f.TakenBy)
	}
	if st = host.tell(withEvents(moment(400))); st.Failures.Taken != 3 || len(st.Failures.TakenBy) != 0 {
		t.Errorf("much later: %+v", st.Failures)
	}
}

// Once events were lost, the counts are the least that there were, for as long as
// they are shown.
func TestLostEventsMarkTheCount(t *testing.T) {
	t.Parallel()
	host := newTeller()
	m := withEvents(moment(0), failed(0, db, java))
	m.LostEvents = 7
	host.tell(m)
	m = withEvents(moment(1))
	m.LostEvents = 5
	host.tell(m)
	if st := host.tell(withEvents(moment(3600))); st.Failures.Lost != 12 || st.Failures.Count != 1 {
		t.Errorf("%d lost, %d failures; want 12, 1", st.Failures.Lost, st.Failures.Count)
	}
}
