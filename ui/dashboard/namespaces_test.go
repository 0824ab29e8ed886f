package dashboard

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
	"ephtop/ui/dashboard/paint"
)

// containers adds namespaces to the host's: each of so many sockets to one
// destination, and one that was not looked at.
func containers(sizes map[string]int) func(*source.Moment) {
	return func(m *source.Moment) {
		host := &m.Snapshots[0]
		host.Scope.Kind = source.ScopeHost
		for i, name := range []string{"api", "web", "redis"} {
			n, there := sizes[name]
			if !there {
				continue
			}
			sockets := some(n)
			for j := range sockets {
				sockets[j].LocalPort, sockets[j].RemotePort = uint16(32768+j), uint16(7000+i)
			}
			settings := m.Snapshots[0].Settings
			s := m.Add(source.Scope{Netns: uint64(2 + i), Name: name, Kind: source.ScopeContainer})
			s.Settings, s.Sockets, s.Inodes = settings, sockets, true
		}
		m.Quiet = append(m.Quiet, source.Brief{Scope: source.Scope{Netns: 99, Name: "vpn", Kind: source.ScopeNamed}, Bound: 12, Usable: 28232})
	}
}

// runContainers is run on a host of containers.
func runContainers(t *testing.T, sizes map[string]int, body func(h *harness)) {
	t.Helper()
	run(t, some(3), func(h *harness) {
		h.hold(sizes)
		body(h)
	})
}

// hold has the next poll see these containers, and waits for it.
func (h *harness) hold(sizes map[string]int) {
	h.src.set(func(s *fakeSource) { s.more = containers(sizes) })
	h.sleep(time.Second)
}

// listed are the names in the list of namespaces.
func (h *harness) listed() []string {
	var names []string
	for _, n := range h.m.view.Namespaces {
		names = append(names, n.Scope.Name)
	}
	return names
}

func (h *harness) wantShown(name string) {
	h.Helper()
	if got := h.m.view.State.Snapshot.Scope.Name; got != name {
		h.Errorf("%q is shown, want %q", got, name)
	}
}

func TestAListOfNamespaces(t *testing.T) {
	t.Parallel()
	runContainers(t, map[string]int{"api": 500, "web": 20000, "redis": 20}, func(h *harness) {
		h.wantShown("web")
		h.press("3")
		if d := cmp.Diff([]string{"web", "api", "redis", "", "vpn"}, h.listed()); d != "" {
			t.Errorf("the worst first: %s", d)
		}
		h.press("down", "enter")
		h.wantShown("api")
		if h.m.view.Face != paint.FaceConnections || len(h.m.view.Rows) != 500 || h.m.view.Focus != paint.PaneConnections {
			t.Errorf("face %d with %d connections in focus %d", h.m.view.Face, len(h.m.view.Rows), h.m.view.Focus)
		}
		h.press("esc")
		if h.m.view.Face != paint.FaceNamespaces || h.cursor().Line != 1 {
			t.Errorf("esc leads to face %d, line %d", h.m.view.Face, h.cursor().Line)
		}
		h.wantShown("api")
		// It stays while another gets worse, and the cursor on its line.
		h.hold(map[string]int{"api": 500, "web": 20000, "redis": 27000})
		h.wantShown("api")
		if h.cursor().Line != 2 || h.listed()[2] != "api" {
			t.Errorf("the cursor is on line %d of %v", h.cursor().Line, h.listed())
		}
		h.press("esc")
		h.wantShown("redis")
	})
}

func TestANamespaceThatWasChosenEnds(t *testing.T) {
	t.Parallel()
	runContainers(t, map[string]int{"api": 500, "web": 20000}, func(h *harness) {
		h.press("3", "down", "enter")
		h.wantShown("api")
		h.hold(map[string]int{"web": 20000})
		h.wantShown("web")
		if want := "api has ended: this is web"; h.m.view.Notice != want {
			t.Errorf("notice %q, want %q", h.m.view.Notice, want)
		}
		h.hold(map[string]int{"api": 500, "web": 20000})
		h.wantShown("web")
		h.press("esc")
		if h.m.view.Face != paint.FaceConnections {
			t.Error("esc leads to a list that the ended one was opened from")
		}
	})
}

// A namespace that was not looked at is, once it was opened.
func TestAQuietNamespaceIsLookedAt(t *testing.T) {
	t.Parallel()
	var focus atomic.Uint64
	runConfig(t, some(3), Config{Focus: &focus}, func(h *harness) {
		h.hold(map[string]int{"api": 20000})
		h.press("3", "end", "enter")
		h.wantShown("api")
		if !strings.HasPrefix(h.m.view.Notice, "vpn was not looked at: at most 12 ports used.") || focus.Load() != 99 {
			t.Errorf("notice %q, focus %d", h.m.view.Notice, focus.Load())
		}
		h.sleep(time.Second)
		h.wantShown("api")
		h.src.set(func(s *fakeSource) {
			s.more = func(m *source.Moment) {
				m.Snapshots[0].Scope = source.Scope{Netns: 99, Name: "vpn"}
			}
		})
		h.sleep(time.Second)
		h.wantShown("vpn")
		if h.m.view.Face != paint.FaceConnections || h.m.view.Notice != "" {
			t.Errorf("face %d, notice %q", h.m.view.Face, h.m.view.Notice)
		}
		h.press("esc")
		if h.m.view.Face != paint.FaceNamespaces {
			t.Errorf("esc leads to face %d", h.m.view.Face)
		}
	})
}

func TestTheListOfNamespacesIsFiltered(t *testing.T) {
	t.Parallel()
	runContainers(t, map[string]int{"api": 500, "web": 20000, "redis": 20}, func(h *harness) {
		h.press("3", "/")
		h.typeText("vp")
		if d := cmp.Diff([]string{"vpn"}, h.listed()); d != "" {
			t.Errorf("by name: %s", d)
		}
		h.press("ctrl+u")
		h.typeText("rport:7000,7001")
		if d := cmp.Diff([]string{"web", "api"}, h.listed()); d != "" {
			t.Errorf("by what they hold: %s", d)
		}
	})
}

func TestWithOneNamespaceThereIsNoList(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		h.press("3")
		if h.m.view.Face != paint.FaceConnections || h.m.view.Notice != "there is only one network namespace, and no pool of SNAT or NAT" {
			t.Errorf("face %d, notice %q", h.m.view.Face, h.m.view.Notice)
		}
		for _, g := range h.m.view.Help {
			if slices.ContainsFunc(g.Keys, func(k paint.Hint) bool { return strings.Contains(k.Does, "namespaces") }) {
				t.Errorf("help tells of namespaces: %v", g.Keys)
			}
		}
	})
}

// A destination leads to its connections, inside a namespace too, and esc back
// through both.
func TestFacesOneInTheOther(t *testing.T) {
	t.Parallel()
	runContainers(t, map[string]int{"api": 500, "web": 20000}, func(h *harness) {
		h.press("3", "down", "enter", "2", "enter")
		if h.m.view.Face != paint.FaceConnections || h.m.view.Filter.Text != "remote:10.0.9.2:7000" || len(h.m.view.Rows) != 500 {
			t.Errorf("face %d, filter %q, %d rows", h.m.view.Face, h.m.view.Filter.Text, len(h.m.view.Rows))
		}
		h.press("esc")
		if h.m.view.Face != paint.FaceDestinations || h.m.view.Filter.Text != "" {
			t.Errorf("esc: face %d, filter %q", h.m.view.Face, h.m.view.Filter.Text)
		}
		h.press("esc")
		if h.m.view.Face != paint.FaceNamespaces {
			t.Errorf("esc again: face %d", h.m.view.Face)
		}
	})
}

func TestANamespaceToBeginWith(t *testing.T) {
	t.Parallel()
	runConfig(t, some(3), Config{Namespace: "api"}, func(h *harness) {
		if want := "there is no namespace api"; h.m.view.Notice != want {
			t.Errorf("notice %q, want %q", h.m.view.Notice, want)
		}
	})
	runConfig(t, some(3), Config{Namespace: "self"}, func(h *harness) {
		h.hold(map[string]int{"api": 500})
		h.wantShown("")
	})
}

// What is wrong elsewhere is told with the name of the place.
func TestFindingsOfOtherNamespaces(t *testing.T) {
	t.Parallel()
	runContainers(t, map[string]int{"api": 500, "redis": 27000}, func(h *harness) {
		h.press("3", "down", "enter", "f")
		h.wantShown("api")
		if v := h.m.view; len(v.Findings) == 0 || len(v.Advice) != len(v.Findings) || !strings.Contains(h.m.View(), "│ redis  ") {
			t.Errorf("findings %+v in words\n%s", v.Findings, h.m.View())
		}
	})
}

func TestHelpTellsOfNamespacesWhereThereAreSome(t *testing.T) {
	t.Parallel()
	runContainers(t, map[string]int{"api": 500}, func(h *harness) {
		var told []paint.Hint
		for _, g := range h.m.view.Help {
			told = append(told, g.Keys...)
		}
		for _, want := range []paint.Hint{
			{Key: "1 2 3", Does: "connections, destinations, namespaces and pools of SNAT and NAT"},
			{Key: "b", Does: "consumers by process, destination, service, user, container, unit"},
		} {
			if !slices.Contains(told, want) {
				t.Errorf("help does not say %+v", want)
			}
		}
		if want := (paint.Hint{Key: "3", Does: "namespaces"}); !slices.Contains(h.m.view.Hints, want) {
			t.Errorf("the footer says %v", h.m.view.Hints)
		}
	})
}

// The second line says what is most urgent of all, and where, if that is not
// what is shown.
func TestTheSentenceNamesTheNamespace(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		second := func() string { return strings.Split(h.m.View(), "\n")[1] }
		if got := second(); !strings.Contains(got, "· nothing is wrong") {
			h.Errorf("the sentence is %q, want that nothing is wrong", got)
		}
		h.hold(map[string]int{"api": 500, "web": 20000})
		if got := second(); strings.Contains(got, "web: ") || !strings.Contains(got, "10.0.9.2:7001") {
			h.Errorf("the sentence is %q, want one on what is shown", got)
		}
		h.press("3", "down", "enter")
		h.wantShown("api")
		if got := second(); !strings.Contains(got, "web: ") {
			h.Errorf("the sentence is %q, want one that names the other namespace", got)
		}
	})
}
