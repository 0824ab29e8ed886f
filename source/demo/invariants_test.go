package demo_test

import (
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/demo"
)

// TestWhatHoldsAlways looks at every snapshot of three minutes.
func TestWhatHoldsAlways(t *testing.T) {
	t.Parallel()
	eachScenario(t, func(t *testing.T, name string) {
		h := newHost(t, demo.Options{Scenario: name, Seed: 3, Step: 9 * time.Second})
		past := &past{cookies: make(map[uint64]source.Tuple)}
		var s source.Moment
		for range 20 {
			poll(t, h, &s)
			checkTuples(t, &s)
			for i := range s.Snapshots[0].Sockets {
				checkSocket(t, &s, &s.Snapshots[0].Sockets[i])
			}
			past.check(t, &s)
			if t.Failed() {
				t.Fatalf("at %v", s.Time)
			}
		}
	})
}

// checkTuples checks that no four-tuple and no bound port is there twice.
func checkTuples(t *testing.T, s *source.Moment) {
	seen := make(map[source.Tuple]bool, len(s.Snapshots[0].Sockets))
	for i := range s.Snapshots[0].Sockets {
		tuple := s.Snapshots[0].Sockets[i].Tuple()
		if seen[tuple] {
			t.Errorf("%v is there twice", tuple)
		}
		seen[tuple] = true
	}
}

func checkSocket(t *testing.T, s *source.Moment, k *source.Socket) {
	if k.LocalPort == 0 || k.Cookie == 0 || int(k.Process) >= len(s.Processes) {
		t.Errorf("%+v", k)
	}
	if k.Process != source.NoProcess {
		if p := &s.Processes[k.Process]; p.UID != k.UID || p.Name == "" || len(p.Name) > 15 || p.User == "" || p.Start == 0 {
			t.Errorf("socket of uid %d has process %+v", k.UID, p)
		}
	}
	owned := k.Process != source.NoProcess && k.Inode != 0
	switch k.State {
	case source.TimeWait:
		if k.Timer != source.TimerTimeWait || k.Expires > 60_000 {
			t.Errorf("TIME_WAIT with timer %v and %d ms left", k.Timer, k.Expires)
		}
		if k.Process != source.NoProcess || k.Inode != 0 || k.UID != 0 || k.Cgroup != 0 {
			t.Errorf("TIME_WAIT has an owner: %+v", k)
		}
	case source.FinWait1, source.FinWait2, source.LastAck, source.Closing, source.SynRecv:
		if k.Process != source.NoProcess || k.Inode != 0 {
			t.Errorf("%v has an owner: %+v", k.State, k)
		}
	case source.Established, source.CloseWait, source.SynSent, source.Listen, source.Bound:
		if !owned || k.Cgroup == 0 {
			t.Errorf("%v has no owner: %+v", k.State, k)
		}
	default:
		t.Errorf("state %v", k.State)
	}
	// Who connects gets a port of the range; all others serve a port outside.
	server := k.State == source.Listen || k.State == source.Bound || servers[k.LocalPort]
	if s.Snapshots[0].Settings.Ephemeral(k.LocalPort) == server {
		t.Errorf("%v has port %d", k.Tuple(), k.LocalPort)
	}
}

// servers are the ports that the simulated hosts serve.
var servers = map[uint16]bool{22: true, 443: true, 3000: true, 8080: true, 8081: true, 8090: true, 9100: true}

// past is what earlier snapshots said.
type past struct {
	cookies map[uint64]source.Tuple
	newest  uint64
}

// check checks that a cookie stands for one connection, and that new ones are
// larger than old ones.
func (p *past) check(t *testing.T, s *source.Moment) {
	newest := p.newest
	for i := range s.Snapshots[0].Sockets {
		k := &s.Snapshots[0].Sockets[i]
		before, known := p.cookies[k.Cookie]
		switch {
		case known && before != k.Tuple():
			t.Errorf("cookie %d was %v and is %v", k.Cookie, before, k.Tuple())
		case !known && k.Cookie <= p.newest:
			t.Errorf("new cookie %d, and %d was there before", k.Cookie, p.newest)
		}
		p.cookies[k.Cookie] = k.Tuple()
		newest = max(newest, k.Cookie)
	}
	p.newest = newest
}

// A program that has ended holds no socket any more.
func TestShortProgramsEnd(t *testing.T) {
	t.Parallel()
	h := newHost(t, demo.Options{Scenario: "no-pool", Seed: 3, Step: time.Second})
	var s source.Moment
	ended := make(map[source.ProcessKey]bool)
	for range 60 {
		poll(t, h, &s)
		for _, key := range s.Exited {
			if ended[key] {
				t.Errorf("%v ended twice", key)
			}
			ended[key] = true
		}
		for i := range s.Processes {
			if p := &s.Processes[i]; ended[p.Key()] {
				t.Errorf("%s %d has ended and holds a socket", p.Name, p.PID)
			}
		}
	}
	if len(ended) == 0 {
		t.Error("nobody has ended in a minute of health checks")
	}
}
