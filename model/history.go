package model

import (
	"math"
	"time"
)

// HistorySpan is how far back the history goes.
const HistorySpan = 5 * time.Minute

// Sample is one moment of the history.
type Sample struct {
	// Clock is when it was, on the scale of State.Clock.
	Clock int64
	// Used is the headline's used ports of Usable.
	Used, Usable int32
	// Pool and UDP are the distinct ports in use.
	Pool, UDP int32
	Level     Level
}

// Forecast says where the headline is going.
type Forecast struct {
	// Rate is the smoothed growth of the used ports, in ports per second.
	Rate float64
	// Full is the time until no port is free, if the growth goes on; 0 where
	// the use does not rise.
	Full time.Duration
	// Outlook is the worst tuple's; zero where the pool is the limit.
	Outlook
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
	for len(h.samples) > 0 && h.samples[0].Clock < st.Clock-HistorySpan.Nanoseconds() {
		h.samples = h.samples[1:]
	}
	// A state keeps its window while later samples come: append writes behind
	// it, or moves to new memory, and never into it.
	h.samples = append(h.samples, Sample{
		Clock: st.Clock, Used: int32(head.Used()), Usable: int32(p.Usable), Pool: int32(p.InUse),
		UDP: int32(st.UDP.Pressure.InUse), Level: st.Level,
	})
	st.History = h.samples[:len(h.samples):len(h.samples)]
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
	if wait := st.Snapshot.Settings.TimeWait; head.Scope == ScopeTuple && wait > 0 {
		f.Outlook = st.TCP.Pressure.Worst().Outlook(wait)
	}
	return f
}
