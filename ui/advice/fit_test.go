package advice_test

import (
	"regexp"
	"strings"
	"testing"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

// shell is what a line begins with that can be typed.
var shell = regexp.MustCompile(`^(sysctl|netsh|ip|ss|lsof|netstat|nft|iptables|tcpdump|systemctl|ps|tasklist|echo|mount|kubectl|docker|nsenter) `)

// What is shown as a command is copied and typed as it stands.
func TestOnlyWhatCanBeTypedIsACommand(t *testing.T) {
	t.Parallel()
	for _, c := range cases() {
		for _, r := range advice.Of(c.state, &c.f).Remedies {
			for line := range strings.Lines(r.Command) {
				if !shell.MatchString(line) || strings.Contains(line, "; ") || strings.Contains(line, ", then") {
					t.Errorf("%s: no command: %s", c.name, line)
				}
			}
			for line := range strings.Lines(r.Config) {
				if regexp.MustCompile(`^(sysctl|netsh|ip|ss) `).MatchString(line) {
					t.Errorf("%s: a command: %s", c.name, line)
				}
			}
		}
	}
}

// in is a finding that most of the ports to the database are used, where the
// processes are in another namespace.
func in(scope source.Scope, changes ...func(*model.State)) (*model.State, model.Finding) {
	st := with(host(), towards(database, 9804, 8202, 8000))
	st.Snapshot.Scope = scope
	f := critical
	f.Count, f.Of = 18006, 28232
	return with(st, changes...), f
}

// A command that is typed on the host acts on the namespace that is in trouble.
func TestCommandsEnterTheNamespace(t *testing.T) {
	t.Parallel()
	pod := source.Scope{Kind: source.ScopePod, Name: "shop/api-7d9f", PID: 4410}
	for _, test := range []struct {
		name    string
		scope   source.Scope
		problem model.Problem
		want    string
	}{
		{"a pod's range", pod, model.TupleFull, "nsenter -t 4410 -n sysctl -w net.ipv4.ip_local_port_range="},
		{"a pod's sockets", pod, model.CloseWait, "nsenter -t 4410 -n ss -tanp"},
		{"a pod's packets", pod, model.SynSent, "nsenter -t 4410 -n tcpdump"},
		{"a pod's firewall", pod, model.SynSent, "nsenter -t 4410 -n nft insert"},
		{"a pod is started anew", pod, model.CloseWait, "kubectl delete pod -n shop api-7d9f"},
		{"a named one without a process", source.Scope{Kind: source.ScopeNamed, Name: "blue"}, model.TupleFull, "ip netns exec blue sysctl -w"},
		{"the host", source.Scope{Kind: source.ScopeHost, PID: 1}, model.SynSent, "tcpdump -ni any"},
	} {
		st, f := in(test.scope)
		f.Problem = test.problem
		said := told(st, &f)
		if !strings.Contains(said, "\n$ "+test.want) {
			t.Errorf("%s: want %q in\n%s", test.name, test.want, said)
		}
		if test.scope.Kind != source.ScopeHost && regexp.MustCompile(`(?m)^\$ (sysctl|ss|tcpdump|nft|ip address)`).MatchString(said) {
			t.Errorf("%s: a command for the host in\n%s", test.name, said)
		}
	}
}

// A name that a shell would not take as one is never part of a command.
func TestNamesInCommandsAreHarmless(t *testing.T) {
	t.Parallel()
	for _, scope := range []source.Scope{
		{Kind: source.ScopeNamed, Name: "blue; reboot"}, {Kind: source.ScopePod, Name: "shop/$(reboot)", PID: 4410},
		{Kind: source.ScopePod, Name: "-A/-rf", PID: 4410},
	} {
		for _, problem := range []model.Problem{model.TupleFull, model.CloseWait} {
			st, f := in(scope)
			f.Problem = problem
			if said := told(st, &f); strings.Contains(said, "reboot") || strings.Contains(said, "-rf") {
				t.Error(said)
			}
		}
	}
}

// A wider range that is not wide enough is not said to sustain anything.
func TestWiderIsNotAlwaysEnough(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		o     model.Outlook
		want  string
		never string
	}{
		{"closes fit in then", model.Outlook{Trend: model.TrendFull, CloseRate: 500, Plateau: 39_804}, "; sustains ", "not enough"},
		{"closes do not", model.Outlook{Trend: model.TrendFull, CloseRate: 2000, Plateau: 129_804}, "not enough for what closes now, which needs 129,804", "sustains"},
		{"nothing closes", model.Outlook{Trend: model.TrendFull, Plateau: 28_232}, "+27,064 ports, 55,296 to each destination\n", "sustains"},
	} {
		st, f := in(source.Scope{})
		st.TCP.Pressure.Tuples[0].Outlook = test.o
		for _, r := range advice.Of(st, &f).Remedies {
			if said := r.Effect + "\n"; strings.HasPrefix(r.What, "widen") && (!strings.Contains(said, test.want) || strings.Contains(said, test.never)) {
				t.Errorf("%s: %s", test.name, said)
			}
		}
	}
}

// No figure is above what the range can hold.
func TestFiguresFitTheRange(t *testing.T) {
	t.Parallel()
	st := with(host(), towards(database, 3, 28_229, 0))
	f := model.Finding{
		Problem: model.NoPooling, Level: model.LevelCritical, Tuple: database, Process: java, Tier: model.OwnerObserved,
		Rate: 1200, Count: 28_229, Live: 3, Of: 28_232, Plateau: 72_003,
	}
	if said := advice.Of(st, &f).Why; !strings.Contains(said, "more than the 28,232 ports there are, for 3 connections") {
		t.Error(said)
	}
	f = model.Finding{Problem: model.BoundFirst, Process: java, Count: 28_000, Suspected: 5_000, Of: 28_232}
	if said := told(st, &f); strings.Contains(said, "33,000") {
		t.Error(said)
	}
}

// Ports that servers listen on were not bound by a client.
func TestWhyAllPortsAreBlocked(t *testing.T) {
	t.Parallel()
	for _, bound := range []int{0, 30} {
		st := with(host(), settings(func(s *source.Settings) { s.Range = source.PortRange{Low: 40000, High: 40049} }), towards(database, 0, 0, 0))
		p := &st.TCP.Pressure
		p.Blocked, p.Tuples[0].Blocked, p.Tuples[0].Used, p.Tuples[0].Free = 50, 50, 50, 0
		if bound > 0 {
			st.Findings = []model.Finding{{Problem: model.BoundFirst, Process: none, Count: bound}}
		}
		f := critical
		said := told(st, &f)
		if strings.Contains(said, "bound before connect()") != (bound > 0) {
			t.Errorf("%d bound: %s", bound, said)
		}
	}
}

// Nothing has to be set up for more source addresses on loopback.
func TestMoreSourcesOnLoopback(t *testing.T) {
	t.Parallel()
	for _, problem := range []model.Problem{model.TupleFull, model.PrivatePool} {
		st := with(host(), towards(tuple("127.0.0.1", "10.0.0.9:5432"), 18_006, 0, 0))
		f := critical
		f.Problem, f.Tuple, f.Limit = problem, st.TCP.Pressure.Tuples[0].TupleKey, model.Limit{Kind: model.PoolSourcePorts, Low: 2000, High: 2019}
		if said := told(st, &f); strings.Contains(said, "ip address add") || !strings.Contains(said, "bind the source to 127.0.0.2") {
			t.Error(said)
		}
	}
}

// told is a finding as it is written.
func told(st *model.State, f *model.Finding) string {
	a := advice.Of(st, f)
	return written(&a)
}
