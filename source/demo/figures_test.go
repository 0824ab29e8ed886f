package demo_test

import (
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/race"
)

// compared bounds the destinations that are asked about at each poll, from the
// worst down.
const compared = 12

// TestTheModelSaysWhatConnectWouldSay asks the simulated kernel, at each poll,
// how many ports are left to a destination and whether connect() finds one.
func TestTheModelSaysWhatConnectWouldSay(t *testing.T) {
	t.Parallel()
	eachScenario(t, func(t *testing.T, name string) {
		h := newHost(t, demo.Options{Scenario: name, Seed: 5, Step: 7 * time.Second})
		exhausted := compare(t, h, 22)
		if (name == "no-pool" || name == "containers" || name == "bound-first") != (exhausted > 0) {
			t.Errorf("no port was left at %d polls", exhausted)
		}
	})
}

// The same on a small host with listeners and bound sockets in the range, with
// reserved ports, IPv6, and a TIME_WAIT that can be reused.
func TestTheModelSaysWhatConnectWouldSayOfAMixture(t *testing.T) {
	t.Parallel()
	exhausted, hosts := 0, uint64(4)
	if race.Enabled {
		hosts = 1 // one goroutine computes all of each
	}
	for seed := range hosts {
		exhausted += compare(t, demo.NewMixed(seed), 400)
	}
	if exhausted == 0 {
		t.Error("no destination was ever exhausted")
	}
}

// compare polls so many times and counts the polls where a destination had no
// port left.
func compare(t *testing.T, h *demo.Host, polls int) (exhausted int) {
	fleet := model.NewFleet(model.Options{})
	var snaps [2]source.Moment
	var overviews [2]model.Overview
	for i := range polls {
		s, o := &snaps[i%2], &overviews[i%2]
		poll(t, h, s)
		fleet.Update(s, o)
		st := o.States[0]
		p := &st.TCP.Pressure
		for _, u := range p.Tuples[:min(len(p.Tuples), compared)] {
			free, can := h.FreePorts(st.Snapshot.Scope, u.Source, u.Destination, u.Port), h.CanConnect(st.Snapshot.Scope, u.Source, u.Destination, u.Port)
			if free != u.Free+u.Reusable {
				t.Errorf("%v: %d ports left to %v port %d, and the model says %+v", s.Time, free, u.Destination, u.Port, u)
			}
			if full := u.Level == model.LevelExhausted; full == can {
				t.Errorf("%v: connect to %v port %d finds a port: %v, and the model says %v", s.Time, u.Destination, u.Port, can, u.Level)
			}
			if !can {
				exhausted++
			}
		}
		if t.Failed() {
			break
		}
	}
	return exhausted
}
