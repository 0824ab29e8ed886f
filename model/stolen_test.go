package model

import (
	"testing"

	"ephtop/source"
)

// stolenPorts returns the findings of stolen ports.
func stolenPorts(st *State) (list []Finding) {
	for _, f := range st.Findings {
		if f.Problem == StolenPort {
			list = append(list, f)
		}
	}
	return list
}

// ofCurl is a connection of curl's.
func ofCurl(local string) source.Socket {
	return owned(socket(source.Established, local, db), 7, 0)
}

// A server that is refused its port is told who has it.
func TestStolenPorts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		sockets []source.Socket
		events  []source.Event
		refused int // 0 for no finding
	}{
		{"held by a connection", []source.Socket{ofCurl("10.0.0.1:40050")},
			[]source.Event{bindFailed(source.TCP, "0.0.0.0:40050", java), bindFailed(source.TCP, "10.0.0.1:40050", java)}, 2},
		{"held by a connection, wanted over IPv6", []source.Socket{ofCurl("10.0.0.1:40050")},
			[]source.Event{bindFailed(source.TCP, "[::]:40050", java)}, 1},
		{"held on another address", []source.Socket{ofCurl("10.0.0.1:40050")}, []source.Event{bindFailed(source.TCP, "10.0.0.2:40050", java)}, 0},
		{"held by another server", []source.Socket{ofCurl("10.0.0.1:40050"), socket(source.Listen, "0.0.0.0:40050", "")},
			[]source.Event{bindFailed(source.TCP, "0.0.0.0:40050", java)}, 0},
		{"held by the server's own", []source.Socket{ofCurl("10.0.0.1:40050")}, []source.Event{bindFailed(source.TCP, "0.0.0.0:40050", curl)}, 0},
		{"outside of the range", []source.Socket{ofCurl("10.0.0.1:8080")}, []source.Event{bindFailed(source.TCP, "0.0.0.0:8080", java)}, 0},
		{"of UDP", []source.Socket{ofCurl("10.0.0.1:40050")}, []source.Event{bindFailed(source.UDP, "0.0.0.0:40050", java)}, 0},
		{"any port", []source.Socket{ofCurl("10.0.0.1:40050")}, []source.Event{bindFailed(source.TCP, "0.0.0.0:0", java)}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := update(withEvents(withProcesses(moment(0, c.sockets...), curl), c.events...))
			list := stolenPorts(st)
			switch {
			case c.refused == 0 && len(list) > 0:
				t.Errorf("found %+v", list)
			case c.refused > 0 && (len(list) != 1 || list[0].Count != c.refused || list[0].Ports[0] != 40050 || list[0].Level != LevelWarning ||
				st.Processes[list[0].Process].Name != "curl" || list[0].Tuple.Port != 5432 || st.Stolen[0].Wanted.Name != "java"):
				t.Errorf("found %+v, want curl, wanted %d times by java", list, c.refused)
			}
			if c.name != "any port" && st.Level != LevelOK {
				t.Errorf("level %v: no port is wanting", st.Level)
			}
		})
	}
}

// A server that is away finds its port taken when it comes back, and that is known
// before, without any tracing.
func TestAPortIsStolenWhileItsServerIsAway(t *testing.T) {
	t.Parallel()
	server := owned(socket(source.Listen, "0.0.0.0:40050", ""), 3, 1)
	child := owned(socket(source.Established, "10.0.0.1:40050", "10.0.0.8:51000"), 4, 1)
	host := newTeller()
	st := host.tell(withProcesses(moment(0, server, child), curl, java))
	if list := stolenPorts(st); len(list) != 0 {
		t.Fatalf("found %+v while the server runs", list)
	}
	if list := stolenPorts(host.tell(withProcesses(moment(1, child), curl, java))); len(list) != 0 {
		t.Errorf("found %+v: its own connection", list)
	}
	if list := stolenPorts(host.tell(withProcesses(moment(2), curl, java))); len(list) != 0 {
		t.Errorf("found %+v: nobody has it", list)
	}
	st = host.tell(withProcesses(moment(3, ofCurl("10.0.0.1:40050")), curl, java))
	list := stolenPorts(st)
	if len(list) != 1 || list[0].Level != LevelOK || st.Processes[list[0].Process].Name != "curl" {
		t.Fatalf("found %+v, want curl", list)
	}
	if s := st.Stolen[0]; s.Wanted.Name != "java" || !s.Listened.Equal(epoch) || s.Refused != 0 {
		t.Errorf("%+v, want that java listened at the first moment", s)
	}
	m := withEvents(withProcesses(moment(4, ofCurl("10.0.0.1:40050")), curl, java), bindFailed(source.TCP, "0.0.0.0:40050", java))
	if list = stolenPorts(host.tell(m)); len(list) != 1 || list[0].Count != 1 || list[0].Level != LevelWarning {
		t.Errorf("found %+v, want one refusal", list)
	}
	if list = stolenPorts(host.tell(withProcesses(moment(3700, ofCurl("10.0.0.1:40050")), curl, java))); len(list) != 0 {
		t.Errorf("found %+v an hour later", list)
	}
}

// The error of a want of ports that is none is named as what it is.
func TestRefusedAddressesAreFound(t *testing.T) {
	t.Parallel()
	bind := bindFailed(source.TCP, "10.9.9.9:0", java)
	bind.Kind = source.AddressRefused
	connect := failed(0, "[::1]:6432", curl)
	connect.Kind = source.AddressRefused
	st := update(withEvents(moment(0), bind, bind, connect))
	var list []Finding
	for _, f := range st.Findings {
		if f.Problem == AddressRefused {
			list = append(list, f)
		}
	}
	if len(list) != 2 || list[0].Count != 2 || list[0].Tuple.Source != bind.Tuple.Local || list[1].Tuple.Port != 6432 {
		t.Fatalf("found %+v, want the bind and the connect", list)
	}
	if st.Level != LevelOK || list[0].Level != LevelWarning || list[1].Level != LevelWarning {
		t.Errorf("level %v, findings %+v; want no more than a warning", st.Level, list)
	}
}
