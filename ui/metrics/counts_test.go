package metrics

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/race"
)

// The level that a poll finds counts for the time since the poll before; where
// that is too long, for nothing.
func TestLevelSeconds(t *testing.T) {
	t.Parallel()
	const ok, critical, exhausted = model.LevelOK, model.LevelCritical, model.LevelExhausted
	type poll struct {
		after time.Duration
		level model.Level
		fails bool
	}
	for _, test := range []struct {
		name  string
		polls []poll
		want  [4]string
	}{
		{"the first poll has no time", []poll{{0, exhausted, false}}, [4]string{"0", "0", "0", "0"}},
		{"one poll that finds it is enough", []poll{{0, ok, false}, {2 * time.Second, exhausted, false}, {2 * time.Second, ok, false}}, [4]string{"2", "0", "0", "2"}},
		{"each its own", []poll{{0, ok, false}, {time.Second, critical, false}, {1500 * time.Millisecond, critical, false}, {time.Second, ok, false}}, [4]string{"1", "0", "2.5", "0"}},
		{"a suspended host was at no level", []poll{{0, ok, false}, {time.Hour, exhausted, false}, {time.Second, ok, false}}, [4]string{"1", "0", "0", "0"}},
		{"a poll between that failed takes nothing away", []poll{{0, ok, false}, {2 * time.Second, ok, true}, {2 * time.Second, exhausted, false}}, [4]string{"0", "0", "0", "4"}},
		{"a clock that was set back", []poll{{0, ok, false}, {-time.Minute, exhausted, false}, {time.Second, ok, false}}, [4]string{"1", "0", "0", "0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, now := New(DefaultOptions), time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
			for _, p := range test.polls {
				now = now.Add(p.after)
				if p.fails {
					c.Failed()
					continue
				}
				m := &source.Moment{Time: now}
				st := &model.State{Moment: m, Snapshot: m.Add(source.Scope{}), Level: p.level}
				c.Observe(Poll{Overview: &model.Overview{Moment: m, Level: p.level, States: []*model.State{st}}, About: st, At: now})
			}
			page := figures(gathered(t, c))
			for l, want := range test.want {
				if got := page[`ephtop_level_seconds_total{level="`+model.Level(l).String()+`"}`]; got != want {
					t.Errorf("%v for %s s, want %s", model.Level(l), got, want)
				}
			}
		})
	}
}

// Counters never go back, whatever comes and goes.
func TestCountersRise(t *testing.T) {
	t.Parallel()
	for _, scenario := range []string{"no-pool", "containers"} {
		t.Run(scenario, func(t *testing.T) {
			if race.Enabled && scenario != demo.DefaultScenario {
				t.Skip("the race detector has seen one demo")
			}
			t.Parallel()
			w, before := watch(t, scenario, DefaultOptions), map[string]float64{}
			for i := 0; w.clock < 100*time.Second; i++ {
				w.poll(t)
				if i%10 == 0 {
					w.Failed()
				}
				now := make(map[string]float64)
				for series, figure := range figures(gathered(t, w.Collector)) {
					if !strings.Contains(series, "_total") {
						continue
					}
					n, err := strconv.ParseFloat(figure, 64)
					if now[series] = n; err != nil || n < before[series] {
						t.Fatalf("%s is %s, and was %v", series, figure, before[series])
					}
				}
				for series := range before {
					if _, ok := now[series]; !ok {
						t.Fatalf("%s is gone", series)
					}
				}
				before = now
			}
		})
	}
}

// What begins to wait is what the kernel says was closed.
func TestTimeWaitStarted(t *testing.T) {
	t.Parallel()
	w, closed := watch(t, "no-pool", DefaultOptions), 0
	for w.clock < time.Minute {
		first := w.counts.polls == 0
		w.poll(t)
		for i := range w.look.Moment.Events {
			if !first && w.look.Moment.Events[i].Kind == source.Closed {
				closed++
			}
		}
	}
	if n := w.counts.waits; closed < 10000 || n < closed*95/100 || n > closed*105/100 {
		t.Errorf("%d began, and %d were closed", n, closed)
	}
}

// A TIME_WAIT counts once: as one that is younger than the look before.
func TestBegun(t *testing.T) {
	t.Parallel()
	sockets := []source.Socket{
		{State: source.TimeWait, Timer: source.TimerTimeWait, Expires: 59_000}, {State: source.TimeWait, Timer: source.TimerTimeWait, Expires: 57_000},
		{State: source.TimeWait}, {State: source.Established, Timer: source.TimerKeepalive, Expires: 59_500},
	}
	for _, test := range []struct {
		name          string
		wait, elapsed time.Duration
		want          int
	}{
		{"since the look before", time.Minute, 2 * time.Second, 1},
		{"longer ago", time.Minute, 4 * time.Second, 2},
		{"the first look", time.Minute, 0, 0},
		{"nobody knows how long it lasts", 0, 2 * time.Second, 0},
	} {
		st := &model.State{Elapsed: test.elapsed, Snapshot: &source.Snapshot{Settings: source.Settings{TimeWait: test.wait}, Sockets: sockets}}
		if got := begun(st); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

// Connects that fail are counted where the kernel tells of them, in whatever
// namespace unless one is asked for; elsewhere nothing is said.
func TestConnectFailures(t *testing.T) {
	t.Parallel()
	event := func(kind source.EventKind, proto source.Proto, netns uint64) source.Event {
		return source.Event{Kind: kind, Netns: netns, Tuple: source.Tuple{Proto: proto}}
	}
	all, one := newSmall(DefaultOptions), newSmall(Options{Top: 10, MinShare: 10, OneNetns: true})
	for _, step := range []struct {
		traced  bool
		events  []source.Event
		want    string
		wantOne string
	}{
		{false, nil, "", ""},
		{true, nil, "0", "0"},
		{true, []source.Event{
			event(source.ConnectFailed, source.TCP, 1), event(source.ConnectFailed, source.TCP, 99), event(source.Closed, source.TCP, 1),
			event(source.BindFailed, source.TCP, 1), event(source.AddressRefused, source.TCP, 1), event(source.ConnectFailed, source.UDP, 1),
		}, "2", "1"},
		{false, nil, "", ""},
		{true, []source.Event{event(source.ConnectFailed, source.TCP, 1), event(source.ConnectFailed, source.TCP, 0)}, "4", "3"},
	} {
		for host, want := range map[*small]string{all: step.want, one: step.wantOne} {
			host.next(interval)
			host.moment.Traced, host.moment.Events = step.traced, append(host.moment.Events, step.events...)
			host.add(source.Scope{Netns: 1}, nil)
			host.observe()
			if got := figures(gathered(t, host.Collector))["ephtop_connect_failures_total"]; got != want {
				t.Errorf("traced %v with %d events, one namespace %v: %q, want %q", step.traced, len(step.events), host == one, got, want)
			}
		}
	}
}
