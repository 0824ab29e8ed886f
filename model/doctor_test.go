package model

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// readable is the evidence of a host that says everything and has nothing to
// say.
func readable() *source.Evidence {
	read := source.Status{Outcome: source.OutcomeRead}
	return &source.Evidence{
		Firewall:  source.Firewall{Status: read},
		Conntrack: source.Conntrack{Status: read, Count: 10, Max: 1000},
		Log:       source.SystemLog{Status: read},
		Sysctls:   source.Sysctls{Status: read},
	}
}

func TestExamine(t *testing.T) {
	t.Parallel()
	type verdicts map[Topic]Verdict
	type signs map[Topic][]Sign
	everyPort := []source.PortRange{{Low: 40000, High: 40099}}
	quiet := func() *source.Moment { return moment(0) }
	syn := func() *source.Moment {
		return moment(0, with(socket(source.SynSent, "10.0.0.1:40000", "10.0.9.2:80"), func(s *source.Socket) { s.Retransmits = 3 }))
	}
	hidden := source.Status{Outcome: source.OutcomeNotReadable, Reason: "run as root"}
	for _, c := range []struct {
		name     string
		snapshot *source.Moment
		change   func(*source.Evidence)
		verdicts verdicts // that are not ok
		signs    signs
		worst    Verdict
	}{
		{"a host in good health", quiet(), nil, verdicts{}, nil, VerdictOK},
		{"nothing could be read", quiet(), func(ev *source.Evidence) {
			ev.Firewall.Status, ev.Log.Status, ev.Sysctls.Status, ev.Conntrack.Status = hidden, hidden, hidden, hidden
		}, verdicts{TopicFirewall: VerdictUnknown, TopicLog: VerdictUnknown, TopicChanges: VerdictUnknown}, nil, VerdictUnknown},
		{"a range that is assumed", func() *source.Moment { s := moment(0); s.Snapshots[0].Settings.Assumed = true; return s }(), nil,
			verdicts{TopicRange: VerdictUnknown}, nil, VerdictUnknown},
		{"a full destination is a problem of the connections", moment(0, connections(85, source.Established, "10.0.0.1", 40000, 1, "10.0.9.2:80")...), nil,
			verdicts{TopicConnections: VerdictProblem, TopicRange: VerdictWarning}, nil, VerdictProblem},
		{"answers are refused", quiet(), func(ev *source.Evidence) {
			ev.Firewall.Returns = []source.ReturnTraffic{{Family: "ipv4", Protocol: "tcp", Refused: everyPort}}
		}, verdicts{TopicFirewall: VerdictWarning}, signs{TopicFirewall: {{SignRefused, VerdictWarning, 0}}}, VerdictWarning},
		{"answers are refused and missed", syn(), func(ev *source.Evidence) {
			ev.Firewall.Returns = []source.ReturnTraffic{{Family: "ipv4", Protocol: "tcp", Refused: everyPort}}
		}, verdicts{TopicFirewall: VerdictProblem}, signs{TopicFirewall: {{SignRefused, VerdictProblem, 0}}}, VerdictProblem},
		{"a single connect without an answer is no alarm", syn(), nil, verdicts{}, nil, VerdictOK},
		{"answers over IPv6, which the host does not speak", quiet(), func(ev *source.Evidence) {
			ev.Firewall.Returns = []source.ReturnTraffic{{Family: "ipv6", Protocol: "tcp", Refused: everyPort}}
		}, verdicts{}, nil, VerdictOK},
		{"answers over IPv6, which it does", moment(0, socket(source.Established, "[2001:db8::1]:40000", "[2001:db8::2]:443")), func(ev *source.Evidence) {
			ev.Firewall.Returns = []source.ReturnTraffic{{Family: "ipv6", Protocol: "tcp", Refused: everyPort}}
		}, verdicts{TopicFirewall: VerdictWarning}, signs{TopicFirewall: {{SignRefused, VerdictWarning, 0}}}, VerdictWarning},
		{"rules that can't be judged", quiet(), func(ev *source.Evidence) {
			ev.Firewall.Returns = []source.ReturnTraffic{{}, {Family: "ipv4", Protocol: "tcp", Unclear: everyPort}}
		}, verdicts{TopicFirewall: VerdictUnknown}, signs{TopicFirewall: {{SignUnclear, VerdictUnknown, 1}}}, VerdictUnknown},
		{"a translation with fewer ports than the range", quiet(), func(ev *source.Evidence) {
			ev.Firewall.SNAT = []source.SNATRule{{PortCount: 64512}, {PortCount: 20}}
		}, verdicts{}, signs{TopicFirewall: {{SignTranslated, VerdictOK, 1}}}, VerdictOK},
		{"rules that wait on ports of the range", func() *source.Moment {
			m := moment(0)
			m.Snapshots[0].Settings.Reserved = []source.PortRange{{Low: 40060, High: 40069}}
			return m
		}(), func(ev *source.Evidence) {
			ev.Firewall.Forwards = []source.ForwardRule{
				{Ports: []source.PortRange{{Low: 40061, High: 40062}}}, {Ports: []source.PortRange{{Low: 40060, High: 40060}, {Low: 40050, High: 40050}}},
			}
		}, verdicts{}, signs{TopicFirewall: {{SignForwarded, VerdictOK, 1}}}, VerdictOK},
		{"connection tracking below its marks", quiet(), func(ev *source.Evidence) { ev.Conntrack.Count = 799 }, verdicts{}, nil, VerdictOK},
		{"connection tracking nearly full", quiet(), func(ev *source.Evidence) { ev.Conntrack.Count = 800 },
			verdicts{TopicFirewall: VerdictWarning}, signs{TopicFirewall: {{SignConntrackFull, VerdictWarning, 0}}}, VerdictWarning},
		{"connection tracking full", quiet(), func(ev *source.Evidence) { ev.Conntrack.Count = 950 },
			verdicts{TopicFirewall: VerdictProblem}, signs{TopicFirewall: {{SignConntrackFull, VerdictProblem, 0}}}, VerdictProblem},
		{"the log", quiet(), func(ev *source.Evidence) {
			ev.Log.Phrases = []source.LogPhrase{{Text: "a"}, {Text: "b", Sightings: []source.LogSighting{{Count: 3}}}}
		}, verdicts{TopicLog: VerdictWarning}, signs{TopicLog: {{SignLogged, VerdictWarning, 1}}}, VerdictWarning},
		{"an address that could not be had, on a host with ports", quiet(), func(ev *source.Evidence) {
			ev.Log.Phrases = []source.LogPhrase{{Text: noAddress, Sightings: []source.LogSighting{{Count: 3}}}}
		}, verdicts{TopicLog: VerdictUnknown}, signs{TopicLog: {{SignLogged, VerdictUnknown, 0}}}, VerdictUnknown},
		{"an address that could not be had, as connects fail", withEvents(moment(0), failed(0, db, java)), func(ev *source.Evidence) {
			ev.Log.Phrases = []source.LogPhrase{{Text: noAddress, Sightings: []source.LogSighting{{Count: 3}}}}
		}, verdicts{TopicConnections: VerdictProblem, TopicLog: VerdictWarning},
			signs{TopicLog: {{SignLogged, VerdictWarning, 0}}}, VerdictProblem},
		{"settings", quiet(), func(ev *source.Evidence) {
			read := source.Status{Outcome: source.OutcomeRead}
			ev.Sysctls.Settings = []source.Sysctl{
				{Name: "net.ipv4.tcp_fin_timeout", Status: read, Value: "60", Default: "60", DefaultKnown: true, Origin: source.OriginDefault},
				{Name: "net.ipv4.tcp_tw_reuse", Status: read, Value: "1", Default: "2", DefaultKnown: true, Origin: source.OriginFile},
				{Name: "net.ipv4.tcp_timestamps", Status: read, Value: "0", Default: "1", DefaultKnown: true, Origin: source.OriginChanged},
			}
			ev.Sysctls.Files = []source.SysctlFile{{Recent: true}, {Recent: true, Names: []string{"net.ipv4.tcp_tw_reuse"}}}
		}, verdicts{TopicChanges: VerdictWarning}, signs{TopicChanges: {
			{SignDiffers, VerdictOK, 1}, {SignDrifted, VerdictWarning, 2}, {SignRecentFile, VerdictOK, 1},
		}}, VerdictWarning},
	} {
		t.Run(c.name, func(t *testing.T) {
			ev := readable()
			if c.change != nil {
				c.change(ev)
			}
			points := Examine(update(c.snapshot), ev)
			gotVerdicts, gotSigns := verdicts{}, signs{}
			for i := range points {
				p := &points[i]
				if p.Topic != Topic(i) {
					t.Errorf("point %d is about %v", i, p.Topic)
				}
				if p.Verdict != VerdictOK {
					gotVerdicts[p.Topic] = p.Verdict
				}
				if p.Verdict == VerdictUnknown && p.Reason == "" && len(p.Signs) == 0 {
					t.Errorf("%v is not known, and nobody says why", p.Topic)
				}
				if p.Signs != nil {
					gotSigns[p.Topic] = p.Signs
				}
			}
			if c.signs == nil {
				c.signs = signs{}
			}
			if diff := cmp.Diff(c.verdicts, gotVerdicts); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.signs, gotSigns); diff != "" {
				t.Errorf("signs (-want +got):\n%s", diff)
			}
			if got := Worst(points); got != c.worst {
				t.Errorf("the worst verdict is %v, want %v", got, c.worst)
			}
		})
	}
}

func TestEveryFindingHasItsPoint(t *testing.T) {
	t.Parallel()
	want := map[Problem]Topic{
		ConnectsFail: TopicConnections, TupleFull: TopicConnections, PoolFull: TopicConnections, SlowConnect: TopicConnections,
		BoundFirst: TopicConnections, PrivatePool: TopicConnections, CloseWait: TopicConnections, Orphans: TopicConnections, NoPooling: TopicPooling,
		SynSent: TopicFirewall, NATFull: TopicTranslated, NATLoss: TopicTranslated, TrackingFull: TopicFirewall, TrackingRace: TopicFirewall,
		WayFull: TopicFirewall, WayLimit: TopicFirewall,
		TimeWaitBuckets: TopicTimeWait, ReuseOff: TopicTimeWait,
		ListenerInRange: TopicRange, StolenPort: TopicRange, NarrowRange: TopicRange, ReservedPorts: TopicRange,
		AddressRefused: TopicConnections,
	}
	for p := Problem(0); p < numProblems; p++ {
		topic, listed := want[p]
		if !listed {
			t.Errorf("no point is said for %v", p)
		}
		if got := topicOf(p); got != topic {
			t.Errorf("%v belongs to %v, want %v", p, got, topic)
		}
	}
}

// TIME_WAIT that fills a destination is no "ok, nothing to do".
func TestTimeWaitThatExhaustsIsAProblem(t *testing.T) {
	t.Parallel()
	full := aged(connections(90, source.TimeWait, "10.0.0.1", 40000, 1, db), 30000)
	for name, c := range map[string]struct {
		m    *source.Moment
		want Verdict
	}{
		"held by TIME_WAIT":         {moment(0, full...), VerdictProblem},
		"held by live connections":  {moment(0, connections(90, source.Established, "10.0.0.1", 40000, 1, db)...), VerdictOK},
		"half full, by TIME_WAIT":   {moment(0, full[:50]...), VerdictOK},
		"TIME_WAIT that gives way":  {moment(0, aged(connections(90, source.TimeWait, "127.0.0.1", 40000, 1, "127.0.0.1:80"), 30000)...), VerdictOK},
		"two thirds, for a warning": {moment(0, full[:66]...), VerdictWarning},
	} {
		points := Examine(update(c.m), &source.Evidence{})
		if got := points[TopicTimeWait].Verdict; got != c.want {
			t.Errorf("%s: TIME_WAIT is %v, want %v", name, got, c.want)
		}
	}
}
