package model

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/race"
)

// ports is a range of so many ports, on a host that keeps as many TIME_WAIT as
// there are.
func ports(n int) func(*source.Settings) {
	return func(s *source.Settings) { s.Range = source.PortRange{Low: 20000, High: uint16(20000 + n - 1)} }
}

// host is a moment with settings that are not the usual ones.
func settingsOf(m *source.Moment, changes ...func(*source.Settings)) *source.Moment {
	for _, change := range changes {
		change(&m.Snapshots[0].Settings)
	}
	return m
}

// churning are the TIME_WAIT of a destination to which rate connections a
// second were closed from one age to another, in seconds, each on a port of its
// own, those of the first half first.
func churning(rate float64, from, to int, source_, remote string) []source.Socket {
	n := int(rate * float64(to-from))
	list := spread(n, source.TimeWait, source_, remote)
	for i := range list {
		age := 1000*float64(from) + 1000*(float64(i)+0.5)/rate
		list[i].Expires = 60000 - uint32(age)
	}
	return list
}

// spread makes n sockets on the ports of ranges of ports, as connect() takes
// them: those of the first half first.
func spread(n int, state source.State, local, remote string) []source.Socket {
	return slices.Repeat([]source.Socket{socket(state, local+":1", remote)}, n)
}

// place gives sockets ports of the moment's range, the first half's first.
func place(m *source.Moment) *source.Moment {
	r := m.Snapshots[0].Settings.Range
	port := int(r.Low)
	for i := range m.Snapshots[0].Sockets {
		m.Snapshots[0].Sockets[i].LocalPort = uint16(port)
		if port += 2; port > int(r.High) {
			port = int(r.Low) + 1
		}
	}
	return m
}

// oneLook is a look at some TIME_WAIT and live connections of one destination.
func oneLook(waiting []source.Socket, live int, changes ...func(*source.Settings)) *State {
	list := waiting
	if live > 0 {
		list = append(list, spread(live, source.Established, "10.0.0.1", db)...)
	}
	return update(place(settingsOf(moment(0, list...), changes...)))
}

// One look tells where closes lead, wherever in the life of a churn it comes.
func TestOutlookOfOneLook(t *testing.T) {
	t.Parallel()
	noReuse := func(s *source.Settings) { s.ReuseTimeWait = 0 }
	always := func(s *source.Settings) { s.ReuseTimeWait = 1 }
	keeps := func(n int) func(*source.Settings) { return func(s *source.Settings) { s.MaxTimeWait = n } }
	const lo, here = "127.0.0.1", "127.0.0.1:80"
	cases := []struct {
		name    string
		waiting []source.Socket
		live    int
		changes []func(*source.Settings)
		want    Trend
		in      time.Duration // about
		plateau int           // about
		closes  float64       // about
	}{
		{"20/s in 2,000 ports, begun", churning(20, 0, 10, "10.0.0.1", db), 0, []func(*source.Settings){ports(2000)}, TrendLevelsOff, 50 * time.Second, 1200, 20},
		{"20/s in 2,000 ports, for long", churning(20, 0, 60, "10.0.0.1", db), 0, []func(*source.Settings){ports(2000)}, TrendSteady, 0, 1200, 20},
		{"20/s in 2,000 ports, ended", churning(20, 30, 60, "10.0.0.1", db), 0, []func(*source.Settings){ports(2000)}, TrendDrains, 30 * time.Second, 0, 0},
		{"beside 1,000 live", churning(20, 0, 10, "10.0.0.1", db), 1000, []func(*source.Settings){ports(2000)}, TrendFull, 40 * time.Second, 2200, 20},
		{"40/s in 2,000 ports", churning(40, 0, 10, "10.0.0.1", db), 0, []func(*source.Settings){ports(2000)}, TrendFull, 40 * time.Second, 2400, 40},
		{"40/s over loopback, not reused", churning(40, 0, 10, lo, here), 0, []func(*source.Settings){ports(2000), noReuse}, TrendFull, 40 * time.Second, 2400, 40},
		{"40/s over loopback, reused", churning(40, 0, 10, lo, here), 0, []func(*source.Settings){ports(2000)}, TrendLevelsOff, time.Minute, 909, 40},
		{"40/s anywhere, reused", churning(40, 0, 10, "10.0.0.1", db), 0, []func(*source.Settings){ports(2000), always}, TrendLevelsOff, time.Minute, 909, 40},
		{"800/s over loopback in the default range", churning(800, 0, 10, lo, here), 0, []func(*source.Settings){ports(28232)}, TrendLevelsOff, time.Minute, 13645, 800},
		{"800/s, where the first half is about full", churning(800, 0, 17, lo, here), 0, []func(*source.Settings){ports(28232)}, TrendSteady, 0, 13645, 800},
		{"97/s in 100 ports, reused after a second", churning(97, 0, 1, lo, here), 0, nil, TrendSteady, 0, 100, 97},
		{"48/s in 100 ports, of which chance took the second half", churning(48, 0, 2, lo, here), 0, nil, TrendSteady, 0, 96, 48},
		{"as many as 100 ports can bear, reused after a second", churning(100, 0, 1, lo, here), 0, nil, TrendFull, 0, 100, 100},
		{"closes of before the delay", churning(40, 0, 30, lo, here), 0,
			[]func(*source.Settings){ports(2000), func(s *source.Settings) { s.ReuseDelay = 59 * time.Second }}, TrendFull, 19 * time.Second, 2360, 40},
		{"60/s, and the kernel keeps 300", churning(60, 0, 5, "10.0.0.1", db), 0, []func(*source.Settings){ports(1000), keeps(300)}, TrendSteady, 0, 300, 60},
		{"the kernel keeps 300, and closes do not show", churning(60, 40, 45, "10.0.0.1", db), 0, []func(*source.Settings){ports(1000), keeps(300)}, TrendSteady, 0, 300, 0},
		{"60/s, and the kernel keeps 600", churning(60, 0, 5, "10.0.0.1", db), 0, []func(*source.Settings){ports(1000), keeps(600)}, TrendLevelsOff, 5 * time.Second, 600, 60},
		{"60/s, and the kernel keeps more than there are ports", churning(60, 0, 5, "10.0.0.1", db), 0, []func(*source.Settings){ports(1000), keeps(1200)}, TrendFull, 700 * time.Second / 60, 1200, 60},
		{"live ones only", nil, 50, nil, TrendUnknown, 0, 50, 0},
		{"none free", nil, 100, nil, TrendFull, 0, 100, 0},
		{"none free, by TIME_WAIT that wait for long", churning(10, 20, 30, "10.0.0.1", db), 0, nil, TrendFull, 0, 100, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := oneLook(c.waiting, c.live, c.changes...).Outlook
			if o.Trend != c.want || !about(o.In.Seconds(), c.in.Seconds()) || !about(float64(o.Plateau), float64(c.plateau)) || !about(o.CloseRate, c.closes) {
				t.Errorf("%v in %v, plateau %d at %v/s; want %v in %v, plateau %d at %v/s",
					o.Trend, o.In, o.Plateau, o.CloseRate, c.want, c.in, c.plateau, c.closes)
			}
		})
	}
}

// about reports whether two figures differ by little.
func about(got, want float64) bool {
	const part, little = 0.03, 1.5
	return got >= want-want*part-little && got <= want+want*part+little
}

// Many connections that are closed at once say nothing of the next.
func TestABurstIsNoRate(t *testing.T) {
	t.Parallel()
	for _, reuse := range []int{0, 1} {
		for age := range 8 {
			for _, n := range []int{20, 300, 3000} {
				list := aged(spread(n, source.TimeWait, "10.0.0.1", db), uint32(1000*age+500))
				o := oneLook(list, 0, ports(28232), func(s *source.Settings) { s.ReuseTimeWait = reuse }).Outlook
				want := TrendDrains
				if age == 0 {
					want = TrendUnknown // or it goes on, and has just begun
				}
				if o.CloseRate != 0 || o.Trend != want || o.Plateau != 0 {
					t.Errorf("reuse %d, %d closed %d s ago: %v/s, %v to %d; want none, %v to 0", reuse, n, age, o.CloseRate, o.Trend, o.Plateau, want)
				}
			}
		}
	}
}

// A burst beside a rate leaves the rate, and a rate is one from three seconds
// on.
func TestARateBesideABurst(t *testing.T) {
	t.Parallel()
	burst := aged(spread(1000, source.TimeWait, "10.0.0.1", db), 2500)
	if o := oneLook(append(churning(20, 0, 60, "10.0.0.1", db), burst...), 0, ports(28232)).Outlook; !about(o.CloseRate, 20) {
		t.Errorf("%v closes/s, want 20", o.CloseRate)
	}
	for seconds := 3; seconds <= 5; seconds++ {
		if o := oneLook(churning(20, 0, seconds, "10.0.0.1", db), 0, ports(28232)).Outlook; !about(o.CloseRate, 20) {
			t.Errorf("begun %d s ago: %v closes/s, want 20", seconds, o.CloseRate)
		}
	}
}

// The reused TIME_WAIT of a tuple whose first half is crowded do not show how
// many were closed: those that were closed just now do.
func TestClosesOfReusedPorts(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{10, 40, 45} {
		// Each port of the first half was closed again when it came round.
		list := churning(rate, 0, 60, "127.0.0.1", "127.0.0.1:80")[:50]
		o := oneLook(list, 0).Outlook
		if !about(o.CloseRate, rate) || o.Trend != TrendSteady || o.Plateau != 50 {
			t.Errorf("%v/s: %v closes/s, %v at %d; want steady at 50", rate, o.CloseRate, o.Trend, o.Plateau)
		}
		if f := find(oneLook(list, 0), NoPooling); f == nil || f.Level != LevelOK {
			t.Errorf("%v/s: finding %+v, want one that is no alarm", rate, f)
		}
	}
}

// What was bound first is not taken over, whatever its addresses.
func TestBoundFirstIsNotReused(t *testing.T) {
	t.Parallel()
	m := place(settingsOf(moment(0, churning(40, 0, 10, "127.0.0.1", "127.0.0.1:80")...), ports(2000)))
	m.Snapshots[0].BlockedKnown = true
	for _, s := range m.Snapshots[0].Sockets {
		m.Snapshots[0].Blocked = append(m.Snapshots[0].Blocked, s.LocalPort)
	}
	if o := update(m).Outlook; o.Trend != TrendFull || o.Keeps != time.Minute {
		t.Errorf("%v, a close keeps its port for %v; want full, and a minute", o.Trend, o.Keeps)
	}
}

// grows tells the outlook second by second, as the live connections grow.
func grows(changes []func(*source.Settings), live ...int) []Outlook {
	host := newTeller()
	var list []Outlook
	for i, n := range live {
		m := place(settingsOf(moment(float64(i), spread(n, source.Established, "10.0.0.1", db)...), changes...))
		list = append(list, host.tell(m).Outlook)
	}
	return list
}

// line gives n numbers from a first one on, each larger by step.
func line(n int, first, step float64) []int {
	var list []int
	for i := range n {
		list = append(list, int(first+step*float64(i)+1e-9))
	}
	return list
}

// A growth is one while it lasts, and no longer.
func TestOutlookEndsWithTheGrowth(t *testing.T) {
	t.Parallel()
	const from, rises = 100, 10
	rates := []float64{3, 10, 100, 400}
	if race.Enabled {
		rates = rates[:3] // one goroutine computes all of it
	}
	for _, rate := range rates {
		up := line(rises, from, rate)
		top := up[rises-1]
		for name, after := range map[string][]int{
			"it stands still": line(60, float64(top), 0),
			"it falls slowly": line(60, float64(top), -1),
			"it dies":         append([]int{0}, line(60, 0, 0)...),
		} {
			list := grows([]func(*source.Settings){ports(28232)}, append(up, after...)...)
			if o := list[rises-1]; rate > 3 && o.Trend != TrendFull {
				t.Errorf("%v/s, %s: %v as it rises, want full", rate, name, o.Trend)
			}
			for i, o := range list[rises+2:] {
				if o.Trend == TrendFull {
					t.Errorf("%v/s, %s: full in %v, %d s after the end", rate, name, o.In, i+2)
					break
				}
			}
		}
	}
}

// 300 connections in 3 seconds, then no more.
func TestOutlookAfterAJump(t *testing.T) {
	t.Parallel()
	list := grows([]func(*source.Settings){ports(2000)}, append([]int{10, 110, 210, 310}, line(60, 310, 0)...)...)
	for i, o := range list[5:] {
		if o.Trend != TrendSteady || o.Plateau != 310 {
			t.Fatalf("%d s after: %v at %d, want steady at 310", i+1, o.Trend, o.Plateau)
		}
	}
}

// One that leaks a port each five seconds is seen within half a minute.
func TestOutlookOfASlowLeak(t *testing.T) {
	t.Parallel()
	list := grows(nil, line(120, 20, 0.2)...)
	for i, o := range list[30:] {
		want := float64(100-20)/0.2 - float64(i+30)
		if o.Trend != TrendFull || o.In.Seconds() < 0.6*want || o.In.Seconds() > 1.6*want {
			t.Fatalf("after %d s: %v in %v, want full in about %.0f s", i+30, o.Trend, o.In, want)
		}
	}
}

// What was seen for seconds tells of the next minutes, not of the hours to come.
func TestOutlookIsNotToldFarAhead(t *testing.T) {
	t.Parallel()
	list := grows([]func(*source.Settings){ports(28232)}, line(120, 20, 1)...) // full in 7 h 50 min
	const begins = 5                                                           // fewer ports are no growth yet
	for i, o := range list[begins:] {
		want := TrendFull
		if i+begins < 60 {
			want = TrendUnknown
		}
		if o.Trend != want {
			t.Fatalf("after %d s: %v in %v, want %v", i+begins, o.Trend, o.In, want)
		}
	}
}

// A pool whose connections come and go goes nowhere.
func TestOutlookOfAPool(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, noise := range []int{1, 5, 20} {
		var live []int
		for range 600 {
			live = append(live, 200-noise+random.IntN(2*noise+1))
		}
		wrong := 0
		for _, o := range grows([]func(*source.Settings){ports(1000)}, live...)[3:] {
			if o.Trend != TrendSteady {
				wrong++
			}
		}
		if wrong > 6 {
			t.Errorf("±%d: not steady in %d of 600 seconds", noise, wrong)
		}
	}
}

// What has just begun to close is not told from a burst, and does not drain as
// it rises; and a kernel that keeps no more TIME_WAIT ends their growth.
func TestOutlookWhileClosesBegin(t *testing.T) {
	t.Parallel()
	for _, keeps := range []int{300, 65536} {
		host := newTeller()
		for second := 1; second < 30; second++ {
			list := churning(60, 0, min(second, keeps/60), "10.0.0.1", db)
			m := place(settingsOf(moment(float64(second), list...), ports(10000), func(s *source.Settings) { s.MaxTimeWait = keeps }))
			if o := host.tell(m).Outlook; second > 1 && o.Trend == TrendDrains || o.Trend == TrendFull {
				t.Errorf("%d kept, second %d: %v with %v/s", keeps, second, o.Trend, o.Rate)
			}
		}
	}
}

// Of two destinations, the one that fails first is the worst.
func TestTheWorstTupleFailsFirst(t *testing.T) {
	t.Parallel()
	const reused = "127.0.0.1:80"
	for _, c := range []struct{ waiting, live int }{{500, 498}, {700, 400}, {900, 101}, {1000, 1}, {10, 9}} {
		m := settingsOf(moment(0, connections(c.waiting, source.TimeWait, "127.0.0.1", 20000, 1, reused)...), ports(1000))
		m.Snapshots[0].Sockets = append(m.Snapshots[0].Sockets, connections(c.live, source.Established, "10.0.0.1", 20000, 1, db)...)
		if got := update(m).TCP.Pressure.Worst(); got.Live != c.live {
			t.Errorf("%d reusable stand above %d live", c.waiting, c.live)
		}
	}
	// A share counts, not a number.
	few, many := TupleUse{Used: 18, Free: 2}, TupleUse{Used: 500, Free: 500}
	if compareTuples(few, many) >= 0 || compareTuples(many, few) <= 0 {
		t.Error("500 of 1,000 used stand above 18 of 20")
	}
}

// connect() is slow where it must pass many ports, and nowhere else.
func TestSlowConnect(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name                      string
		ports, live, waiting, old int // old of waiting can be taken over
		want                      bool
	}{
		{"the first half used up", 28232, 14116, 0, 0, true},
		{"the first half of 3,000 ports used up", 3000, 1500, 0, 0, true},
		{"some are left", 28232, 13900, 0, 0, false},
		{"hardly one is left", 28232, 14112, 0, 0, true},
		{"a narrow range", 100, 50, 0, 0, false},
		{"1,000 ports", 1000, 500, 0, 0, false},
		{"1,500 ports, the second half nearly used up too", 1500, 1499, 0, 0, true},
		{"full of TIME_WAIT that wait", 28232, 0, 14116, 0, true},
		{"full of TIME_WAIT that can be taken over", 28232, 0, 14116, 13000, false},
		{"full of live ones and some that can be taken over", 28232, 13800, 316, 316, false},
		{"exhausted is not slow, it fails", 28232, 28232, 0, 0, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			list := spread(c.waiting, source.TimeWait, "127.0.0.1", "127.0.0.1:80")
			for i := range list {
				if list[i].Expires = 59500; i < c.old {
					list[i].Expires = 20000
				}
			}
			list = append(list, spread(c.live, source.Established, "127.0.0.1", "127.0.0.1:80")...)
			st := update(place(settingsOf(moment(0, list...), ports(c.ports))))
			if got, found := st.TCP.Pressure.Worst().SlowConnect(), find(st, SlowConnect) != nil; got != c.want || found != c.want {
				t.Errorf("slow %v, finding %v; want %v", got, found, c.want)
			}
		})
	}
}

// What grows a little for hours is not the verdict while closes change much more;
// what fills up soon what they leave is.
func TestTheNearerChangeIsTold(t *testing.T) {
	t.Parallel()
	ended := func(since int) func(i int) []source.Socket {
		return func(i int) []source.Socket { return churning(20, min(since+i, 60), 60, "10.0.0.1", db) }
	}
	begun := func(rate float64) func(i int) []source.Socket {
		return func(i int) []source.Socket { return churning(rate, 0, 5+i, "10.0.0.1", db) }
	}
	for _, test := range []struct {
		name    string
		waiting func(second int) []source.Socket // beside 200 live and one more each second
		want    Trend
	}{
		{"closes have ended", ended(20), TrendDrains},
		{"nothing was closed", ended(60), TrendFull},
		{"closes that leave little", begun(27), TrendFull},
		{"closes that leave much", begun(15), TrendLevelsOff},
	} {
		host := newTeller()
		var st *State
		for i := range 16 {
			list := append(test.waiting(i), spread(200+i, source.Established, "10.0.0.1", db)...)
			st = host.tell(place(settingsOf(moment(float64(i), list...), ports(2000))))
		}
		if o := st.Outlook; o.Trend != test.want {
			t.Errorf("%s: %+v, want %v", test.name, o, test.want)
		}
	}
}

// Where nothing is closed any more, it drains in the time that the last TIME_WAIT
// has left, whether or not connect() may take it over before, and in no longer
// than live ones take to go.
func TestItDrainsInWhatIsLeft(t *testing.T) {
	t.Parallel()
	for _, reuse := range []int{0, 1} {
		for _, age := range []int{5, 10, 30, 55} {
			o := oneLook(churning(20, age, 60, "10.0.0.1", db), 0, ports(2000), func(s *source.Settings) { s.ReuseTimeWait = reuse }).Outlook
			if want := time.Duration(60-age) * time.Second; o.Trend != TrendDrains || o.Plateau != 0 || o.In > want || o.In < want-2*time.Second {
				t.Errorf("reuse %d, closed %d s ago: %v in %v to %d, want drains in %v to 0", reuse, age, o.Trend, o.In, o.Plateau, want)
			}
		}
	}
	// Of many destinations as well, of which the ages are not counted.
	m := settingsOf(moment(0), ports(2000))
	for i := range 2 * maxForeseen {
		list := churning(20, 20, 60, "10.0.0.1", fmt.Sprintf("10.0.9.%d:80", i))
		m.Snapshots[0].Sockets = append(m.Snapshots[0].Sockets, place(settingsOf(moment(0, list...), ports(2000))).Snapshots[0].Sockets...)
	}
	for i, u := range update(m).TCP.Pressure.Tuples {
		if o := u.Outlook; o.Trend != TrendDrains || o.In > time.Minute-ClosingSpan {
			t.Errorf("destination %d: %v in %v, want drains in less than 55 s", i, o.Trend, o.In)
		}
	}
	list := grows([]func(*source.Settings){ports(2000)}, line(10, 1000, -50)...)
	if o := list[9]; o.Trend != TrendDrains || !about(o.In.Seconds(), 11) {
		t.Errorf("live ones that go: %v in %v, want drains in 11 s", o.Trend, o.In)
	}
}
