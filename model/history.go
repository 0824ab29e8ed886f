package model

import (
	"math"
	"time"
)

// HistorySpan is how far back the history goes.
const HistorySpan = 5 * time.Minute

// ClosingSpan is the time over which the rate of closes is taken.
const ClosingSpan = 5 * time.Second

// Sample is one moment of the history.
type Sample struct {
	Time time.Time
	// Used is the headline's used ports of Usable.
	Used, Usable int
	// Pool and UDP are the distinct ports in use.
	Pool, UDP int
	Level     Level
}

// Forecast says where the headline is going.
type Forecast struct {
	// Rate is the smoothed growth of the used ports, in ports per second.
	Rate float64
	// Full is the time until no port is free, if the growth goes on; 0 where
	// the use does not rise.
	Full time.Duration
	// CloseRate is the closes per second, seen in young TIME_WAIT sockets.
	CloseRate float64
	// Sustainable is the closes per second that the range can bear beside what
	// is live now: (usable − live − blocked) / TIME_WAIT.
	Sustainable float64
	// Plateau is where the use will settle at the present close rate:
	// live + blocked + TIME_WAIT × close rate, in ports.
	Plateau int
}

// smoothing is the time constant of the forecast's rate.
const smoothing = 10 * time.Second

// settled is how long a tuple must have been followed before a forecast is
// made of it.
const settled = 2 * time.Second

// maxFollowed bounds the tuples whose growth is followed, from the worst down.
const maxFollowed = 64

// farthest is the longest time to exhaustion that is worth a forecast.
const farthest = 24 * time.Hour

// history remembers the samples of the last HistorySpan, and how the worst
// tuples grow.
type history struct {
	samples []Sample
	growth  map[TupleKey]growth
	spare   map[TupleKey]growth
}

// growth is the smoothed growth of one tuple's use.
type growth struct {
	used int
	rate float64 // ports per second
	// span is the time over which the rate was taken.
	span time.Duration
}

// add completes the state with its forecast and its history.
func (h *history) add(st *State) {
	p := &st.TCP.Pressure
	head := p.Headline()
	h.follow(st)
	st.Forecast = h.forecast(st, &head)
	oldest := st.Snapshot.Time.Add(-HistorySpan)
	keep := 0
	for keep < len(h.samples) && h.samples[keep].Time.Before(oldest) {
		keep++
	}
	h.samples = append(h.samples[:0], h.samples[keep:]...)
	h.samples = append(h.samples, Sample{
		Time: st.Snapshot.Time, Used: head.Used(), Usable: p.Usable, Pool: p.InUse,
		UDP: st.UDP.Pressure.InUse, Level: st.Level,
	})
	st.History = append(st.History[:0], h.samples...)
}

// follow takes the growth of the worst tuples against the poll before, and
// that of the pool under the zero key.
func (h *history) follow(st *State) {
	if h.growth == nil {
		h.growth, h.spare = make(map[TupleKey]growth), make(map[TupleKey]growth)
	}
	next := h.spare
	clear(next)
	p := &st.TCP.Pressure
	for i := range p.Tuples[:min(len(p.Tuples), maxFollowed)] {
		t := &p.Tuples[i]
		next[t.TupleKey] = h.growth[t.TupleKey].to(t.Used, st.Elapsed)
	}
	next[TupleKey{}] = h.growth[TupleKey{}].to(p.InUse, st.Elapsed)
	h.growth, h.spare = next, h.growth
}

// to goes on from g to the use after elapsed. A tuple that was not followed
// before has no rate yet.
func (g growth) to(used int, elapsed time.Duration) growth {
	seconds := elapsed.Seconds()
	if g.used == 0 && g.span == 0 || seconds <= 0 {
		return growth{used: used, rate: g.rate, span: g.span}
	}
	now := float64(used-g.used) / seconds
	// The first rates count in full, or the rate would start from a made-up 0.
	weight := max(1-math.Exp(-seconds/smoothing.Seconds()), seconds/(g.span.Seconds()+seconds))
	return growth{used: used, rate: g.rate + weight*(now-g.rate), span: g.span + elapsed}
}

func (h *history) forecast(st *State, head *Headline) Forecast {
	g := h.growth[head.Key]
	f := Forecast{Rate: g.rate}
	if g.span >= settled && g.rate > 0 {
		if seconds := float64(head.Free) / g.rate; seconds < farthest.Seconds() {
			f.Full = time.Duration(seconds * float64(time.Second))
		}
	}
	wait := st.Snapshot.Settings.TimeWait.Seconds()
	if head.Scope != ScopeTuple || wait <= 0 {
		return f
	}
	f.CloseRate = float64(st.TCP.Pressure.Worst().Closing) / ClosingSpan.Seconds()
	f.Sustainable = float64(head.TimeWait+head.Free) / wait
	f.Plateau = head.Live + head.Blocked + head.Suspected + int(f.CloseRate*wait+0.5)
	if head.Free == 0 { // no more close than could open
		f.Plateau = max(f.Plateau, head.Used())
	}
	return f
}
