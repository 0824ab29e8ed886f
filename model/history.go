package model

import (
	"math"
	"slices"
	"time"
)

// HistorySpan is how far back the history goes, HourSpan how far its summary
// does, and HourStep the time that one sample of that stands for.
const (
	HistorySpan = 5 * time.Minute
	HourSpan    = time.Hour
	HourStep    = 10 * time.Second
)

// Sample is one moment of the history.
type Sample struct {
	// Clock is when it was, on the scale of State.Clock; in the summary, when
	// the stretch began.
	Clock int64
	// Used is the headline's used ports of Usable, which is the size of a private
	// pool where that is the headline.
	Used, Usable uint16
	// Pool and UDP are the distinct ports in use.
	Pool, UDP uint16
	Level     Level
}

// worsen makes s the worst of two.
func (s *Sample) worsen(of *Sample) {
	if int(of.Used)*int(s.Usable) > int(s.Used)*int(of.Usable) {
		s.Used, s.Usable = of.Used, of.Usable
	}
	s.Pool, s.UDP, s.Level = max(s.Pool, of.Pool), max(s.UDP, of.UDP), max(s.Level, of.Level)
}

// window is the samples of a span, the oldest first. Who has a slice of it keeps
// what it holds: samples are written behind it or into new memory.
type window []Sample

// push adds a sample and forgets what is older than the span.
func (w *window) push(s Sample, span time.Duration) {
	list := *w
	for len(list) > 0 && list[0].Clock < s.Clock-span.Nanoseconds() {
		list = list[1:]
	}
	*w = push(list, s)
}

// smoothing is the time constant of a growth.
const smoothing = 10 * time.Second

// settled is how long a tuple must have been followed before a forecast is
// made of it.
const settled = 2 * time.Second

// enough is the time from which on it makes no difference for how long
// something has been followed.
const enough = time.Minute

// history remembers the samples of the last HistorySpan, the summary, and how
// the pool grows; how a tuple grows is remembered with it.
type history struct {
	samples, hour window
	stretch       Sample // the worst of a HourStep that is not over
	pool          growth
	stopped       bool // the closes, of all ports
}

// growth is how a number of ports grows.
type growth struct {
	known bool
	used  int
	// rate is smoothed, in ports per second, move is how much it moves whichever
	// way, and last the rate since the look before.
	rate, move, last float64
	// span is the time over which the rate was taken, still the time since the
	// number last went the same way, and followed that since it is known.
	span, still, followed time.Duration
}

// add completes the state with its outlook and its history. again says that it
// is about the look of the moment before.
func (h *history) add(st *State, c *census, again bool) {
	p := &st.TCP.Pressure
	head := p.Headline()
	h.pool.follow(p.InUse, newPace(st.Elapsed))
	st.Outlook = h.outlook(st, &head, c)
	if !again {
		s := Sample{
			Clock: st.Clock, Used: uint16(head.Used()), Usable: uint16(head.Limit.Of(p.Usable)), Pool: uint16(p.InUse),
			UDP: uint16(st.UDP.Pressure.InUse), Level: st.Level,
		}
		h.samples.push(s, HistorySpan)
		h.sum(s)
	}
	st.History, st.Hour = slices.Clip(h.samples), slices.Clip(h.hour)
}

// sum adds a sample to the summary, in which a stretch is as bad as its worst
// moment.
func (h *history) sum(s Sample) {
	start := s.Clock - s.Clock%HourStep.Nanoseconds()
	if start == h.stretch.Clock {
		h.stretch.worsen(&s)
		return
	}
	if h.stretch.Clock != 0 {
		h.hour.push(h.stretch, HourSpan)
	}
	h.stretch = s
	h.stretch.Clock = start
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

// What makes a growth one: so many ports, in so long at most, and a share of how
// much the number moves whichever way. It is over once it failed to bring so
// many ports. What moved less before than calm stood still.
const (
	grown         = 3.0
	grownIn       = 20 * time.Second
	grownOf       = 0.25
	calm          = 0.5
	imperceptible = 0.05
)

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
	if g.rate == 0 && g.move < calm && now != 0 {
		g.span = 0 // a growth that begins
	}
	g.still += p.elapsed
	if now*g.rate > 0 {
		g.still = 0
	}
	over := math.Abs(g.rate)*g.still.Seconds() >= grown
	// The first rates count in full, or the rate would start from a made-up 0.
	weight := max(p.weight, p.seconds/(g.span.Seconds()+p.seconds))
	g.rate += weight * (now - g.rate)
	g.move += weight * (math.Abs(now) - g.move)
	g.last = now
	if over && now*g.rate >= 0 || now == 0 && math.Abs(g.rate) < imperceptible {
		g.rate, g.still = 0, 0
	}
	g.span, g.followed = min(g.span+p.elapsed, enough), min(g.followed+p.elapsed, enough)
}

// contradicted tells whether the newest change went the other way.
func (g *growth) contradicted() bool { return g.last*g.rate < 0 }

// trend is the growth to reckon with, 0 where there is none: where ports come
// and go, or the growth has ended.
func (g *growth) trend() float64 {
	if g.span < settled || g.contradicted() || math.Abs(g.rate)*min(g.span, grownIn).Seconds() <= grown || math.Abs(g.rate) < grownOf*g.move {
		return 0
	}
	return g.rate
}

// foresight is how many times as far ahead a growth is told as it was seen.
const foresight = 400

// horizon is how many seconds ahead the growth is told: what was seen for a few
// seconds says nothing of the hours to come.
func (g *growth) horizon() float64 {
	if g.span >= enough {
		return farthest.Seconds()
	}
	return foresight * g.span.Seconds()
}

// shown is the growth to speak of.
func (g *growth) shown() float64 {
	if g.contradicted() {
		return 0
	}
	return g.rate
}

// outlook is that of the headline.
func (h *history) outlook(st *State, head *Headline, c *census) Outlook {
	rate := c.waits.rate(&h.stopped, st)
	if head.Scope == ScopeTuple {
		return st.TCP.Pressure.Worst().Outlook
	}
	used := head.Used()
	o := Outlook{Rate: h.pool.shown()}
	f := future{used: used, ports: used + head.Free, held: used, fixed: head.Blocked, growth: h.pool.trend(), horizon: h.pool.horizon()}
	waits := head.TimeWait
	if head.Scope == ScopePool {
		waits = c.waits.all
	}
	if f.growth <= 0 && 2*waits > used && c.waits.all > 0 {
		// Where it does not rise, it falls as they go, however it fell before.
		part := float64(waits) / float64(c.waits.all)
		f.others = portion{&c.waits, part, part * rate, float64(waits)}
		f.wait = min(int(st.Snapshot.Settings.TimeWait/time.Second), maxAge)
		f.life, f.held, f.growth, f.youngest = f.wait, used-waits, 0, f.wait
		f.fixed = min(f.fixed, f.held)
	}
	f.verdict(&o, h.pool.followed >= settled)
	return o
}
