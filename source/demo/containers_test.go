package demo_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
	"ephtop/source/demo"
)

// named finds a namespace of a moment.
func named(m *source.Moment, name string) *source.Snapshot {
	for i := range m.Snapshots {
		if m.Snapshots[i].Scope.Name == name {
			return &m.Snapshots[i]
		}
	}
	return nil
}

func TestContainersComeAndGo(t *testing.T) {
	t.Parallel()
	h := newHost(t, demo.Options{Scenario: "containers", Step: 20 * time.Second})
	var m source.Moment
	for i, want := range []struct {
		namespaces  int
		runner, job bool
	}{{12, true, false}, {12, true, false}, {13, true, true}, {12, false, true}} {
		poll(t, h, &m)
		if n := len(m.Snapshots); n != want.namespaces || (named(&m, "ci-runner") != nil) != want.runner || (named(&m, "shop/migrate-x2k9v") != nil) != want.job {
			t.Errorf("poll %d: %d namespaces, want %+v", i, n, want)
		}
	}
}

// What the kernel's own tables tell is there, and fits together.
func TestWhatTheTablesOfAHostOfContainersTell(t *testing.T) {
	t.Parallel()
	h := newHost(t, demo.Options{Scenario: "containers", Skip: time.Minute})
	var m source.Moment
	poll(t, h, &m)
	groups := make(map[uint64]source.Cgroup)
	for i, c := range m.Cgroups {
		groups[c.ID] = c
		if i > 0 && m.Cgroups[i-1].ID >= c.ID {
			t.Errorf("cgroup %d follows %d", c.ID, m.Cgroups[i-1].ID)
		}
	}
	at := 0
	kinds := make(map[source.ScopeKind]int)
	for i := range m.Snapshots {
		s := &m.Snapshots[i]
		kinds[s.Scope.Kind]++
		if len(s.Sockets) == 0 || &s.Sockets[0] != &m.Room[at] || !s.BlockedKnown || !slices.IsSorted(s.Blocked) {
			t.Errorf("%v: %d sockets, blocked %v", s.Scope, len(s.Sockets), s.BlockedKnown)
		}
		at += len(s.Sockets)
		for j := range s.Sockets {
			k := &s.Sockets[j]
			_, blocked := slices.BinarySearch(s.Blocked, k.LocalPort)
			if k.Bind == source.BindExplicit && !blocked || k.Bind == source.BindConnect && blocked {
				t.Errorf("%v: %v is bound by %v, and its port is blocked: %v", s.Scope, k.Tuple(), k.Bind, blocked)
			}
			if k.Process == source.NoProcess {
				continue
			}
			p := &m.Processes[k.Process]
			g, known := groups[p.Cgroup]
			inside := s.Scope.Kind == source.ScopePod || s.Scope.Kind == source.ScopeContainer
			if !known || inside != (g.Container == s.Scope.Name && p.NSPID > 0) || inside == (g.Unit != "") {
				t.Errorf("%v: %s %d (%d) is in %+v", s.Scope, p.Name, p.PID, p.NSPID, g)
			}
		}
	}
	want := map[source.ScopeKind]int{source.ScopeHost: 1, source.ScopePod: 6, source.ScopeContainer: 2, source.ScopeUnit: 1, source.ScopeNamed: 1, source.ScopeUnnamed: 1}
	if d := cmp.Diff(want, kinds); d != "" {
		t.Error(d)
	}
	if job := named(&m, "shop/migrate-x2k9v"); len(job.Blocked) < 500 {
		t.Errorf("%d ports are blocked by who binds before it connects", len(job.Blocked))
	}
}

// Each host shows its processes in units, and some in containers.
func TestEachHostShowsUnitsAndContainers(t *testing.T) {
	t.Parallel()
	eachScenario(t, func(t *testing.T, name string) {
		h := newHost(t, demo.Options{Scenario: name, Skip: 40 * time.Second})
		var m source.Moment
		poll(t, h, &m)
		units, containers, ids := 0, 0, make(map[uint64]bool)
		for _, c := range m.Cgroups {
			if ids[c.ID] || c.ID == 0 || c.Path == "" || (c.Unit == "") == (c.Container == "") {
				t.Errorf("group %+v", c)
			}
			ids[c.ID] = true
			if c.Unit != "" {
				units++
			} else {
				containers++
			}
		}
		for i := range m.Processes {
			if p := &m.Processes[i]; !ids[p.Cgroup] {
				t.Errorf("%s %d is in no group", p.Name, p.PID)
			}
		}
		if units < 2 || containers < 1 {
			t.Errorf("%d units and %d containers", units, containers)
		}
	})
}
