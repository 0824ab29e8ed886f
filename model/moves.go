package model

import "math"

// moves are the changes of a number of the last seconds, each in the second of the
// clock in which it was seen.
type moves struct {
	known  bool
	was    int
	second int64
	by     [closingSeconds + 1]int32
}

// follow goes on to the number of now, on a clock in nanoseconds.
func (m *moves) follow(now int, clock int64) {
	second := clock / 1e9
	if !m.known || second < m.second {
		*m = moves{known: true, was: now, second: second}
		return
	}
	for s := max(m.second+1, second-int64(len(m.by))+1); s <= second; s++ {
		m.by[s%int64(len(m.by))] = 0
	}
	m.second = second
	m.by[second%int64(len(m.by))] += int32(now - m.was)
	m.was = now
}

// fallen is how much less the number is than so many seconds ago, 0 where it is not
// less.
func (m *moves) fallen(seconds int) int {
	sum := 0
	for i := range min(seconds, len(m.by)) {
		if s := m.second - int64(i); s >= 0 {
			sum += int(m.by[s%int64(len(m.by))])
		}
	}
	return max(0, -sum)
}

// A drain: at least so many of the closes, and so large a part of them, took a
// connection away that no other came for.
const (
	drainMin  = 20
	drainPart = 0.5
)

// drained is the part of the closes of a tuple, 1 for all, that no new connection
// came for. Such a close takes no port: what was ESTABLISHED held one, and holds it
// in TIME_WAIT. It goes on only as long as there are connections left to close.
func (t *tuplePlace) drained() float64 {
	closed := t.young.oldest() + 1
	all, fell := sum(t.young[:]), t.moved.fallen(closed)
	if fell < drainMin || float64(fell) < drainPart*float64(all) {
		return 0
	}
	return math.Min(1, float64(fell)/float64(all))
}

// oldest is the age of the oldest close in seconds.
func (c *closes) oldest() int {
	for i := len(c) - 1; i > 0; i-- {
		if c[i] > 0 {
			return i
		}
	}
	return 0
}
