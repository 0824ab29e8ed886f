package advice_test

import (
	"strings"
	"testing"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

// What helps a container is set in it, and not on the host.
func TestRemediesOfContainers(t *testing.T) {
	t.Parallel()
	const plain = "sysctl -w net.ipv4.ip_local_port_range="
	for _, test := range []struct {
		scope     source.Scope
		want, end string
	}{
		{source.Scope{}, plain, "/etc/sysctl.d"},
		{source.Scope{Kind: source.ScopeHost, PID: 1}, plain, "/etc/sysctl.d"},
		{source.Scope{Kind: source.ScopeNamed}, plain, "/etc/sysctl.d"},
		{source.Scope{Kind: source.ScopeUnnamed, Netns: 9}, "nsenter -t PID -n " + plain, "lost when it ends"},
		{source.Scope{Kind: source.ScopePod, PID: 4410}, "nsenter -t 4410 -n " + plain, "securityContext.sysctls has it"},
		{source.Scope{Kind: source.ScopeContainer, PID: 51}, "nsenter -t 51 -n " + plain, "started with it (--sysctl)"},
		{source.Scope{Kind: source.ScopeNamed, PID: 51}, "nsenter -t 51 -n " + plain, "lost when it ends"},
		{source.Scope{Kind: source.ScopeNamed, Netns: 9, Name: "_blue.1"}, "ip netns exec _blue.1 " + plain, "lost when it ends"},
		{source.Scope{Kind: source.ScopeNamed, Netns: 9, Name: "a b"}, "ip netns exec NAME " + plain, "lost when it ends"},
		{source.Scope{Kind: source.ScopeNamed, Netns: 9, Name: "x\x1b[2J"}, "ip netns exec NAME " + plain, "lost when it ends"},
		{source.Scope{Kind: source.ScopeNamed, Netns: 9}, "nsenter -t PID -n " + plain, "lost when it ends"},
		{source.Scope{Kind: source.ScopePod, Netns: 9, Name: "shop/web"}, "nsenter -t PID -n " + plain, "securityContext.sysctls has it"},
		{source.Scope{Kind: source.ScopeContainer, Netns: 9, Name: "web"}, "nsenter -t PID -n " + plain, "started with it (--sysctl)"},
		{source.Scope{Kind: source.ScopeUnit, Netns: 9, Name: "web.service"}, "nsenter -t PID -n " + plain, "lost when it ends"},
	} {
		st := host()
		st.Snapshot.Scope = test.scope
		st.Snapshot.Settings.Range = source.PortRange{Low: 40000, High: 40099}
		a := advice.Of(st, &model.Finding{Problem: model.NarrowRange, Process: source.NoProcess})
		if len(a.Remedies) == 0 {
			t.Fatal("no remedy")
		}
		for _, r := range a.Remedies {
			if !strings.HasPrefix(r.Command, test.want) || !strings.HasSuffix(r.Risk, test.end) {
				t.Errorf("%+v: %q, %q", test.scope, r.Command, r.Risk)
			}
		}
	}
}

// So is what doctor says to do about the evidence, which is of that namespace.
func TestStepsOfContainers(t *testing.T) {
	t.Parallel()
	read := source.Status{Outcome: source.OutcomeRead}
	ev := source.Evidence{
		Firewall: source.Firewall{
			Status: read, Rules: 2, Tools: []string{"nft"},
			Returns:  []source.ReturnTraffic{{Family: "ipv4", Protocol: "tcp", Refused: []source.PortRange{{Low: 40000, High: 40099}}}},
			Forwards: []source.ForwardRule{{Ports: []source.PortRange{{Low: 40007, High: 40007}}}},
		},
		Sysctls: source.Sysctls{Status: read, Settings: []source.Sysctl{{Name: "net.ipv4.tcp_timestamps", Value: "0", Default: "1", DefaultKnown: true, Status: read}}},
	}
	for _, test := range []struct {
		scope source.Scope
		want  string
		other bool // it is not the host's
	}{
		{source.Scope{Kind: source.ScopeHost, PID: 1, Netns: 1}, ": ", false},
		{source.Scope{Kind: source.ScopeContainer, PID: 51, Netns: 9}, "nsenter -t 51 -n ", true},
	} {
		st := host()
		st.Snapshot.Scope = test.scope
		st.Snapshot.Settings.Range = source.PortRange{Low: 40000, High: 40099}
		all := ""
		for _, item := range advice.Checklist(st, &ev, advice.Sample{Polls: 1}) {
			all += strings.Join(append(item.Seen, item.Next...), "\n") + "\n"
		}
		for _, command := range []string{"nft insert rule", "sysctl -w net.ipv4.ip_local_reserved_ports"} {
			if !strings.Contains(all, test.want+command) {
				t.Errorf("%v: no %q in\n%s", test.scope.Kind, test.want+command, all)
			}
		}
		if strings.Contains(all, "rules of this namespace") != test.other || strings.Contains(all, "\nnsenter -t 51 -n sysctl -w net.ipv4.tcp_timestamps=1") != test.other {
			t.Errorf("%v:\n%s", test.scope.Kind, all)
		}
	}
}
