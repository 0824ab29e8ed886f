package firewall

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

var defaultRange = source.PortRange{Low: 32768, High: 60999}

// story tells a report in short lines.
func story(f source.Firewall) []string {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, r := range f.Returns {
		line := r.Family + " " + r.Protocol + ":"
		for _, part := range []struct {
			name  string
			ports []source.PortRange
		}{{"accepted", r.Accepted}, {"refused", r.Refused}, {"unclear", r.Unclear}, {"untracked", r.Untracked}} {
			if len(part.ports) > 0 {
				line += " " + part.name + " " + spans(part.ports)
			}
		}
		if r.Stateful {
			line += " stateful"
		}
		say("%s", line)
	}
	for _, d := range f.PortDrops {
		say("drops %s: %s: %s", spans(d.Ports), d.Chain, d.Text)
	}
	for _, r := range f.Exceptions {
		say("exception: %s: %s", r.Chain, r.Text)
	}
	for _, r := range f.Unjudged {
		say("unjudged: %s: %s", r.Chain, r.Text)
	}
	for _, r := range f.NoTrack {
		say("notrack: %s: %s", r.Chain, r.Text)
	}
	for _, s := range f.SNAT {
		say("snat: %d of %v to %q: %s: %s", s.PortCount, s.Ports, s.Address, s.Chain, s.Text)
	}
	return lines
}

// spans writes "80,1024-2047".
func spans(list []source.PortRange) string {
	var texts []string
	for _, r := range list {
		if r.Low == r.High {
			texts = append(texts, fmt.Sprint(r.Low))
		} else {
			texts = append(texts, r.String())
		}
	}
	return strings.Join(texts, ",")
}

// sortedSet is a copy of texts in order, each once.
func sortedSet(texts []string) []string {
	texts = slices.Clone(texts)
	slices.Sort(texts)
	return slices.Compact(texts)
}

// nftCase is a script for nft, whose answer stands beside it in testdata.
type nftCase struct {
	name   string // the file
	says   string // what the rules are about
	drops  int    // policies that drop
	rules  int
	report []string
}

const (
	allOpen     = "accepted 32768-60999"
	allStateful = "accepted 32768-60999 stateful"
	allRefused  = "refused 32768-60999"
)

// each gives one line for each family and protocol.
func each(v4tcp, v4udp, v6tcp, v6udp string, more ...string) []string {
	return append([]string{"ipv4 tcp: " + v4tcp, "ipv4 udp: " + v4udp, "ipv6 tcp: " + v6tcp, "ipv6 udp: " + v6udp}, more...)
}

func nftCases() []nftCase {
	const banned = "exception: inet filter input: ip saddr @banned drop"
	return []nftCase{
		{"stateful", "a verdict map on the state, and a policy that drops", 1, 4,
			each(allStateful, allStateful, allStateful, allStateful)},
		{"stateless", "ports named one by one, too few of TCP", 1, 4,
			each("accepted 32768-50000 refused 50001-60999", allOpen, "accepted 32768-50000 refused 50001-60999", allOpen)},
		{"holes", "drops of named ports, before and after the rule on the state", 0, 5,
			each("accepted 33000-40099,40200-44999,45001-59999 refused 32768-32999,40100-40199,45000,60000-60999",
				"accepted 32768-32999,34000-59999 refused 33000-33999,60000-60999",
				"accepted 33000-40099,40200-44999,45001-59999 refused 32768-32999,40100-40199,45000,60000-60999",
				"accepted 32768-59999 refused 60000-60999",
				"drops 32768-32999,45000: inet filter input: tcp dport @closed reject",
				"drops 33000-33999: ip raw prerouting: udp dport 33000-33999 drop",
				"drops 40100-40199: inet filter input: tcp dport vmap { 22 : accept, 40000-40199 : drop }",
				`drops 60000-60999: inet filter input: meta l4proto { tcp, udp } th dport 60000-65535 counter log prefix "x" drop`)},
		{"chains", "jump, goto and return", 0, 9,
			each("accepted 32768-39999,40010-60999 refused 40000-40009", allStateful,
				"accepted 32768-39999,40010-60999 refused 40000-40009", allStateful,
				"drops 40000-40009: inet filter refused: drop")},
		{"toolate", "the rule on the state behind one that rejects all", 0, 4,
			each(allRefused, allRefused, allRefused, allRefused)},
		{"peers", "rules for some peers only", 1, 4,
			each("unclear 32768-60999", "unclear 32768-60999", allStateful, "accepted 32768-60999 stateful",
				banned,
				"unjudged: inet filter input: ip saddr 10.0.0.0/8 tcp dport 32768-60999 accept",
				"unjudged: inet filter input: udp sport 53 accept")},
		{"notrack", "ports without connection tracking", 1, 3,
			each("accepted 40001-60999 refused 32768-40000 untracked 32768-40000", "unclear 32768-60999",
				"accepted 40001-60999 refused 32768-40000 untracked 32768-40000", "unclear 32768-60999",
				"unjudged: inet raw prerouting: udp sport 53 notrack",
				"unjudged: inet filter input: ct state established,related accept",
				"notrack: inet raw prerouting: tcp dport 32768-40000 notrack",
				"notrack: inet raw prerouting: udp sport 53 notrack")},
		{"zones", "zones by interface behind the rule on the state, as firewalld has them", 0, 9,
			each(allStateful, allStateful, allStateful, allStateful,
				"exception: inet firewalld prerouting: meta nfproto ipv6 fib saddr . iif oif missing drop")},
		{"interfaces", "drops on one interface only", 0, 2,
			each("accepted 32768-39999 unclear 40000-60999", allOpen, "accepted 32768-39999 unclear 40000-60999", allOpen,
				"drops 40000-60999: inet filter wan: tcp dport 40000-60999 drop",
				`unjudged: inet filter input: iifname vmap { "lo" : accept, "eth0" : jump wan }`)},
		{"states", "states that are not one, and several", 1, 2,
			each("accepted 40001-60999 unclear 32768-40000", allStateful, "accepted 40001-60999 unclear 32768-40000", allStateful,
				"drops 32768-40000: inet filter late: tcp dport 32768-40000 ct state != established | related drop",
				"unjudged: inet filter late: tcp dport 32768-40000 ct state != established | related drop")},
		{"snat", "source translation with and without ports", 0, 5,
			each(allOpen, allOpen, allOpen, allOpen,
				`snat: 20 of 40000-40019 to "192.0.2.1": ip nat postrouting: oifname "eth0" ip protocol tcp snat to 192.0.2.1:40000-40019`,
				`snat: 100 of 40000-40099 to "": ip nat postrouting: ip protocol tcp masquerade to :40000-40099`,
				`snat: 1024 of 1024-2047 to "192.0.2.1-192.0.2.4": ip nat postrouting: meta l4proto udp snat to 192.0.2.1-192.0.2.4:1024-2047 persistent`,
				`snat: 64512 of 0-0 to "192.0.2.9": ip nat postrouting: snat to ip saddr map { 10.0.0.1 : 192.0.2.9 }`,
				`snat: 64512 of 0-0 to "": ip nat postrouting: masquerade`)},
	}
}

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkNFT compares a report with what a case expects.
func checkNFT(t *testing.T, want nftCase, got source.Firewall) {
	t.Helper()
	if !got.OK() {
		t.Fatalf("status %+v", got.Status)
	}
	if diff := cmp.Diff(want.report, story(got)); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	drops := 0
	for _, p := range got.Policies {
		if p.Policy == "drop" {
			drops++
		}
	}
	if drops != want.drops || got.Rules != want.rules {
		t.Errorf("%d policies that drop and %d rules, want %d and %d", drops, got.Rules, want.drops, want.rules)
	}
}

func TestNFT(t *testing.T) {
	for _, tt := range nftCases() {
		t.Run(tt.name, func(t *testing.T) {
			result, err := parseNFT(testdata(t, tt.name+".json"), testdata(t, tt.name+".list"))
			if err != nil {
				t.Fatal(err)
			}
			checkNFT(t, tt, judged(result.rules, defaultRange))
		})
	}
}

// Who refuses answers is the chain that the kernel asks, whichever of those that it jumps
// to does so, and each that does.
func TestWhoRefuses(t *testing.T) {
	d, err := parseNFT([]byte(`{"nftables": [
		{"chain": {"family": "ip", "table": "early", "name": "pre", "type": "filter", "hook": "prerouting", "prio": -300, "policy": "accept"}},
		{"chain": {"family": "inet", "table": "f", "name": "in", "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}},
		{"chain": {"family": "inet", "table": "f", "name": "deep"}},
		{"chain": {"family": "inet", "table": "open", "name": "in", "type": "filter", "hook": "input", "prio": 5, "policy": "accept"}},
		{"chain": {"family": "ip6", "table": "g", "name": "in", "type": "filter", "hook": "input", "prio": 10, "policy": "drop"}},
		{"rule": {"family": "ip", "table": "early", "chain": "pre", "handle": 1, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": {"range": [40000, 40009]}}}, {"drop": null}]}},
		{"rule": {"family": "inet", "table": "f", "chain": "in", "handle": 2, "expr": [{"jump": {"target": "deep"}}]}},
		{"rule": {"family": "inet", "table": "f", "chain": "deep", "handle": 3, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"range": [50000, 50009]}}}, {"drop": null}]}}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	deep, early, g := source.Refuser{Chain: "inet f in"}, source.Refuser{Chain: "ip early pre", Early: true}, source.Refuser{Chain: "ip6 g in"}
	want := [][]source.Refuser{{deep}, {early}, {g, deep}, {g}}
	for i, r := range judged(d.rules, defaultRange).Returns {
		if diff := cmp.Diff(want[i], r.RefusedBy); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", r.Family, r.Protocol, diff)
		}
	}
}

// nftReport is the report on one rule in a chain that accepts.
func nftReport(t *testing.T, expr string) []string {
	t.Helper()
	d, err := parseNFT([]byte(`{"nftables": [
		{"chain": {"family": "ip", "table": "f", "name": "c", "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}},
		{"rule": {"family": "ip", "table": "f", "chain": "c", "handle": 7, "expr": [`+expr+`, {"drop": null}]}}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	return story(judged(d.rules, defaultRange))
}

func TestNFTConditionsThatAreNotJudged(t *testing.T) {
	t.Parallel()
	for name, expr := range map[string]string{
		"a set whose elements were left out": `{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": "@closed"}}`,
		"a set that limits":                  `{"set": {"op": "add", "elem": {"payload": {"protocol": "ip", "field": "saddr"}}, "set": "@flood", "stmt": [{"limit": {"rate": 9, "per": "second", "inv": true}}]}}`,
		"part of a port":                     `{"match": {"op": "==", "left": {"&": [{"payload": {"protocol": "tcp", "field": "dport"}}, 1]}, "right": 1}}`,
		"ports joined":                       `{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": []}}`,
		"numbers of protocols":               `{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": {"range": [6, 17]}}}`,
		"a mark":                             `{"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 1}}`,
		"a statement that nobody knows":      `{"magic": null}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := nftReport(t, expr)
			if want := "ipv4 tcp: unclear 32768-60999"; got[0] != want {
				t.Errorf("got  %s\nwant %s", got[0], want)
			}
			// Without nft's own text a rule goes by its handle.
			if want := "unjudged: ip f c: the rule with handle 7"; !slices.Contains(got, want) {
				t.Errorf("no %q in %q", want, got)
			}
		})
	}
}

func TestNFTSaysWhenItBreaksOff(t *testing.T) {
	for name, data := range map[string]string{
		"a dormant table, nft 1.0.6": string(testdata(t, "dormant.json")),
		"nothing":                    "",
		"another document":           `{"metrics": []}`,
		"a rule without its chain":   `{"nftables": [{"rule": {"family": "ip", "table": "t", "chain": "c", "expr": []}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseNFT([]byte(data), nil); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestNFTNamesFamiliesOfIPTables(t *testing.T) {
	result, err := parseNFT(testdata(t, "ufw-xt.json"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]bool{"ip": true}, result.foreign); diff != "" {
		t.Errorf("families (-want +got):\n%s", diff)
	}
	// Of itself nft does not tell that the state is what the rule is on.
	if got := story(judged(result.rules, defaultRange))[0]; strings.Contains(got, "stateful") || !strings.Contains(got, "unclear") {
		t.Errorf("judged from conditions that nft does not tell: %s", got)
	}
}

// iptablesReports are what the rules of a file mean, whichever backend has
// them; TOOL stands for its name.
func iptablesReports() map[string][]string {
	return map[string][]string{
		"ufw": each(allStateful, allStateful, allOpen, allOpen,
			"notrack: TOOL raw PREROUTING: -p udp -m udp --dport 53 -j CT --notrack",
			`snat: 20 of 40000-40019 to "192.0.2.1": TOOL nat POSTROUTING: -o eth0 -p tcp -j SNAT --to-source 192.0.2.1:40000-40019`,
			`snat: 64512 of 0-0 to "192.0.2.1-192.0.2.4": TOOL nat POSTROUTING: -o eth0 -j SNAT --to-source 192.0.2.1-192.0.2.4 --random-fully`,
			`snat: 100 of 40000-40099 to "": TOOL nat POSTROUTING: -p tcp -j MASQUERADE --to-ports 40000-40099`,
			`snat: 64512 of 0-0 to "": TOOL nat POSTROUTING: -j MASQUERADE`),
		"acl": each("accepted 32768-49151,50000-50010,50020 refused 49152-49999,50011-50019,50021-60000 unclear 60001-60999",
			allRefused, allOpen, allOpen,
			"drops 32768-60999: TOOL filter INPUT: -p udp -m udp --dport 32768:65535 -j REJECT --reject-with icmp-port-unreachable",
			"unjudged: TOOL filter INPUT: -s 10.0.0.0/8 -p tcp -m tcp ! --dport 32768:60000 -j ACCEPT"),
	}
}

// ofTool puts the name of a tool into a report.
func ofTool(report []string, tool string) []string {
	var lines []string
	for _, line := range report {
		lines = append(lines, strings.Replace(line, "TOOL", tool, 1))
	}
	return lines
}

func TestIPTables(t *testing.T) {
	for name, report := range iptablesReports() {
		for _, kind := range []string{"nft", "legacy"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				s, err := parseSaved(testdata(t, name+"-"+kind+".save"), false, kind)
				if err != nil {
					t.Fatal(err)
				}
				if s.nft != (kind == "nft") {
					t.Errorf("said to be of nf_tables: %v", s.nft)
				}
				want := ofTool(report, "iptables-"+kind)
				if diff := cmp.Diff(sortedSet(want), sortedSet(story(judged(s.rules, defaultRange)))); diff != "" {
					t.Errorf("report (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestIPTablesConditions(t *testing.T) {
	const established = "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
	tests := []struct {
		name, rules string
		v6          bool
		want        string
	}{
		{"no rules at all", "", false, allRefused},
		{"the older match on the state", "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT", false, allStateful},
		{"all but new ones", "-A INPUT -m conntrack ! --ctstate NEW -j ACCEPT", false, allStateful},
		{"new ones only", "-A INPUT -m conntrack --ctstate NEW -j ACCEPT", false, allRefused},
		{"replies", "-A INPUT -m conntrack --ctdir REPLY -j ACCEPT", false, "unclear 32768-60999"},
		{"a limit", "-A INPUT -m limit --limit 9/sec -j DROP\n" + established, false, "unclear 32768-60999"},
		{"to addresses of this host", "-A INPUT -m addrtype ! --dst-type LOCAL -j DROP\n" + established, false, "unclear 32768-60999"},
		{"on loopback only", "-A INPUT -i lo -m conntrack --ctstate ESTABLISHED -j ACCEPT", false, allRefused},
		{"on one interface", "-A INPUT -i eth0 -m conntrack --ctstate ESTABLISHED -j ACCEPT", false, "unclear 32768-60999"},
		{"off loopback", "-A INPUT ! -i lo -m conntrack --ctstate ESTABLISHED -j ACCEPT", false, allStateful},
		{"a scan is no answer", "-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -j DROP\n" + established, false, allStateful},
		{"a set of addresses", "-A INPUT -m set --match-set bad src -j DROP\n" + established, false, allStateful},
		{"all but a set of addresses", "-A INPUT -m set ! --match-set good src -j DROP\n" + established, false, "unclear 32768-60999"},
		{"a log before", "-A INPUT -j LOG --log-prefix \"-j DROP \"\n" + established, false, allStateful},
		{"handed to a program", "-A INPUT -j NFQUEUE --queue-num 1\n" + established, false, "unclear 32768-60999"},
		{"a target that nobody knows", "-A INPUT -j MAGIC\n" + established, false, "unclear 32768-60999"},
		{"another protocol", "-A INPUT -p icmp -j DROP\n" + established, false, allStateful},
		{"of IPv6", "-A INPUT -p ipv6-icmp -j ACCEPT\n" + established, true, allStateful},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := parseSaved([]byte("*filter\n:INPUT DROP [0:0]\n"+tt.rules+"\nCOMMIT\n"), tt.v6, "nft")
			if err != nil {
				t.Fatal(err)
			}
			line, want := 0, "ipv4 tcp: "+tt.want
			if tt.v6 {
				line, want = 2, "ipv6 tcp: "+tt.want
			}
			if got := story(judged(s.rules, defaultRange))[line]; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestIPTablesRefusesWhatIsNotItsFormat(t *testing.T) {
	for _, text := range []string{
		"-A INPUT -j ACCEPT", "*filter\n-A INPUT -j ACCEPT", "*filter\n:INPUT\n", "*filter\nhello",
		"*filter\n[0:0]",
	} {
		if _, err := parseSaved([]byte(text), false, "nft"); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestJumpsInACircleEnd(t *testing.T) {
	s, err := parseSaved([]byte(`*filter
:INPUT ACCEPT [0:0]
:a - [0:0]
:b - [0:0]
-A INPUT -j a
-A a -p tcp -j b
-A a -j b
-A b -p tcp -j a
-A b -j a
COMMIT
`), false, "")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := story(judged(s.rules, defaultRange))[0], "ipv4 tcp: unclear 32768-60999"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
