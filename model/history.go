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
	// Used is the headline's used ports of Usable, which is the size of a private
	// pool where that is the headline.
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

// enough is the time from which on it makes no difference for how long
// something has been followed.
const enough = time.Minute

// farthest is the longest time to exhaustion that is worth a forecast.
const farthest = 24 * time.Hour

// history remembers the samples of the last HistorySpan, and how the pool
// grows; how a tuple grows is remembered with it.
type history struct {
	samples []Sample
	pool    growth
}

// growth is the smoothed growth of one tuple's use.
type growth struct {
	known bool
	used  int
	rate  float64 // ports per second
	// span is the time over which the rate was taken.
	span time.Duration
}

// add completes the state with its forecast and its history. again says that it
// is about the look of the moment before.
func (h *history) add(st *State, again bool) {
	p := &st.TCP.Pressure
	head := p.Headline()
	h.pool.follow(p.InUse, newPace(st.Elapsed))
	st.Forecast = h.forecast(st, &head)
	for len(h.samples) > 0 && h.samples[0].Clock < st.Clock-HistorySpan.Nanoseconds() {
		h.samples = h.samples[1:]
	}
	// A state keeps its window while later samples come: append writes behind
	// it, or moves to new memory, and never into it.
	if !again {
		h.makeRoom()
		h.samples = append(h.samples, Sample{
			Clock: st.Clock, Used: int32(head.Used()), Usable: int32(head.Limit.Of(p.Usable)), Pool: int32(p.InUse),
			UDP: int32(st.UDP.Pressure.InUse), Level: st.Level,
		})
	}
	st.History = h.samples[:len(h.samples):len(h.samples)]
}

// makeRoom makes room for another sample, and for a quarter more: append would
// double the memory, which counts where there are many namespaces.
func (h *history) makeRoom() {
	if n := len(h.samples); n == cap(h.samples) {
		h.samples = append(make([]Sample, 0, n+n/4+8), h.samples...)
	}
}

// pace is how much a new rate counts after a time.
type pace struct {
	seconds, weight float64
	elapsed         time.Duration
}

func newPace(elapsed time.Duration) pace {
	seconds := elapsed.Seconds()
	return pace{seconds, 1 - math.Exp(-seconds/smoothing.Seconds()), elapsed}
}

// follow goes on to the use of now. What was not followed before has no rate
// yet.
func (g *growth) follow(used int, p pace) {
	was := g.used
	g.used = used
	if !g.known || p.seconds <= 0 {
		g.known = true
		return
	}
	now := float64(used-was) / p.seconds
	// The first rates count in full, or the rate would start from a made-up 0.
	weight := max(p.weight, p.seconds/(g.span.Seconds()+p.seconds))
	g.rate += weight * (now - g.rate)
	g.span = min(g.span+p.elapsed, enough)
}

func (h *history) forecast(st *State, head *Headline) Forecast {
	f, span := Forecast{Rate: h.pool.rate}, h.pool.span
	if head.Scope == ScopeTuple {
		f.Rate, span = st.TCP.Pressure.Worst().Rate, st.TCP.Pressure.Worst().Followed
	}
	if span >= settled && f.Rate > 0 {
		if seconds := float64(head.Free) / f.Rate; seconds < farthest.Seconds() {
			f.Full = time.Duration(seconds * float64(time.Second))
		}
	}
	if wait := st.Snapshot.Settings.TimeWait; head.Scope == ScopeTuple && wait > 0 {
		f.Outlook = st.TCP.Pressure.Worst().Outlook(wait)
	}
	return f
}
