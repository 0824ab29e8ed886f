package model

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

const db = "10.0.9.2:5432"

var (
	java = source.Process{PID: 3120, Start: 1, Name: "java", UID: 33, User: "www-data"}
	curl = source.Process{PID: 4000, Start: 2, Name: "curl", UID: 0, User: "root"}
)

// story runs one Fleet over moments and returns the last state.
func story(moments ...*source.Moment) *State {
	t := newTeller()
	var st *State
	for _, m := range moments {
		st = t.tell(m)
	}
	return st
}

func withProcesses(s *source.Moment, ps ...source.Process) *source.Moment {
	s.Processes = ps
	return s
}

func TestTimeWaitKeepsItsObservedOwner(t *testing.T) {
	t.Parallel()
	live := owned(socket(source.Established, "10.0.0.1:40000", db), 7, 0)
	wait := owned(socket(source.TimeWait, "10.0.0.1:40000", db), 7, source.NoProcess)
	cases := []struct {
		name    string
		moments []*source.Moment
		owner   string
		tier    Tier
	}{
		{"by cookie", []*source.Moment{withProcesses(moment(0, live), java), moment(1, wait)}, "java", OwnerObserved},
		{"for as long as it lasts", []*source.Moment{withProcesses(moment(0, live), java), moment(1, wait), moment(2, wait), moment(59, wait)}, "java", OwnerObserved},
		{
			"through an orphaned state", []*source.Moment{
				withProcesses(moment(0, live), java),
				moment(1, owned(socket(source.FinWait1, "10.0.0.1:40000", db), 7, source.NoProcess)), moment(2, wait),
			}, "java", OwnerObserved,
		},
		{
			"by four-tuple where there are no cookies", []*source.Moment{
				withProcesses(moment(0, owned(live, 0, 0)), java), moment(1, owned(wait, 0, source.NoProcess)),
			}, "java", OwnerObserved,
		},
		{
			"not known where another connection had the four-tuple", []*source.Moment{
				withProcesses(moment(0, owned(live, 6, 0)), java), moment(70, wait),
			}, "", OwnerUnknown,
		},
		{"never seen alive", []*source.Moment{moment(0, wait)}, "", OwnerUnknown},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			st := story(c.moments...)
			name := ""
			if p := st.Process(0); p != nil {
				name = p.Name
			}
			if name != c.owner || st.Rows[0].Tier != c.tier {
				t.Errorf("owner %q %v, want %q %v", name, st.Rows[0].Tier, c.owner, c.tier)
			}
		})
	}
}

func TestUnseenTimeWaitIsInferredFromTheSameDestination(t *testing.T) {
	t.Parallel()
	closed := func(local, remote string, cookie uint64) source.Socket {
		return with(owned(socket(source.TimeWait, local, remote), cookie, source.NoProcess), func(s *source.Socket) { s.Expires = 59100 })
	}
	st := story(
		withProcesses(moment(0,
			owned(socket(source.Established, "10.0.0.1:40000", db), 1, 0),
			owned(socket(source.Established, "10.0.0.1:40002", db), 2, 0),
			owned(socket(source.Established, "10.0.0.1:40004", db), 3, 1),
			owned(socket(source.Established, "10.0.0.1:40006", "10.0.9.3:80"), 4, 1)), java, curl),
		moment(1,
			closed("10.0.0.1:40008", db, 5), closed("10.0.0.1:40010", "10.0.9.4:80", 6), closed("10.0.0.1:40000", db, 1),
			closed("10.0.0.1:40002", db, 2), closed("10.0.0.1:40004", db, 3)),
	)
	if p := st.Process(0); p == nil || p.Name != "java" || st.Rows[0].Tier != OwnerInferred {
		t.Errorf("towards the database: %v %v, want java, inferred: it closed 2 of 3", p, st.Rows[0].Tier)
	}
	if p := st.Process(1); p != nil || st.Rows[1].Tier != OwnerUnknown {
		t.Errorf("towards a destination where no close was seen: %v %v, want none", p, st.Rows[1].Tier)
	}
	if seen, of := st.Likely(0); seen != 2 || of != 3 {
		t.Errorf("%d of %d seen, want 2 of 3", seen, of)
	}
}

func TestMemoryIsBoundedByWhatIsThere(t *testing.T) {
	t.Parallel()
	host := newTeller()
	for i := range 50 {
		p := source.Process{PID: int32(1000 + i), Start: 1, Name: "worker"}
		list := connections(20, source.Established, "10.0.0.1", 40000, 1, db)
		for j := range list {
			list[j] = owned(list[j], uint64(1000*i+j+1), 0)
		}
		host.tell(withProcesses(moment(float64(i), list...), p))
	}
	host.tell(moment(60))
	tr := host.fleet.trackers[scopeKey{}]
	o, d := &tr.ownership, &tr.tcp.tuples.dests
	if n := len(o.recall.next) + len(d.index) + len(tr.tcp.tuples.index) + len(o.registry.index); n != 0 {
		t.Errorf("%d sockets, %d destinations, %d tuples, %d processes remembered of an empty host",
			len(o.recall.next), len(d.index), len(tr.tcp.tuples.index), len(o.registry.index))
	}
	// One alive, one new, and the four that the sightings of db tell apart.
	if n := len(o.registry.processes); n > 6 {
		t.Errorf("%d places for processes that came one after the other, want them reused", n)
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	st := story(
		moment(0, owned(socket(source.Established, "10.0.0.1:40000", db), 1, source.NoProcess)),
		moment(5, owned(socket(source.Established, "10.0.0.1:40000", db), 1, source.NoProcess),
			owned(socket(source.Established, "10.0.0.1:40002", db), 2, source.NoProcess)),
		moment(41, owned(socket(source.Established, "10.0.0.1:40000", db), 1, source.NoProcess),
			owned(socket(source.Established, "10.0.0.1:40002", db), 2, source.NoProcess),
			with(owned(socket(source.TimeWait, "10.0.0.1:40004", db), 3, source.NoProcess), func(s *source.Socket) { s.Expires = 48000 })))
	want := []struct {
		age        time.Duration
		sinceStart bool
	}{{41 * time.Second, true}, {36 * time.Second, false}, {12 * time.Second, false}}
	for i, w := range want {
		if got := st.Age(i); got != w.age || st.Rows[i].SinceStart != w.sinceStart {
			t.Errorf("row %d: age %v, since start %v; want %v, %v", i, got, st.Rows[i].SinceStart, w.age, w.sinceStart)
		}
	}
}

func TestStatesCountEverySocketOfTheProtocol(t *testing.T) {
	t.Parallel()
	udp := func(s *source.Socket) { s.Proto = source.UDP }
	st := update(moment(0,
		socket(source.Listen, "0.0.0.0:80", ""),
		socket(source.Established, "10.0.0.1:80", "10.0.7.7:50000"),
		socket(source.Established, "10.0.0.1:40000", db),
		socket(source.TimeWait, "10.0.0.1:40002", db),
		with(socket(source.Bound, "0.0.0.0:53", ""), udp)))
	want := StateCounts{source.Listen: 1, source.Established: 2, source.TimeWait: 1}
	if diff := cmp.Diff(want, st.TCP.States); diff != "" {
		t.Errorf("tcp (-want +got):\n%s", diff)
	}
	if want := (StateCounts{source.Bound: 1}); st.UDP.States != want {
		t.Errorf("udp %v, want %v", st.UDP.States, want)
	}
}

func TestLifeOrderHasEveryStateOnce(t *testing.T) {
	t.Parallel()
	seen := map[source.State]int{}
	for _, s := range LifeOrder {
		seen[s]++
	}
	for s := range source.State(source.NumStates) {
		if seen[s] != 1 {
			t.Errorf("%v stands %d times in LifeOrder", s, seen[s])
		}
	}
}

// consumerView is what the consumer tests look at.
type consumerView struct {
	Who            string
	Tier           Tier
	Ports, Sockets int
	Likely         int
	Most           string
}

func consumersOf(st *State, g Grouping) []consumerView {
	var list []consumerView
	for i := range st.TCP.Consumers[g] {
		c := &st.TCP.Consumers[g][i]
		v := consumerView{Tier: c.Tier, Ports: c.Ports, Sockets: c.Sockets, Likely: c.Likely}
		switch {
		case g == ByProcess && c.Process != source.NoProcess:
			v.Who = st.Processes[c.Process].Name
		case g == ByDestination && c.Port != 0:
			v.Who = source.AddrPort(c.Destination, c.Port)
		case g == ByService && c.Port != 0:
			v.Who = strconv.Itoa(int(c.Port))
		case g == ByUser:
			v.Who = c.User
		}
		if c.Most.Port != 0 {
			v.Most = source.AddrPort(c.Most.Destination, c.Most.Port)
		}
		list = append(list, v)
	}
	return list
}

func TestConsumers(t *testing.T) {
	t.Parallel()
	const web = "10.0.9.3:443"
	st := story(
		withProcesses(moment(0,
			owned(socket(source.Established, "10.0.0.1:40000", db), 1, 0),
			owned(socket(source.Established, "10.0.0.1:40002", db), 2, 0),
			// The same local port towards another destination is one port.
			owned(socket(source.Established, "10.0.0.1:40002", web), 3, 0),
			owned(socket(source.Established, "10.0.0.1:40004", web), 4, 1),
			// A connection that came in holds no ephemeral port.
			owned(socket(source.Established, "10.0.0.1:80", "10.0.7.7:50000"), 5, 0)), java, curl),
		withProcesses(moment(1,
			owned(socket(source.Established, "10.0.0.1:40000", db), 1, 0),
			owned(socket(source.TimeWait, "10.0.0.1:40002", db), 2, source.NoProcess),
			owned(socket(source.Established, "10.0.0.1:40002", web), 3, 0),
			owned(socket(source.Established, "10.0.0.1:40004", web), 4, 1),
			owned(socket(source.Established, "10.0.0.1:80", "10.0.7.7:50000"), 5, 0),
			owned(socket(source.TimeWait, "10.0.0.1:40006", db), 6, source.NoProcess),
			owned(socket(source.TimeWait, "10.0.0.1:40008", "10.0.9.4:25"), 8, source.NoProcess),
			owned(socket(source.Bound, "10.0.0.1:40010", ""), 9, 1)), java, curl))
	cases := []struct {
		by   Grouping
		want []consumerView
	}{
		{ByProcess, []consumerView{
			{"java", OwnerObserved, 3, 5, 1, db},
			{"curl", OwnerObserved, 2, 2, 0, web},
			{"", OwnerUnknown, 1, 1, 0, "10.0.9.4:25"},
		}},
		{ByDestination, []consumerView{
			{db, OwnerObserved, 3, 3, 0, db},
			{web, OwnerObserved, 2, 2, 0, web},
			{"10.0.9.4:25", OwnerObserved, 1, 1, 0, "10.0.9.4:25"},
			{"", OwnerUnknown, 1, 1, 0, ""},
		}},
		{ByService, []consumerView{
			{"5432", OwnerObserved, 3, 3, 0, db},
			{"443", OwnerObserved, 2, 2, 0, web},
			{"25", OwnerObserved, 1, 1, 0, "10.0.9.4:25"},
			{"", OwnerUnknown, 1, 1, 0, ""},
		}},
		{ByUser, []consumerView{
			{"www-data", OwnerObserved, 3, 5, 0, db},
			{"root", OwnerObserved, 2, 2, 0, web},
			{"", OwnerUnknown, 1, 1, 0, "10.0.9.4:25"},
		}},
	}
	for _, c := range cases {
		t.Run(c.by.String(), func(t *testing.T) {
			got := consumersOf(st, c.by)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// grow makes moments a second apart, in which a tuple's use goes from one
// number to the next.
func grow(used ...int) []*source.Moment {
	var list []*source.Moment
	for i, n := range used {
		list = append(list, moment(float64(i), connections(n, source.Established, "10.0.0.1", 40000, 1, db)...))
	}
	return list
}

func TestForecast(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		used []int
		rate float64
		full time.Duration
	}{
		{"one moment tells nothing", []int{50}, 0, 0},
		{"two are too few to say when", []int{50, 52}, 2, 0},
		{"steady growth", []int{50, 52, 54, 56, 58, 60}, 2, 20 * time.Second},
		{"no growth", []int{50, 50, 50, 50}, 0, 0},
		{"falling", []int{50, 48, 46, 44}, -2, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := story(grow(c.used...)...).Outlook
			if math.Abs(got.Rate-c.rate) > 1e-9 || (got.Left()-c.full).Abs() > time.Millisecond {
				t.Errorf("rate %v, full in %v; want %v, %v", got.Rate, got.Left(), c.rate, c.full)
			}
		})
	}
}

func TestForecastUsesRealElapsedTime(t *testing.T) {
	t.Parallel()
	moments := grow(50, 52, 54, 56)
	for i := range moments {
		moments[i].Time = epoch.Add(time.Duration(i) * 4 * time.Second)
	}
	if got := story(moments...).Outlook; math.Abs(got.Rate-0.5) > 1e-9 {
		t.Errorf("rate %v, want 0.5: two ports in four seconds", got.Rate)
	}
}

func TestForecastOfCloses(t *testing.T) {
	t.Parallel()
	young := evenly(connections(30, source.TimeWait, "10.0.0.1", 40000, 1, db), 5)
	young = append(young, connections(10, source.Established, "10.0.0.1", 40030, 1, db)...)
	got := update(moment(0, append(young, socket(source.Bound, "10.0.0.1:40090", ""))...)).Outlook
	want := Outlook{
		Trend: TrendFull, In: 59 * time.Second / 6,
		CloseRate: 6, Keeps: time.Minute, Sustainable: float64(100-10-1) / 60, Plateau: 10 + 1 + 360,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHistoryKeepsFiveMinutes(t *testing.T) {
	t.Parallel()
	var moments []*source.Moment
	for i := range 400 {
		moments = append(moments, moment(float64(i), connections(i%100, source.Established, "10.0.0.1", 40000, 1, db)...))
	}
	h := story(moments...).History
	if len(h) != 301 || h[0].Clock != epoch.Add(99*time.Second).UnixNano() || h[300].Used != 99 {
		t.Errorf("%d samples from %v to %+v; want 301, from the 99th second to the last", len(h), time.Unix(0, h[0].Clock), h[len(h)-1])
	}
}

// The hour is told by the worst of every ten seconds, of which those of now are
// not over.
func TestSummaryOfAnHour(t *testing.T) {
	t.Parallel()
	var moments []*source.Moment
	for i := 0; i < 4000; i += 4 {
		n := 10
		if i == 3000 {
			n = 70
		}
		m := moment(float64(i), connections(n, source.Established, "10.0.0.1", 40000, 1, db)...)
		if i == 3004 {
			m.Snapshots[0].Sockets = append(m.Snapshots[0].Sockets, connections(7, source.Bound, "10.0.0.1", 40080, 1, "")...)
			for j := range m.Snapshots[0].Sockets[n:] {
				m.Snapshots[0].Sockets[n+j].Proto = source.UDP
			}
		}
		moments = append(moments, m)
	}
	st := story(moments...)
	h := st.Hour
	if len(h) != 361 || h[0].Clock != epoch.Add(380*time.Second).UnixNano() || h[360].Clock != epoch.Add(3980*time.Second).UnixNano() {
		t.Fatalf("%d samples from %v to %v; want one every 10 s for an hour", len(h), time.Unix(0, h[0].Clock).UTC(), time.Unix(0, h[len(h)-1].Clock).UTC())
	}
	for _, s := range h {
		want := Sample{Clock: s.Clock, Used: 10, Usable: 100, Pool: 10}
		if s.Clock == epoch.Add(3000*time.Second).UnixNano() {
			want.Used, want.Pool, want.UDP, want.Level = 70, 70, 7, LevelWarning
		}
		if s != want {
			t.Errorf("%+v, want %+v", s, want)
		}
	}
}

// A clock that is set back is no reason for nonsense.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	st := story(
		moment(100, connections(10, source.Established, "10.0.0.1", 40000, 1, db)...),
		moment(50, connections(20, source.Established, "10.0.0.1", 40000, 1, db)...))
	if st.Elapsed != 0 || st.Outlook.Rate != 0 || st.Outlook.In != 0 {
		t.Errorf("elapsed %v, outlook %+v; want zeros", st.Elapsed, st.Outlook)
	}
}

// An age is told for as long as a Span reaches, and then as half of that, whatever
// the distance of two looks.
func TestAgesOfYears(t *testing.T) {
	t.Parallel()
	host := newTeller()
	old, next := socket(source.Established, "10.0.0.1:40000", db), socket(source.Established, "10.0.0.1:40001", db)
	days := func(n int) float64 { return float64(n) * (24 * time.Hour).Seconds() }
	host.tell(moment(0, old))
	host.tell(moment(days(400), old, next))
	for _, c := range []struct{ day, old, next int }{{490, 490, 90}, {500, 248, 100}, {600, 348, 200}, {10_000, 248, 248}, {10_001, 249, 249}} {
		st := host.tell(moment(days(c.day), old, next))
		for i, want := range []int{c.old, c.next} {
			if got := int(st.Age(i) / (24 * time.Hour)); got != want {
				t.Errorf("day %d, socket %d: seen for %d days, want %d", c.day, i, got, want)
			}
		}
	}
}
