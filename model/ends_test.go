package model

import (
	"testing"

	"ephtop/source"
)

// What is nearest to its end is named first, and judged where nothing else
// does.
func TestWhatEndsFirst(t *testing.T) {
	t.Parallel()
	read := source.Status{Outcome: source.OutcomeRead}
	host := func(n int, buckets int) *State {
		list := connections(min(n, 50), source.Established, "10.0.0.1", 40000, 2, db)
		list = append(list, connections(n-len(list), source.Established, "10.0.0.1", 40001, 2, db)...)
		m := moment(0, append(list, connections(10, source.TimeWait, "10.0.0.1", 50000, 2, db)...)...)
		m.Snapshots[0].Settings.MaxTimeWait = buckets
		return update(m)
	}
	descriptors := func(open, limit int) source.Resources {
		return source.Resources{Status: read, Descriptors: []source.Descriptors{{PID: 1, Open: 1, Limit: 1000}, {PID: 2, Open: open, Limit: limit}}}
	}
	for _, test := range []struct {
		name    string
		ports   int
		buckets int
		ev      source.Evidence
		first   End
		verdict Verdict
	}{
		{"ports", 94, 1 << 16, source.Evidence{Resources: descriptors(500, 1024)}, End{Kind: EndPorts, Used: 94, Max: 100}, VerdictOK},
		{"descriptors", 64, 1 << 16, source.Evidence{Resources: descriptors(960, 1024)}, End{EndDescriptors, 960, 1024, 1}, VerdictProblem},
		{"descriptors in good time", 10, 1 << 16, source.Evidence{Resources: descriptors(660, 1024)}, End{EndDescriptors, 660, 1024, 1}, VerdictWarning},
		{"descriptors, far from it", 10, 1 << 16, source.Evidence{Resources: descriptors(200, 1024)}, End{EndDescriptors, 200, 1024, 1}, VerdictOK},
		{"as many descriptors as anybody wants", 10, 1 << 16, source.Evidence{Resources: descriptors(5000, 0)}, End{Kind: EndPorts, Used: 10, Max: 100}, VerdictOK},
		{"connection tracking", 10, 1 << 16, source.Evidence{Conntrack: source.Conntrack{Status: read, Count: 90, Max: 100}}, End{Kind: EndConntrack, Used: 90, Max: 100}, VerdictOK},
		{"connection tracking that is not there", 10, 1 << 16, source.Evidence{Conntrack: source.Conntrack{Max: 100, Count: 90}}, End{Kind: EndPorts, Used: 10, Max: 100}, VerdictOK},
		{"TIME_WAIT", 10, 10, source.Evidence{}, End{Kind: EndTimeWait, Used: 10, Max: 10}, VerdictOK},
		{"files", 10, 1 << 16, source.Evidence{Resources: source.Resources{Files: 99, MaxFiles: 100}}, End{Kind: EndFiles, Used: 99, Max: 100}, VerdictProblem},
	} {
		p := Examine(host(test.ports, test.buckets), &test.ev)[TopicEnds]
		if p.Ends[0] != test.first || p.Verdict != test.verdict {
			t.Errorf("%s: first %+v, %v; want %+v, %v", test.name, p.Ends[0], p.Verdict, test.first, test.verdict)
		}
		for i := range p.Ends[1:] {
			if p.Ends[i].Percent() < p.Ends[i+1].Percent() {
				t.Errorf("%s: not in order: %+v", test.name, p.Ends)
			}
		}
	}
}

// The ports of UDP end as those of TCP do, and are named when they come near.
func TestUDPPortsEndToo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		inUse int
		want  End
	}{{0, End{Max: 100}}, {59, End{Max: 100}}, {60, End{EndUDP, 60, 100, 0}}, {100, End{EndUDP, 100, 100, 0}}} {
		st := &State{Snapshot: &source.Snapshot{}, Thresholds: DefaultThresholds}
		st.TCP.Pressure = Pressure{Proto: source.TCP, Usable: 100}
		st.UDP.Pressure = Pressure{Proto: source.UDP, Usable: 100, InUse: test.inUse}
		if ends := Ends(st, &source.Evidence{}); ends[0] != test.want {
			t.Errorf("%d UDP ports: %+v first, want %+v", test.inUse, ends, test.want)
		}
	}
}

// Whose descriptors are counted goes by the sockets that are open, on whatever
// port.
func TestMostSockets(t *testing.T) {
	t.Parallel()
	server := source.Process{PID: 1, Start: 1, Name: "server"}
	list := held(connections(30, source.CloseWait, "10.0.0.1", 443, 0, db), 0, 1)
	for i := range list {
		list[i].RemotePort = uint16(1000 + i)
	}
	m := withProcesses(moment(0, list...), server)
	for i := range int32(9) {
		m.Processes = append(m.Processes, source.Process{PID: 10 + i, Start: 1})
		m.Snapshots[0].Sockets = append(m.Snapshots[0].Sockets, held(connections(int(1+i), source.Established, "10.0.0.1", 40000+10*int(i), 1, db), i+1, uint64(100+100*i))...)
	}
	var pids []int32
	for _, p := range update(m).MostSockets() {
		pids = append(pids, p.PID)
	}
	if want := []int32{1, 18, 17, 16, 15}; len(pids) != 5 || [5]int32(pids) != [5]int32(want) {
		t.Errorf("processes %v, want %v", pids, want)
	}
}
