package model

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

var (
	nginx   = source.Cgroup{ID: 10, Path: "/system.slice/nginx.service", Unit: "nginx.service"}
	web     = source.Cgroup{ID: 20, Path: "/system.slice/docker-1f.scope", Unit: "docker-1f.scope", Container: "web", Kind: source.ScopeContainer}
	sidecar = source.Cgroup{ID: 21, Path: "/system.slice/docker-2f.scope", Unit: "docker-2f.scope", Container: "web", Kind: source.ScopeContainer}
)

// inside makes processes and sockets be in control groups.
func inside(m *source.Moment, groups ...source.Cgroup) *source.Moment {
	m.Cgroups = groups
	return m
}

func inCgroup(s source.Socket, id uint64) source.Socket {
	s.Cgroup = id
	return s
}

type cgroupView struct {
	Name           string
	Tier           Tier
	Ports, Sockets int
	Most           string
}

func cgroupsOf(st *State, g Grouping) []cgroupView {
	var list []cgroupView
	for _, c := range st.TCP.Consumers[g] {
		v := cgroupView{Name: c.Name, Tier: c.Tier, Ports: c.Ports, Sockets: c.Sockets}
		if c.Most.Port != 0 {
			v.Most = source.AddrPort(c.Most.Destination, c.Most.Port)
		}
		list = append(list, v)
	}
	return list
}

func TestConsumersByContainerAndUnit(t *testing.T) {
	t.Parallel()
	worker := java
	worker.Cgroup = web.ID
	sockets := []source.Socket{
		// The socket's own control group counts before that of its process.
		inCgroup(owned(socket(source.Established, "10.0.0.1:40000", db), 1, 0), nginx.ID),
		owned(socket(source.Established, "10.0.0.1:40001", cache), 2, 0),
		inCgroup(socket(source.Established, "10.0.0.1:40002", cache), sidecar.ID),
		inCgroup(socket(source.Established, "10.0.0.1:40002", db), web.ID),
		// One that could not be found is not known, and so is that of nobody.
		inCgroup(owned(socket(source.Established, "10.0.0.1:40003", cache), 5, 0), 99),
		inCgroup(socket(source.Established, "10.0.0.1:40004", db), 99),
		inCgroup(socket(source.Listen, "10.0.0.1:80", ""), nginx.ID),
	}
	st := update(withProcesses(inside(moment(0, sockets...), nginx, web, sidecar), worker))
	want := []cgroupView{
		{"web", OwnerObserved, 3, 4, cache},
		{"", OwnerObserved, 1, 2, db},
		{"", OwnerUnknown, 1, 1, db},
	}
	if diff := cmp.Diff(want, cgroupsOf(st, ByContainer)); diff != "" {
		t.Errorf("by container (-want +got):\n%s", diff)
	}
	want = []cgroupView{
		{"docker-1f.scope", OwnerObserved, 3, 3, cache},
		{"nginx.service", OwnerObserved, 1, 2, db},
		{"docker-2f.scope", OwnerObserved, 1, 1, cache},
		{"", OwnerUnknown, 1, 1, db},
	}
	if diff := cmp.Diff(want, cgroupsOf(st, ByUnit)); diff != "" {
		t.Errorf("by unit (-want +got):\n%s", diff)
	}
}

// In a pod everything is the pod's, but for what says that it is another's.
func TestTheContainerOfANamespace(t *testing.T) {
	t.Parallel()
	m := inside(moment(0, socket(source.Established, "10.0.0.1:40000", db), inCgroup(socket(source.Established, "10.0.0.1:40001", db), web.ID)), web)
	m.Snapshots[0].Scope = source.Scope{Name: "shop/api", Kind: source.ScopePod}
	want := []cgroupView{{"shop/api", OwnerObserved, 1, 1, db}, {"web", OwnerObserved, 1, 1, db}}
	if diff := cmp.Diff(want, cgroupsOf(update(m), ByContainer)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A TIME_WAIT belongs where its process was, though the process and its
// container are gone.
func TestTimeWaitKeepsItsContainer(t *testing.T) {
	t.Parallel()
	worker := java
	worker.Cgroup = web.ID
	live := owned(socket(source.Established, "10.0.0.1:40000", db), 1, 0)
	wait := socket(source.TimeWait, "10.0.0.1:40000", db)
	st := story(
		withProcesses(inside(moment(0, live), nginx, web), worker),
		inside(moment(1, wait), nginx), inside(moment(2, wait), nginx))
	if got := cgroupsOf(st, ByUnit); len(got) != 1 || got[0].Name != "docker-1f.scope" {
		t.Errorf("by unit %+v, want that of the container", got)
	}
	if name, known := st.Container(&wait, &st.Rows[0]); name != "web" || !known {
		t.Errorf("container %q", name)
	}
	host := newTeller()
	host.tell(withProcesses(inside(moment(0, live), nginx, web), worker))
	host.tell(inside(moment(1), nginx))
	host.tell(inside(moment(2), nginx))
	if n := len(host.overview.Cgroups); n != 1 {
		t.Errorf("%d control groups when nothing points to the container any more, want 1", n)
	}
}

func TestConsumersByContainerHaveARate(t *testing.T) {
	t.Parallel()
	host := newTeller()
	var st *State
	for i := range 20 {
		list := connections(2*i+1, source.Established, "10.0.0.1", 40000, 1, db)
		for j := range list {
			list[j].Cgroup = web.ID
		}
		st = host.tell(inside(moment(float64(i), list...), nginx, web))
	}
	for _, g := range []Grouping{ByContainer, ByUnit} {
		if c := st.TCP.Consumers[g]; len(c) != 1 || c[0].Rate < 1.9 || c[0].Rate > 2 {
			t.Errorf("%v: %+v, want one that grows by 2 a second", g, c)
		}
	}
}

// Where no control group is known, nothing is counted by them, nor offered.
func TestNoControlGroups(t *testing.T) {
	t.Parallel()
	st := update(moment(0, inCgroup(socket(source.Established, "10.0.0.1:40000", db), 7)))
	if len(st.TCP.Consumers[ByContainer])+len(st.TCP.Consumers[ByUnit]) != 0 || st.NextGrouping(ByUser) != ByProcess {
		t.Errorf("by container %+v, after %v comes %v", st.TCP.Consumers[ByContainer], ByUser, st.NextGrouping(ByUser))
	}
	if got := update(inside(moment(0), web)).NextGrouping(ByUser); got != ByProcess {
		t.Errorf("after %v comes %v, though nothing is in a container or a unit", ByUser, got)
	}
}

// A grouping is offered where anything has a name in it.
func TestNextGrouping(t *testing.T) {
	t.Parallel()
	held := func(groups ...source.Cgroup) *State {
		var list []source.Socket
		for i, g := range groups {
			list = append(list, inCgroup(socket(source.Established, fmt.Sprintf("10.0.0.1:%d", 40000+i), db), g.ID))
		}
		return update(inside(moment(0, list...), groups...))
	}
	for _, tt := range []struct {
		name string
		st   *State
		want []Grouping // from ByUser on
	}{
		{"a container, which has a unit", held(web), []Grouping{ByContainer, ByUnit, ByProcess}},
		{"a unit", held(nginx), []Grouping{ByUnit, ByProcess}},
		{"no state", nil, []Grouping{ByProcess}},
	} {
		g := ByUser
		for i, want := range tt.want {
			if g = tt.st.NextGrouping(g); g != want {
				t.Errorf("%s: grouping %d is %v, want %v", tt.name, i, g, want)
			}
		}
	}
}
