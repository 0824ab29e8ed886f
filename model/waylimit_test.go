package model

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ephtop/source"
)

// scene is a host that connects to a server far away, second by second.
type scene struct {
	*teller
	second  int
	sockets []source.Socket
	cookie  uint64
	port    uint16
}

const nearby = "10.7.7.7:5432"

// newScene is a host with so many connections to the server, and three elsewhere.
func newScene(live int) *scene {
	s := &scene{teller: newTeller(), port: 40000}
	s.open(live, source.Established, farAway)
	s.open(3, source.Established, nearby)
	return s
}

// open adds connections.
func (s *scene) open(n int, state source.State, to string) {
	for _, c := range connections(n, state, "10.0.0.9", int(s.port), 1, to) {
		s.cookie++
		s.port++
		c.Cookie = s.cookie
		s.sockets = append(s.sockets, c)
	}
}

// answer makes the oldest n connects to the server succeed.
func (s *scene) answer(n int) {
	for i := range s.sockets {
		if k := &s.sockets[i]; k.State == source.SynSent && n > 0 {
			k.State = source.Established
			n--
		}
	}
}

// close ends the oldest n connections to the server, from the other side.
func (s *scene) close(n int) {
	to, _ := endpoint(farAway)
	s.sockets = slices.DeleteFunc(s.sockets, func(k source.Socket) bool {
		n -= one(k.Remote == to && k.State == source.Established)
		return k.Remote == to && k.State == source.Established && n >= 0
	})
}

// polls goes on so many seconds, does what happens in each, and gives the finding if
// there is one.
func (s *scene) polls(seconds int, each func()) *Finding {
	var st *State
	for range seconds {
		each()
		st = s.tell(moment(float64(s.second), slices.Clone(s.sockets)...))
		s.second++
	}
	i := slices.IndexFunc(st.Findings, func(f Finding) bool { return f.Problem == WayLimit })
	if i < 0 {
		return nil
	}
	return &st.Findings[i]
}

func nothing() {}

// Twenty live, six get no answer, and others do: after a few seconds that is a limit.
func TestWayLimit(t *testing.T) {
	t.Parallel()
	s := newScene(20)
	if f := s.polls(5, nothing); f != nil {
		t.Errorf("before there was anything: %+v", f)
	}
	s.open(6, source.SynSent, farAway)
	if f := s.polls(4, nothing); f != nil {
		t.Errorf("after 4 s: %+v", f)
	}
	f := s.polls(8, nothing)
	if f == nil {
		t.Fatal("no limit on the way")
	}
	st := s.overview.States[0]
	if f.Live != 20 || f.Count != 6 || f.Outside != 1 || f.Level != LevelWarning || f.Tuple.To() != farAway || f.Span < 8*time.Second || f.Pool != 0 || st.Level != LevelWarning {
		t.Errorf("%+v, level %v", f, st.Level)
	}
	if slices.ContainsFunc(st.Findings, func(f Finding) bool { return f.Problem == SynSent }) {
		t.Errorf("the same is told twice: %+v", st.Findings)
	}
	s.answer(6)
	if f := s.polls(1, nothing); f != nil {
		t.Errorf("when they are answered: %+v", f)
	}
}

// Who gives up and tries again is as silent as one that waits.
func TestWayLimitOfRetries(t *testing.T) {
	t.Parallel()
	s := newScene(20)
	s.polls(2, nothing)
	s.open(6, source.SynSent, farAway)
	f := s.polls(20, func() {
		if s.second%8 != 0 {
			return
		}
		s.sockets = slices.DeleteFunc(s.sockets, func(k source.Socket) bool { return k.State == source.SynSent && k.LocalPort%2 == uint16(s.second/8%2) })
		s.open(3, source.SynSent, farAway)
	})
	if f == nil || f.Count < minSilent {
		t.Errorf("%+v", f)
	}
}

// A port that comes free goes to one that waits, and the limit stays one.
func TestWayLimitWithSomeThatPass(t *testing.T) {
	t.Parallel()
	s := newScene(40)
	s.polls(2, nothing)
	s.open(20, source.SynSent, farAway)
	f := s.polls(20, func() {
		if s.second%4 == 0 {
			s.close(1)
			s.answer(1)
			s.open(1, source.SynSent, farAway)
		}
	})
	if f == nil || f.Live != 40 || f.Pool == 0 {
		t.Errorf("%+v", f)
	}
}

// What looks much the same and is none, for as long as it lasts.
func TestNoWayLimit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		live   int
		before func(*scene)
		each   func(*scene)
	}{
		"a dead server": {0, func(s *scene) { s.open(12, source.SynSent, farAway) }, nil},
		"a server that died while it had connections, which send again": {20, func(s *scene) {
			s.open(8, source.SynSent, farAway)
		}, func(s *scene) {
			for i := range s.sockets {
				if k := &s.sockets[i]; k.State == source.Established && k.RemotePort == 443 && i%3 > 0 {
					k.Timer, k.Retransmits = source.TimerRetransmit, 4
				}
			}
		}},
		"a dead server, and what was closed to it waits for an answer": {0, func(s *scene) {
			s.open(20, source.FinWait1, farAway)
			s.open(8, source.SynSent, farAway)
		}, nil},
		"one SYN that is lost": {20, func(s *scene) { s.open(1, source.SynSent, farAway) }, nil},
		"a few SYNs are lost":  {20, func(s *scene) { s.open(3, source.SynSent, farAway) }, nil},
		"few connections live": {5, func(s *scene) { s.open(9, source.SynSent, farAway) }, nil},
		"nobody else is talked to": {20, func(s *scene) {
			s.sockets = slices.DeleteFunc(s.sockets, func(k source.Socket) bool { return k.RemotePort != 443 })
			s.open(6, source.SynSent, farAway)
		}, nil},
		"nobody but the same host is": {20, func(s *scene) {
			for i := range s.sockets {
				if k := &s.sockets[i]; k.RemotePort != 443 {
					k.Remote, _ = endpoint(farAway)
				}
			}
			s.open(6, source.SynSent, farAway)
		}, nil},
		"the network is cut": {20, func(s *scene) {
			s.open(6, source.SynSent, farAway)
			s.open(6, source.SynSent, nearby)
			s.open(6, source.SynSent, "10.7.7.8:80")
		}, nil},
		"a slow server, which answers after four seconds": {12, func(s *scene) {}, func(s *scene) {
			s.open(2, source.SynSent, farAway)
			if s.second > 6 {
				s.answer(2)
				s.close(2)
			}
		}},
		"a slow server, which answers after nine seconds": {12, func(s *scene) {}, func(s *scene) {
			if s.open(1, source.SynSent, farAway); s.second > 9 {
				s.answer(1)
				s.close(1)
			}
		}},
		"a lossy path, on which one in four SYNs waits": {40, func(s *scene) { s.open(5, source.SynSent, farAway) }, func(s *scene) {
			s.close(4)
			s.open(3, source.Established, farAway) // between two polls
			s.answer(1)
			s.open(1, source.SynSent, farAway)
		}},
		"a server on this host, whose backlog is full": {20, func(s *scene) {
			s.sockets = append(s.sockets, socket(source.Listen, farAway, ""))
			s.open(8, source.SynSent, farAway)
		}, nil},
		"a server on this host, by loopback": {0, func(s *scene) {
			s.open(20, source.Established, "127.0.0.1:443")
			s.open(8, source.SynSent, "127.0.0.1:443")
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(c.live)
			s.polls(2, nothing)
			c.before(s)
			for s.second < 60 {
				f := s.polls(1, func() {
					if s.port > 40_090 {
						s.port = 40_000 + uint16(s.second%7) // the ports come round
					}
					if c.each != nil {
						c.each(s)
					}
				})
				if f != nil && (name != "a slow server, which answers after nine seconds" || s.second > 20) {
					t.Fatalf("after %d s: %+v", s.second, f)
				}
			}
		})
	}
}

// Where connection tracking of this host tells of the cause, nothing is guessed.
func TestNoWayLimitBesideOwnNAT(t *testing.T) {
	t.Parallel()
	own := natPool(20, 0)
	own.Ports = 20
	for name, n := range map[string]source.NAT{
		"a pool that is full": {Netns: 7, Entries: 30, Max: 1 << 20, Pools: []source.NATPool{own}},
		"a table that is":     {Netns: 7, Entries: 1 << 18, Max: 1 << 18, Counters: source.NATCounters{Known: true}},
	} {
		s := newScene(20)
		s.open(6, source.SynSent, farAway)
		for second := range 20 {
			n.Counters.Drop += 20
			m := moment(float64(second), slices.Clone(s.sockets)...)
			m.NATs = []source.NAT{n}
			if st := s.tell(m); slices.ContainsFunc(st.Findings, func(f Finding) bool { return f.Problem == WayLimit }) {
				t.Fatalf("%s, at %d s: %+v", name, second, st.Findings)
			}
		}
	}
}

// Where the NAT on the way is told of and full, that is said, and once; where it is
// not full, there is another limit than that.
func TestWayLimitBesideBudget(t *testing.T) {
	t.Parallel()
	for ports, want := range map[int]Problem{20: WayFull, 55_000: WayLimit} {
		t.Run(fmt.Sprint(ports), func(t *testing.T) {
			t.Parallel()
			s := newScene(20)
			s.teller = tellWay(ports)
			s.polls(1, nothing)
			s.open(12, source.SynSent, farAway)
			s.polls(20, nothing)
			var got []Problem
			for _, f := range s.overview.Findings {
				if f.Level > LevelOK {
					got = append(got, f.Problem)
				}
			}
			if !slices.Equal(got, []Problem{want}) {
				t.Errorf("%v", got)
			}
			if p := s.overview.Ways[0]; p.Unanswered != 12 {
				t.Errorf("%+v", p)
			}
		})
	}
}

// Connections of several namespaces count together, and the silent ones too.
func TestWayLimitOfNamespaces(t *testing.T) {
	t.Parallel()
	w := newTeller()
	for second := range 15 {
		m := moment(float64(second), connections(3, source.Established, "10.0.0.9", 40000, 1, nearby)...)
		m.Snapshots[0].Scope.Netns = 1
		for i := range 5 {
			ip := fmt.Sprintf("172.17.0.%d", 2+i)
			pod := source.Snapshot{Scope: source.Scope{Netns: uint64(2 + i)}, Settings: testSettings()}
			pod.Sockets = append(connections(4, source.Established, ip, 40000, 1, farAway), connections(2, source.SynSent, ip, 40010, 1, farAway)...)
			m.Snapshots = append(m.Snapshots, pod)
		}
		w.tell(m)
	}
	var got []Finding
	for _, f := range w.overview.Findings {
		if f.Problem == WayLimit || f.Problem == SynSent {
			got = append(got, f)
		}
	}
	if len(got) != 1 || got[0].Live != 20 || got[0].Count != 10 || w.overview.States[got[0].State].Snapshot.Scope.Netns < 2 {
		t.Errorf("%+v", got)
	}
}
