package model

import (
	"testing"

	"ephtop/source"
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
	for i := 0; ; i++ {
		closed := (float64(i) + 0.5) / c.rate
		if closed > min(now, c.ends) {
			return place(m)
		}
		s := owned(socket(source.TimeWait, "10.0.0.1:1", db), uint64(i+1), 0)
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
	for _, rate := range []float64{6, 10, 25} {
		for phase := 0.05; phase < 1; phase += 0.1 {
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
