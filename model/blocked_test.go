package model

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

const cache = "10.0.9.3:6379" // a destination other than db

// known says what the kernel's tables say is blocked.
func known(m *source.Moment, ports ...uint16) *source.Moment {
	m.Snapshots[0].BlockedKnown, m.Snapshots[0].Blocked = true, ports
	return m
}

func by(bind source.Bind, s source.Socket) source.Socket {
	s.Bind = bind
	return s
}

// free is what a tuple has left.
type free struct{ Used, Free, Blocked, BlockedKnown, Suspected int }

func freeOf(st *State, dst string) free {
	t := tuple(st, "10.0.0.1", dst)
	if t == nil {
		return free{}
	}
	return free{t.Used, t.Free, t.Blocked, t.BlockedKnown, t.Suspected}
}

// Every row of the table "who blocks whom" of doc.go, where the kernel's tables
// say which ports are blocked. Another connection makes another destination
// known.
func TestWhoBlocksWhomIsKnown(t *testing.T) {
	t.Parallel()
	const a, in = "10.0.0.1:40001", "10.0.7.7:51000"
	wait := func(left uint32) source.Socket {
		return with(socket(source.TimeWait, a, db), func(s *source.Socket) { s.Expires = left })
	}
	cases := []struct {
		name            string
		holders         []source.Socket
		blocked         []uint16
		same, other     free // zero: no such tuple
		blocking, bound int  // rows that are, ports of the finding
	}{
		{name: "A connected without bind", holders: []source.Socket{by(source.BindConnect, socket(source.Established, a, db))},
			same: free{Used: 1, Free: 99}, other: free{Used: 1, Free: 99}},
		{name: "A, before 6.18", holders: []source.Socket{socket(source.Established, a, db)},
			same: free{Used: 1, Free: 99}, other: free{Used: 1, Free: 99}},
		{name: "B", holders: []source.Socket{by(source.BindConnect, wait(30000))},
			same: free{Used: 1, Free: 99}, other: free{Used: 1, Free: 99}},
		{name: "C", holders: []source.Socket{by(source.BindExplicit, socket(source.Established, a, db))}, blocked: []uint16{40001},
			same: free{Used: 1, Free: 99}, other: free{2, 98, 1, 1, 0}, blocking: 1, bound: 1},
		{name: "C, before 6.18", holders: []source.Socket{socket(source.Established, a, db)}, blocked: []uint16{40001},
			same: free{Used: 1, Free: 99}, other: free{2, 98, 1, 1, 0}, blocking: 1, bound: 1},
		{name: "D", holders: []source.Socket{by(source.BindExplicit, wait(30000))}, blocked: []uint16{40001},
			same: free{Used: 1, Free: 99}, other: free{2, 98, 1, 1, 0}, blocking: 1, bound: 1},
		{name: "E", holders: []source.Socket{by(source.BindExplicit, socket(source.Bound, a, ""))}, blocked: []uint16{40001},
			other: free{2, 98, 1, 1, 0}, blocking: 1, bound: 1},
		{name: "F a listener and what it accepted", holders: []source.Socket{
			by(source.BindExplicit, socket(source.Listen, "0.0.0.0:40001", "")), by(source.BindExplicit, socket(source.Established, a, in)),
		}, blocked: []uint16{40001}, other: free{2, 98, 1, 1, 0}, blocking: 2},
		{name: "F accepted from a listener that is gone", holders: []source.Socket{by(source.BindExplicit, socket(source.Established, a, in))},
			blocked: []uint16{40001}, other: free{2, 98, 1, 1, 0}, blocking: 1, bound: 1},
		{name: "G the server's side", holders: []source.Socket{
			by(source.BindExplicit, socket(source.Listen, "0.0.0.0:443", "")), by(source.BindExplicit, socket(source.Established, "10.0.0.1:443", in)),
		}, blocked: []uint16{443}, other: free{Used: 1, Free: 99}},
		{name: "a plain connection on a port that another one has bound", holders: []source.Socket{
			by(source.BindConnect, socket(source.Established, a, db)), by(source.BindExplicit, socket(source.Bound, "10.0.0.2:40001", "")),
		}, blocked: []uint16{40001}, same: free{Used: 1, Free: 99}, other: free{2, 98, 1, 1, 0}, blocking: 1, bound: 1},
		{name: "a listener that the tables don't know yet", holders: []source.Socket{socket(source.Listen, "0.0.0.0:40001", "")},
			other: free{Used: 1, Free: 99}},
		{name: "a blocked port that no socket explains", blocked: []uint16{40001}, other: free{2, 98, 1, 1, 0}, bound: 1},
		{name: "a blocked port that only a plain connection explains", holders: []source.Socket{by(source.BindConnect, socket(source.Established, a, db))},
			blocked: []uint16{40001}, same: free{Used: 1, Free: 99}, other: free{2, 98, 1, 1, 0}, bound: 1},
		{name: "reserved, and outside of the range", blocked: []uint16{80, 40099, 50000}, other: free{Used: 1, Free: 98}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := known(moment(0, append(c.holders, by(source.BindConnect, socket(source.Established, "10.0.0.1:40050", cache)))...), c.blocked...)
			if c.other.Used+c.other.Free < 100 {
				m.Snapshots[0].Settings.Reserved = []source.PortRange{{Low: 40099, High: 40099}}
			}
			host := newTeller()
			st := host.tell(m)
			if diff := cmp.Diff([]free{c.same, c.other}, []free{freeOf(st, db), freeOf(st, cache)}); diff != "" {
				t.Errorf("same and other destination (-want +got):\n%s", diff)
			}
			blocking, suspected := 0, st.TCP.Pressure.Suspected
			for _, r := range st.Rows {
				blocking += one(r.Blocking)
				suspected += one(r.Suspected)
			}
			bound := host.fleet.scratch.tcp.counted.boundPorts
			if blocking != c.blocking || bound != c.bound || suspected != 0 {
				t.Errorf("%d rows block, %d ports bound, %d suspected; want %d, %d, 0", blocking, bound, suspected, c.blocking, c.bound)
			}
			p := &st.TCP.Pressure
			if p.Live+p.TimeWait+p.Blocked != p.InUse || p.BlockedKnown != p.Blocked {
				t.Errorf("in use %d: %d live, %d wait, %d blocked, %d of them known", p.InUse, p.Live, p.TimeWait, p.Blocked, p.BlockedKnown)
			}
		})
	}
}

// Bound first, then closed: nobody can take these ports over, and no other
// destination can use them, but the tuple's own figures are those of before.
func TestTimeWaitOfBoundSockets(t *testing.T) {
	t.Parallel()
	var ports []uint16
	wait := aged(connections(50, source.TimeWait, "127.0.0.1", 40000, 1, "127.0.0.1:80"), 2000)
	for i := range wait {
		ports = append(ports, wait[i].LocalPort)
	}
	st := update(known(moment(0, append(wait, socket(source.Established, "10.0.0.1:40060", db))...), ports...))
	own := tuple(st, "127.0.0.1", "127.0.0.1:80")
	if own.TimeWait != 50 || own.Reusable != 0 || own.Used != 50 || own.FirstHalf != 25 || own.Closing != 50 {
		t.Errorf("own %+v; want 50 in TIME_WAIT, none reusable, 25 of the first half, 50 closing", own)
	}
	if other := tuple(st, "10.0.0.1", db); other.Free != 49 || other.FirstHalf != 26 {
		t.Errorf("other %+v; want 49 free, 26 of the first half", other)
	}
}

// What no dump can tell: ports of both halves, all bound first, towards
// several destinations. Then no connect() gets a port any more.
func TestEverythingBoundFirstIsExhausted(t *testing.T) {
	t.Parallel()
	var sockets []source.Socket
	var ports []uint16
	for i := range 100 {
		to := fmt.Sprintf("10.0.9.%d:80", i%10)
		sockets = append(sockets, socket(source.Established, fmt.Sprintf("10.0.0.1:%d", 40000+i), to))
		ports = append(ports, uint16(40000+i))
	}
	m := withProcesses(known(moment(0, sockets...), ports...), java)
	for i := range sockets {
		sockets[i].Process = 0
	}
	st := update(m)
	if h := st.TCP.Pressure.Headline(); h.Free != 0 || h.Level != LevelExhausted || st.Level != LevelExhausted {
		t.Errorf("headline %+v, level %v; want exhausted", h, st.Level)
	}
	f := find(st, BoundFirst)
	if f == nil || !f.Exact || f.Count != 100 || f.Suspected != 0 || st.Processes[f.Process].Name != "java" {
		t.Errorf("finding %+v, want 100 ports of java, exact", f)
	}
}

// A VRF has bind buckets of its own.
func TestBlockedInAVRF(t *testing.T) {
	t.Parallel()
	in := func(s source.Socket) source.Socket { return with(s, func(s *source.Socket) { s.Interface = 7 }) }
	sockets := []source.Socket{
		socket(source.Established, "10.0.0.1:40050", db), in(socket(source.Established, "10.0.0.1:40051", db)),
		in(socket(source.Bound, "10.0.0.1:40001", "")), socket(source.Established, "10.0.0.1:40001", db),
	}
	m := known(moment(0, sockets...), 40010, 40011, 40012)
	m.Snapshots[0].VRFs = []source.VRF{{Interface: 7, Blocked: []uint16{40001}}}
	host := newTeller()
	check := func(st *State, blocked int) {
		t.Helper()
		got := map[uint32]free{}
		for _, u := range st.TCP.Pressure.Tuples {
			got[u.Interface] = free{u.Used, u.Free, u.Blocked, u.BlockedKnown, u.Suspected}
		}
		want := map[uint32]free{0: {5, 95, 3, 3, 0}, 7: {1 + blocked, 99 - blocked, blocked, blocked, 0}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	st := host.tell(m)
	check(st, 1)
	if p := &st.TCP.Pressure; p.Blocked != 3 || p.InUse != 6 || !st.Rows[2].Blocking || st.Rows[3].Blocking {
		t.Errorf("pool: %d blocked, %d in use, rows %+v; want 3, 6, the third blocking", p.Blocked, p.InUse, st.Rows)
	}
	if key := st.Key(&sockets[1]); key.Interface != 7 || st.Key(&sockets[0]).Interface != 0 {
		t.Errorf("keys %+v and %+v", key, st.Key(&sockets[0]))
	}
	// A VRF without blocked ports is not told of, and is a VRF all the same.
	m = known(moment(1, sockets[0], sockets[1], sockets[3]), 40010, 40011, 40012)
	check(host.tell(m), 0)
	if tr := host.fleet.trackers[scopeKey{}]; len(tr.tcp.vrfs) != 1 {
		t.Errorf("VRFs %v known", tr.tcp.vrfs)
	}
	host.tell(known(moment(2, sockets[0])))
	if tr := host.fleet.trackers[scopeKey{}]; len(tr.tcp.vrfs) != 0 {
		t.Errorf("VRFs %v known when the last socket is gone, want none", tr.tcp.vrfs)
	}
}

// Ports that are blocked are in use, with or without a socket that explains it.
func TestBlockedPortsAreOnTheMap(t *testing.T) {
	t.Parallel()
	st := update(known(moment(0), 40003, 40005))
	p := &st.TCP.Pressure
	if p.InUse != 2 || p.Blocked != 2 || len(p.Map.Words) == 0 || p.Map.Words[0] != 1<<(40003&63)|1<<(40005&63) {
		t.Errorf("%d in use, %d blocked, map %v; want the two ports", p.InUse, p.Blocked, p.Map.Words)
	}
	if h := p.Headline(); h.Free != 98 || h.Blocked != 2 {
		t.Errorf("headline %+v, want 2 blocked, 98 free", h)
	}
}

// Parity proves nothing about what was there while nobody had to watch it.
func TestWhatWasKnownIsNotSuspectedLater(t *testing.T) {
	t.Parallel()
	crowd := append(connections(45, source.Established, "10.0.0.1", 40000, 2, db), connections(8, source.Established, "10.0.0.1", 40001, 2, db)...)
	left := append(connections(20, source.Established, "10.0.0.1", 40000, 2, db), crowd[45:]...)
	host := newTeller()
	host.tell(known(moment(0)))
	host.tell(known(moment(1, crowd...)))
	if st := host.tell(moment(2, left...)); st.TCP.Pressure.Suspected != 0 {
		t.Errorf("%d suspected of what a crowded time has left, want none", st.TCP.Pressure.Suspected)
	}
	next := connections(3, source.Established, "10.0.0.2", 40021, 2, db)
	if st := host.tell(moment(3, append(left, next...)...)); st.TCP.Pressure.Suspected != 3 {
		t.Errorf("%d suspected, want the 3 of now", st.TCP.Pressure.Suspected)
	}
	if st := host.tell(known(moment(4, next...))); st.TCP.Pressure.Suspected != 0 || st.Age(0) != time.Second {
		t.Errorf("%d suspected, want none: it is known", st.TCP.Pressure.Suspected)
	}
}

// What is blocked in a VRF too many, or in one of no device, is not blocked
// elsewhere.
func TestTooManyVRFs(t *testing.T) {
	t.Parallel()
	m := known(moment(0, socket(source.Established, "10.0.0.1:40050", db)))
	for i := range uint32(10 * maxVRFs) {
		m.Snapshots[0].VRFs = append(m.Snapshots[0].VRFs, source.VRF{Interface: i, Blocked: []uint16{40001}})
	}
	host := newTeller()
	if st := host.tell(m); st.TCP.Pressure.Blocked != 0 || len(host.fleet.trackers[scopeKey{}].tcp.vrfs) != maxVRFs {
		t.Errorf("%d blocked outside of all, %d VRFs; want 0 and %d", st.TCP.Pressure.Blocked, len(host.fleet.trackers[scopeKey{}].tcp.vrfs), maxVRFs)
	}
}

// Each destination has ports left, and bind() has none: that is the headline
// where callers bind, and no alarm where nobody does.
func TestAFullBindPool(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		bound int // of 100 ports
		want  Headline
	}{
		{"callers bind", 10, Headline{Key: TupleKey{Source: mustAddr("10.0.0.1")}, Scope: ScopeBind, Live: 100, Level: LevelExhausted}},
		{"a few do", 2, Headline{Scope: ScopeTuple, Live: 49, Blocked: 2, Free: 49}},
		{"nobody binds", 0, Headline{Scope: ScopeTuple, Live: 50, Free: 50}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sockets []source.Socket
			var ports []uint16
			for i := range 100 {
				s := socket(source.Established, fmt.Sprintf("10.0.0.1:%d", 40000+i), [...]string{db, cache}[i%2])
				if i < c.bound {
					s.Remote, s.RemotePort = endpoint("10.0.9.9:1")
					ports = append(ports, s.LocalPort)
				}
				sockets = append(sockets, s)
			}
			st := update(known(moment(0, sockets...), ports...))
			got := st.TCP.Pressure.Headline()
			if c.want.Scope == ScopeTuple {
				got.Key = TupleKey{}
			}
			if diff := cmp.Diff(c.want, got); diff != "" || st.Level != c.want.Level {
				t.Errorf("level %v (-want +got):\n%s", st.Level, diff)
			}
		})
	}
}

func mustAddr(s string) source.Addr {
	a, _ := endpoint(s + ":1")
	return a
}
