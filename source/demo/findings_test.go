package demo_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/demo"
)

// phase is what is to be found in a part of a scenario, ends included.
type phase struct {
	name     string
	from, to time.Duration
	level    model.Level
	must     []string
	// may holds what comes and goes.
	may []string
}

const (
	noPooling  = "no-pooling"
	tupleFull  = "tuple-full"
	slow       = "slow-connect"
	fails      = "connects-fail"
	boundFirst = "bound-first"
	natFull    = "snat-full"
	natLoss    = "snat-loss"
)

// The times between two phases are those in which findings come and go.
var phases = map[string][]phase{
	"no-pool": {
		{"calm", 0, 20 * time.Second, model.LevelOK, []string{noPooling}, nil},
		{"traffic rises", 25 * time.Second, 38 * time.Second, model.LevelOK, []string{noPooling}, []string{tupleFull}},
		{"the first half is full", 42 * time.Second, 44 * time.Second, model.LevelOK, []string{noPooling, slow}, []string{tupleFull}},
		{"warning", 48 * time.Second, 53 * time.Second, model.LevelWarning, []string{noPooling, slow, tupleFull}, nil},
		{"critical", 57 * time.Second, 61 * time.Second, model.LevelCritical, []string{noPooling, slow, tupleFull}, nil},
		{
			"connects fail", 67 * time.Second, 84 * time.Second, model.LevelExhausted,
			[]string{noPooling, tupleFull, fails}, []string{slow},
		},
		{
			"a pool is on, the last failure not long ago", 92 * time.Second, 94 * time.Second, model.LevelExhausted,
			[]string{tupleFull, fails}, nil,
		},
		{"TIME_WAIT drains", 101 * time.Second, 103 * time.Second, model.LevelWarning, []string{tupleFull}, nil},
		{"recovered", 108 * time.Second, 160 * time.Second, model.LevelOK, nil, nil},
	},
	"leak": {
		{"calm", 0, 12 * time.Second, model.LevelOK, nil, nil},
		{"CLOSE_WAIT grows", 18 * time.Second, 185 * time.Second, model.LevelOK, []string{"close-wait"}, nil},
		{"no more files", 200 * time.Second, 250 * time.Second, model.LevelOK, []string{"close-wait"}, nil},
	},
	"blocked": {
		{"calm", 0, 20 * time.Second, model.LevelOK, nil, nil},
		{"SYNs without answer", 26 * time.Second, 200 * time.Second, model.LevelOK, []string{"syn-sent"}, nil},
	},
	"browsing": {{"always", 0, 200 * time.Second, model.LevelOK, nil, nil}},
	"containers": {
		{"calm", 0, 4 * time.Second, model.LevelOK, []string{noPooling}, nil},
		{"connects of the pod fail", 64 * time.Second, 110 * time.Second, model.LevelExhausted, []string{noPooling, tupleFull, fails}, []string{slow}},
	},
	"busy": {{"always", 0, 100 * time.Second, model.LevelOK, nil, nil}},
	"snat": {
		{"calm", 0, 5 * time.Second, model.LevelOK, nil, nil},
		{"a warning", 30 * time.Second, 36 * time.Second, model.LevelWarning, []string{natFull}, nil},
		{"near the end", 39 * time.Second, 43 * time.Second, model.LevelCritical, []string{natFull}, []string{natLoss}},
		{"first packets are lost", 45 * time.Second, 48 * time.Second, model.LevelCritical, []string{natFull, natLoss}, nil},
		{"no port is free", 54 * time.Second, 74 * time.Second, model.LevelExhausted, []string{natFull}, nil},
		{"what is over gives way", 82 * time.Second, 194 * time.Second, model.LevelCritical, []string{natFull}, nil},
		{"it is forgotten", 205 * time.Second, 215 * time.Second, model.LevelOK, nil, nil},
	},
	"bound-first": {
		{"calm", 0, 8 * time.Second, model.LevelOK, []string{noPooling}, nil},
		{"ports are bound first", 15 * time.Second, 40 * time.Second, model.LevelOK, []string{boundFirst, noPooling}, []string{tupleFull}},
		{"warning", 48 * time.Second, 52 * time.Second, model.LevelWarning, []string{boundFirst, tupleFull}, []string{noPooling}},
		{"critical", 56 * time.Second, 58 * time.Second, model.LevelCritical, []string{boundFirst, tupleFull}, []string{noPooling}},
		{
			"nothing finds a port", 66 * time.Second, 90 * time.Second, model.LevelExhausted,
			[]string{boundFirst, tupleFull, fails}, []string{noPooling, slow},
		},
		{"the import is done", 160 * time.Second, 170 * time.Second, model.LevelOK, nil, []string{noPooling}},
	},
}

// found names the findings, but for failures that are long past.
func found(st *model.State) []string {
	var list []string
	for _, f := range st.Findings {
		if f.Problem != model.ConnectsFail || f.Of > 0 {
			list = append(list, f.Problem.String())
		}
	}
	return list
}

func TestEachScenarioRaisesItsFindings(t *testing.T) {
	t.Parallel()
	eachScenario(t, func(t *testing.T, name string) {
		for seed, step := range []time.Duration{5 * time.Second, 2 * time.Second} {
			if name == "busy" && seed > 0 {
				continue // it takes long and tells the same
			}
			t.Run(fmt.Sprintf("seed %d, every %v", seed, step), func(t *testing.T) {
				t.Parallel()
				follow(t, demo.Options{Scenario: name, Seed: uint64(seed), Step: step})
			})
		}
	})
}

func follow(t *testing.T, o demo.Options) {
	fleet := model.NewFleet(model.Options{})
	h := newHost(t, o)
	var snaps [2]source.Moment
	var overviews [2]model.Overview
	until := phases[o.Scenario][len(phases[o.Scenario])-1].to
	for i := 0; time.Duration(i)*o.Step <= until; i++ {
		s, over := &snaps[i%2], &overviews[i%2]
		poll(t, h, s)
		fleet.Update(s, over)
		st := over.States[0]
		at := time.Duration(i) * o.Step
		for _, p := range phases[o.Scenario] {
			if at >= p.from && at <= p.to {
				p.check(t, at, st)
			}
		}
	}
}

func (p *phase) check(t *testing.T, at time.Duration, st *model.State) {
	got := found(st)
	for _, problem := range p.must {
		if !slices.Contains(got, problem) {
			t.Errorf("%v, %s: found %v, want %s", at, p.name, got, problem)
		}
	}
	for _, problem := range got {
		if !slices.Contains(p.must, problem) && !slices.Contains(p.may, problem) {
			t.Errorf("%v, %s: %s found, want only %v", at, p.name, problem, p.must)
		}
	}
	if st.Level != p.level {
		t.Errorf("%v, %s: level %v, want %v", at, p.name, st.Level, p.level)
	}
}

// moment gives what the model makes of a scenario after some time, polled every
// five seconds.
func moment(t *testing.T, name string, at time.Duration) *model.State {
	t.Helper()
	h := newHost(t, demo.Options{Scenario: name, Step: 5 * time.Second})
	fleet := model.NewFleet(model.Options{})
	var snaps [2]source.Moment
	var overviews [2]model.Overview
	n := int(at / (5 * time.Second))
	for i := range n + 1 {
		poll(t, h, &snaps[i%2])
		fleet.Update(&snaps[i%2], &overviews[i%2])
	}
	return overviews[n%2].States[0]
}

func finding(t *testing.T, st *model.State, p model.Problem) *model.Finding {
	t.Helper()
	for _, f := range st.Findings {
		if f.Problem == p {
			return &f
		}
	}
	t.Fatalf("no %v in %+v", p, st.Findings)
	return nil
}

func TestNoPoolNamesTheProcessAndTheDatabase(t *testing.T) {
	t.Parallel()
	st := moment(t, "no-pool", 75*time.Second)
	for _, p := range []model.Problem{model.NoPooling, model.TupleFull, model.ConnectsFail} {
		f := finding(t, st, p)
		if f.Tuple.Destination.String() != "10.0.9.2" || f.Tuple.Port != 5432 {
			t.Errorf("%v is about %v port %d", p, f.Tuple.Destination, f.Tuple.Port)
		}
		if f.Process == source.NoProcess || st.Processes[f.Process].Name != "api" {
			t.Errorf("%v names process %d of %+v", p, f.Process, st.Processes)
		}
	}
	top := st.TCP.Consumers[model.ByProcess][0]
	if top.Tier != model.OwnerObserved || st.Processes[top.Process].Name != "api" || top.Ports < 20000 {
		t.Errorf("the top consumer is %+v, want api with most ports, as the kernel told", top)
	}
	if !st.Failures.Observed || st.Failures.Recent == 0 || st.Failures.By[0].Process.Name != "api" {
		t.Errorf("failures %+v", st.Failures)
	}
}

func TestLeakNamesTheProcess(t *testing.T) {
	t.Parallel()
	st := moment(t, "leak", 60*time.Second)
	f := finding(t, st, model.CloseWait)
	if st.Processes[f.Process].Name != "reports" || f.Count < 500 || f.Rate <= 0 {
		t.Errorf("%+v names %q", f, st.Processes[f.Process].Name)
	}
}

func TestBlockedNamesTheDestination(t *testing.T) {
	t.Parallel()
	st := moment(t, "blocked", 60*time.Second)
	f := finding(t, st, model.SynSent)
	if f.Tuple.Destination.String() != "203.0.113.40" || st.Processes[f.Process].Name != "checkout" || f.Span < 20*time.Second {
		t.Errorf("%+v names %q", f, st.Processes[f.Process].Name)
	}
	var most uint8
	for i := range st.Snapshot.Sockets {
		if s := &st.Snapshot.Sockets[i]; s.State == source.SynSent {
			most = max(most, s.Retransmits)
		}
	}
	if most < 5 {
		t.Errorf("at most %d retransmissions, want some more", most)
	}
}

// The namespace in trouble is the one that translates, and holds no connection of
// those; the others are far from the end of their own range.
func TestSNATNamesTheContainers(t *testing.T) {
	t.Parallel()
	h := newHost(t, demo.Options{Scenario: "snat", Step: 5 * time.Second})
	fleet := model.NewFleet(model.Options{})
	var o model.Overview
	for range 14 {
		var m source.Moment
		poll(t, h, &m)
		fleet.Update(&m, &o)
	}
	f := finding(t, o.States[0], model.NATFull)
	if f.Process == source.NoProcess || o.Processes[f.Process].Name != "ticker" || f.Count != f.Of || o.NATs[0].Drops != model.DropsExhausted {
		t.Errorf("%+v, drops %v", f, o.NATs[0].Drops)
	}
	for _, st := range o.States[1:] {
		if st.Level != model.LevelOK {
			t.Errorf("%v: %v", st.Snapshot.Scope, st.Level)
		}
	}
	holders := o.NATs[0].Pools[0].Holders
	if len(holders) != 2 || o.States[holders[0].State].Snapshot.Scope.Name != "ticker" || o.States[holders[1].State].Snapshot.Scope.Name != "alerts" {
		t.Errorf("%+v", holders)
	}
}

func TestBusyHoldsMoreConnectionsThanPorts(t *testing.T) {
	t.Parallel()
	st := moment(t, "busy", 60*time.Second)
	live := st.TCP.States[source.Established]
	if usable := st.TCP.Pressure.Usable; live < 40_000 || live < usable || usable != 28232-10 {
		t.Errorf("%d connections on %d usable ports", live, usable)
	}
	if worst := st.TCP.Pressure.Worst(); worst.Percent() > 10 {
		t.Errorf("the worst destination is at %.0f %%", worst.Percent())
	}
}

func TestBrowsingOpensSixConnections(t *testing.T) {
	t.Parallel()
	count := func(at time.Duration) (live, waiting int) {
		st := moment(t, "browsing", at)
		for _, u := range st.TCP.Pressure.Tuples {
			if u.Destination.String() == "203.0.113.10" {
				live, waiting = live+u.Live, waiting+u.TimeWait
			}
		}
		return live, waiting
	}
	for _, tt := range []struct {
		at            time.Duration
		live, waiting int
	}{{0, 0, 0}, {10 * time.Second, 6, 0}, {40 * time.Second, 0, 6}, {95 * time.Second, 0, 0}} {
		if live, waiting := count(tt.at); live != tt.live || waiting != tt.waiting {
			t.Errorf("after %v: %d live and %d in TIME_WAIT, want %d and %d", tt.at, live, waiting, tt.live, tt.waiting)
		}
	}
}
