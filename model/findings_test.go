package model

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ephtop/source"
)

// problems names the findings of a state with their levels, most urgent first.
func problems(st *State) []string {
	var list []string
	for _, f := range st.Findings {
		list = append(list, fmt.Sprintf("%s %s", f.Problem, f.Level))
	}
	return list
}

// find gives the first finding about a problem, or nil.
func find(st *State, p Problem) *Finding {
	for _, f := range st.Findings {
		if f.Problem == p {
			return &f
		}
	}
	return nil
}

// wide is a host with the default range, so that the range itself is nothing
// to tell of.
func wide(s *source.Moment) *source.Moment {
	set := &s.Snapshots[0].Settings
	set.Range = set.Default
	return s
}

func withoutInodes(s *source.Moment) *source.Moment {
	s.Snapshots[0].Inodes = false
	return s
}

// aged sets how long a TIME_WAIT has lasted, in milliseconds.
func aged(list []source.Socket, ms uint32) []source.Socket {
	for i := range list {
		list[i].Expires = 60000 - ms
	}
	return list
}

// evenly makes them TIME_WAIT of connections that were closed evenly over the
// last seconds.
func evenly(list []source.Socket, seconds int) []source.Socket {
	for i := range list {
		list[i].Expires = 60000 - uint32(1000*seconds*i/len(list))
	}
	return list
}

// held gives sockets a process and cookies from a number on.
func held(list []source.Socket, process int32, cookie uint64) []source.Socket {
	for i := range list {
		list[i] = owned(list[i], cookie+uint64(i), process)
	}
	return list
}

func TestAHealthyHostHasNoFindings(t *testing.T) {
	t.Parallel()
	var sockets []source.Socket
	// More connections than the range has ports, over many destinations, in use
	// for long and seldom closed.
	for i := range 40 {
		dst := fmt.Sprintf("10.0.9.%d:443", i+1)
		sockets = append(sockets, held(connections(1000, source.Established, "10.0.0.1", 32768, 2, dst), 0, uint64(1+10000*i))...)
		sockets = append(sockets, aged(connections(5, source.TimeWait, "10.0.0.1", 40000, 2, dst), 2000)...)
	}
	sockets = append(sockets,
		socket(source.Listen, "0.0.0.0:443", ""), socket(source.CloseWait, "10.0.0.1:50000", db),
		socket(source.SynSent, "10.0.0.1:50002", db), socket(source.FinWait2, "10.0.0.1:50004", db))
	s := withProcesses(wide(moment(0, sockets...)), java)
	if got := problems(update(s)); len(got) != 0 {
		t.Errorf("findings %v, want none", got)
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	retried := func(s *source.Socket) { s.Retransmits = 3 }
	orphan := func(s *source.Socket) { s.Inode = 0 }
	orphans := func(n int) []source.Socket {
		list := connections(n, source.FinWait2, "10.0.0.1", 40000, 2, db)
		for i := range list {
			list[i] = with(list[i], orphan)
		}
		return list
	}
	reserved := func(m *source.Moment) *source.Moment {
		m.Snapshots[0].Settings.Reserved = []source.PortRange{m.Snapshots[0].Settings.Range}
		return m
	}
	cases := []struct {
		name string
		// moments end with the one looked at.
		moments []*source.Moment
		want    []string
	}{
		{
			"a tuple past the warning threshold",
			[]*source.Moment{wide(moment(0, connections(18000, source.Established, "10.0.0.1", 32768, 1, db)...))},
			[]string{"tuple-full warning"},
		},
		{
			"past the critical one",
			[]*source.Moment{wide(moment(0, connections(25000, source.Established, "10.0.0.1", 32768, 1, db)...))},
			[]string{"tuple-full critical"},
		},
		{
			"exhausted, and connects fail",
			[]*source.Moment{withEvents(wide(moment(0, connections(28232, source.Established, "10.0.0.1", 32768, 1, db)...)), failed(0, db, java))},
			[]string{"connects-fail exhausted", "tuple-full exhausted"},
		},
		{
			"connects that failed a while ago",
			[]*source.Moment{
				withEvents(wide(moment(0)), failed(0, db, java)), withEvents(wide(moment(60, connections(1, source.Established, "10.0.0.1", 40001, 1, db)...))),
			},
			[]string{"connects-fail warning"},
		},
		{
			"connects that failed a while ago, and nothing is in use",
			[]*source.Moment{withEvents(wide(moment(0)), failed(0, db, java)), withEvents(wide(moment(60)))},
			[]string{"connects-fail ok"},
		},
		{
			"connects that failed long ago",
			[]*source.Moment{withEvents(wide(moment(0)), failed(0, db, java)), withEvents(wide(moment(301)))},
			nil,
		},
		{
			"slow connect below any threshold",
			[]*source.Moment{wide(moment(0, connections(14116, source.Established, "10.0.0.1", 32768, 2, db)...))},
			[]string{"slow-connect warning"},
		},
		{
			"slow connect comes near, and is not there yet",
			[]*source.Moment{wide(moment(0, connections(12800, source.Established, "10.0.0.1", 32768, 2, db)...))},
			nil,
		},
		{
			"no pooling, no danger yet",
			[]*source.Moment{wide(moment(0, evenly(connections(500, source.TimeWait, "10.0.0.1", 40000, 2, db), 5)...))},
			[]string{"no-pooling ok"},
		},
		{
			"no pooling, towards exhaustion",
			[]*source.Moment{wide(moment(0, evenly(connections(2200, source.TimeWait, "10.0.0.1", 40000, 2, db), 5)...))},
			[]string{"no-pooling critical"},
		},
		{
			"many connections that were closed at once",
			[]*source.Moment{wide(moment(0, aged(connections(3000, source.TimeWait, "10.0.0.1", 40000, 2, db), 2000)...))},
			nil,
		},
		{
			"no pooling where TIME_WAIT can be reused",
			[]*source.Moment{wide(moment(0, evenly(connections(2200, source.TimeWait, "127.0.0.1", 40000, 2, "127.0.0.1:80"), 5)...))},
			[]string{"no-pooling ok"},
		},
		{
			"CLOSE_WAIT that grows",
			[]*source.Moment{
				withProcesses(wide(moment(0, held(connections(10, source.CloseWait, "10.0.0.1", 40000, 2, db), 0, 1)...)), java),
				withProcesses(wide(moment(5, held(connections(20, source.CloseWait, "10.0.0.1", 40000, 2, db), 0, 1)...)), java),
			},
			[]string{"close-wait warning"},
		},
		{
			"CLOSE_WAIT that neither grows nor is many",
			[]*source.Moment{
				withProcesses(wide(moment(0, held(connections(20, source.CloseWait, "10.0.0.1", 40000, 2, db), 0, 1)...)), java),
				withProcesses(wide(moment(5, held(connections(20, source.CloseWait, "10.0.0.1", 40000, 2, db), 0, 1)...)), java),
			},
			nil,
		},
		{
			"many that were never closed",
			[]*source.Moment{wide(moment(0, connections(150, source.CloseWait, "10.0.0.1", 40000, 2, db)...))},
			[]string{"close-wait warning"},
		},
		{
			"an unanswered connect",
			[]*source.Moment{wide(moment(0, with(socket(source.SynSent, "10.0.0.1:40000", db), retried)))},
			[]string{"syn-sent ok"},
		},
		{
			"many unanswered connects",
			[]*source.Moment{
				wide(moment(0, connections(12, source.SynSent, "10.0.0.1", 40000, 2, db)...)),
				wide(moment(4, connections(12, source.SynSent, "10.0.0.1", 40000, 2, db)...)),
			},
			[]string{"syn-sent warning"},
		},
		{"orphans", []*source.Moment{wide(moment(0, orphans(150)...))}, []string{"orphans ok"}},
		{"a source without inodes knows no orphans", []*source.Moment{withoutInodes(wide(moment(0, orphans(150)...)))}, nil},
		{"no orphans where no port is usable", []*source.Moment{reserved(moment(0))}, []string{"pool-full exhausted", "pool-full exhausted", "narrow-range warning", "reserved-ports warning"}},
		{"a few orphans", []*source.Moment{wide(moment(0, orphans(50)...))}, nil},
		{
			"a server in the range",
			[]*source.Moment{wide(moment(0, socket(source.Listen, "0.0.0.0:50051", ""), socket(source.Listen, "[::]:50051", "")))},
			[]string{"listener-in-range ok"},
		},
		{
			"ports bound before connect",
			[]*source.Moment{wide(moment(0, connections(2000, source.Bound, "10.0.0.1", 40001, 2, "")...))},
			[]string{"bound-first ok"},
		},
		{
			"many of them, suspected",
			[]*source.Moment{wide(moment(0, connections(6000, source.Established, "10.0.0.1", 40001, 2, db)...))},
			[]string{"bound-first warning"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := problems(story(c.moments...)); !slices.Equal(got, c.want) {
				t.Errorf("findings %v, want %v", got, c.want)
			}
		})
	}
}

func TestFindingsAboutSettings(t *testing.T) {
	t.Parallel()
	pressed := aged(connections(70, source.TimeWait, "10.0.0.1", 40000, 1, db), 30000)
	cases := []struct {
		name   string
		change func(*source.Settings)
		want   []Problem
	}{
		{"a range of 100 ports", func(*source.Settings) {}, []Problem{TupleFull, NarrowRange}},
		{"reserved ports eat it", func(s *source.Settings) {
			s.Reserved = []source.PortRange{{Low: 40080, High: 40089}}
		}, []Problem{TupleFull, NarrowRange, ReservedPorts}},
		{"no reuse", func(s *source.Settings) { s.ReuseTimeWait = 0 }, []Problem{TupleFull, NarrowRange, ReuseOff}},
		{"no timestamps, so no reuse", func(s *source.Settings) { s.Timestamps = 0 }, []Problem{TupleFull, NarrowRange, ReuseOff}},
		{"TIME_WAIT near what the kernel keeps", func(s *source.Settings) { s.MaxTimeWait = 80 }, []Problem{TupleFull, TimeWaitBuckets, NarrowRange}},
		{"and at it", func(s *source.Settings) { s.MaxTimeWait = 70 }, []Problem{TimeWaitBuckets, TupleFull, NarrowRange}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := moment(0, pressed...)
			c.change(&s.Snapshots[0].Settings)
			var got []Problem
			for _, f := range update(s).Findings {
				got = append(got, f.Problem)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("findings %v, want %v", got, c.want)
			}
		})
	}
}

func TestChurnIsLaidToItsProcess(t *testing.T) {
	t.Parallel()
	live := held(connections(8, source.Established, "10.0.0.1", 40000, 2, db), 0, 1)
	wait := evenly(held(connections(2000, source.TimeWait, "10.0.0.1", 41000, 2, db), source.NoProcess, 1000), 5)
	var events []source.Event
	for _, s := range wait {
		events = append(events, source.Event{Kind: source.Closed, Tuple: s.Tuple(), Process: java})
	}
	st := update(withEvents(withProcesses(wide(moment(0, append(live, wait...)...)), java), events...))
	f := find(st, NoPooling)
	if f == nil || f.Process == source.NoProcess || st.Processes[f.Process].Name != "java" || f.Tier != OwnerObserved {
		t.Fatalf("finding %+v, want java's, who closed all", f)
	}
	if f.Rate != 400 || f.Live != 8 || f.Count != 2000 || f.Plateau != 24008 || f.Span.Milliseconds() != 20 {
		t.Errorf("%+v; want 400 closes/s, 8 live, 2000 in TIME_WAIT, 24008 ports in the end, 20 ms of life", f)
	}
}

func TestProblemsHaveNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for p := range Problem(numProblems) {
		if name := p.String(); name == "" || name == "unknown" || seen[name] {
			t.Errorf("problem %d is called %q", p, name)
		} else {
			seen[name] = true
		}
	}
}

// A host of which nothing answers has findings for some, and one figure more.
func TestManyDestinationsThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	var sockets []source.Socket
	for i := range 2000 {
		to := fmt.Sprintf("10.0.%d.%d:80", i/200, i%200)
		sockets = append(sockets, with(socket(source.SynSent, fmt.Sprintf("10.0.0.1:%d", 33000+i), to), func(s *source.Socket) { s.Retransmits = 3 }))
	}
	last := sockets[len(sockets)-1]
	last.LocalPort = 40000
	st := update(wide(moment(0, append(sockets, last)...)))
	if n := len(st.Findings); n != maxUnanswered {
		t.Errorf("%d findings, want %d", n, maxUnanswered)
	}
	if f := find(st, SynSent); f.Count != 2 {
		t.Errorf("first %+v, want the destination with most", f)
	}
}

// A port that is bound on many addresses is one port.
func TestBoundPortsAreCountedOnce(t *testing.T) {
	t.Parallel()
	var sockets []source.Socket
	for i := range 40 {
		sockets = append(sockets, connections(2000, source.Bound, fmt.Sprintf("10.0.0.%d", i+1), 40001, 2, "")...)
	}
	if f := find(update(wide(moment(0, sockets...))), BoundFirst); f == nil || f.Count != 2000 {
		t.Errorf("finding %+v, want 2,000 ports", f)
	}
}

// A server whose sockets are outside of the range leaks as well among many
// processes as among few.
func TestCloseWaitAmongManyProcesses(t *testing.T) {
	t.Parallel()
	host := newTeller()
	var st *State
	for i := range 10 {
		list := held(connections(10+4*i, source.CloseWait, "10.0.0.1", 443, 0, db), 0, 1)
		for j := range list {
			list[j].RemotePort = uint16(1000 + j)
		}
		m := wide(moment(float64(i), list...))
		m.Processes = append(m.Processes, source.Process{PID: 1, Start: 1, Name: "server"})
		for p := range int32(400) {
			m.Processes = append(m.Processes, source.Process{PID: 100 + p, Start: 1, Name: "client"})
			k := owned(socket(source.Established, fmt.Sprintf("10.0.0.1:%d", 33000+p), "10.0.8.1:80"), uint64(5000+p), p+1)
			m.Snapshots[0].Sockets = append(m.Snapshots[0].Sockets, k)
		}
		st = host.tell(m)
	}
	if f := find(st, CloseWait); f == nil || f.Rate <= 0 {
		t.Errorf("finding %+v, want a growing number of CLOSE_WAIT", f)
	}
}

// A server's own connections hold no ephemeral port, whatever becomes of them:
// nothing of them is told as ports.
func TestAServersOwnPortIsNoEphemeralOne(t *testing.T) {
	t.Parallel()
	accepted := func(n int, state source.State, port int) []source.Socket {
		list := held(connections(n, state, "10.0.0.1", port, 0, "10.0.7.7:1000"), 0, 1)
		for i := range list {
			list[i].RemotePort = uint16(1000 + i)
			if state != source.CloseWait {
				list[i].Inode, list[i].Process = 0, source.NoProcess
			}
		}
		return list
	}
	listens := func(port int) source.Socket {
		return socket(source.Listen, fmt.Sprintf("0.0.0.0:%d", port), "")
	}
	for _, test := range []struct {
		name    string
		sockets []source.Socket
		problem Problem
		outside int // of the finding; -1 for no finding
		level   Level
	}{
		{"FIN_WAIT2 below the range", append(accepted(3000, source.FinWait2, 443), listens(443)), Orphans, -1, 0},
		{"LAST_ACK below the range", append(accepted(3000, source.LastAck, 443), listens(443)), Orphans, -1, 0},
		{"FIN_WAIT2 on a listener's port of the range", append(accepted(3000, source.FinWait2, 40000), listens(40000)), Orphans, -1, 0},
		{"FIN_WAIT2 on ephemeral ports", connectionsOf(source.FinWait2, 3000), Orphans, 0, LevelWarning},
		{"CLOSE_WAIT below the range", append(accepted(28000, source.CloseWait, 443), listens(443)), CloseWait, 28000, LevelWarning},
		{"CLOSE_WAIT on a listener's port of the range", append(accepted(28000, source.CloseWait, 40000), listens(40000)), CloseWait, 28000, LevelWarning},
		{"CLOSE_WAIT on ephemeral ports", held(connections(25000, source.CloseWait, "10.0.0.1", 32768, 1, db), 0, 1), CloseWait, 0, LevelCritical},
	} {
		f := find(update(withProcesses(wide(moment(0, test.sockets...)), java)), test.problem)
		switch {
		case f == nil:
			if test.outside >= 0 {
				t.Errorf("%s: no finding", test.name)
			}
		case f.Outside != test.outside || f.Level != test.level:
			t.Errorf("%s: %d of %d outside, %v; want %d, %v", test.name, f.Outside, f.Count, f.Level, test.outside, test.level)
		}
	}
}

// connectionsOf makes orphans on ephemeral ports.
func connectionsOf(state source.State, n int) []source.Socket {
	list := connections(n, state, "10.0.0.1", 33000, 1, db)
	for i := range list {
		list[i].Inode = 0
	}
	return list
}

// What will be full in a few minutes is said before a threshold is passed; what
// has only begun, or takes long, is not.
func TestFullSoonIsAFinding(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		used int
		o    Outlook
		want bool
	}{
		{30, Outlook{Trend: TrendFull, In: 86 * time.Second}, true},
		{30, Outlook{Trend: TrendFull, In: time.Hour}, false},
		{5, Outlook{Trend: TrendFull, In: 86 * time.Second}, false},
		{30, Outlook{Trend: TrendLevelsOff, In: 86 * time.Second}, false},
	} {
		use := TupleUse{Used: test.used, Free: 100 - test.used, Outlook: test.o}
		if got := use.fullSoon(); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
