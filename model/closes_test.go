package model

import (
	"fmt"
	"testing"

	"ephtop/source"
	"ephtop/source/race"
)

// closer is a client that does nothing but connect and close, from second 0 until
// it ends, where TIME_WAIT is not taken over.
type closer struct {
	rate, ends float64
	ports      int
}

// at is the moment so many seconds after it began; by the client itself, while
// it lives.
func (c closer) at(now float64) *source.Moment {
	m := settingsOf(withProcesses(moment(now), java), ports(c.ports), func(s *source.Settings) { s.ReuseTimeWait = 0 })
	if now > c.ends {
		m.Processes = nil
	}
	like := socket(source.TimeWait, "10.0.0.1:1", db)
	for i := 0; ; i++ {
		closed := (float64(i) + 0.5) / c.rate
		if closed > min(now, c.ends) {
			return place(m)
		}
		s := owned(like, uint64(i+1), 0)
		if s.Expires = 60000 - uint32(1000*(now-closed)); now > c.ends {
			s.Process = source.NoProcess
		}
		if now-closed < 60 {
			m.Snapshots[0].Sockets = append(m.Snapshots[0].Sockets, s)
		}
	}
}

// From the first forecast on it is right, for one who sees the closes begin and
// for one who comes then.
func TestTheFirstForecastIsRight(t *testing.T) {
	t.Parallel()
	const wrong = 0.2
	apart := 0.1
	if race.Enabled {
		apart = 0.5 // one goroutine computes all of it
	}
	for _, rate := range []float64{6, 10, 25} {
		for phase := 0.05; phase < 1; phase += apart {
			host, c := newTeller(), closer{rate, 100, int(30 * rate)}
			for second := range 25 {
				m := c.at(float64(second) + phase)
				left := 30 - phase - float64(second)
				for who, o := range map[string]Outlook{"followed": host.tell(m).Outlook, "one look": update(c.at(float64(second) + phase)).Outlook} {
					switch {
					case o.Trend == TrendUnknown && second < 5 || o.Trend == TrendSteady && second == 0:
					case o.Trend != TrendFull || o.In.Seconds() < (1-wrong)*left || o.In.Seconds() > (1+wrong)*left:
						t.Errorf("%v/s, %s after %.2f s: %v in %v to %d, want full in %.0f s", rate, who, float64(second)+phase, o.Trend, o.In, o.Plateau, left)
					}
				}
			}
		}
	}
}

// A client that has ended fills nothing up: within two looks its ports drain.
// One that does not close often must be known to have ended.
func TestClosesEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		closer
		told bool
	}{
		{closer{10, 19.95, 300}, false},
		{closer{10, 19.35, 300}, true},
		{closer{10, 27.05, 300}, true},
		{closer{10, 27.05, 300}, false},
		{closer{400, 60, 28232}, false},
		{closer{3, 25, 100}, true},
	} {
		t.Run(fmt.Sprintf("%v/s until %v s, told %v", c.rate, c.ends, c.told), func(t *testing.T) {
			t.Parallel()
			if race.Enabled && c.rate > 100 {
				t.Skip("one goroutine computes all of it: fewer sockets tell the race detector as much")
			}
			host := newTeller()
			for now := 0.5; now < c.ends+40; now++ {
				m := c.at(now)
				if over := now - c.ends; c.told && over > 0 && over <= 1 {
					m.Exited = append(m.Exited, java.Key())
				}
				st := host.tell(m)
				o, few := st.Outlook, len(st.Rows) <= 12
				if over := now - c.ends; over <= 0 && now > 20 && o.Trend == TrendDrains {
					t.Errorf("after %v s: drains, it closes yet", now)
				} else if over > 2 && (o.Trend != TrendDrains || o.Plateau != 0) && !(few && o.Trend == TrendSteady) {
					t.Errorf("%.1f s after the end: %v in %v to %d, want drains to 0", over, o.Trend, o.In, o.Plateau)
				}
			}
		})
	}
}

// What is not closed for a moment goes on: closes that come in bunches, and a
// process that ended where others close.
func TestClosesPause(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		young closes
		rate  float64
	}{
		{closes{0, 30, 0, 30, 0}, 12},
		{closes{0, 2, 3, 2, 3}, 2},
		{closes{0, 12, 12, 12, 12}, 0},
		{closes{0, 3, 12, 12, 12}, 0},
		{closes{5, 5, 5, 5, 5}, 5},
		{closes{10, 10, 10, 4, 0}, 10},
		{closes{4, 0, 0, 4, 0}, 1.6},
	} {
		got := c.young.rate(false)
		if c.young.stopped() {
			got = 0
		}
		if !about(got, c.rate) {
			t.Errorf("%v: %v/s, want %v", c.young, got, c.rate)
		}
	}
	m := closer{10, 100, 600}
	host := newTeller()
	for now := 0.5; now < 20; now++ {
		moment := m.at(now)
		if now > 10 { // another closes on
			for i := range moment.Snapshots[0].Sockets {
				moment.Snapshots[0].Sockets[i].Process = source.NoProcess
			}
			moment.Exited = append(moment.Exited, java.Key())
		}
		if o := host.tell(moment).Outlook; now > 10 && !about(o.CloseRate, 10) {
			t.Errorf("after %v s: %v closes/s, want 10", now, o.CloseRate)
		}
	}
}
