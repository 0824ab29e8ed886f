package paint

import (
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
