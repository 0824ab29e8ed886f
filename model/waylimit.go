package model

import (
	"math"
	"slices"
	"time"

	"ephtop/source"
)

// A limit on the way shows from here as this, at one destination:
//
//	live        ████████████████████████   answered earlier, and still there
//	silent              ░░░░░░░░░░░░░░░░   SYN_SENT that nobody answers, the same ones poll after poll
//	answered    none, or few               while destinations beside it answer
//
// A dead server has nothing live, or what is live sends again and again. One that is
// slow, or loses packets, answers more than it leaves. A server whose backlog is full
// looks the same from here, unless it is on this host.
const (
	minSilent = 4                // connects that are silent
	minLive   = 8                // connections that live
	silentFor = 5 * time.Second  // since they were that many
	minLooks  = 3                // at which they were
	forgotten = 10 * time.Second // without silence: it is over
	// fewAnswered is how many connects there may be that were answered lately, for each
	// that is silent. What was answered so long ago counts less, by the factor e.
	fewAnswered = 0.5
	lately      = 15 * time.Second
)

// silence is that of a destination of which many connects get no answer.
type silence struct {
	since, last int64 // Fleet.clock
	looks       int
	// answered counts the connects to it that were answered since, lately, and
	// elsewhere those to other destinations.
	answered, elsewhere float64
}

// hear counts what was answered since the last look.
func (q *silence) hear(here, elsewhere int, clock int64) {
	keeps := math.Exp(-float64(clock-q.last) / float64(lately))
	q.answered = q.answered*keeps + float64(here)
	q.elsewhere = q.elsewhere*keeps + float64(elsewhere)
}

type silences map[destination]*silence

// unanswered are the connects that linger in SYN_SENT, of all namespaces.
func (o *Overview) unanswered() map[destination]*unanswered {
	var all map[destination]*unanswered
	for i, st := range o.States {
		for _, w := range st.waiting {
			if all == nil {
				all = make(map[destination]*unanswered)
			}
			s := &st.Snapshot.Sockets[w.row]
			to := destination{s.Remote, s.RemotePort}
			w.state = i
			sum := all[to]
			if sum == nil {
				all[to] = &w
				continue
			}
			if w.count > sum.count {
				sum.row, sum.state = w.row, w.state
			}
			sum.count += w.count
			sum.oldest = max(sum.oldest, w.oldest)
		}
	}
	return all
}

// any reports whether a destination is silent, or was lately.
func (s silences) any(waiting map[destination]*unanswered) bool {
	if len(s) > 0 {
		return true
	}
	for _, w := range waiting {
		if w.count >= minSilent {
			return true
		}
	}
	return false
}

// expire forgets what is over.
func (s silences) expire(clock int64) {
	for to, quiet := range s {
		if clock-quiet.last > forgotten.Nanoseconds() {
			delete(s, to)
		}
	}
}

// limits follows the silences, and finds limits on the way. toward has no
// destination of this host.
func (f *Fleet) limits(o *Overview, toward map[wayKey]*wayCount, waiting map[destination]*unanswered) {
	entered, answering, at := 0, 0, make(map[source.Addr]int)
	for key, n := range toward {
		if key.proto != source.TCP {
			continue
		}
		entered += n.entered
		if n.standing > 0 && waiting[key.destination] == nil {
			answering++
			at[key.addr]++
		}
	}
	for to, w := range waiting {
		n := toward[wayKey{to, source.TCP}]
		if w.count < minSilent || n == nil {
			continue
		}
		quiet := f.silences[to]
		if quiet == nil {
			if f.silences == nil {
				f.silences = make(silences)
			}
			quiet = &silence{since: f.clock}
			f.silences[to] = quiet
		} else { // what was answered before it began says nothing
			quiet.hear(n.entered, entered-n.entered, f.clock)
		}
		quiet.last = f.clock
		quiet.looks++
		// What lives at the same address may be as dead as that, unless it answers now.
		heard, others := quiet.elsewhere >= 0.5, answering
		if others -= at[to.addr]; heard {
			others = max(answering, 1)
		}
		if quiet.limited(n, w, f.clock) && others > 0 && (heard || len(waiting) == 1) && !o.translates(to) {
			o.limit(to, n, w, quiet, others)
		}
	}
	f.silences.expire(f.clock)
}

// limited reports whether a destination takes what it has and no more.
func (q *silence) limited(n *wayCount, w *unanswered, clock int64) bool {
	return n.standing >= minLive && 2*n.resent < n.standing && q.answered <= fewAnswered*float64(w.count) &&
		q.looks >= minLooks && clock-q.since >= silentFor.Nanoseconds()
}

// translates reports whether connection tracking of this host tells of the cause: of a
// pool of its own that is full, or of drops.
func (o *Overview) translates(to destination) bool {
	return slices.ContainsFunc(o.NATs, func(s NATState) bool {
		return s.Drops != NoDrops && s.Drops != DropsRace || slices.ContainsFunc(s.Pools, func(p NATPoolUse) bool {
			return p.Remote == to.addr && p.RemotePort == to.port && p.Proto == source.TCP && p.Level >= LevelCritical
		})
	})
}

// limit adds the finding, in place of that about the same connects. Where a NAT on
// the way is told of that is full, that says it.
func (o *Overview) limit(to destination, n *wayCount, w *unanswered, quiet *silence, others int) {
	told := slices.ContainsFunc(o.Ways, func(p WayPool) bool {
		return p.Remote == to.addr && p.RemotePort == to.port && p.Proto == source.TCP && p.Level >= LevelCritical
	})
	for _, st := range o.States {
		st.Findings = slices.DeleteFunc(st.Findings, func(f Finding) bool {
			return f.Problem == SynSent && f.Tuple.Destination == to.addr && f.Tuple.Port == to.port
		})
	}
	if told {
		return
	}
	st := o.States[w.state]
	s, r := &st.Snapshot.Sockets[w.row], &st.Rows[w.row]
	st.Level = max(st.Level, LevelWarning)
	st.Findings = append(st.Findings, Finding{
		Problem: WayLimit, Level: LevelWarning, Tuple: st.Key(s), Process: r.Process, Tier: r.Tier,
		Count: w.count, Span: w.oldest, Live: n.standing, Outside: others, Pool: int(math.Round(quiet.answered)),
	})
}
