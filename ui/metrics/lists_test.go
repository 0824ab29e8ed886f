package metrics

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/expfmt"
	promodel "github.com/prometheus/common/model"

	"ephtop/model"
	"ephtop/source"
)

// small is a host of 100 ports, whose moments are made by hand.
type small struct {
	*Collector
	fleet    *model.Fleet
	moment   source.Moment
	overview model.Overview
	started  time.Time
}

func newSmall(o Options) *small {
	s := &small{Collector: New(o), fleet: model.NewFleet(model.Options{}), started: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	s.moment.Time = s.started
	return s
}

// next begins the moment so long after the last one.
func (s *small) next(after time.Duration) {
	now := s.moment.Time.Add(after)
	s.moment.Reset()
	s.moment.Time, s.moment.Host = now, "small"
}

// add adds a namespace in which so many ports are held to each destination, by the
// process of that number.
func (s *small) add(scope source.Scope, ports map[byte]int, processes ...string) {
	snap := s.moment.Add(scope)
	snap.Settings = source.Settings{Range: source.PortRange{Low: 40000, High: 40099}, TimeWait: time.Minute, Parity: true}
	first := int32(len(s.moment.Processes))
	for i, name := range processes {
		s.moment.Processes = append(s.moment.Processes, source.Process{PID: first + int32(i) + 1, Name: name})
	}
	for to, n := range ports {
		for i := range n {
			process := source.NoProcess
			if len(processes) > 0 {
				process = first + int32(int(to)%len(processes))
			}
			snap.Sockets = append(snap.Sockets, source.Socket{
				Proto: source.TCP, State: source.Established, Local: source.Addr4([4]byte{10, 0, 0, 1}), LocalPort: uint16(40000 + i),
				Remote: source.Addr4([4]byte{10, 0, 1, to}), RemotePort: 443, Process: process, Inode: 1,
			})
		}
	}
}

func (s *small) observe() {
	s.fleet.Update(&s.moment, &s.overview)
	s.Observe(Poll{Overview: &s.overview, About: s.overview.States[s.overview.Focus], At: s.moment.Time, Interval: interval})
}

// A thousand destinations that come and go in an hour begin no more than 60
// series of a name, and never have more than 10.
func TestSeriesUnderChurn(t *testing.T) {
	t.Parallel()
	host, r := newSmall(DefaultOptions), rand.New(rand.NewPCG(1, 2))
	const interval = 5 * time.Second
	type stay struct {
		ports int
		until time.Duration
	}
	there := make(map[byte]stay)
	starts, had, destinations := make(map[string]int), map[string]bool{}, 0
	for at := time.Duration(0); at < time.Hour; at += interval {
		host.next(interval)
		maps.DeleteFunc(there, func(_ byte, s stay) bool { return s.until < at })
		for destinations < int(at/(time.Hour/1000)) {
			destinations++
			there[byte(destinations)] = stay{12 + r.IntN(30), at + time.Minute + time.Duration(r.IntN(60))*time.Second}
		}
		ports := make(map[byte]int)
		for to, s := range there {
			ports[to] = s.ports
		}
		host.add(source.Scope{}, ports)
		host.observe()
		page := gathered(t, host.Collector)
		wantBounded(t, page)
		now := make(map[string]bool)
		for series := range figures(page) {
			if now[series] = true; strings.Contains(series, "destination=") && !had[series] {
				name, _, _ := strings.Cut(series, "{")
				starts[name]++
			}
		}
		had = now
	}
	if destinations < 990 || len(starts) != 4 {
		t.Fatalf("%d destinations, starts %v", destinations, starts)
	}
	for name, n := range starts {
		if n > 60 || n < 10 {
			t.Errorf("%d series of %s began, want 60 at most", n, name)
		}
	}
}

// What had little before has a place when it has more, and keeps it for a while.
func TestKeeper(t *testing.T) {
	t.Parallel()
	const m = time.Minute
	type step struct {
		at     time.Duration
		shares map[string]float64
		want   string
	}
	for _, test := range []struct {
		name  string
		steps []step
	}{
		{"below the floor there is no series", []step{{0, map[string]float64{"a": 0.09, "b": 0.1}, "b 0.1"}}},
		{"the largest have the places", []step{{0, map[string]float64{"a": 0.2, "b": 0.3, "c": 0.4}, "c 0.4, b 0.3"}}},
		{"what is gone stays for ten minutes, with nothing", []step{
			{0, map[string]float64{"a": 0.2}, "a 0.2"}, {5 * m, nil, "a 0"}, {10*m - 1, nil, "a 0"}, {10 * m, nil, ""},
		}},
		{"what is below the floor stays, with what it has, until ten minutes after it was not", []step{
			{0, map[string]float64{"a": 0.2}, "a 0.2"}, {8 * m, map[string]float64{"a": 0.1}, "a 0.1"},
			{17 * m, map[string]float64{"a": 0.05}, "a 0.05"}, {18 * m, map[string]float64{"a": 0.05}, ""},
		}},
		{"a place is not given away within ten minutes", []step{
			{0, map[string]float64{"a": 0.2, "b": 0.3}, "b 0.3, a 0.2"}, {9 * m, map[string]float64{"a": 0.2, "b": 0.3, "c": 0.9}, "b 0.3, a 0.2"},
			{10 * m, map[string]float64{"a": 0.2, "b": 0.3, "c": 0.9}, "b 0.3, c 0.9"},
		}},
		{"nor for less than it holds", []step{
			{0, map[string]float64{"a": 0.2, "b": 0.3}, "b 0.3, a 0.2"}, {20 * m, map[string]float64{"a": 0.2, "b": 0.3, "c": 0.15}, "b 0.3, a 0.2"},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k := keeper[string, float64]{places: 2, worth: 0.1, share: func(f *float64) float64 { return *f }}
			for _, s := range test.steps {
				got := ""
				for i, e := range k.choose(s.at, maps.All(s.shares)) {
					if i > 0 {
						got += ", "
					}
					got += fmt.Sprint(e.key, " ", e.value)
				}
				if got != s.want {
					t.Errorf("at %v: %q, want %q", s.at, got, s.want)
				}
			}
		})
	}
}

// The namespace is a label once there are several, and stays one, so that series
// do not end and begin with each container.
func TestNamespaceLabel(t *testing.T) {
	t.Parallel()
	host := newSmall(DefaultOptions)
	one, two := source.Scope{Netns: 1, Kind: source.ScopeHost}, source.Scope{Netns: 2, Name: "shop/api", Kind: source.ScopePod}
	for _, step := range []struct {
		scopes []source.Scope
		want   []string // series of tuple_used_ports
	}{
		{[]source.Scope{one}, []string{`{destination="10.0.1.7",port="443",source="10.0.0.1"}`}},
		{[]source.Scope{one, two}, []string{
			`{destination="10.0.1.7",netns="host",port="443",source="10.0.0.1"}`, `{destination="10.0.1.7",netns="shop/api",port="443",source="10.0.0.1"}`,
		}},
		{[]source.Scope{one}, []string{
			`{destination="10.0.1.7",netns="host",port="443",source="10.0.0.1"}`, `{destination="10.0.1.7",netns="shop/api",port="443",source="10.0.0.1"}`,
		}},
	} {
		host.next(interval)
		for _, s := range step.scopes {
			host.add(s, map[byte]int{7: 20})
		}
		host.observe()
		page := gathered(t, host.Collector)
		for _, series := range step.want {
			if _, ok := figures(page)["ephtop_tuple_used_ports"+series]; !ok {
				t.Errorf("of %d namespaces there is no %s", len(step.scopes), series)
			}
		}
		if n := families(page)["ephtop_tuple_used_ports"]; n != len(step.want) {
			t.Errorf("of %d namespaces there are %d series, want %d", len(step.scopes), n, len(step.want))
		}
	}
}

// Processes of one name are one.
func TestProcessesOfOneName(t *testing.T) {
	t.Parallel()
	host := newSmall(DefaultOptions)
	host.next(0)
	host.add(source.Scope{}, map[byte]int{0: 20, 1: 20, 2: 5}, "worker", "worker", "idle")
	host.observe()
	page := figures(gathered(t, host.Collector))
	if page[`ephtop_process_ports{process="worker"}`] != "40" || families(gathered(t, host.Collector))["ephtop_process_ports"] != 1 {
		t.Errorf("the page is %v", page)
	}
}

// Whatever a process or a namespace calls itself, the page can be read, and holds
// no more of it than it should.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"api", "a\"b\\c\nd", "\x1b]0;owned\x07", "\xff\xfe", "e\u202evil", strings.Repeat("x", 500), strings.Repeat("é", 100), ""} {
		f.Add(name, name)
	}
	f.Fuzz(func(t *testing.T, process, namespace string) {
		host := newSmall(DefaultOptions)
		host.next(0)
		host.add(source.Scope{Netns: 1, Name: namespace}, map[byte]int{0: 20, 1: 30}, process, "other")
		host.add(source.Scope{Netns: 2, Name: namespace}, map[byte]int{0: 40})
		host.observe()
		parser := expfmt.NewTextParser(promodel.LegacyValidation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(string(gathered(t, host.Collector))))
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families {
			for _, m := range family.Metric {
				for _, l := range m.Label {
					if v := l.GetValue(); len(v) > longestLabel || !utf8.ValidString(v) || strings.ContainsAny(v, "\n\x1b\u202e") {
						t.Errorf("%s has the label %q", family.GetName(), v)
					}
				}
			}
		}
	})
}

// The fullest pools of translated ports have series, five at most, and without
// destinations where these are not told.
func TestTranslatedPorts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		options Options
		series  int
		worst   string
	}{
		{DefaultOptions, 5, `ephtop_snat_used_ports{address="203.0.113.7",destination="10.0.1.9",port="443",proto="tcp"}`},
		{Options{Top: 10, MinShare: 10, NoDestinations: true}, 1, `ephtop_snat_used_ports{address="203.0.113.7",port="443",proto="tcp"}`},
	} {
		host := newSmall(c.options)
		host.next(time.Second)
		host.add(source.Scope{}, nil)
		n := source.NAT{Entries: 100_000, Max: 262_144}
		for to := byte(9); to > 0; to-- { // the fullest first, as a source gives them
			n.Pools = append(n.Pools, source.NATPool{
				Address: source.Addr4([4]byte{203, 0, 113, 7}), Remote: source.Addr4([4]byte{10, 0, 1, to}), RemotePort: 443, Proto: source.TCP, Used: 6_000 * int(to),
			})
		}
		host.moment.NATs = append(host.moment.NATs, n)
		host.observe()
		page := gathered(t, host.Collector)
		wantBounded(t, page)
		if got := families(page); got["ephtop_snat_used_ports"] != c.series || got["ephtop_snat_ports"] != c.series {
			t.Errorf("%d and %d series, want %d", got["ephtop_snat_used_ports"], got["ephtop_snat_ports"], c.series)
		}
		if got := figures(page)[c.worst]; got != "54000" {
			t.Errorf("%s is %q, want 54000", c.worst, got)
		}
		promtool(t, page)
	}
}

// What a NAT on the way has is of all namespaces, and has series as translated ports
// have.
func TestNATOnTheWay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		options Options
		series  int
		worst   string
	}{
		{DefaultOptions, 5, `ephtop_nat_on_the_way_used_ports{destination="10.0.1.9",port="443",proto="tcp"}`},
		{Options{Top: 10, MinShare: 10, NoDestinations: true}, 1, `ephtop_nat_on_the_way_used_ports{port="443",proto="tcp"}`},
	} {
		host := newSmall(c.options)
		host.fleet = model.NewFleet(model.Options{NATPorts: 100})
		host.next(time.Second)
		ports := make(map[byte]int)
		for to := byte(1); to < 10; to++ {
			ports[to] = 10 + int(to)
		}
		host.add(source.Scope{Netns: 1, Name: "a"}, ports)
		host.add(source.Scope{Netns: 2, Name: "b"}, ports)
		host.observe()
		page := gathered(t, host.Collector)
		wantBounded(t, page)
		if got := families(page); got["ephtop_nat_on_the_way_used_ports"] != c.series || got["ephtop_nat_on_the_way_ports"] != c.series {
			t.Errorf("%d and %d series, want %d", got["ephtop_nat_on_the_way_used_ports"], got["ephtop_nat_on_the_way_ports"], c.series)
		}
		if got := figures(page)[c.worst]; got != "38" {
			t.Errorf("%s is %q, want 38", c.worst, got)
		}
		promtool(t, page)
	}
}
