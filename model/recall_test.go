package model

import (
	"math/rand/v2"
	"testing"
	"time"

	"ephtop/source"
)

// Whatever becomes of the order, each socket that stays is known again, and
// none that is new is.
func TestRecall(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(r *rand.Rand, ids []uint64) []uint64
	}{
		{"nothing changes", func(_ *rand.Rand, ids []uint64) []uint64 { return ids }},
		{"some go, some come", churned(20)},
		{"most go, as many come", churned(1)},
		{"a long stretch goes", func(_ *rand.Rand, ids []uint64) []uint64 { return append(ids[:50:50], ids[len(ids)-50:]...) }},
		{"another order", func(r *rand.Rand, ids []uint64) []uint64 {
			r.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
			return ids
		}},
		{"all go", func(*rand.Rand, []uint64) []uint64 { return nil }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var rec recall
			var ids []uint64
			for i := range 6000 {
				ids = append(ids, uint64(i+1))
			}
			since := map[uint64]Span{}
			for turn := range Span(5) {
				recallTurn(t, &rec, ids, since, turn)
				ids = c.change(r, append([]uint64(nil), ids...))
			}
		})
	}
}

// recallTurn checks one snapshot of sockets with these cookies.
func recallTurn(t *testing.T, rec *recall, ids []uint64, since map[uint64]Span, turn Span) {
	t.Helper()
	sockets := make([]source.Socket, len(ids))
	for i, id := range ids {
		sockets[i].RemotePort, sockets[i].Interface, sockets[i].LocalPort = 1, uint32(id>>16), uint16(id)
	}
	rec.begin(sockets, new(source.Settings), 0, new(recallScratch))
	next := map[uint64]Span{}
	for i, id := range ids {
		first, known := since[id]
		if rec.isNew(i) == known {
			t.Fatalf("turn %d, socket %d: new is %v, want %v", turn, id, !known, known)
		}
		if !known {
			rec.next[i].since, first = turn, turn
		}
		if rec.next[i].since != first {
			t.Fatalf("turn %d, socket %d: since %d, want %d", turn, id, rec.next[i].since, first)
		}
		next[id] = first
	}
	clear(since)
	for id, first := range next {
		since[id] = first
	}
}

// churned replaces every n-th socket, on average, by a new one in its place or
// elsewhere.
func churned(n int) func(*rand.Rand, []uint64) []uint64 {
	next := uint64(1 << 20)
	return func(r *rand.Rand, ids []uint64) []uint64 {
		var out []uint64
		for _, id := range ids {
			if r.IntN(n+1) != 0 {
				out = append(out, id)
			}
			if r.IntN(n+1) == 0 {
				next++
				out = append(out, next)
			}
		}
		return out
	}
}

// What the same four-tuple says a second later: the same socket, or another
// one, which is new.
func TestAnotherSocketOnTheSameTuple(t *testing.T) {
	t.Parallel()
	live := func(cookie uint64, inode uint32) source.Socket {
		s := socket(source.Established, "10.0.0.1:40000", db)
		s.Cookie, s.Inode = cookie, inode
		return s
	}
	wait := func(cookie uint64, left uint32) source.Socket {
		s := socket(source.TimeWait, "10.0.0.1:40000", db)
		s.Cookie, s.Expires = cookie, left
		return s
	}
	listener := func(inode uint32) source.Socket {
		return with(socket(source.Listen, "0.0.0.0:40000", ""), func(s *source.Socket) { s.Inode = inode })
	}
	noTimer := with(wait(0, 0), func(s *source.Socket) { s.Timer = source.TimerNone })
	cases := []struct {
		name          string
		before, after source.Socket
		other         bool
	}{
		{"the same", live(1, 7), live(1, 7), false},
		{"cookie not known yet", live(0, 7), live(1, 7), false},
		{"cookie not asked for", live(1, 7), live(0, 7), false},
		{"another cookie", live(1, 0), live(2, 0), true},
		{"another cookie in TIME_WAIT", live(1, 7), wait(2, 59500), true},
		{"another inode", live(0, 7), live(0, 8), true},
		{"closed, and the process is gone from it", live(0, 7), live(0, 0), false},
		{"accepted", live(0, 0), live(0, 7), false},
		{"closed into TIME_WAIT, without a cookie", live(1, 7), wait(0, 59500), false},
		{"connected again after TIME_WAIT", wait(0, 10000), live(0, 7), true},
		{"connected again, not accepted yet", wait(1, 10000), live(0, 0), true},
		{"goes on in TIME_WAIT", wait(0, 59500), wait(0, 58500), false},
		{"began a moment before it was seen", wait(0, 60000), wait(0, 59000), false},
		{"TIME_WAIT that began later", wait(0, 10000), wait(0, 59500), true},
		{"TIME_WAIT that began anew for a late FIN", wait(1, 10000), wait(1, 59500), false},
		{"TIME_WAIT of unknown age", wait(0, 10000), noTimer, false},
		{"another listener", listener(7), listener(8), true},
	}
	for _, c := range cases {
		host := newTeller()
		c.before.Process = 0
		host.tell(withProcesses(moment(1, c.before), java))
		st := host.tell(moment(2, c.after))
		if other := st.Rows[0].Tier != OwnerObserved; other != c.other {
			t.Errorf("%s: %v %v; another socket is %v, want %v", c.name, st.Process(0), st.Rows[0].Tier, other, c.other)
		}
	}
}

// Whatever was known before another socket took the four-tuple is not its.
func TestAnotherSocketInheritsNothing(t *testing.T) {
	t.Parallel()
	host := newTeller()
	host.tell(withProcesses(moment(0, owned(socket(source.Established, "10.0.0.1:40000", db), 0, 0)), java))
	host.tell(moment(1, socket(source.TimeWait, "10.0.0.1:40000", db)))
	next := socket(source.Established, "10.0.0.1:40000", db)
	st := host.tell(moment(2, next))
	if p := st.Process(0); p != nil || st.Age(0) != 0 {
		t.Errorf("of %+v, seen for %v; want nobody's, and new", p, st.Age(0))
	}
}

// The cookie that one row told is remembered while later rows don't.
func TestACookieIsRemembered(t *testing.T) {
	t.Parallel()
	host := newTeller()
	s := socket(source.Established, "10.0.0.1:40000", db)
	s.Inode = 0
	for i, cookie := range []uint64{0, 5, 0} {
		s.Cookie = cookie
		if st := host.tell(moment(float64(i), s)); st.Age(0) != time.Duration(i)*time.Second {
			t.Fatalf("moment %d: seen for %v", i, st.Age(0))
		}
	}
	s.Cookie = 6
	if st := host.tell(moment(3, s)); st.Age(0) != 0 {
		t.Errorf("seen for %v with another cookie, want a new socket", st.Age(0))
	}
}
