package advice

import (
	"time"

	"ephtop/model"
	"ephtop/source"
)

// room is how many ports there are, and how many of them no waiting frees:
// those of live connections and those that are blocked for everyone.
type room struct {
	usable, held int
	wait         time.Duration // of a TIME_WAIT
}

// room is that of the finding's tuple, or of the pool where the system picks
// ports without regard to the destination.
func (t *teller) room() room {
	p := t.pressure()
	r := room{usable: p.Usable, held: p.Blocked + p.Suspected, wait: t.set.TimeWait}
	switch {
	case p.PoolOnly:
		r.held = p.Live + p.Blocked
	case t.use != nil:
		r.held = t.use.Live + t.use.Blocked + t.use.Suspected
	}
	return r
}

// sustains is the closes per second that the room can bear for good; each
// keeps its port for the time of a TIME_WAIT.
func (r room) sustains() float64 {
	if r.wait <= 0 {
		return 0
	}
	return float64(max(0, r.usable-r.held)) / r.wait.Seconds()
}

// with gives the room with so many more ports.
func (r room) with(more int) room {
	r.usable += more
	return r
}

// closeRate is the closes per second towards the finding's tuple.
func (t *teller) closeRate() float64 {
	if t.use == nil {
		return 0
	}
	return float64(t.use.Closing) / model.ClosingSpan.Seconds()
}

// oldEnough counts the ports towards the finding's tuple whose TIME_WAIT could
// be taken over if tcp_tw_reuse allowed it: old enough, and not bound first.
func (t *teller) oldEnough() int {
	if t.use == nil {
		return 0
	}
	seen := make(map[uint16]struct{})
	for i := range t.st.Rows {
		s, r := &t.st.Snapshot.Sockets[i], &t.st.Rows[i]
		if !r.Ephemeral || r.Suspected || s.Proto != source.TCP || s.State != source.TimeWait || s.Timer != source.TimerTimeWait ||
			s.Remote != t.use.Destination || s.RemotePort != t.use.Port || s.Local != t.use.Source {
			continue
		}
		if t.set.TimeWait-time.Duration(s.Expires)*time.Millisecond >= t.set.ReuseDelay {
			seen[s.LocalPort] = struct{}{}
		}
	}
	return len(seen)
}
