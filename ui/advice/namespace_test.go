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
