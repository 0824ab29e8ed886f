package report

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

// containerHost is a host of containers: a pod in trouble, the host itself, a
// namespace without a name, and two that were not looked at.
func containerHost() *model.Overview {
	pod, host, box := busyHost(), idleHost(), idleHost()
	pod.Snapshot.Scope = source.Scope{Netns: 4026532453, Name: "shop/api-7d9f\x1b", Kind: source.ScopePod, PID: 44100}
	pod.Snapshot.BlockedKnown = true
	pod.TCP.Pressure.Tuples[0].Blocked, pod.TCP.Pressure.Tuples[0].BlockedKnown = 4, 4
	host.Moment, box.Moment = pod.Moment, pod.Moment
	host.Snapshot.Scope = source.Scope{Netns: 4026531840, Kind: source.ScopeHost, PID: 1}
	host.Findings = []model.Finding{{Problem: model.SynSent, Level: model.LevelWarning, State: 1, Process: source.NoProcess, Count: 3,
		Tuple: model.TupleKey{Destination: addr("10.0.9.9"), Port: 443}, Span: 20 * time.Second}}
	box.Snapshot.Scope, box.Snapshot.Age = source.Scope{Netns: 4026533203}, 3*time.Second
	quiet := []source.Brief{
		{Scope: source.Scope{Netns: 4026534000, Name: "redis", Kind: source.ScopeContainer, PID: 51}, Bound: 120, Usable: 28232},
		{Scope: source.Scope{Netns: 4026534075, Name: "vpn", Kind: source.ScopeNamed}, Bound: 3, Usable: 28232},
	}
	o := &model.Overview{Moment: pod.Moment, Level: pod.Level, States: []*model.State{pod, host, box}, Quiet: quiet}
	for _, st := range o.States {
		st.Thresholds = model.DefaultThresholds
	}
	o.Findings = append(append(o.Findings, pod.Findings...), host.Findings...)
	return o
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	o := containerHost()
	for name, write := range map[string]func(io.Writer) error{
		"text":         func(w io.Writer) error { return Text(w, o.States[0], Options{Overview: o}) },
		"text of host": func(w io.Writer) error { return Text(w, o.States[1], Options{Overview: o}) },
		"text of box":  func(w io.Writer) error { return Text(w, o.States[2], Options{Overview: o}) },
		"json":         func(w io.Writer) error { return JSON(w, o.States[0], Options{Overview: o, Rows: []int32{0}}) },
		"csv":          func(w io.Writer) error { return CSV(w, o.States[0], Options{Overview: o, Rows: []int32{0, listener}}) },
		"doctor": func(w io.Writer) error {
			d := Diagnosis{State: o.States[0], Evidence: &source.Evidence{}, Sample: advice.Sample{Polls: 2, Span: time.Second}}
			return DoctorText(w, &d, Options{Overview: o})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			if err := write(&out); err != nil {
				t.Fatal(err)
			}
			golden.RequireEqual(t, out.Bytes())
		})
	}
}

// A check of several namespaces is about the worst, and says which that is.
func TestCheckOfSeveralNamespaces(t *testing.T) {
	t.Parallel()
	o := containerHost()
	host := o.States[1]
	host.UDP.Pressure.InUse, host.UDP.Pressure.PoolLevel = 14000, model.LevelCritical
	settles := containerHost()
	settles.States[0].TCP.Pressure.Tuples[1].Outlook = model.Outlook{Trend: model.TrendFull, In: 40 * time.Second, CloseRate: 600, Plateau: 36311}
	grows := containerHost()
	grows.States[0].TCP.Pressure.Tuples[1].Outlook = model.Outlook{Trend: model.TrendFull, In: 40 * time.Second, Rate: 600, Plateau: 28222}
	for _, c := range []struct {
		name   string
		states []*model.State
		on     CheckOn
		want   string
	}{
		{"the worst destination", o.States, OnTuple, "EPHTOP WARNING - shop/api-7d9f: 63.8 % of 28,222 ports to 10.0.9.2:5432 used"},
		{"whatever is worst", o.States, OnAny, "EPHTOP WARNING - shop/api-7d9f: 63.8 % of"},
		{"the pools", o.States, OnPool, "EPHTOP CRITICAL - host: 85.4 % of 16,384 UDP ports used, by an assumed range | tuple=0%;60;80;0;100 pool=0%;60;80;0;100 udp=85.4%;"},
		{"one that was chosen", o.States[2:], OnTuple, "EPHTOP OK - 0 % of 16,384 TCP ports used, by an assumed range | "},
		{"any, and there is but one", o.States[1:2], OnAny, "EPHTOP OK - host: 0 % of"},
		{"where it levels off", o.States, OnPlateau, "EPHTOP OK - shop/api-7d9f: levels off at 29.1 % of 28,222 ports to 10.0.9.2:5432 | tuple=63.8%;60;80;0;100 "},
		{"where it does not", settles.States, OnPlateau, "EPHTOP CRITICAL - shop/api-7d9f: 28,222 ports to [2001:db8:ffff:ffff:ffff:ffff:ffff:9f01]:44300 do not suffice for 600 closes/s, which need 128.7 % "},
		{"where the use grows for good", grows.States, OnPlateau, "EPHTOP CRITICAL - shop/api-7d9f: 28,222 ports to [2001:db8:ffff:ffff:ffff:ffff:ffff:9f01]:44300 will be full in 40s "},
	} {
		var out bytes.Buffer
		if _, err := Check(&out, c.states, nil, c.on); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(out.String(), c.want) {
			t.Errorf("%s:\n%swant\n%s", c.name, out.String(), c.want)
		}
	}
}

// What was not looked at is called quiet only where that is certain: its range
// is known, and its sockets are too few.
func TestNamespacesOfWhichNothingIsCertain(t *testing.T) {
	t.Parallel()
	o := containerHost()
	o.Quiet = append(o.Quiet,
		source.Brief{Scope: source.Scope{Netns: 7, Name: "narrow"}, Bound: 202, Usable: 28232, Assumed: true},
		source.Brief{Scope: source.Scope{Netns: 8, Name: "crowd"}, Bound: 26000, Usable: 28232})
	for _, test := range []struct {
		name  string
		write func(io.Writer) error
		want  []string
	}{
		{"text", func(w io.Writer) error { return Text(w, o.States[0], Options{Overview: o}) }, []string{
			"  and 2 quiet namespaces, none of them above 0.4 %\n", "? and 2 namespaces that were not looked at, with up to 26,000 sockets\n"}},
		{"text of a filter", func(w io.Writer) error { return Text(w, o.States[0], Options{Overview: o, Filter: "ns:redis"}) }, []string{
			"  0 of 9 sockets pass the filter ns:redis; --netns looks at another namespace\n  than shop/api-7d9f\n"}},
		{"json", func(w io.Writer) error { return JSON(w, o.States[0], Options{Overview: o}) }, []string{
			`"name":"redis","kind":"container","pid":51,"level":"ok","percent":null,"bound_percent":0.4,`,
			`"name":"narrow","kind":"unnamed","pid":null,"level":"unknown","percent":null,"bound_percent":null,`,
			`"name":"crowd","kind":"unnamed","pid":null,"level":"unknown","percent":null,"bound_percent":92.1,`}},
		{"check", func(w io.Writer) error { _, err := Check(w, o.States, o.Quiet, OnAny); return err }, []string{
			"to 10.0.9.2:5432 used, connect() is slow; 2 namespaces were not looked at | tuple="}},
	} {
		var out bytes.Buffer
		if err := test.write(&out); err != nil {
			t.Fatal(err)
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", test.name, want, out.String())
			}
		}
	}
}
