package advice

import (
	"cmp"
	"time"

	"ephtop/model"
	"ephtop/source"
)

// spare is how many ports of the finding's tuple are free or wait: those of
// live connections and those that are blocked for everyone, no waiting frees.
// Where the system picks ports without regard to the destination, they are
// those of the pool.
func (t *teller) spare() int {
	p := t.pressure()
	switch {
	case p.PoolOnly:
		return p.Usable - p.Live - p.Blocked
	case t.use != nil:
		return p.Usable - t.use.Live - t.use.Blocked - t.use.Suspected
	}
	return p.Usable - p.Blocked - p.Suspected
}

// sustains is the closes per second that so many ports can bear for good; each
// close keeps its port for the time of a TIME_WAIT.
func sustains(ports int, wait time.Duration) float64 {
	if wait <= 0 {
		return 0
	}
	return float64(max(0, ports)) / wait.Seconds()
}

// sustains is that of the finding's tuple.
func (t *teller) sustains() float64 { return sustains(t.spare(), t.keeps()) }

// keeps is how long a close keeps its port towards the finding's tuple.
func (t *teller) keeps() time.Duration {
	return cmp.Or(t.outlook().Keeps, t.set.TimeWait)
}

// outlook is that of the finding's tuple, or says nothing.
func (t *teller) outlook() model.Outlook {
	if t.use == nil {
		return model.Outlook{}
	}
	return t.use.Outlook
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
		if !r.Ephemeral || r.Suspected || r.Blocking || s.Proto != source.TCP || s.State != source.TimeWait ||
			s.Timer != source.TimerTimeWait || t.st.Key(s) != t.use.TupleKey {
			continue
		}
		if t.set.TimeWait-time.Duration(s.Expires)*time.Millisecond >= t.set.ReuseDelay {
			seen[s.LocalPort] = struct{}{}
		}
	}
	return len(seen)
}
