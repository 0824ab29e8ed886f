package model

import (
	"math"
	"testing"

	"ephtop/source"
)

// natPool is a pool of 64,512 ports of which so many are in use.
func natPool(used, evictable int, flows ...source.Tuple) source.NATPool {
	address, _ := endpoint("203.0.113.7:0")
	remote, port := endpoint("93.184.216.34:443")
	return source.NATPool{Address: address, Remote: remote, RemotePort: port, Proto: source.TCP, Used: used, Evictable: evictable, Flows: flows}
}

// nat is a moment of a namespace that tracks connections.
func natMoment(seconds float64, n source.NAT, sockets ...source.Socket) *source.Moment {
	m := moment(seconds, sockets...)
	m.NATs = []source.NAT{n}
	return m
}

func TestNATLevels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		used, evictable, ports int
		want                   Level
	}{
		{100, 0, 0, LevelOK}, {38_706, 0, 0, LevelOK}, {38_708, 0, 0, LevelWarning}, {51_610, 0, 0, LevelCritical},
		{64_512, 0, 0, LevelExhausted}, {64_512, 1, 0, LevelCritical}, {20, 0, 20, LevelExhausted}, {12, 0, 20, LevelWarning},
	} {
		p := natPool(c.used, c.evictable)
		p.Ports = c.ports
		w := newTeller()
		w.tell(natMoment(0, source.NAT{Netns: 7, Entries: c.used, Max: 1 << 20, Pools: []source.NATPool{p}}))
		o := &w.overview
		if len(o.NATs) != 1 || o.NATs[0].Level != c.want || o.NATs[0].Pools[0].Level != c.want || (o.NATs[0].State < 0) != (c.want == LevelOK) {
			t.Errorf("%+v: %+v", c, o.NATs)
		}
	}
}

// Connections are lost long before the last port, and not for those that give way.
func TestNATLoss(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		percent   float64
		evictable int
		want      float64
	}{{50, 0, 0}, {85, 0, 0}, {93, 0, 0.008}, {96, 0, 0.07}, {97, 0, 0.145}, {98, 0, 0.22}, {99, 0, 0.4}, {100, 0, 1}, {99, 10_000, 0}} {
		p := natPool(int(math.Round(c.percent*source.UnboundNATPorts/100)), c.evictable)
		if got := natLoss(&p); math.Abs(got-c.want) > 0.001 {
			t.Errorf("at %v %%: %v lost, want %v", c.percent, got, c.want)
		}
	}
}

func TestNATDrops(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		used         int
		entries, max int
		rise         source.NATCounters
		want         NATDrops
		level        Level
	}{
		{"nothing", 64_512, 64_512, 1 << 20, source.NATCounters{Found: 100}, NoDrops, LevelExhausted},
		{"a pool", 63_000, 63_000, 1 << 20, source.NATCounters{InsertFailed: 10, Drop: 10}, DropsExhausted, LevelCritical},
		{"two packets that race", 100, 1000, 1 << 20, source.NATCounters{InsertFailed: 10, Drop: 2, ClashResolved: 30}, DropsRace, LevelOK},
		{"a full table", 100, 262_140, 262_144, source.NATCounters{Drop: 50}, DropsTableFull, LevelCritical},
		{"entries thrown out of it", 100, 262_140, 262_144, source.NATCounters{EarlyDrop: 50}, DropsTableFull, LevelCritical},
		{"something else", 100, 1000, 1 << 20, source.NATCounters{Drop: 50}, DropsOtherwise, LevelOK},
	} {
		w := newTeller()
		n := source.NAT{Netns: 7, Entries: c.entries, Max: c.max, Pools: []source.NATPool{natPool(c.used, 0)}, Counters: source.NATCounters{Known: true, Drop: 5, InsertFailed: 5}}
		w.tell(natMoment(0, n))
		if got := w.overview.NATs[0].Drops; got != NoDrops {
			t.Errorf("%s: at first %v", c.name, got)
		}
		n.Counters.Found += c.rise.Found
		n.Counters.InsertFailed += c.rise.InsertFailed
		n.Counters.Drop += c.rise.Drop
		n.Counters.EarlyDrop += c.rise.EarlyDrop
		n.Counters.ClashResolved += c.rise.ClashResolved
		w.tell(natMoment(2, n))
		if got := &w.overview.NATs[0]; got.Drops != c.want || got.Level != c.level || got.Rates.Drop != float64(c.rise.Drop)/2 || !got.Rates.Known {
			t.Errorf("%s: %v, %v, %+v, want %v, %v", c.name, got.Drops, got.Level, got.Rates, c.want, c.level)
		}
	}
}

// One look tells that the table is full, and by the counters that it dropped for it.
func TestFullTableAtFirst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		entries  int
		counters source.NATCounters
		want     NATDrops
		level    Level
	}{
		{300, source.NATCounters{Known: true, Drop: 844}, DropsTableFull, LevelCritical},
		{297, source.NATCounters{Known: true, EarlyDrop: 3}, DropsTableFull, LevelCritical},
		{300, source.NATCounters{Known: true, Drop: 12, InsertFailed: 12}, NoDrops, LevelWarning},
		{300, source.NATCounters{}, NoDrops, LevelWarning},
		{290, source.NATCounters{Known: true, Drop: 844}, NoDrops, LevelOK},
	} {
		w := newTeller()
		w.tell(natMoment(0, source.NAT{Netns: 7, Entries: c.entries, Max: 300, Counters: c.counters}))
		s := &w.overview.NATs[0]
		if s.Drops != c.want || s.Level != c.level {
			t.Errorf("%d entries, %+v: %v, %v, want %v, %v", c.entries, c.counters, s.Drops, s.Level, c.want, c.level)
		}
		var found []Level
		for _, f := range w.overview.States[0].Findings {
			if f.Problem == TrackingFull && f.Count == c.entries && f.Of == 300 {
				found = append(found, f.Level)
			}
		}
		if len(found) != one(c.level > LevelOK) || len(found) == 1 && found[0] != c.level {
			t.Errorf("%d entries: findings of %v, want %v", c.entries, found, c.level)
		}
	}
}

// Rates are those of the last ten seconds, and begin anew with the counters.
func TestNATRates(t *testing.T) {
	t.Parallel()
	w := newTeller()
	rate := func(second int, cookie, drops uint64) float64 {
		w.tell(natMoment(float64(second), source.NAT{Netns: 7, Cookie: cookie, Counters: source.NATCounters{Known: true, Drop: drops}}))
		return w.overview.NATs[0].Rates.Drop
	}
	for second := range 30 {
		drops := uint64(0)
		if second >= 10 {
			drops = uint64(100 * (second - 10))
		}
		if got := rate(second, 1, drops); second == 25 && got != 100 || second == 15 && got != 50 {
			t.Errorf("at %d s: %v a second", second, got)
		}
	}
	for second, c := range []struct{ cookie, drops uint64 }{{1, 3}, {2, 1000}} { // counted anew, another namespace
		if got := rate(30+second, c.cookie, c.drops); got != 0 {
			t.Errorf("%+v: %v a second", c, got)
		}
	}
}

// Whose the ports are is told by the sockets that have the flows' four-tuples before
// they are translated, in whichever namespace, live or in TIME_WAIT.
func TestNATHolders(t *testing.T) {
	t.Parallel()
	const remote = "93.184.216.34:443"
	sockets := append(connections(30, source.Established, "10.1.0.5", 40000, 1, remote),
		connections(30, source.Established, "10.1.0.6", 40000, 1, remote)...)
	var flows []source.Tuple
	for i := range sockets {
		sockets[i].Cookie, sockets[i].Process = uint64(i+1), int32(i/30)
		flows = append(flows, sockets[i].Tuple())
	}
	stranger := sockets[0].Tuple()
	stranger.Local, _ = endpoint("10.9.9.9:0")
	flows = append(flows, stranger)
	n := source.NAT{Netns: 7, Entries: 61_000, Max: 1 << 20, Pools: []source.NATPool{natPool(61_000, 0, flows...)}}
	m := func(seconds float64) *source.Moment {
		m := natMoment(seconds, n, sockets...)
		m.Snapshots[0].Scope.Netns = 9
		m.Processes = []source.Process{{PID: 10, Start: 1, Name: "api"}, {PID: 11, Start: 1, Name: "worker"}}
		return m
	}
	w := newTeller()
	w.tell(m(0))
	for i := range sockets[:30] { // the first process has closed its own
		s := &sockets[i]
		s.State, s.Inode, s.Process, s.Timer, s.Expires = source.TimeWait, 0, source.NoProcess, source.TimerTimeWait, 30000
	}
	w.tell(m(1))
	holders := w.overview.NATs[0].Pools[0].Holders
	if len(holders) != 3 {
		t.Fatalf("%+v", holders)
	}
	for i, want := range []struct {
		client, process string
		ports           int
	}{{"10.1.0.5", "api", 30_000}, {"10.1.0.6", "worker", 30_000}, {"10.9.9.9", "", 1000}} {
		h := holders[i]
		name := ""
		if h.Process != source.NoProcess {
			name = w.overview.Processes[h.Process].Name
		}
		if h.Client.String() != want.client || name != want.process || h.Ports != want.ports || (h.State == 1) != (name != "") {
			t.Errorf("%+v by %q, want %+v", h, name, want)
		}
	}
}

// A namespace that is looked at, or is quiet, has a name.
func TestNATScope(t *testing.T) {
	t.Parallel()
	w := newTeller()
	m := natMoment(0, source.NAT{Netns: 7, Cookie: 3})
	m.Snapshots[0].Scope = source.Scope{Host: "h", Netns: 7, Name: "router"}
	w.tell(m)
	if s := w.overview.NATs[0]; s.Scope.Name != "router" || s.State != 0 {
		t.Errorf("%+v", s)
	}
	m = natMoment(1, source.NAT{Netns: 8})
	m.Quiet = []source.Brief{{Scope: source.Scope{Netns: 8, Name: "quiet"}}}
	w.tell(m)
	if s := w.overview.NATs[0]; s.Scope.Name != "quiet" || s.State != -1 {
		t.Errorf("%+v", s)
	}
}

// A router has no socket, and still what is wrong there is shown: it has a State
// from its first warning on, for as long as anything is translated there.
func TestNATWithoutSockets(t *testing.T) {
	t.Parallel()
	w := newTeller()
	for i, c := range []struct {
		used   int
		level  Level
		states int
	}{{100, LevelOK, 1}, {60_000, LevelCritical, 2}, {100, LevelOK, 2}, {0, LevelOK, 1}, {100, LevelOK, 1}, {60_000, LevelCritical, 2}} {
		n := source.NAT{Netns: 8, Cookie: 3, Entries: c.used, Max: 1 << 20}
		if c.used > 0 {
			n.Pools = []source.NATPool{natPool(c.used, 0)}
		}
		m := natMoment(float64(i), n, socket(source.Established, "10.1.0.5:40000", "93.184.216.34:443"))
		m.Snapshots[0].Scope = source.Scope{Netns: 7, Kind: source.ScopeHost}
		m.Quiet = []source.Brief{{Scope: source.Scope{Netns: 9, Name: "other"}}, {Scope: source.Scope{Netns: 8, Cookie: 3, Name: "router", Kind: source.ScopeNamed}}}
		w.tell(m)
		o := &w.overview
		if len(o.States) != c.states || len(o.States)+len(o.Quiet) != 3 || len(m.Quiet) != 2 || len(m.Snapshots) != 1 || o.Level != c.level {
			t.Fatalf("%d: %d states, %d quiet, %v", i, len(o.States), len(o.Quiet), o.Level)
		}
		for _, st := range o.States {
			if want := c.level > LevelOK && st.Snapshot.Scope.Netns == 7; (st.NATElsewhere == &o.NATs[0]) != want {
				t.Errorf("%d: of %+v, trouble elsewhere is %p, want %v", i, st.Snapshot.Scope, st.NATElsewhere, want)
			}
		}
		if c.level == LevelOK {
			continue
		}
		st := o.States[0]
		if st.Snapshot.Scope.Name != "router" || !st.Snapshot.Settings.Assumed || st.NAT != &o.NATs[0] || o.NATs[0].State != 0 || o.Focus != 0 {
			t.Errorf("%d: %+v, focus %d", i, st.Snapshot.Scope, o.Focus)
		}
		if f := o.Findings[0]; f.Problem != NATFull || f.State != 0 {
			t.Errorf("%d: %+v", i, f)
		}
	}
}

// Where a connection is no socket any more, the namespace is that of its address, if
// no other one has that.
func TestNATClientsThatHaveClosed(t *testing.T) {
	t.Parallel()
	gone := socket(source.Established, "10.1.0.5:41000", "93.184.216.34:443")
	twice := socket(source.Established, "172.17.0.2:41000", "93.184.216.34:443")
	m := natMoment(0, source.NAT{Netns: 7, Entries: 60_000, Max: 1 << 20, Pools: []source.NATPool{natPool(60_000, 0, gone.Tuple(), twice.Tuple())}})
	m.Snapshots = m.Snapshots[:0]
	for i, locals := range [][]string{{"10.0.0.1"}, {"10.1.0.5", "172.17.0.2"}, {"172.17.0.2"}} {
		k := m.Add(source.Scope{Netns: uint64(7 + i)})
		k.Settings = testSettings()
		for j, a := range locals {
			s := socket(source.Established, a+":40000", "10.9.9.9:80")
			s.Cookie = uint64(10*i + j + 1)
			k.Sockets = append(k.Sockets, s)
		}
	}
	w := newTeller()
	w.tell(m)
	for _, h := range w.overview.NATs[0].Pools[0].Holders {
		netns := uint64(0)
		if h.State >= 0 {
			netns = w.overview.States[h.State].Snapshot.Scope.Netns
		}
		if want := map[string]uint64{"10.1.0.5": 8}[h.Client.String()]; netns != want || h.Process != source.NoProcess {
			t.Errorf("%+v in %d, want %d", h, netns, want)
		}
	}
}

// A namespace that has no port left to give is the worst one, and says so; whose the
// ports are is found in the other.
func TestNATFindings(t *testing.T) {
	t.Parallel()
	client := socket(source.Established, "10.1.0.5:40000", "93.184.216.34:443")
	client.Cookie, client.Process = 1, 0
	p := natPool(20, 0, client.Tuple())
	p.Ports = 20
	loses := natPool(62_000, 0)
	loses.RemotePort = 80
	m := natMoment(0, source.NAT{Netns: 8, Entries: 70_000, Max: 1 << 20, Pools: []source.NATPool{p, loses}})
	m.Processes = []source.Process{{PID: 10, Start: 1, Name: "worker"}}
	m.Snapshots[0].Scope.Netns = 7
	m.Snapshots = append(m.Snapshots, source.Snapshot{Scope: source.Scope{Netns: 8, Name: "router"}, Settings: testSettings()})
	m.Snapshots[0].Sockets = []source.Socket{client}
	w := newTeller()
	w.tell(m)
	o := &w.overview
	if st := o.States[0]; st.Snapshot.Scope.Name != "router" || st.Level != LevelExhausted || o.Level != LevelExhausted || o.NATs[0].State != 0 {
		t.Errorf("first stands %q, %v; %+v", st.Snapshot.Scope.Name, st.Level, o.NATs)
	}
	if h := o.NATs[0].Pools[0].Holders; len(h) != 1 || h[0].State != 1 || o.Processes[h[0].Process].Name != "worker" {
		t.Errorf("%+v", h)
	}
	var got []Problem
	for _, f := range o.Findings {
		if f.Level == LevelOK {
			continue // of the settings
		}
		if f.NAT != &o.NATs[0] || f.State != 0 || f.NATPool == nil {
			t.Errorf("%+v", f)
		}
		got = append(got, f.Problem)
	}
	if len(got) != 3 || got[0] != NATFull || got[1] != NATFull || got[2] != NATLoss {
		t.Errorf("%v", got)
	}
	if f := &o.Findings[0]; f.Count != 20 || f.Of != 20 || f.Level != LevelExhausted || o.Processes[f.Process].Name != "worker" {
		t.Errorf("%+v", f)
	}
}
