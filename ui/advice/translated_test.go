package advice

import (
	"strings"
	"testing"

	"ephtop/model"
	"ephtop/source"
)

// The point of translated ports is judged by what is known of them, and says what is
// not.
func TestThePointOfTranslatedPorts(t *testing.T) {
	t.Parallel()
	read := source.Status{Outcome: source.OutcomeRead}
	remote := source.Addr4([4]byte{93, 184, 216, 34})
	pool := func(used int, level model.Level) *model.NATState {
		p := source.NATPool{Address: source.Addr4([4]byte{203, 0, 113, 7}), Remote: remote, RemotePort: 443, Proto: source.TCP, Used: used, Evictable: 120}
		n := &model.NATState{
			Level: level, NAT: &source.NAT{Entries: used, Seen: used, Max: 1 << 18}, Pools: []model.NATPoolUse{{NATPool: &p, Level: level}},
			Rates: model.NATRates{Known: true, InsertFailed: 12, Drop: 12}, Drops: model.DropsExhausted,
		}
		return n
	}
	for _, c := range []struct {
		name    string
		nat     *model.NATState
		limit   string
		ev      source.Evidence
		verdict model.Verdict
		seen    []string
		next    string
	}{
		{
			"few", pool(6000, model.LevelOK), "", source.Evidence{OtherNAT: source.OtherNAT{Status: read}}, model.VerdictOK,
			[]string{"6,000 of 64,512 ports of 203.0.113.7 to 93.184.216.34:443 used (9 %), 120 of them in TIME_WAIT, of which every other one gives way"}, "nothing to do",
		},
		{
			"near the end", pool(60_000, model.LevelCritical), "", source.Evidence{OtherNAT: source.OtherNAT{Status: read}}, model.VerdictProblem,
			[]string{"60,000 of 64,512", "12 connections/s got no entry, 12 packets/s were dropped: no port was free", "SNAT ports of 203.0.113.7"}, "keep HTTP connections alive",
		},
		{
			"too few entries", &model.NATState{NAT: &source.NAT{Entries: 40, Max: 1 << 18}}, "", source.Evidence{OtherNAT: source.OtherNAT{Status: read}}, model.VerdictOK,
			[]string{"40 entries of connection tracking, too few"}, "nothing to do",
		},
		{
			"nothing is translated", &model.NATState{NAT: &source.NAT{Entries: 40, Seen: 40, Max: 1 << 18}}, "", source.Evidence{OtherNAT: source.OtherNAT{Status: read}},
			model.VerdictOK, []string{"40 entries of connection tracking, and no source address is translated"}, "nothing to do",
		},
		{
			"no rights", &model.NATState{NAT: &source.NAT{Entries: 40, Max: 1 << 18}}, "dump entries: operation not permitted",
			source.Evidence{OtherNAT: source.OtherNAT{Status: read}}, model.VerdictUnknown, []string{"can be read by root only"}, "run ephtop doctor as root",
		},
		{
			"no connection tracking", nil, "", source.Evidence{OtherNAT: source.OtherNAT{Status: read}}, model.VerdictOK,
			[]string{"there is no connection tracking here"}, "nothing to do",
		},
		{
			"nothing tracked", nil, "", source.Evidence{OtherNAT: source.OtherNAT{Status: read}, Conntrack: source.Conntrack{Status: read}}, model.VerdictOK,
			[]string{"too few connections are tracked"}, "nothing to do",
		},
		{
			"the kernel does not tell", nil, "", source.Evidence{OtherNAT: source.OtherNAT{Status: read}, Conntrack: source.Conntrack{Status: read, Count: 60_000}},
			model.VerdictUnknown, []string{"the kernel tells nothing"}, "modprobe nf_conntrack_netlink",
		},
		{
			"a recording", nil, "", source.Evidence{OtherNAT: source.OtherNAT{Status: source.Status{Outcome: source.OutcomeNotThere, Reason: "a recording has none of it"}}},
			model.VerdictUnknown, []string{"not known: a recording has none of it"}, "conntrack -L",
		},
		{
			"IPVS and Cilium", nil, "", source.Evidence{OtherNAT: source.OtherNAT{Status: read, IPVS: 3, Cilium: true}}, model.VerdictOK,
			[]string{"IPVS has 3 virtual services: what it translates is not in nf_conntrack", "Cilium is here"}, "ipvsadm -Lnc",
		},
	} {
		st := &model.State{Moment: &source.Moment{OS: "linux"}, Snapshot: &source.Snapshot{}, Thresholds: model.DefaultThresholds, NAT: c.nat}
		if c.limit != "" {
			st.Moment.Limit(source.LimitNAT, c.limit)
		}
		if c.nat != nil && c.nat.Level > model.LevelOK {
			p := &c.nat.Pools[0]
			st.Findings = []model.Finding{{
				Problem: model.NATFull, Level: p.Level, Process: source.NoProcess, NAT: c.nat, NATPool: p, Count: p.Used, Of: p.Capacity(),
				Tuple: model.TupleKey{Source: p.Address, Destination: remote, Port: 443},
			}}
		}
		for _, item := range Checklist(st, &c.ev, Sample{}) {
			if item.Topic != model.TopicTranslated {
				continue
			}
			said := strings.Join(item.Seen, "; ")
			if item.Verdict != c.verdict || !strings.Contains(strings.Join(item.Next, "; "), c.next) {
				t.Errorf("%s: %v, next %q", c.name, item.Verdict, item.Next)
			}
			for _, words := range c.seen {
				if !strings.Contains(said, words) {
					t.Errorf("%s: no %q in %q", c.name, words, said)
				}
			}
		}
	}
}

// Where another namespace is short of translated ports, the point is not well.
func TestThePointOfPortsTranslatedElsewhere(t *testing.T) {
	t.Parallel()
	p := source.NATPool{Remote: source.Addr4([4]byte{93, 184, 216, 34}), RemotePort: 443, Used: 20, Ports: 20}
	router := source.Scope{Netns: 8, Name: "router", Kind: source.ScopeNamed}
	for _, c := range []struct {
		name string
		nat  model.NATState
		want string
	}{
		{
			"a pool", model.NATState{Level: model.LevelExhausted, NAT: &source.NAT{}, Pools: []model.NATPoolUse{{NATPool: &p, Level: model.LevelExhausted}}},
			"router: 20 of 20 ports",
		},
		{"the table", model.NATState{Level: model.LevelCritical, NAT: &source.NAT{Entries: 96, Max: 100}}, "router: connection tracking has 96 of 100 entries"},
	} {
		c.nat.Scope = router
		st := &model.State{Moment: &source.Moment{OS: "linux"}, Snapshot: &source.Snapshot{}, Thresholds: model.DefaultThresholds, NATElsewhere: &c.nat}
		ev := &source.Evidence{OtherNAT: source.OtherNAT{Status: source.Status{Outcome: source.OutcomeRead}}}
		item := Checklist(st, ev, Sample{})[model.TopicTranslated]
		if said := strings.Join(item.Seen, "; "); item.Verdict != model.VerdictProblem || !strings.Contains(said, c.want) || !strings.Contains(item.Next[0], "router") {
			t.Errorf("%s: %v, %q, next %q", c.name, item.Verdict, said, item.Next)
		}
	}
}
