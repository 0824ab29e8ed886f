package model

import (
	"slices"
	"testing"
	"time"

	"ephtop/source"
)

const farAway = "93.184.216.34:443"

// tellWay follows one host behind a NAT of so many ports for each destination.
func tellWay(ports int) *teller { return &teller{fleet: NewFleet(Options{NATPorts: ports})} }

// numbered gives each socket an identity of its own.
func numbered(sockets []source.Socket, from int) []source.Socket {
	for i := range sockets {
		sockets[i].Cookie = uint64(from + i)
	}
	return sockets
}

func TestWayLevels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                    string
		live, opening, timeWait int
		used, unsure            int
		want                    Level
	}{
		{"little", 5, 0, 0, 5, 0, LevelOK},
		{"past the first threshold", 12, 0, 0, 12, 0, LevelWarning},
		{"past the second", 17, 1, 0, 18, 1, LevelCritical},
		{"past the second with what may be freed", 10, 2, 5, 17, 7, LevelWarning},
		{"all, each for certain", 20, 0, 0, 20, 0, LevelExhausted},
		{"all, and six that wait for one", 20, 6, 0, 20, 0, LevelExhausted},
		{"all, but some are closed", 15, 0, 30, 20, 5, LevelWarning},
		{"all, but some may have got none", 10, 12, 0, 20, 10, LevelWarning},
		{"more than there are", 25, 0, 0, 20, 0, LevelExhausted},
	} {
		sockets := slices.Concat(
			connections(c.live, source.Established, "10.0.0.9", 40000, 1, farAway),
			connections(c.opening, source.SynSent, "10.0.0.9", 40030, 1, farAway),
			connections(c.timeWait, source.TimeWait, "10.0.0.9", 40060, 1, farAway))
		w := tellWay(20)
		w.tell(moment(0, numbered(sockets, 1)...))
		if len(w.overview.Ways) != 1 {
			t.Errorf("%s: %+v", c.name, w.overview.Ways)
			continue
		}
		p, st := &w.overview.Ways[0], w.overview.States[0]
		if p.Used() != c.used || p.Unsure() != c.unsure || p.Level != c.want || p.Ports != 20 || p.Live != c.live || p.RemotePort != 443 || p.Percent() != Percent(c.used, 20) {
			t.Errorf("%s: %+v used %d, unsure %d", c.name, p, p.Used(), p.Unsure())
		}
		found := slices.ContainsFunc(st.Findings, func(f Finding) bool {
			return f.Problem == WayFull && f.Level == c.want && f.Count == c.used && f.Of == 20 && f.Way == p
		})
		if found != (c.want > LevelOK) || st.Level < c.want || st.Way != p || w.overview.Level != st.Level {
			t.Errorf("%s: level %v, %+v", c.name, st.Level, st.Findings)
		}
	}
}

// Without the option there is no budget.
func TestNoWay(t *testing.T) {
	t.Parallel()
	w := newTeller()
	st := w.tell(moment(0, connections(90, source.Established, "10.0.0.9", 40000, 1, farAway)...))
	if len(w.overview.Ways) != 0 || st.Way != nil {
		t.Errorf("%+v", w.overview.Ways)
	}
}

// Every namespace and every address of the host shares the ports: also those that
// bind a port of their own, and of UDP what is connected, which has ports of its own.
func TestWayOfAllNamespaces(t *testing.T) {
	t.Parallel()
	m := moment(0, slices.Concat(
		connections(3, source.Established, "10.0.0.9", 40000, 1, farAway),
		connections(2, source.Established, "10.0.0.10", 40000, 1, farAway),
		connections(1, source.Established, "10.0.0.9", 40040, 1, "93.184.216.34:80"))...)
	m.Snapshots[0].Scope.Netns = 1
	named := connections(10, source.Established, "172.17.0.2", 2000, 1, farAway)
	for i := range named {
		named[i].Bind = source.BindPort
	}
	udp := connections(4, source.Established, "172.17.0.2", 40050, 1, farAway)
	for i := range udp {
		udp[i].Proto = source.UDP
	}
	m.Snapshots = append(m.Snapshots, source.Snapshot{
		Scope: source.Scope{Netns: 2, Name: "pod"}, Settings: testSettings(),
		Sockets: slices.Concat(connections(7, source.Established, "172.17.0.2", 40000, 1, farAway), named, udp),
	})
	m.Processes = []source.Process{{PID: 10, Start: 1, Name: "worker"}}
	for i := range m.Snapshots[1].Sockets[:7] {
		m.Snapshots[1].Sockets[i].Process = 0
	}
	w := tellWay(30)
	w.tell(m)
	o := &w.overview
	if len(o.Ways) != 3 {
		t.Fatalf("%+v", o.Ways)
	}
	first := &o.Ways[0]
	if st := o.States[first.State]; first.Live != 22 || first.Level != LevelWarning || st.Snapshot.Scope.Name != "pod" || st.Way != first || o.States[0] != st {
		t.Errorf("%+v in %+v", first, o.States[first.State].Snapshot.Scope)
	}
	if second, third := &o.Ways[1], &o.Ways[2]; second.Proto != source.UDP || second.Live != 4 || third.RemotePort != 80 || third.Live != 1 {
		t.Errorf("%+v, %+v", second, third)
	}
	i := slices.IndexFunc(o.Findings, func(f Finding) bool { return f.Problem == WayFull })
	if i < 0 || o.Findings[i].State != first.State {
		t.Fatalf("%+v", o.Findings)
	}
}

// The process is that which holds the most.
func TestWayHolder(t *testing.T) {
	t.Parallel()
	sockets := numbered(connections(10, source.Established, "10.0.0.9", 40000, 1, farAway), 1)
	for i := range sockets[:8] {
		sockets[i].Process = 0
	}
	m := moment(0, sockets...)
	m.Processes = []source.Process{{PID: 10, Start: 1, Name: "worker"}}
	w := tellWay(10)
	st := w.tell(m)
	if p := st.Way; p == nil || p.Process < 0 || w.overview.Processes[p.Process].Name != "worker" || p.Tier != OwnerObserved {
		t.Errorf("%+v", p)
	}
}

// What does not leave the host passes no NAT, and neither does what comes in.
func TestWayIsOfWhatLeaves(t *testing.T) {
	t.Parallel()
	listener := socket(source.Listen, "10.0.0.9:443", "")
	sockets := slices.Concat([]source.Socket{listener},
		connections(15, source.Established, "127.0.0.1", 40000, 1, "127.0.0.1:5432"),
		connections(15, source.Established, "10.0.0.9", 40020, 1, "10.0.0.9:443"),
		connections(2, source.Established, "10.0.0.9", 40040, 1, "192.168.7.7:22"))
	for i := range 20 { // who has connected to the server
		sockets = append(sockets, with(socket(source.Established, "10.0.0.9:443", "10.5.0.1:50000"), func(s *source.Socket) { s.RemotePort += uint16(i) }))
	}
	w := tellWay(20)
	w.tell(moment(0, sockets...))
	if ways := w.overview.Ways; len(ways) != 1 || ways[0].RemotePort != 22 || ways[0].Live != 2 {
		t.Errorf("%+v", ways)
	}
	// A container that connects to a server in another one stays on the host.
	m := moment(0, connections(15, source.Established, "172.17.0.2", 40000, 1, "172.17.0.3:80")...)
	m.Snapshots[0].Scope.Netns = 1
	m.Snapshots = append(m.Snapshots, source.Snapshot{
		Scope: source.Scope{Netns: 2}, Settings: testSettings(), Sockets: []source.Socket{socket(source.Established, "172.17.0.3:80", "172.17.0.2:40000")},
	})
	w = tellWay(20)
	w.tell(m)
	if len(w.overview.Ways) != 0 {
		t.Errorf("%+v", w.overview.Ways)
	}
}

// A connection that the other end closes first leaves nothing here, and its port with
// the NAT: it counts for a minute. One that closes here is in TIME_WAIT, and counts
// once; connects that were never answered held nothing.
func TestWayGone(t *testing.T) {
	t.Parallel()
	w := tellWay(1000)
	at := func(second int, want ...int) {
		t.Helper()
		var p WayPool
		if len(w.overview.Ways) > 0 {
			p = w.overview.Ways[0]
		}
		if got := []int{p.Live, p.Opening, p.TimeWait, p.Gone}; !slices.Equal(got, want) {
			t.Errorf("at %d s live, opening, TIME_WAIT, gone are %v, want %v", second, got, want)
		}
	}
	all := numbered(slices.Concat(
		connections(40, source.Established, "10.0.0.9", 40000, 1, farAway),
		connections(5, source.SynSent, "10.0.0.9", 40080, 1, farAway)), 1)
	all = append(all, socket(source.Established, "10.0.0.9:40099", "10.7.7.7:22"))
	tell := func(second float64, sockets ...source.Socket) { w.tell(moment(second, sockets...)) }
	tell(0, all...)
	at(0, 40, 5, 0, 0)
	tell(1, append(slices.Clone(all[10:40]), all[45])...) // ten are gone, and what was not answered
	at(1, 30, 0, 0, 10)
	closing := slices.Clone(all[10:40])
	for i := range closing[:8] {
		s := &closing[i]
		s.State, s.Inode, s.Timer, s.Expires = source.TimeWait, 0, source.TimerTimeWait, 59_500
	}
	tell(2, append(closing, all[45])...)
	at(2, 22, 0, 8, 10)
	tell(3, append(closing[8:], all[45])...) // their TIME_WAIT is over: they did not go unseen
	at(3, 22, 0, 0, 10)
	tell(20, all[45]) // the rest ends
	at(20, 0, 0, 0, 32)
	tell(55, all[45])
	at(55, 0, 0, 0, 32)
	tell(65, all[45])
	at(65, 0, 0, 0, 22)
	tell(90, all[45])
	at(90, 1, 0, 0, 0)
}

// What is not looked at for a while has not ended.
func TestWayGoneOfNamespaces(t *testing.T) {
	t.Parallel()
	w := tellWay(100)
	pod := source.Snapshot{Scope: source.Scope{Netns: 2}, Settings: testSettings(), Sockets: connections(30, source.Established, "172.17.0.2", 40000, 1, farAway)}
	host := connections(10, source.Established, "10.0.0.9", 40000, 1, farAway)
	for second := range 6 {
		m := moment(float64(second), host...)
		m.Snapshots[0].Scope.Netns = 1
		if second%2 == 0 {
			m.Snapshots = append(m.Snapshots, pod)
		}
		w.tell(m)
		if p := w.overview.Ways[0]; p.Gone != 0 || p.Live != 10+30*(1-second%2) {
			t.Errorf("at %d s %+v", second, p)
		}
	}
}

// A host with very many destinations is quiet, and what is remembered of it bounded.
func TestWayOfManyDestinations(t *testing.T) {
	t.Parallel()
	w := tellWay(64)
	for second := range 3 {
		sockets := connections(20_000, source.Established, "10.0.0.9", 40000, 0, farAway)
		for i := range sockets {
			sockets[i].LocalPort += uint16(i % 100)
			sockets[i].Remote = source.Addr4([4]byte{20, byte(second), byte(i >> 8), byte(i)})
		}
		w.tell(moment(float64(second), sockets...))
	}
	o := &w.overview
	if len(o.Ways) != maxWayPools || o.States[0].Way.Level != LevelOK || slices.ContainsFunc(o.Findings, func(f Finding) bool { return f.Problem == WayFull }) {
		t.Errorf("%d, %+v", len(o.Ways), o.States[0].Way)
	}
	if n := len(w.fleet.current[0].ways[0]); n > maxWayPast {
		t.Errorf("%d destinations are remembered", n)
	}
}

// A poll of a host with a budget costs little more than one without: it goes through
// the sockets once more.
func BenchmarkWays(b *testing.B) {
	sockets := connections(28_000, source.Established, "10.0.0.9", 32768, 1, farAway)
	for i := range 6 {
		more := connections(28_000, source.Established, "10.0.0.9", 32768, 1, farAway)
		for j := range more {
			more[j].Remote[14], more[j].Remote[15] = byte(i), byte(j%40)
		}
		sockets = append(sockets, more...)
	}
	numbered(sockets, 1)
	for name, ports := range map[string]int{"without": 0, "with": 55_000} {
		b.Run(name, func(b *testing.B) {
			w := tellWay(ports)
			m := moment(0, sockets...)
			m.Snapshots[0].Settings.Range = source.PortRange{Low: 32768, High: 60999}
			for i := 0; b.Loop(); i++ {
				m.Time = epoch.Add(time.Duration(i) * time.Second)
				w.tell(m)
			}
		})
	}
}

// A host that passes on what others connect, from its own address, holds those ports of
// the NAT on the way too, and its own connections are among them.
func TestWayOfWhatIsPassedOn(t *testing.T) {
	t.Parallel()
	pool := natPool(18, 2)
	pool.Unreplied = 1
	elsewhere := natPool(12, 0)
	elsewhere.RemotePort = 8443
	n := source.NAT{Netns: 7, Cookie: 3, Entries: 30, Max: 1 << 18, Pools: []source.NATPool{pool, elsewhere}}
	m := natMoment(0, n, numbered(connections(6, source.Established, "203.0.113.7", 40000, 1, farAway), 1)...)
	m.Snapshots[0].Scope = source.Scope{Netns: 7, Cookie: 3}
	w := tellWay(20)
	w.tell(m)
	ways := w.overview.Ways
	if len(ways) != 2 || ways[0].Live != 15 || ways[0].TimeWait != 2 || ways[0].Used() != 17 || ways[0].RemotePort != 443 {
		t.Fatalf("%+v", ways)
	}
	if ways[1].Live != 12 || ways[1].RemotePort != 8443 || ways[1].Process != source.NoProcess || ways[1].Level != LevelWarning {
		t.Errorf("%+v", ways[1])
	}
	w.tell(natMoment(1, source.NAT{Netns: 7, Cookie: 3, Entries: 30, Max: 1 << 18}, m.Snapshots[0].Sockets...))
	if ways := w.overview.Ways; len(ways) != 1 || ways[0].Live != 6 {
		t.Errorf("of its own only: %+v", ways)
	}
}
