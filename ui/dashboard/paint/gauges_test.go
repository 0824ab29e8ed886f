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

// Which ports are used up is not cut off on a screen of 80 columns.
func TestThePortsOfAPoolAreReadable(t *testing.T) {
	t.Parallel()
	key := model.TupleKey{Destination: source.Addr4([4]byte{127, 0, 0, 5}), Port: 8080, Pool: model.PoolSourcePorts}
	for _, c := range []struct {
		want string
		p    model.Pressure
	}{
		{"127.0.0.5:8080 from 2000–2019 ", model.Pressure{Tuples: []model.TupleUse{{
			TupleKey: key, Limit: model.Limit{Kind: model.PoolSourcePorts, Low: 2000, High: 2019}, Live: 20, Used: 20, Level: model.LevelExhausted,
		}}}},
		{"bind() on 192.168.100.200 ", model.Pressure{
			Tuples:    []model.TupleUse{{TupleKey: model.TupleKey{Destination: key.Destination, Port: 8080}, Live: 1, Used: 1, Free: 28231}},
			BindPools: []model.BindPool{{Local: source.Addr4([4]byte{192, 168, 100, 200}), Used: 28000, Free: 232, Bound: 28000, Level: model.LevelCritical}},
		}},
	} {
		v, st := sampleView(80, 24), emptyState()
		c.p.Proto, c.p.Usable, c.p.Map = source.TCP, 28232, st.TCP.Pressure.Map
		st.TCP.Pressure = c.p
		showState(v, st)
		if frame := plain().Frame(v); !strings.Contains(frame, c.want) {
			t.Errorf("want %q in\n%s", c.want, frame)
		}
	}
}
