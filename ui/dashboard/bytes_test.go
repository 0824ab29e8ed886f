package dashboard

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/muesli/termenv"

	"ephtop/source"
	"ephtop/source/race"
	"ephtop/ui/screen"
	"ephtop/ui/theme"
)

// churn is a host without a pool, so many seconds after its start: 2,000
// connections a second to ten databases by two processes, each closed after some
// tens of milliseconds, and in TIME_WAIT for a minute. Chance decides which
// database and how long, so that no second is like the one before. With the race
// detector, which 120,000 sockets would keep busy for minutes, they are fewer.
func churn(at time.Duration) []source.Socket {
	const wait = time.Minute
	rate := 2000
	if race.Enabled {
		rate = 50
	}
	each := time.Second / time.Duration(rate)
	like := tcp(0, "10.0.9.2 5432", source.Established, 0)
	all := make([]source.Socket, 0, rate*61)
	for k := max(0, int((at-wait)/each)-rate); k < int(at/each); k++ {
		chance := rand.New(rand.NewPCG(1, uint64(k)))
		closes := time.Duration(k)*each + time.Duration(20+chance.IntN(60))*time.Millisecond
		if closes+wait <= at {
			continue
		}
		s := like
		s.LocalPort, s.Process = uint16(32768+k*7919%28232), int32(chance.IntN(2))
		s.Remote[15] = byte(chance.IntN(10))
		s.Cookie, s.Inode = uint64(k+1), uint32(k+1)
		if closes < at {
			s.State, s.Process, s.Inode = source.TimeWait, source.NoProcess, 0
			s.Timer, s.Expires = source.TimerTimeWait, uint32((closes+wait-at)/time.Millisecond)
		}
		all = append(all, s)
	}
	return all
}

// What goes out to the terminal each second, over a slow line too: as much
// where the ports fill up as where as many close as open.
func TestBytesOfASecond(t *testing.T) {
	t.Parallel()
	th, err := theme.ByName("default", termenv.ANSI)
	if err != nil {
		t.Fatal(err)
	}
	for name, start := range map[string]time.Duration{"filling up": 20 * time.Second, "steady": 70 * time.Second} {
		run(t, nil, func(h *harness) {
			var shown, next screen.Canvas
			var out []byte
			sent := 0
			h.shown = func(m *Model) {
				m.Paint(&next)
				out = next.AppendChanges(out[:0], &shown, th.Inks)
				shown, next = next, shown
				sent += len(out)
			}
			const settling, watched = 3, 8
			for i := range settling + watched {
				if i == settling {
					sent = 0
				}
				h.src.set(func(s *fakeSource) { s.sockets = churn(start + time.Duration(i)*time.Second) })
				h.sleep(time.Second)
			}
			t.Logf("%s: %d bytes a second", name, sent/watched)
			if limit := 1500; sent/watched > limit {
				t.Errorf("%s: %d bytes a second, want at most %d", name, sent/watched, limit)
			}
		})
	}
}
