package model

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ephtop/source"
)

// scattered is a look at big destinations with the same connections each, and at
// as many others with one connection each, in so many namespaces.
func scattered(namespaces, big, each, small int) *source.Moment {
	m := moment(0)
	m.Snapshots = make([]source.Snapshot, namespaces)
	for n := range m.Snapshots {
		s := &m.Snapshots[n]
		s.Scope.Netns, s.Settings = uint64(n+1), testSettings()
		s.Settings.Range, s.BlockedKnown = source.PortRange{Low: 32768, High: 60999}, true
		for i := range big {
			s.Sockets = append(s.Sockets, connections(each, source.Established, "10.0.0.1", 32768+i, 2, fmt.Sprintf("10.1.0.%d:443", i))...)
		}
		one := socket(source.Established, "10.0.0.1:32768", "10.2.0.0:443")
		for i := range small {
			binary.BigEndian.PutUint32(one.Remote[12:], 0x0b000000+uint32(i))
			one.LocalPort = 32768 + uint16(i%28_000)
			s.Sockets = append(s.Sockets, one)
		}
	}
	return m
}

// Where there are more destinations than figures are kept of, those with the
// most ports have the ones that they would have without the others.
func TestScatteredDestinations(t *testing.T) {
	t.Parallel()
	const big, each, small = 40, 50, 3 * maxTuples
	want := update(scattered(1, big, each, 0)).TCP.Pressure
	tt := newTeller()
	st := tt.tell(scattered(1, big, each, small))
	got := &st.TCP.Pressure
	for i := range big {
		if g, w := got.Tuples[i], want.Tuples[i]; g != w {
			t.Fatalf("the tuple of rank %d is\n%+v, want\n%+v", i, g, w)
		}
	}
	if n := len(got.Tuples); n < maxTuples*9/10 || n > maxTuples*5/4 {
		t.Errorf("%d tuples have figures, want about %d", n, maxTuples)
	}
	in := got.Scattered
	for i := range got.Tuples {
		in += got.Tuples[i].Live
	}
	if all := big*each + small; in != all || st.TCP.States[source.Established] != all {
		t.Errorf("%d connections are counted, in the states %d, want %d", in, st.TCP.States[source.Established], all)
	}
	sockets := map[Grouping]int{}
	for _, g := range []Grouping{ByDestination, ByService} {
		for _, c := range st.TCP.Consumers[g] {
			sockets[g] += c.Sockets
		}
		if sockets[g] != big*each+small {
			t.Errorf("consumers %v hold %d sockets, want %d", g, sockets[g], big*each+small)
		}
	}
	if c := st.TCP.Consumers[ByService]; len(c) != 1 || c[0].Port != 443 {
		t.Errorf("by service there are %d consumers, want that of port 443", len(c))
	}
	others := slices.IndexFunc(st.TCP.Consumers[ByDestination], func(c Consumer) bool { return c.Port == 0 })
	if c := st.TCP.Consumers[ByDestination][others]; c.Tier != OwnerObserved || c.Sockets != got.Scattered {
		t.Errorf("other destinations have %d sockets, %v; want %d", c.Sockets, c.Tier, got.Scattered)
	}
	limit := source.Limit{Code: source.LimitTuples, Detail: fmt.Sprint(got.Scattered, len(got.Tuples))}
	if !slices.Contains(st.Moment.Limits, limit) {
		t.Errorf("the limits are %v, want %v", st.Moment.Limits, limit)
	}

	keys := func(st *State) (list []TupleKey) {
		for i := range st.TCP.Pressure.Tuples {
			list = append(list, st.TCP.Pressure.Tuples[i].TupleKey)
		}
		return list
	}
	if next := tt.tell(scattered(1, big, each, small)); !slices.Equal(keys(next), keys(st)) {
		t.Error("the next look at the same has other tuples")
	}
}

// A namespace with few destinations keeps all, whatever others have.
func TestScatteredNamespaces(t *testing.T) {
	t.Parallel()
	m := scattered(2, 0, 0, maxTuples)
	m.Snapshots = append(m.Snapshots, scattered(1, 3, 10, 200).Snapshots...)
	m.Snapshots[2].Scope.Netns = 7
	f, o := NewFleet(Options{}), new(Overview)
	for range 2 {
		f.Update(m, o)
		all := 0
		for _, st := range o.States {
			n, scattered := len(st.TCP.Pressure.Tuples), st.TCP.Pressure.Scattered
			all += n
			if st.Snapshot.Scope.Netns == 7 && (n != 203 || scattered != 0) {
				t.Errorf("the small one has %d tuples, and %d scattered connections", n, scattered)
			}
			if st.Snapshot.Scope.Netns != 7 && (n < maxTuples/3 || n+scattered != maxTuples) {
				t.Errorf("a large one has %d tuples, and %d scattered connections", n, scattered)
			}
		}
		if all > maxTuples*5/4 {
			t.Errorf("%d tuples have figures", all)
		}
	}
}

// What was not foreseen has its bound too: a look at few, then at many, and how
// many these are is known at the look after.
func TestScatteredAllAtOnce(t *testing.T) {
	t.Parallel()
	tt := newTeller()
	tt.tell(scattered(1, 0, 0, 10))
	for range 2 {
		st := tt.tell(scattered(1, 1, 60, 3*maxTuples))
		if n := len(st.TCP.Pressure.Tuples); n > 2*maxTuples {
			t.Errorf("%d tuples have figures", n)
		}
		if w := st.TCP.Pressure.Worst(); w.Live != 60 {
			t.Errorf("the worst has %d connections", w.Live)
		}
	}
}

// Where memory is short, there are figures of fewer.
func TestScatteredWithLittleRoom(t *testing.T) {
	t.Parallel()
	f, o := NewFleet(Options{Tuples: 500}), new(Overview)
	f.Update(scattered(1, 10, 20, 5000), o)
	p := &o.States[0].TCP.Pressure
	if n := len(p.Tuples); n < 450 || n > 550 || p.Tuples[9].Live != 20 || p.Tuples[10].Live != 1 {
		t.Errorf("%d tuples have figures, the tenth with %d connections", n, p.Tuples[9].Live)
	}
}

// Connections without rows are scattered as those with rows are.
func TestScatteredRest(t *testing.T) {
	t.Parallel()
	m := scattered(1, 0, 0, 0)
	for i := range 2 * maxTuples {
		r := source.Rest{State: source.TimeWait, RemotePort: 443, Count: 1 + 3*one(i < 100)}
		binary.BigEndian.PutUint32(r.Remote[12:], uint32(i))
		m.Snapshots[0].Rest = append(m.Snapshots[0].Rest, r)
	}
	p := &update(m).TCP.Pressure
	in := p.Scattered
	for i := range p.Tuples {
		in += p.Tuples[i].TimeWait
	}
	if all := 2*maxTuples + 300; in != all || p.Scattered == 0 {
		t.Errorf("%d connections are counted, %d of them scattered; want %d", in, p.Scattered, all)
	}
	if p.Tuples[99].TimeWait != 4 {
		t.Errorf("the tuple of rank 99 has %d connections, want 4", p.Tuples[99].TimeWait)
	}
}

func TestFairShare(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		wants     []int
		all, want int
	}{
		{[]int{}, 10, noLimit},
		{[]int{4, 6}, 10, noLimit},
		{[]int{4, 7}, 10, 6},
		{[]int{11}, 10, 10},
		{[]int{1, 100, 100}, 10, 4},
		{[]int{5, 5, 5}, 2, 0},
	} {
		if got := fairShare(test.wants, test.all); got != test.want {
			t.Errorf("of %d for %v each gets %d, want %d", test.all, test.wants, got, test.want)
		}
	}
}

// More users than there is room for are not told apart.
func TestManyUsers(t *testing.T) {
	t.Parallel()
	m := scattered(1, 0, 0, maxUsers+50)
	for i := range m.Snapshots[0].Sockets {
		s := &m.Snapshots[0].Sockets[i]
		s.UID, s.Inode = uint32(i), uint32(i+1)
	}
	st := update(m)
	if n := len(st.TCP.Consumers[ByUser]); n != maxUsers+1 {
		t.Errorf("%d users", n)
	}
	unknown := slices.IndexFunc(st.TCP.Consumers[ByUser], func(c Consumer) bool { return strings.TrimSpace(c.User) == "" })
	if unknown < 0 || st.TCP.Consumers[ByUser][unknown].Sockets != 50 {
		t.Errorf("the rest is not told as that of no known user")
	}
}
