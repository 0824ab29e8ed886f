package advice_test

import (
	"slices"
	"strings"
	"testing"

	"ephtop/source"
	"ephtop/ui/advice"
)

// Answers are let in where they are refused, by the tool that the chain is of.
func TestLetAnswersIn(t *testing.T) {
	t.Parallel()
	const match = " -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
	for _, test := range []struct {
		by   source.Refuser
		want string
	}{
		{source.Refuser{Chain: "inet filter input"}, "nft insert rule inet filter input ct state established,related accept"},
		{source.Refuser{Chain: "inet my-own in.1"}, "nft insert rule inet my-own in.1 ct state established,related accept"},
		{source.Refuser{Chain: "ip filter INPUT"}, "iptables-nft -I INPUT" + match},
		{source.Refuser{Chain: "ip6 mangle PREROUTING"}, "ip6tables-nft -t mangle -I PREROUTING" + match},
		{source.Refuser{Chain: "ip firewalld INPUT"}, "nft insert rule ip firewalld INPUT ct state established,related accept"},
		{source.Refuser{Chain: "iptables-legacy filter INPUT"}, "iptables-legacy -I INPUT" + match},
		{source.Refuser{Chain: "ip6tables-legacy security INPUT"}, "ip6tables-legacy -t security -I INPUT" + match},
		{source.Refuser{Chain: "iptables-legacy raw PREROUTING", Early: true}, "iptables-legacy raw PREROUTING, which is asked before connection tracking, must accept these ports"},
		{source.Refuser{Chain: "inet a;reboot input"}, "accept those to own connections first in inet a;reboot input"},
		{source.Refuser{Chain: "inet -f input"}, "accept those to own connections first in inet -f input"},
	} {
		ev := source.Evidence{Firewall: source.Firewall{
			Status:  source.Status{Outcome: source.OutcomeRead},
			Returns: []source.ReturnTraffic{{Family: "ipv4", Protocol: "tcp", Refused: []source.PortRange{{Low: 40000, High: 40099}}, RefusedBy: []source.Refuser{test.by}}},
		}}
		var steps []string
		for _, item := range advice.Checklist(host(), &ev, advice.Sample{Polls: 1}) {
			for _, step := range item.Next {
				if step, ok := strings.CutPrefix(step, "let answers in: "); ok {
					steps = append(steps, step)
				}
			}
		}
		if !slices.Equal(steps, []string{test.want}) {
			t.Errorf("%+v: %q, want %q", test.by, steps, test.want)
		}
	}
}
