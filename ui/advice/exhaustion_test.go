package advice_test

import (
	"strings"
	"testing"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

// critical is a finding about most of the ports to the database.
var critical = model.Finding{
	Problem: model.TupleFull, Level: model.LevelCritical, Tuple: database, Process: java, Tier: model.OwnerObserved, Count: 90, Of: 100,
}

// A hundred ports more to a server that does not answer, or that nobody closes,
// go the same way.
func TestStuckConnectionsAreNotCuredByMorePorts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		state source.State
		stuck int
		cure  string // "" for that of connections that are in use
	}{
		{source.SynSent, 90, "see whether an answer arrives"},
		{source.SynSent, 46, "see whether an answer arrives"},
		{source.SynSent, 45, ""},
		{source.CloseWait, 90, "find the connections that are not closed"},
		{source.CloseWait, 45, ""},
		{source.Established, 90, ""},
	} {
		st := with(host(), settings(func(s *source.Settings) { s.Range = source.PortRange{Low: 40000, High: 40099} }), towards(database, 90, 0, 0))
		for i := range test.stuck {
			add(source.Socket{
				Proto: source.TCP, State: test.state, Local: database.Source, LocalPort: 40000 + uint16(i),
				Remote: database.Destination, RemotePort: database.Port,
			}, java)(st)
			st.Rows[i].Ephemeral = true
			st.TCP.States[test.state]++
		}
		f := critical
		a := advice.Of(st, &f)
		said := strings.Contains(a.Seen, test.state.String())
		if test.cure == "" {
			if said || a.Remedies[0].What != "widen the range from 40000-40099 to 10240-65535" {
				t.Errorf("%d in %v: %s", test.stuck, test.state, written(&a))
			}
			continue
		}
		if !said || !strings.HasPrefix(a.Remedies[0].What, test.cure) || strings.Contains(written(&a), "sysctl") {
			t.Errorf("%d in %v: %s", test.stuck, test.state, written(&a))
		}
	}
}

// Who binds first has one pool of ports: a further destination adds none to it,
// and what gives them back is told with one figure.
func TestBoundFirstIsNotCuredByAnotherDestination(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		bound   int
		process int32
		another bool
	}{{88, java, false}, {88, postgres, true}, {20, java, true}} {
		st := with(host(), towards(database, 30, 0, 0), func(st *model.State) {
			p := &st.TCP.Pressure
			p.Usable, p.Blocked = 100, 58
			p.Tuples[0].Blocked, p.Tuples[0].Used, p.Tuples[0].Free = 58, 88, 12
			st.Findings = []model.Finding{{Problem: model.BoundFirst, Process: test.process, Count: test.bound, Exact: true}}
		})
		f := critical
		a := advice.Of(st, &f)
		said := written(&a)
		if got := strings.Contains(said, "one more destination"); got != test.another {
			t.Errorf("%+v: %s", test, said)
		}
		if want := "gives " + map[int]string{88: "88", 20: "20"}[test.bound] + " ports back"; !strings.Contains(said, want) {
			t.Errorf("%+v: want %q in %s", test, want, said)
		}
	}
}

// A bind() that finds no port is cured by not binding first, where most do.
func TestFailedBindsOfWhoBindsFirst(t *testing.T) {
	t.Parallel()
	for _, c := range cases() {
		if c.f.Problem != model.ConnectsFail || len(c.state.Failures.By) == 0 || c.state.Failures.By[0].Kind != source.BindFailed ||
			c.state.Failures.By[0].Proto != source.TCP {
			continue
		}
		c.state.Findings = []model.Finding{{Problem: model.BoundFirst, Process: none, Count: 100, Exact: true}}
		if a := advice.Of(c.state, &c.f); !strings.Contains(a.Remedies[0].Config, "IP_BIND_ADDRESS_NO_PORT") {
			t.Errorf("%s: %s", c.name, written(&a))
		}
	}
}
