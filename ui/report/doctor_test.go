package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

var asked = time.Date(2026, 11, 22, 12, 4, 31, 0, time.UTC)

func read() source.Status { return source.Status{Outcome: source.OutcomeRead} }

// quietEvidence is that of a host where everything can be read and nothing is
// the matter.
func quietEvidence() *source.Evidence {
	whole := []source.PortRange{{Low: 32768, High: 60999}}
	ev := &source.Evidence{
		Time: asked,
		Firewall: source.Firewall{Status: read(), Tools: []string{"nft"}, Rules: 12, Returns: []source.ReturnTraffic{
			{Family: "ipv4", Protocol: "tcp", Accepted: whole, Stateful: true},
			{Family: "ipv6", Protocol: "tcp", Accepted: whole, Stateful: true},
		}},
		Conntrack: source.Conntrack{Status: read(), Count: 812, Max: 262144, InsertFailed: -1, Drop: -1, EarlyDrop: -1},
		OtherNAT:  source.OtherNAT{Status: read()},
		Log: source.SystemLog{
			Status: read(), Since: asked.Add(-24 * time.Hour),
			Places:  []source.LogPlace{{Name: "journal", Status: read()}, {Name: "kernel log", Status: read()}},
			Phrases: []source.LogPhrase{{Text: "address already in use"}},
		},
		Sysctls: source.Sysctls{Status: read(), Settings: []source.Sysctl{
			{Name: "net.ipv4.tcp_tw_reuse", Status: read(), Value: "2", Default: "2", DefaultKnown: true, Origin: source.OriginDefault},
		}},
	}
	return ev
}

// loudEvidence has a word on everything.
func loudEvidence() *source.Evidence {
	ev := quietEvidence()
	fw := &ev.Firewall
	fw.Tools, fw.Reason = []string{"nft", "iptables-legacy-save"}, "chains on devices (ingress) are not judged"
	fw.Returns[0] = source.ReturnTraffic{Family: "ipv4", Protocol: "tcp", Refused: []source.PortRange{{Low: 50000, High: 60999}},
		Accepted: []source.PortRange{{Low: 32768, High: 49999}}}
	fw.Returns = append(fw.Returns, source.ReturnTraffic{Family: "ipv4", Protocol: "udp", Unclear: []source.PortRange{{Low: 40000, High: 40000}, {Low: 40002, High: 40003}}})
	fw.Unjudged = []source.FirewallRule{{Chain: "inet filter input", Text: "udp dport 40000-40003 meta skuid\x1b[2J 33 accept"}}
	fw.Exceptions = []source.FirewallRule{{Chain: "inet filter input", Text: "ip saddr 10.66.0.0/16 drop"}}
	fw.SNAT = []source.SNATRule{{FirewallRule: source.FirewallRule{Chain: "ip nat postrouting", Text: "oifname eth0 snat to 192.0.2.1:40000-40019"}, PortCount: 20}}
	ev.Conntrack = source.Conntrack{Status: read(), Count: 260000, Max: 262144, InsertFailed: 12, Drop: 4711}
	ev.OtherNAT.IPVS = 12
	ev.Log.Places[0].Reason = "only the newest matches"
	ev.Log.Places = append(ev.Log.Places, source.LogPlace{Name: "/var/log/syslog", Status: source.Status{Outcome: source.OutcomeNotReadable, Reason: "permission denied; run as root"}})
	ev.Log.Phrases = []source.LogPhrase{
		{Text: "address already in use", Sightings: []source.LogSighting{
			{Place: "journal", Count: 12, Last: asked.Add(-time.Hour), Line: "nginx[881]: bind() to 0.0.0.0:40500 failed (98: Address already in use)"}}},
		{Text: "time wait bucket table overflow", Sightings: []source.LogSighting{
			{Place: "kernel log", Count: 1, Line: "TCP: request_sock_TCP: time wait bucket table overflow"}}},
	}
	ev.Sysctls.Settings = []source.Sysctl{
		{Name: "net.ipv4.tcp_tw_reuse", Status: read(), Value: "1", Default: "2", DefaultKnown: true, Origin: source.OriginFile,
			Set: []source.SysctlAssignment{{File: "/etc/sysctl.d/90-ports.conf", Line: 3, Value: "1"}}},
		{Name: "net.ipv4.tcp_timestamps", Status: read(), Value: "0", Default: "1", DefaultKnown: true, Origin: source.OriginUnexplained},
		{Name: "net.ipv4.tcp_fin_timeout", Status: read(), Value: "15", Default: "60", DefaultKnown: true, Origin: source.OriginChanged,
			Set: []source.SysctlAssignment{{File: "/etc/sysctl.d/90-ports.conf", Line: 4, Value: "30"}}},
	}
	ev.Sysctls.Files = []source.SysctlFile{{Path: "/etc/sysctl.d/90-ports.conf", Modified: asked.Add(-48 * time.Hour), Recent: true,
		Names: []string{"net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_fin_timeout"}}}
	return ev
}

func unreadableEvidence() *source.Evidence {
	return &source.Evidence{
		Time:      asked,
		Firewall:  source.Firewall{Status: source.Status{Outcome: source.OutcomeNotReadable, Reason: "only root may read the firewall's rules; run as root"}},
		Conntrack: source.Conntrack{Status: source.Status{Outcome: source.OutcomeNotThere, Reason: "connection tracking (nf_conntrack) is not loaded"}},
		Log:       source.SystemLog{Status: source.Status{Outcome: source.OutcomeNotThere, Reason: "there are no journal files"}},
		Sysctls:   source.Sysctls{Status: source.Status{Outcome: source.OutcomeNotReadable, Reason: "no setting could be read under /proc/sys"}},
	}
}

func diagnoses() map[string]Diagnosis {
	sampled := advice.Sample{Polls: 11, Span: 10 * time.Second}
	loud := busyHost()
	loud.Snapshot.Sockets[established].State = source.SynSent
	loud.Snapshot.Sockets[established].Retransmits = 4
	loud.TCP.States[source.SynSent] = 1
	loud.Failures = model.Failures{Observed: true, Count: 30, Recent: 3, Last: loud.Moment.Time, By: []model.Failure{
		{Process: loud.Processes[java], Destination: addr("10.0.9.2"), Port: 5432, Count: 30},
	}}
	loud.Outlook = model.Outlook{
		Trend: model.TrendFull, In: 86 * time.Second, Rate: 118, CloseRate: 240, Keeps: time.Minute, Sustainable: 333, Plateau: 28222,
	}
	loud.TCP.Pressure.Tuples[0].Outlook = loud.Outlook
	loud.Churn = []model.Churn{{Tuple: loud.TCP.Pressure.Tuples[0].TupleKey, Process: java, Tier: model.OwnerTraced, Live: 41, TimeWait: 9804, CloseRate: 240}}
	f := loud.Findings
	f[0].Rate, f[0].Span = 118, 86*time.Second
	tuple := f[0].Tuple
	to := model.TupleKey{Destination: tuple.Destination, Port: tuple.Port}
	loud.Findings = []model.Finding{
		{Problem: model.ConnectsFail, Level: model.LevelExhausted, Tuple: to, Process: java, Count: 30, Of: 3}, f[0], f[1], f[2],
		{Problem: model.NoPooling, Tuple: tuple, Process: java, Tier: model.OwnerTraced, Count: 9804, Of: 28222, Live: 41,
			Plateau: 14441, Rate: 240, Span: 170833333},
		{Problem: model.SynSent, Tuple: tuple, Process: java, Tier: model.OwnerObserved, Count: 1, Span: 1795349071120000000},
	}
	quiet := busyHost()
	quiet.Findings, quiet.Level, quiet.Outlook = nil, model.LevelOK, model.Outlook{}
	quiet.TCP = model.Protocol{Pressure: model.Pressure{Proto: source.TCP, Usable: 28222}}
	quiet.Moment.Limits, quiet.Snapshot.Settings.Reserved = nil, nil
	return map[string]Diagnosis{
		"loud":       {loud, loudEvidence(), sampled},
		"quiet":      {quiet, quietEvidence(), sampled},
		"unreadable": {idleHost(), unreadableEvidence(), advice.Sample{Polls: 1}},
	}
}

func TestDoctorText(t *testing.T) {
	for name, d := range diagnoses() {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := DoctorText(&out, &d, Options{}); err != nil {
				t.Fatal(err)
			}
			golden.RequireEqual(t, out.Bytes())
			checkPage(t, out.String(), false)
		})
		t.Run(name+" in ASCII", func(t *testing.T) {
			var out bytes.Buffer
			if err := DoctorText(&out, &d, Options{ASCII: true}); err != nil {
				t.Fatal(err)
			}
			checkPage(t, out.String(), true)
		})
	}
}

// checkPage checks what holds for every page.
func checkPage(t *testing.T, page string, ascii bool) {
	t.Helper()
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		command := strings.HasPrefix(line, "          sysctl ")
		if width := ansi.StringWidth(line); width > 80 && !command {
			t.Errorf("line of %d columns: %q", width, line)
		}
		for _, r := range line {
			if unicode.IsControl(r) || ascii && r > unicode.MaxASCII {
				t.Errorf("%U in %q", r, line)
			}
		}
		if strings.HasSuffix(line, " ") {
			t.Errorf("blanks at the end of %q", line)
		}
	}
}

func TestDoctorJSON(t *testing.T) {
	want := map[string]string{"loud": "problem", "quiet": "ok", "unreadable": "not known"}
	for name, d := range diagnoses() {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := DoctorJSON(&out, &d, Options{}); err != nil {
				t.Fatal(err)
			}
			golden.RequireEqual(t, out.Bytes())
			var got struct {
				Verdict string
				Points  []struct {
					Topic, Title, Verdict string
					Seen, Next            []string
				}
			}
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if got.Verdict != want[name] {
				t.Errorf("verdict = %q, want %q", got.Verdict, want[name])
			}
			if len(got.Points) != model.NumTopics {
				t.Errorf("%d points, want %d", len(got.Points), model.NumTopics)
			}
			for _, p := range got.Points {
				if p.Title == "" || len(p.Seen) == 0 || len(p.Next) == 0 {
					t.Errorf("something is left out of %+v", p)
				}
			}
		})
	}
}

// The last lines are the verdict: they are what a terminal shows.
func TestDoctorEndsWithTheVerdict(t *testing.T) {
	t.Parallel()
	full := idleHost()
	full.Findings = []model.Finding{{Problem: model.ReservedPorts, Level: model.LevelWarning, Process: source.NoProcess, Count: 9000, Of: 16384}}
	firewall := diagnoses()["quiet"]
	fw := *firewall.Evidence
	fw.Firewall.Returns = []source.ReturnTraffic{{Family: "ipv4", Protocol: "tcp", Refused: []source.PortRange{{Low: 32768, High: 60999}}}}
	firewall.Evidence = &fw
	for name, test := range map[string]struct {
		d    Diagnosis
		want string
	}{
		"a finding": {diagnoses()["loud"], "\nVerdict\n✖ exhausted: java (pid 3120) finds no port to 10.0.9.2:5432: 30 connects failed\n" +
			"  first: pool the connections in the Java process: HikariCP\n"},
		"a finding that nothing helps against": {Diagnosis{full, quietEvidence(), advice.Sample{Polls: 1}},
			"\nVerdict\n! warning: 9,000 of 16,384 ports of the range are reserved\n"},
		"nothing":                  {diagnoses()["quiet"], "\nVerdict\n· nothing is wrong\n"},
		"nothing that can be seen": {diagnoses()["unreadable"], "points are not known\n"},
		"a point that no finding is about": {firewall, "\nVerdict\n! warning: the firewall and the way back\n" +
			"  first: let answers in: nft insert rule inet filter input ct state\n         established,related accept\n"},
	} {
		var out bytes.Buffer
		if err := DoctorText(&out, &test.d, Options{}); err != nil {
			t.Fatal(err)
		}
		if page := out.String(); !strings.HasSuffix(page, test.want) {
			t.Errorf("%s: ends with\n%s", name, page[max(0, len(page)-300):])
		}
	}
}
