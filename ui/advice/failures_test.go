package advice_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

func TestWanting(t *testing.T) {
	for _, c := range []struct {
		f    model.Failures
		want string
	}{
		{model.Failures{}, "0 connects"},
		{model.Failures{Count: 1}, "1 connect"},
		{model.Failures{Count: 20, Binds: 20}, "20 binds"},
		{model.Failures{Count: 5, UDP: 5}, "5 UDP sockets"},
		{model.Failures{Count: 2000, Binds: 1, UDP: 1}, "1,998 connects, 1 bind, 1 UDP socket"},
		{model.Failures{Count: 12, Lost: 3}, "at least 12 connects"},
		{model.Failures{Lost: 3}, "0 connects"},
		{model.Failures{Count: 12, Binds: 12, Lost: 3}, "at least 12 binds"},
	} {
		if got := advice.Wanting(&c.f); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	aside := advice.Aside(&model.Failures{Taken: 2, Refused: 1, Unplaced: 60, Lost: 4})
	want := []string{
		"2 binds to a port that somebody has", "1 call for want of an address, not of a port",
		"60 connects that the ports here do not explain: in another network namespace, or in a range of the process's own",
		"4 events lost: there may be more of each",
	}
	if diff := cmp.Diff(want, aside); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The phrase of the log has several causes, and a wider range cures one of them
// alone: no point of the checklist offers it.
func TestTheLogIsNoProofOfExhaustion(t *testing.T) {
	ev := &source.Evidence{Log: source.SystemLog{
		Status: source.Status{Outcome: source.OutcomeRead},
		Phrases: []source.LogPhrase{{Text: "cannot assign requested address", Sightings: []source.LogSighting{
			{Place: "journal", Count: 3, Line: "app: connect: Cannot assign requested address"}}}},
	}}
	items := advice.Checklist(host(), ev, advice.Sample{})
	at := slices.IndexFunc(items, func(i advice.Item) bool { return i.Topic == model.TopicLog })
	if words := strings.Join(items[at].Seen, "\n"); items[at].Verdict != model.VerdictUnknown || !strings.Contains(words, "no proof") {
		t.Errorf("%v: %s", items[at].Verdict, words)
	}
	for _, i := range items {
		if next := strings.Join(i.Next, "\n"); strings.Contains(next, "widen") {
			t.Errorf("%v: %s", i.Topic, next)
		}
	}
}

// What is not the ports is not cured by more of them.
func TestRefusedAddressesOfferNoWiderRange(t *testing.T) {
	told := 0
	for _, c := range cases() {
		if c.f.Problem != model.AddressRefused {
			continue
		}
		told++
		for _, r := range advice.Of(c.state, &c.f).Remedies {
			if strings.Contains(r.What+r.Command, "range") {
				t.Errorf("%s: %s", c.name, r.What)
			}
		}
	}
	if told == 0 {
		t.Error("no case tells of it")
	}
}

// Each process of a program that is started anew is not told of by itself.
func TestRefusedAddressesCountTheProcesses(t *testing.T) {
	t.Parallel()
	for _, c := range cases() {
		if c.f.Problem != model.AddressRefused {
			continue
		}
		by := c.state.Failures.RefusedBy[c.f.Index]
		by.Process.PID++
		c.state.Failures.RefusedBy = append(c.state.Failures.RefusedBy, by, by)
		if a := advice.Of(c.state, &c.f); !strings.Contains(a.Seen, " and 2 more of that name to ") {
			t.Errorf("%s: %s", c.name, a.Seen)
		}
	}
}

// What one finding has reserved, the line of another does not undo.
func TestOneLineReservesAll(t *testing.T) {
	st := with(host(), settings(func(s *source.Settings) { s.Reserved = []source.PortRange{{Low: 8080, High: 8080}} }))
	st.Stolen = []model.Stolen{{Port: 40050, Refused: 1}, {Port: 40051, Refused: 1}}
	for i := range st.Stolen {
		st.Findings = append(st.Findings, model.Finding{Problem: model.StolenPort, Process: java, Tuple: database, Ports: []uint16{st.Stolen[i].Port}, Index: i})
	}
	st.Findings = append(st.Findings, model.Finding{Problem: model.ListenerInRange, Process: postgres, Ports: []uint16{33060}})
	for i := range st.Findings {
		r := advice.Of(st, &st.Findings[i]).Remedies[0]
		want := "sysctl -w net.ipv4.ip_local_reserved_ports=\"8080,33060,40050-40051\"\n" +
			"echo 'net.ipv4.ip_local_reserved_ports = 8080,33060,40050-40051' > /etc/sysctl.d/60-reserved-ports.conf"
		if r.Command != want {
			t.Errorf("%v: %s", st.Findings[i].Problem, r.Command)
		}
	}
	st.Snapshot.Scope = source.Scope{Name: "api", Kind: source.ScopeContainer, PID: 44}
	if r := advice.Of(st, &st.Findings[0]).Remedies[0]; strings.Contains(r.Command, "/etc") || !strings.Contains(r.Command, "nsenter -t 44 -n sysctl") {
		t.Errorf("in a container: %s", r.Command)
	}
}

// A rule that waits on a port of the range is named, with the line that reserves it
// and what is reserved already.
func TestForwardsAreNamed(t *testing.T) {
	ev := &source.Evidence{Firewall: source.Firewall{
		Status: source.Status{Outcome: source.OutcomeRead}, Tools: []string{"nft"},
		Forwards: []source.ForwardRule{
			{FirewallRule: source.FirewallRule{Chain: "ip nat pre", Text: "tcp dport 40050 dnat to 10.9.9.9:80"},
				Ports: []source.PortRange{{Low: 40050, High: 40050}}, To: "10.9.9.9:80"},
			{Ports: []source.PortRange{{Low: 40052, High: 40060}}},
		},
	}}
	st := with(host(), settings(func(s *source.Settings) {
		s.Reserved = []source.PortRange{{Low: 40051, High: 40051}, {Low: 8080, High: 8080}}
	}))
	items := advice.Checklist(st, ev, advice.Sample{})
	at := slices.IndexFunc(items, func(i advice.Item) bool { return i.Topic == model.TopicFirewall })
	want := "a rule sends 40050 to 10.9.9.9:80: an outgoing connection may be given that port; in ip nat pre: tcp dport 40050 dnat to 10.9.9.9:80"
	if !slices.Contains(items[at].Seen, want) {
		t.Errorf("%q, want %q", items[at].Seen, want)
	}
	if next := strings.Join(items[at].Next, "\n"); !strings.Contains(next, `ip_local_reserved_ports="8080,40050-40060"`) {
		t.Errorf("next: %s", next)
	}
}
