package model

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// listed is a socket of a hand-made state, as a test writes it.
type listed struct {
	proto         source.Proto
	local, remote string
	state         source.State
	process       int32 // index into the processes, or source.NoProcess
	tier          Tier
	age           time.Duration
	uid, inode    uint32
	cookie        uint64
}

var listNow = time.Date(2026, 11, 22, 12, 4, 31, 0, time.UTC)

// listState makes a state of sockets by hand.
func listState(tb testing.TB, processes []source.Process, sockets ...listed) *State {
	tb.Helper()
	st := &State{Moment: &source.Moment{Time: listNow}, Snapshot: new(source.Snapshot), Clock: listNow.UnixNano(), Processes: processes}
	for _, l := range sockets {
		s := source.Socket{Proto: l.proto, State: l.state, Process: l.process, UID: l.uid, Inode: l.inode, Cookie: l.cookie}
		s.Local, s.LocalPort = mustEnd(tb, l.local)
		s.Remote, s.RemotePort = mustEnd(tb, l.remote)
		if s.Proto == 0 {
			s.Proto = source.TCP
		}
		st.Snapshot.Sockets = append(st.Snapshot.Sockets, s)
		st.Rows = append(st.Rows, Row{Process: l.process, Tier: l.tier, Since: listNow.Add(-l.age).UnixNano()})
	}
	return st
}

// mustEnd reads host:port; "" is the IPv4 wildcard with port 0.
func mustEnd(tb testing.TB, s string) (source.Addr, uint16) {
	tb.Helper()
	if s == "" {
		return source.Addr4([4]byte{}), 0
	}
	r, ok := parseAddrs(s)
	if !ok {
		tb.Fatalf("bad address with port %q in a test", s)
	}
	var a source.Addr
	for i := range 8 {
		a[i], a[8+i] = byte(r.hi>>(56-8*i)), byte(r.lo>>(56-8*i))
	}
	return a, r.ports.Low
}

func TestColumns(t *testing.T) {
	var headers []string
	c := ColumnProto
	for range NumColumns {
		headers = append(headers, c.String())
		c = c.Next()
	}
	want := []string{"PROTO", "LOCAL", "REMOTE", "STATE", "PID", "PROCESS", "AGE"}
	if diff := cmp.Diff(want, headers); diff != "" {
		t.Errorf("headers in the order of Next (-want +got):\n%s", diff)
	}
	if c != ColumnProto {
		t.Errorf("Next after the last column = %v, want PROTO", c)
	}
}

func TestOrderDescending(t *testing.T) {
	for _, tt := range []struct {
		order Order
		want  bool
	}{
		{Order{ColumnAge, false}, true},
		{Order{ColumnAge, true}, false},
		{Order{ColumnLocal, false}, false},
		{Order{ColumnLocal, true}, true},
	} {
		if got := tt.order.Descending(); got != tt.want {
			t.Errorf("%v reversed %v: Descending() = %v, want %v", tt.order.Column, tt.order.Reverse, got, tt.want)
		}
	}
}

func TestSelectionOrder(t *testing.T) {
	none := source.NoProcess
	tests := []struct {
		name      string
		column    Column
		processes []source.Process
		sockets   []listed
		want      []int32
		reverse   []int32
	}{
		{
			name:   "protocol: tcp before udp, ties by local port both ways",
			column: ColumnProto,
			sockets: []listed{
				{proto: source.UDP, local: "10.0.0.1:5", process: none},
				{proto: source.TCP, local: "10.0.0.1:9", process: none},
				{proto: source.TCP, local: "10.0.0.1:7", process: none},
			},
			want:    []int32{2, 1, 0},
			reverse: []int32{0, 2, 1},
		},
		{
			name:   "local: address before port, and as numbers rather than text",
			column: ColumnLocal,
			sockets: []listed{
				{local: "10.0.0.10:1", process: none},
				{local: "10.0.0.9:40000", process: none},
				{local: "10.0.0.9:5000", process: none},
				{local: "[2001:db8::1]:1", process: none},
				{local: "[::1]:1", process: none},
				{local: "[2001:db8::2]:1", process: none},
			},
			want:    []int32{4, 2, 1, 0, 3, 5},
			reverse: []int32{5, 3, 0, 1, 2, 4},
		},
		{
			name:   "remote: address before port, ties by local port both ways",
			column: ColumnRemote,
			sockets: []listed{
				{local: "10.0.0.9:40003", remote: "10.0.9.2:5432", process: none},
				{local: "10.0.0.9:40001", remote: "10.0.9.2:5432", process: none},
				{local: "10.0.0.9:40002", remote: "10.0.9.2:443", process: none},
				{local: "10.0.0.9:40004", remote: "10.0.9.1:6379", process: none},
			},
			want:    []int32{3, 2, 1, 0},
			reverse: []int32{1, 0, 2, 3},
		},
		{
			name:   "state: by the life of a port, LISTEN last",
			column: ColumnState,
			sockets: []listed{
				{state: source.Listen, process: none},
				{state: source.TimeWait, process: none},
				{state: source.Established, process: none},
				{state: source.Bound, process: none},
				{state: source.SynSent, process: none},
				{state: source.CloseWait, process: none},
			},
			want:    []int32{3, 4, 2, 5, 1, 0},
			reverse: []int32{0, 1, 5, 2, 4, 3},
		},
		{
			name:      "pid: rows of no known process last both ways",
			column:    ColumnPID,
			processes: []source.Process{{PID: 4410}, {PID: 97}},
			sockets: []listed{
				{process: none},
				{process: 0},
				{process: 1},
			},
			want:    []int32{2, 1, 0},
			reverse: []int32{1, 2, 0},
		},
		{
			name:   "process: name, then pid as a number, rows of no known process last both ways",
			column: ColumnProcess,
			processes: []source.Process{
				{PID: 1000, Name: "envoy"}, {PID: 200, Name: "envoy"}, {PID: 300, Name: "api"}, {PID: 1, Name: "unused"},
			},
			sockets: []listed{
				{process: none},
				{process: 0},
				{process: 1},
				{process: 2},
			},
			want:    []int32{3, 2, 1, 0},
			reverse: []int32{1, 2, 3, 0},
		},
		{
			name:      "process: two entries of one process are equal",
			column:    ColumnProcess,
			processes: []source.Process{{PID: 7, Name: "api", Start: 1}, {PID: 7, Name: "api", Start: 1}},
			sockets: []listed{
				{local: "10.0.0.1:3", process: 0},
				{local: "10.0.0.1:2", process: 1},
				{local: "10.0.0.1:1", process: 0},
			},
			want:    []int32{2, 1, 0},
			reverse: []int32{2, 1, 0},
		},
		{
			name:   "age: oldest first, TIME_WAIT by the time since it was first seen too",
			column: ColumnAge,
			sockets: []listed{
				{age: 7 * time.Second, process: none},
				{age: 48 * time.Second, state: source.TimeWait, process: none},
				{age: 3 * time.Minute, process: none},
			},
			want:    []int32{2, 1, 0},
			reverse: []int32{0, 1, 2},
		},
		{
			name:   "age: parts of a second count, so that rows don't change places as seconds turn",
			column: ColumnAge,
			sockets: []listed{
				{local: "10.0.0.1:1", age: 7100 * time.Millisecond, process: none},
				{local: "10.0.0.1:2", age: 7900 * time.Millisecond, process: none},
			},
			want:    []int32{1, 0},
			reverse: []int32{0, 1},
		},
		{
			name:   "ties: local port, remote port, remote address, local address, protocol, cookie",
			column: ColumnState,
			sockets: []listed{
				{local: "10.0.0.1:2", remote: "10.0.0.1:1", process: none, cookie: 2},
				{local: "10.0.0.1:2", remote: "10.0.0.1:1", process: none, cookie: 1},
				{proto: source.UDP, local: "10.0.0.1:2", remote: "10.0.0.1:1", process: none},
				{local: "10.0.0.2:2", remote: "10.0.0.1:1", process: none},
				{local: "10.0.0.1:2", remote: "10.0.0.2:1", process: none},
				{local: "10.0.0.1:2", remote: "10.0.0.1:2", process: none},
				{local: "10.0.0.1:1", remote: "10.0.0.1:9", process: none},
			},
			want:    []int32{6, 1, 0, 2, 3, 4, 5},
			reverse: []int32{6, 1, 0, 2, 3, 4, 5},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			st := listState(t, tt.processes, tt.sockets...)
			s := Selection{Order: Order{Column: tt.column}, TCP: true, UDP: true}
			if diff := cmp.Diff(tt.want, s.Rows(nil, st)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			s.Order.Reverse = true
			if diff := cmp.Diff(tt.reverse, s.Rows(nil, st)); diff != "" {
				t.Errorf("rows reversed (-want +got):\n%s", diff)
			}
		})
	}
}

// The order must not depend on the order in which a dump lists the sockets.
func TestSelectionOrderIsTotal(t *testing.T) {
	st := randomState(500)
	shuffled := &State{Moment: &source.Moment{Time: listNow}, Snapshot: new(source.Snapshot), Clock: listNow.UnixNano(), Processes: st.Processes}
	for _, i := range rand.New(rand.NewPCG(3, 4)).Perm(len(st.Rows)) {
		shuffled.Snapshot.Sockets = append(shuffled.Snapshot.Sockets, st.Snapshot.Sockets[i])
		shuffled.Rows = append(shuffled.Rows, st.Rows[i])
	}
	tuples := func(s *Selection, st *State) []source.Tuple {
		var ts []source.Tuple
		for _, row := range s.Rows(nil, st) {
			ts = append(ts, st.Snapshot.Sockets[row].Tuple())
		}
		return ts
	}
	for c := range Column(NumColumns) {
		for _, reverse := range []bool{false, true} {
			s := Selection{Order: Order{c, reverse}, TCP: true, UDP: true}
			first, second := tuples(&s, st), tuples(&s, shuffled)
			if len(first) != len(st.Rows) {
				t.Errorf("%v: %d rows of %d", c, len(first), len(st.Rows))
			}
			if !slices.Equal(first, second) {
				t.Errorf("by %v, reversed %v: the order changed with that of the dump", c, reverse)
			}
		}
	}
}

func TestSelectionPicks(t *testing.T) {
	st := listState(t, nil,
		listed{local: "10.0.0.1:1", state: source.Listen, process: source.NoProcess},
		listed{local: "10.0.0.1:2", state: source.TimeWait, process: source.NoProcess},
		listed{proto: source.UDP, local: "10.0.0.1:3", state: source.Bound, process: source.NoProcess},
	)
	for _, tt := range []struct {
		name   string
		s      Selection
		filter string
		want   []int32
	}{
		{"tcp alone", Selection{TCP: true}, "", []int32{0, 1}},
		{"udp alone", Selection{UDP: true}, "", []int32{2}},
		{"both", Selection{TCP: true, UDP: true}, "", []int32{0, 1, 2}},
		{"neither", Selection{}, "", []int32{}},
		{"with a filter", Selection{TCP: true, UDP: true}, "!state:listen", []int32{1, 2}},
		{"a filter for what is not listed", Selection{TCP: true}, "proto:udp", []int32{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.s.Filter = mustFilter(t, tt.filter)
			dst := []int32{7, 7, 7, 7}
			got := tt.s.Rows(dst, st)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if cap(got) > 0 && &got[:1][0] != &dst[0] {
				t.Error("the memory of dst was not used")
			}
		})
	}
}

func TestSelectionReusesMemory(t *testing.T) {
	st := randomState(1000)
	s := Selection{TCP: true, UDP: true}
	rows := s.Rows(nil, st)
	for c := range Column(NumColumns) {
		s.Order.Column = c
		rows = s.Rows(rows, st)
		if n := testing.AllocsPerRun(5, func() { rows = s.Rows(rows, st) }); n > 0 {
			t.Errorf("by %v: %v allocations a call, want none", c, n)
		}
	}
}

func TestFind(t *testing.T) {
	st := listState(t, nil,
		listed{local: "10.0.0.1:1", remote: "10.0.0.2:443", process: source.NoProcess},
		listed{local: "10.0.0.1:2", remote: "10.0.0.2:443", process: source.NoProcess},
		listed{proto: source.UDP, local: "10.0.0.1:2", remote: "10.0.0.2:443", process: source.NoProcess},
	)
	rows := []int32{2, 1}
	for i, want := range []int{-1, 1, 0} {
		tuple := st.Snapshot.Sockets[i].Tuple()
		if got := Find(st, rows, tuple); got != want {
			t.Errorf("Find(%v) in %v = %d, want %d", tuple, rows, got, want)
		}
	}
	tuple := st.Snapshot.Sockets[1].Tuple()
	if n := testing.AllocsPerRun(5, func() { Find(st, rows, tuple) }); n != 0 {
		t.Errorf("Find allocates %v times", n)
	}
}

// randomState makes a state such as a busy client host has: few destinations,
// most sockets in TIME_WAIT, a tenth of them IPv6.
func randomState(n int) *State {
	r := rand.New(rand.NewPCG(1, 2))
	st := &State{Moment: &source.Moment{Time: listNow}, Snapshot: new(source.Snapshot), Clock: listNow.UnixNano()}
	for i := range 200 {
		st.Processes = append(st.Processes, source.Process{
			PID: int32(r.IntN(1 << 22)), Name: fmt.Sprintf("worker-%d", i%40), User: "www-data", UID: 33,
			Command: fmt.Sprintf("/usr/local/bin/worker --config /etc/worker/worker-%d.toml --verbose --listen 0.0.0.0:8080", i),
		})
	}
	states := []source.State{source.TimeWait, source.TimeWait, source.Established, source.CloseWait, source.SynSent}
	for i := range n {
		s := source.Socket{
			Proto: source.TCP, State: states[r.IntN(len(states))], Process: source.NoProcess, Cookie: uint64(i + 1), Inode: uint32(i + 1),
			Local: source.Addr4([4]byte{10, 0, 4, 7}), LocalPort: uint16(32768 + r.IntN(28232)),
			Remote: source.Addr4([4]byte{10, 0, 9, byte(r.IntN(20))}), RemotePort: 5432,
		}
		switch {
		case i%10 == 0:
			s.Local = source.Addr{0x20, 0x01, 0x0d, 0xb8, 15: 7}
			s.Remote = source.Addr{0x20, 0x01, 0x0d, 0xb8, 15: byte(r.IntN(20))}
		case i%50 == 1:
			s.Proto = source.UDP
		}
		row := Row{Process: source.NoProcess, Since: listNow.Add(-time.Duration(r.IntN(60)) * time.Second).UnixNano()}
		if r.IntN(4) > 0 {
			row.Process, row.Tier = int32(r.IntN(len(st.Processes))), OwnerObserved
		}
		st.Snapshot.Sockets = append(st.Snapshot.Sockets, s)
		st.Rows = append(st.Rows, row)
	}
	return st
}

func BenchmarkRows(b *testing.B) {
	for _, n := range []int{20_000, 200_000} {
		st := randomState(n)
		for c := range Column(NumColumns) {
			b.Run(fmt.Sprintf("%d/%v", n, c), func(b *testing.B) {
				s := Selection{Order: Order{Column: c}, TCP: true, UDP: true}
				rows := s.Rows(nil, st)
				b.ReportAllocs()
				for b.Loop() {
					rows = s.Rows(rows, st)
				}
			})
		}
	}
}
