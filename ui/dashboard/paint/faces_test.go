package paint

import (
	"fmt"
	"strings"
	"testing"

	"ephtop/model"
	"ephtop/model/list"
	"ephtop/source"
)

// containersView is the sample host as one of several namespaces.
func containersView(width, height int, face Face) *View {
	v := sampleView(width, height)
	st := v.State
	st.Snapshot.Scope = source.Scope{Netns: 4026532453, Name: "shop/api-7d9f4", Kind: source.ScopePod, PID: 44100}
	st.Moment.Source = "tables"
	other := func(scope source.Scope, used int, blocked int) *model.State {
		o := &model.State{Moment: st.Moment, Snapshot: &source.Snapshot{Scope: scope, Settings: st.Snapshot.Settings}, Thresholds: st.Thresholds}
		o.Level = st.Thresholds.Level(used, 28_232)
		o.TCP.Pressure = model.Pressure{Proto: source.TCP, Usable: 28_232, Level: o.Level, InUse: used, Tuples: []model.TupleUse{{
			TupleKey: model.TupleKey{Source: addr("10.244.1.18"), Destination: addr("10.0.9.20"), Port: 9200},
			Live:     used / 4, TimeWait: used - used/4 - blocked, Blocked: blocked, Used: used, Free: 28_232 - used, Level: o.Level,
		}}}
		o.Snapshot.Sockets = make([]source.Socket, used)
		return o
	}
	v.Overview = &model.Overview{Moment: st.Moment, Level: model.LevelExhausted, States: []*model.State{
		other(source.Scope{Netns: 4026532528, Name: "shop/orders-5c6db7d9f8-x2k9v", Kind: source.ScopePod}, 28_232, 0), st,
		other(source.Scope{Netns: 4026533278, Name: "migrate", Kind: source.ScopeContainer}, 8_400, 6_000),
		other(source.Scope{Netns: 4026531840, Kind: source.ScopeHost, PID: 1}, 120, 10), other(source.Scope{Netns: 4026533203}, 0, 0),
	}}
	for _, o := range v.Overview.States {
		v.Namespaces = append(v.Namespaces, NamespaceLine{Scope: o.Snapshot.Scope, State: o})
	}
	for i, bound := range []int{26_000, 120, 3} {
		scope := source.Scope{Netns: uint64(4026534000 + i), Name: fmt.Sprint("quiet-", i), Kind: source.ScopeNamed}
		b := source.Brief{Scope: scope, Bound: bound, Usable: 28_232}
		v.Overview.Quiet = append(v.Overview.Quiet, b)
		v.Namespaces = append(v.Namespaces, NamespaceLine{Scope: scope, Brief: &b})
	}
	v.Face, v.Focus = face, face.Pane()
	v.Cursors[PaneNamespaces].Line = 1
	return v
}

func TestFaces(t *testing.T) {
	t.Parallel()
	for name, face := range map[string]Face{"connections": FaceConnections, "destinations": FaceDestinations, "namespaces": FaceNamespaces} {
		for _, size := range [][2]int{{20, 5}, {40, 10}, {80, 24}, {120, 40}, {200, 60}} {
			t.Run(fmt.Sprintf("%s %dx%d", name, size[0], size[1]), func(t *testing.T) {
				t.Parallel()
				requireFrame(t, plain(), containersView(size[0], size[1], face))
			})
		}
	}
}

// Of what was not seen, no more is said than is known.
func TestBoundText(t *testing.T) {
	t.Parallel()
	for bound, want := range map[float64]string{0: "≤ 0 %", 0.01: "≤ 0.1 %", 0.4: "≤ 0.4 %", 0.41: "≤ 0.5 %", 9.99: "≤ 10.0 %", 10: "≤ 10 %", 91.2: "≤ 92 %", 100: "≤ 100 %"} {
		if got := boundText(bound); got != want {
			t.Errorf("%g is %q, want %q", bound, got, want)
		}
	}
}

// Details say where a socket is, whose, and by which numbers.
func TestDetailsOfAContainer(t *testing.T) {
	t.Parallel()
	v := containersView(100, 40, FaceConnections)
	v.State.Processes[0].NSPID, v.State.Processes[0].Cgroup = 7, 42
	v.State.Moment.Cgroups = []source.Cgroup{{ID: 42, Path: "/kubepods.slice/x.scope", Container: "shop/api-7d9f4", Kind: source.ScopePod}}
	for i := range v.State.Rows {
		if v.State.Rows[i].Process == 0 && v.State.Snapshot.Sockets[i].State == source.Established {
			v.State.Rows[i].Blocking = true
			v.Overlay, v.Detail = OverlayDetails, Detail{Tuple: v.State.Snapshot.Sockets[i].Tuple(), Row: i, Use: 0}
			break
		}
	}
	requireFrame(t, plain(), v)
}

// Of one whose range was not read, the bound proves nothing.
func TestAssumedBound(t *testing.T) {
	t.Parallel()
	v := containersView(120, 40, FaceNamespaces)
	v.Namespaces[len(v.Namespaces)-1].Brief.Assumed = true
	_, line, _ := strings.Cut(plain().Frame(v), "quiet-2")
	line, _, _ = strings.Cut(line, "\n")
	if strings.Contains(line, "≤") || !strings.Contains(line, "? not seen") {
		t.Errorf("%q, want no bound and no level", line)
	}
}

// A filter that nothing passes may be meant for another namespace.
func TestFilterWithoutAMatchHere(t *testing.T) {
	t.Parallel()
	v := containersView(120, 40, FaceConnections)
	v.Filter.Text, v.List = "ns:migrate", list.List{}
	frame := plain().Frame(v)
	for _, want := range []string{"no connections of shop/api-7d9f4 match the filter ns:migrate", "3 lists the namespaces that have some"} {
		if !strings.Contains(frame, want) {
			t.Errorf("no %q in\n%s", want, frame)
		}
	}
}

// The only namespace that is looked at is named, unless it is this host's or
// what ephtop runs in.
func TestOnlyNamespace(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		scope source.Scope
		named bool
	}{
		{source.Scope{Netns: 7, Name: "redis", Kind: source.ScopeContainer, PID: 51}, true},
		{source.Scope{Netns: 7, Name: "blue", Kind: source.ScopeNamed}, true},
		{source.Scope{Netns: 7, Name: "host", Kind: source.ScopeHost, PID: 1}, false},
		{source.Scope{Netns: 7, Name: sampleView(80, 24).State.Moment.Host}, false},
		{source.Scope{}, false},
	} {
		v := containersView(80, 24, FaceConnections)
		v.State.Snapshot.Scope = test.scope
		v.Overview = &model.Overview{Moment: v.State.Moment, States: []*model.State{v.State}}
		frame := plain().Frame(v)
		name := " › " + test.scope.Name
		if box := "Ephemeral ports of "; strings.Contains(frame, box) != test.named || strings.Contains(frame, name) != test.named {
			t.Errorf("%+v, named is to be %v:\n%s", test.scope, test.named, frame)
		}
	}
}

// The choice of columns leaves the list in sight where there is room, and is whole
// where there is hardly any.
func TestPicker(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{40, 10}, {80, 24}, {120, 40}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			t.Parallel()
			v := sampleView(size[0], size[1])
			v.Picking, v.Order = true, list.Order{Column: list.ColumnAge}
			requireFrame(t, plain(), v)
		})
	}
	for width := 1; width < 60; width += 7 {
		v := containersView(width, 1, Face(width%NumFaces))
		v.Picking = true
		for height := 1; height < 20; height += 2 {
			v.Height = height
			requireSize(t, plain().Frame(v), width, height)
		}
	}
}
