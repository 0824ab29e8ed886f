package paint

import (
	"strings"
	"testing"

	"ephtop/model"
	"ephtop/source"
)

// A protocol's gauge is full where calls of that protocol find no port.
func TestFailuresFillTheGaugeOfTheirProtocol(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		failures model.Failures
		tcp, udp model.Level
	}{
		{"none", model.Failures{Count: 9, UDP: 4}, model.LevelOK, model.LevelOK},
		{"of TCP", model.Failures{Count: 3, Recent: 3}, model.LevelExhausted, model.LevelOK},
		{"of UDP", model.Failures{Count: 3, UDP: 3, Recent: 3, RecentUDP: 3}, model.LevelOK, model.LevelExhausted},
		{"of both", model.Failures{Count: 3, UDP: 1, Recent: 3, RecentUDP: 1}, model.LevelExhausted, model.LevelExhausted},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := &model.State{Snapshot: &source.Snapshot{}, Failures: c.failures}
			st.TCP.Pressure = model.Pressure{Proto: source.TCP, Usable: 100}
			st.UDP.Pressure = model.Pressure{Proto: source.UDP, Usable: 100}
			tcp, udp := headline(&View{State: st}), headline(&View{State: st, Proto: ProtoUDP})
			if tcp.level != c.tcp || udp.level != c.udp {
				t.Errorf("TCP %v, UDP %v; want %v, %v", tcp.level, udp.level, c.tcp, c.udp)
			}
		})
	}
}

// Where all ports of UDP are used, nobody says that none is in use.
func TestEmptyListsNameTheirProtocol(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		tcp, udp int
		proto    ProtoChoice
		want     []string
	}{
		{0, 0, ProtoTCP, []string{"no port in use", "no sockets", "no ephemeral ports in use"}},
		{0, 100, ProtoTCP, []string{"no TCP port ", "no tcp sockets", "no ephemeral tcp ports in use", "p shows the other protocol"}},
		{100, 0, ProtoUDP, []string{"no udp sockets", "no ephemeral udp ports in use", "p shows the other protocol"}},
		{0, 100, ProtoBoth, []string{"no sockets", "no ephemeral ports in use"}},
	} {
		v, st := sampleView(80, 24), emptyState()
		st.TCP.Pressure.InUse, st.UDP.Pressure.InUse = test.tcp, test.udp
		showState(v, st)
		v.Proto = test.proto
		frame := plain().Frame(v)
		for _, want := range test.want {
			if !strings.Contains(frame, want) {
				t.Errorf("%+v: want %q in\n%s", test, want, frame)
			}
		}
	}
}
