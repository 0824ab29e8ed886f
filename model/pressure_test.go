package model

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// Every row of the table "who blocks whom" of doc.go: what a holder of one
// port of 100 takes from a connect to its own destination, from one to
// another destination, and from bind() on the same address.
func TestWhoBlocksWhom(t *testing.T) {
	t.Parallel()
	const ip, db, other = "10.0.0.1", "10.0.9.2:5432", "10.0.9.3:6379"
	// Another connection on a port of its own makes the other destination known.
	elsewhere := socket(source.Established, ip+":40050", other)
	cases := []struct {
		name       string
		holder     []source.Socket
		same       int // free towards db; -1: no tuple holds a port there
		other      int // free towards the other destination
		bind       int // free for bind(10.0.0.1, 0)
		blocked    int
		inUse      int
		sameTuples int
	}{
		{
			name:   "A: connected without bind blocks its own destination only",
			holder: []source.Socket{socket(source.Established, ip+":40000", db)},
			same:   99, other: 99, bind: 98, inUse: 2, sameTuples: 2,
		},
		{
			name:   "A: any live state counts",
			holder: []source.Socket{socket(source.SynSent, ip+":40000", db), socket(source.CloseWait, ip+":40002", db), socket(source.FinWait2, ip+":40004", db)},
			same:   97, other: 99, bind: 96, inUse: 4, sameTuples: 2,
		},
		{
			name:   "B: TIME_WAIT of A blocks its own destination only",
			holder: []source.Socket{socket(source.TimeWait, ip+":40000", db)},
			same:   99, other: 99, bind: 98, inUse: 2, sameTuples: 2,
		},
		{
			name:   "E: bound and not connected blocks everyone",
			holder: []source.Socket{socket(source.Bound, ip+":40000", "")},
			same:   -1, other: 98, bind: 98, blocked: 1, inUse: 2, sameTuples: 1,
		},
		{
			name:   "F: a listener in the range blocks everyone",
			holder: []source.Socket{socket(source.Listen, "0.0.0.0:40000", "")},
			same:   -1, other: 98, bind: 98, blocked: 1, inUse: 2, sameTuples: 1,
		},
		{
			name: "F: connections accepted from a listener in the range take no further port",
			holder: []source.Socket{
				socket(source.Listen, "[::]:40000", ""),
				socket(source.Established, ip+":40000", "10.0.7.7:51000"),
				socket(source.TimeWait, ip+":40000", "10.0.7.7:51001"),
			},
			same: -1, other: 98, bind: 98, blocked: 1, inUse: 2, sameTuples: 1,
		},
		{
			name:   "G: the server's side on a port outside the range takes nothing",
			holder: []source.Socket{socket(source.Listen, "0.0.0.0:443", ""), socket(source.Established, ip+":443", "10.0.7.7:40000")},
			same:   -1, other: 99, bind: 99, inUse: 1, sameTuples: 1,
		},
		{
			name:   "a port that is blocked and held by a tuple counts once",
			holder: []source.Socket{socket(source.Bound, ip+":40000", ""), socket(source.Established, ip+":40000", db)},
			same:   -1, other: 98, bind: 98, blocked: 1, inUse: 2, sameTuples: 1,
		},
		{
			name:   "v4-mapped IPv6 shares the tuples of IPv4",
			holder: []source.Socket{socket(source.Established, "[::ffff:10.0.0.1]:40000", "[::ffff:10.0.9.2]:5432"), socket(source.Established, ip+":40002", db)},
			same:   98, other: 99, bind: 97, inUse: 3, sameTuples: 2,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			st := update(moment(0, append(c.holder, elsewhere)...))
			p := &st.TCP.Pressure
			same := -1
			if tu := tuple(st, ip, db); tu != nil {
				same = tu.Free
			}
			got := []int{same, tuple(st, ip, other).Free, poolOf(p, ip), p.Blocked, p.InUse, len(p.Tuples)}
			want := []int{c.same, c.other, c.bind, c.blocked, c.inUse, c.sameTuples}
			if !slices.Equal(got, want) {
				t.Errorf("free same, free other, free bind, blocked, in use, tuples:\ngot  %v\nwant %v", got, want)
			}
		})
	}
}

// poolOf is what bind(ip, 0) has left.
func poolOf(p *Pressure, ip string) int {
	a := source.AddrFrom(netip.MustParseAddr(ip))
	for _, b := range p.BindPools {
		if b.Local == a {
			return b.Free
		}
	}
	return p.Usable
}

func TestOneDestinationTakesTheWholeRange(t *testing.T) {
	t.Parallel()
	full := connections(100, source.Established, "10.0.0.1", 40000, 1, "10.0.9.2:5432")
	second := connections(10, source.Established, "10.0.0.1", 40000, 1, "10.0.9.3:5432")
	st := update(moment(0, append(full, second...)...))
	p := &st.TCP.Pressure
	want := Headline{
		Key: p.Tuples[0].TupleKey, Scope: ScopeTuple, Live: 100, Level: LevelExhausted,
	}
	if diff := cmp.Diff(want, p.Headline()); diff != "" {
		t.Errorf("headline (-want +got):\n%s", diff)
	}
	if got := tuple(st, "10.0.0.1", "10.0.9.3:5432"); got.Free != 90 || got.Level != LevelOK {
		t.Errorf("second destination: free %d, level %v; want 90 free, ok", got.Free, got.Level)
	}
	if p.InUse != 100 || p.PoolPercent() != 100 {
		t.Errorf("pool: %d ports, %.1f %%; want 100 ports, 100 %%", p.InUse, p.PoolPercent())
	}
	if st.Level != LevelExhausted {
		t.Errorf("level %v, want exhausted", st.Level)
	}
}

// Twice as many connections as there are ports, and nothing wrong: the reason
// why a count of sockets is no headline.
func TestManyDestinationsShareTheRange(t *testing.T) {
	t.Parallel()
	var sockets []source.Socket
	for _, dst := range []string{"10.0.9.1:443", "10.0.9.2:443", "10.0.9.3:443", "10.0.9.4:443"} {
		sockets = append(sockets, connections(50, source.Established, "10.0.0.1", 40000, 2, dst)...)
	}
	st := update(moment(0, sockets...))
	p := &st.TCP.Pressure
	if h := p.Headline(); h.Percent() != 50 || h.Level != LevelOK {
		t.Errorf("headline %.0f %% %v, want 50 %% ok", h.Percent(), h.Level)
	}
	if p.InUse != 50 {
		t.Errorf("%d distinct ports in use, want 50", p.InUse)
	}
}

func TestBoundSocketsLeaveTheRestToEachDestination(t *testing.T) {
	t.Parallel()
	sockets := connections(50, source.Bound, "10.0.0.1", 40001, 2, "")
	sockets = append(sockets, socket(source.Established, "10.0.0.1:40000", "10.0.9.2:5432"))
	st := update(moment(0, sockets...))
	got := tuple(st, "10.0.0.1", "10.0.9.2:5432")
	if got.Blocked != 50 || got.Used != 51 || got.Free != 49 {
		t.Errorf("blocked %d, used %d, free %d; want 50, 51, 49", got.Blocked, got.Used, got.Free)
	}
}

func TestReservedPortsAreNotUsable(t *testing.T) {
	t.Parallel()
	s := moment(0, append(
		connections(9, source.Established, "10.0.0.1", 40010, 1, "10.0.9.2:5432"),
		socket(source.Listen, "0.0.0.0:40003", ""))...)
	s.Snapshots[0].Settings.Reserved = []source.PortRange{{Low: 39990, High: 39999}, {Low: 40000, High: 40008}, {Low: 40099, High: 40105}}
	st := update(s)
	p := &st.TCP.Pressure
	if p.Usable != 90 || p.Blocked != 0 {
		t.Errorf("usable %d, blocked %d; want 90, and 0: a listener on a reserved port takes nothing", p.Usable, p.Blocked)
	}
	if got := p.Tuples[0].Percent(); got != 10 {
		t.Errorf("%.1f %% used, want 10: 9 of 90", got)
	}
}

func TestFirstHalfGoesByTheParityOfTheLowEnd(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name       string
		low, high  uint16
		sockets    []source.Socket
		half, size int
	}{
		{"even low end", 40000, 40099, connections(49, source.Established, "10.0.0.1", 40000, 2, "10.0.9.2:1"), 49, 50},
		{"all of the first half", 40000, 40099, connections(50, source.Established, "10.0.0.1", 40000, 2, "10.0.9.2:1"), 50, 50},
		{"odd low end", 40001, 40099, connections(50, source.Established, "10.0.0.1", 40001, 2, "10.0.9.2:1"), 50, 50},
		{"the other half is no matter", 40000, 40099, connections(50, source.Established, "10.0.0.1", 40001, 2, "10.0.9.2:1"), 0, 50},
		{
			"blocked ports count", 40000, 40099,
			append(connections(40, source.TimeWait, "10.0.0.1", 40000, 2, "10.0.9.2:1"), connections(10, source.Bound, "10.0.0.1", 40080, 2, "")...),
			50, 50,
		},
		{"exhausted", 40000, 40001, connections(2, source.Established, "10.0.0.1", 40000, 1, "10.0.9.2:1"), 1, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := moment(0, c.sockets...)
			s.Snapshots[0].Settings.Range = source.PortRange{Low: c.low, High: c.high}
			got := &update(s).TCP.Pressure.Tuples[0]
			if got.FirstHalf != c.half || got.FirstHalfSize != c.size {
				t.Errorf("first half %d of %d; want %d of %d", got.FirstHalf, got.FirstHalfSize, c.half, c.size)
			}
		})
	}
}

func TestReusable(t *testing.T) {
	t.Parallel()
	young := func(s *source.Socket) { s.Expires = 59500 }
	cases := []struct {
		name           string
		reuse, stamps  int
		local, remote  string
		change         func(*source.Socket)
		blocked        bool
		want           int
		wantTW, closed int
	}{
		{"loopback, setting 2", 2, 1, "127.0.0.1:40000", "127.0.0.1:80", nil, false, 1, 1, 0},
		{"setting 2, one loopback end", 2, 1, "127.0.0.1:40000", "10.0.0.1:80", nil, false, 1, 1, 0},
		{"setting 2, not loopback", 2, 1, "10.0.0.1:40000", "10.0.9.2:80", nil, false, 0, 1, 0},
		{"setting 1, anywhere", 1, 1, "10.0.0.1:40000", "10.0.9.2:80", nil, false, 1, 1, 0},
		{"setting 0", 0, 1, "127.0.0.1:40000", "127.0.0.1:80", nil, false, 0, 1, 0},
		{"unknown setting", source.UnknownSetting, 1, "127.0.0.1:40000", "127.0.0.1:80", nil, false, 0, 1, 0},
		{"no timestamps", 1, 0, "10.0.0.1:40000", "10.0.9.2:80", nil, false, 0, 1, 0},
		{"younger than the delay", 1, 1, "10.0.0.1:40000", "10.0.9.2:80", young, false, 0, 1, 1},
		{"blocked for everyone", 1, 1, "10.0.0.1:40000", "10.0.9.2:80", nil, true, 0, 0, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tw := socket(source.TimeWait, c.local, c.remote)
			if c.change != nil {
				tw = with(tw, c.change)
			}
			a, port := endpoint(c.remote)
			witness := source.Socket{
				Proto: source.TCP, State: source.Established, Process: source.NoProcess,
				Local: tw.Local, LocalPort: 40010, Remote: a, RemotePort: port,
			}
			s := moment(0, tw, witness)
			if c.blocked {
				s.Snapshots[0].Sockets = append(s.Snapshots[0].Sockets, socket(source.Bound, c.local, ""))
			}
			s.Snapshots[0].Settings.ReuseTimeWait, s.Snapshots[0].Settings.Timestamps = c.reuse, c.stamps
			got := &update(s).TCP.Pressure.Tuples[0]
			if got.Reusable != c.want || got.TimeWait != c.wantTW || got.Closing != c.closed {
				t.Errorf("reusable %d, TIME_WAIT %d, closing %d; want %d, %d, %d",
					got.Reusable, got.TimeWait, got.Closing, c.want, c.wantTW, c.closed)
			}
		})
	}
}

// A connect that can take over a TIME_WAIT does not fail.
func TestFullOfReusableIsCritical(t *testing.T) {
	t.Parallel()
	full := connections(100, source.TimeWait, "127.0.0.1", 40000, 1, "127.0.0.1:80")
	if got := update(moment(0, full...)).Level; got != LevelCritical {
		t.Errorf("level %v, want critical", got)
	}
	for i := range full {
		full[i].Expires = 59900
	}
	if got := update(moment(0, full...)).Level; got != LevelExhausted {
		t.Errorf("level %v while all are too young, want exhausted", got)
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	cases := []struct {
		used, total int
		want        Level
	}{
		{0, 100, LevelOK},
		{59, 100, LevelOK},
		{60, 100, LevelWarning},
		{79, 100, LevelWarning},
		{80, 100, LevelCritical},
		{99, 100, LevelCritical},
		{100, 100, LevelExhausted},
		{0, 0, LevelExhausted},
		{599, 1000, LevelOK},
	}
	for _, c := range cases {
		if got := DefaultThresholds.Level(c.used, c.total); got != c.want {
			t.Errorf("%d of %d: %v, want %v", c.used, c.total, got, c.want)
		}
	}
}

func TestUDPIsAPoolOfItsOwn(t *testing.T) {
	t.Parallel()
	udp := func(s *source.Socket) { s.Proto = source.UDP }
	st := update(moment(0,
		with(socket(source.Established, "10.0.0.1:40000", "10.0.9.2:53"), udp),
		with(socket(source.Established, "10.0.0.2:40001", "10.0.9.2:53"), udp),
		with(socket(source.Bound, "0.0.0.0:40002", ""), udp),
		with(socket(source.Bound, "[::]:40003", ""), udp),
		with(socket(source.Bound, "[2001:db8::1]:40004", ""), udp),
		socket(source.Established, "10.0.0.1:40000", "10.0.9.2:53"),
	))
	p := &st.UDP.Pressure
	if p.InUse != 5 || p.Blocked != 0 || len(p.Tuples) != 0 {
		t.Errorf("in use %d, blocked %d, tuples %d; want 5, 0, 0", p.InUse, p.Blocked, len(p.Tuples))
	}
	for ip, want := range map[string]int{
		"10.0.0.1":    97, // its own, and both wildcards
		"10.0.0.2":    97,
		"0.0.0.0":     96, // all but that of IPv6
		"::":          95, // all
		"2001:db8::1": 98, // its own, and "::"
	} {
		if got := poolOf(p, ip); got != want {
			t.Errorf("%d free on %s, want %d", got, ip, want)
		}
	}
	if st.TCP.Pressure.InUse != 1 {
		t.Errorf("%d TCP ports in use, want 1", st.TCP.Pressure.InUse)
	}
}

func TestPoolOnlySystemsHaveThePoolAsHeadline(t *testing.T) {
	t.Parallel()
	s := moment(0, append(
		connections(40, source.Established, "10.0.0.1", 40000, 1, "10.0.9.2:1"),
		connections(40, source.TimeWait, "10.0.0.1", 40040, 1, "10.0.9.3:1")...)...)
	s.Snapshots[0].Settings.PoolOnly = true
	got := update(s).TCP.Pressure.Headline()
	want := Headline{Scope: ScopePool, Live: 40, TimeWait: 40, Free: 20, Level: LevelCritical}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headline (-want +got):\n%s", diff)
	}
}

func TestPortMapHasABitForEachPortInUse(t *testing.T) {
	t.Parallel()
	st := update(moment(0,
		socket(source.Established, "10.0.0.1:40000", "10.0.9.2:1"),
		socket(source.TimeWait, "10.0.0.1:40063", "10.0.9.2:1"),
		socket(source.Established, "10.0.0.1:50000", "10.0.9.2:1")))
	m := &st.TCP.Pressure.Map
	var got []int
	for port := range 1 << 16 {
		if i := port>>6 - int(m.Low>>6); i >= 0 && i < len(m.Words) && m.Words[i]&(1<<(port&63)) != 0 {
			got = append(got, port)
		}
	}
	if want := []int{40000, 40063}; !slices.Equal(got, want) {
		t.Errorf("bits %v, want %v: ports of the range only", got, want)
	}
}
