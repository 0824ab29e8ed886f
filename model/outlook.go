package model

import (
	"math"
	"time"

	"ephtop/source"
)

// Trend is the verdict of an outlook.
type Trend uint8

// The trends.
const (
	TrendUnknown   Trend = iota
	TrendFull            // connect() will find no port, or finds none now
	TrendLevelsOff       // the use rises, and stops at Plateau
	TrendDrains          // the use falls, to Plateau
	TrendSteady
)

// String names the trend as in the JSON.
func (t Trend) String() string {
	names := [...]string{"unknown", "full", "levels_off", "drains", "steady"}
	if int(t) < len(names) {
		return names[t]
	}
	return names[TrendUnknown]
}

// Outlook says where the use of a destination is going if closes go on as now,
// and what is held besides grows as now. It is the only place that knows the
// rule; whoever speaks of the future reads it here.
type Outlook struct {
	Trend Trend
	// In is the time until it is full, has levelled off or has drained; 0 where
	// it is full now, steady or not known.
	In time.Duration
	// Plateau is where the use settles, in ports. Where it gets full it is what
	// would be needed, and not less than there is.
	Plateau int
	// Rate is the growth of the used ports, in ports per second.
	Rate float64
	// CloseRate is the closes per second, seen in young TIME_WAIT sockets.
	CloseRate float64
	// Keeps is how long a close keeps its port from connect(): for as long as
	// TIME_WAIT lasts, or until connect() may take it over. 0 where not known.
	Keeps time.Duration
	// Sustainable is the closes per second that the range can bear beside what
	// is live now: (usable − live − blocked) / Keeps. 0 where that is not known.
	Sustainable float64
}

// Left returns the time until no port can be had; 0 where that does not come, or
// has come.
func (o *Outlook) Left() time.Duration {
	if o.Trend == TrendFull {
		return o.In
	}
	return 0
}

// Settles reports whether the use comes to a rest at Plateau.
func (o *Outlook) Settles() bool { return o.Trend > TrendFull }

// farthest is the longest time to exhaustion that is worth a forecast.
const farthest = 24 * time.Hour

// future is the simulation: ports are held, for good as far as one can see, or
// by closes, for a while.
type future struct {
	used  int
	ports int // that can be had in all
	held  int // by other than TIME_WAIT; fixed of them do not come and go
	fixed int
	// growth is that of held, and closes that of TIME_WAIT, a second.
	growth, closes float64
	// horizon is how many seconds ahead the growth may be told.
	horizon float64
	// life is how many seconds a close keeps its port from connect(), wait how
	// many it is in TIME_WAIT: more, where connect() may take it over.
	life, wait int
	// waiting are the TIME_WAIT of now by their age in seconds, where it matters
	// when they go; most is the number that the kernel keeps.
	waiting []float64
	most    float64
	// others are the ports of others that come free like TIME_WAIT, after the wait.
	others portion
	// drains is the part of the closes that no new connection comes for. They are no
	// part of closes, for their ports are held as before; they end when no more is
	// held, and then what closed has gone.
	drains float64
	// begins is the part of the closes that may have just begun, or be a burst.
	begins float64
	// youngest is the age of the youngest of them in seconds, as far as it is known.
	youngest int
	// stays says that the TIME_WAIT are as many as now for good: they are taken
	// for held, and life and wait are 0.
	stays bool
	// first is what the first half has for TIME_WAIT, where these are taken over.
	first float64
}

// lasts is for how many seconds the TIME_WAIT of now count.
func (f *future) lasts() int {
	if f.others.waits != nil {
		return f.wait
	}
	return f.life
}

// walk gives the used ports after each second of that, until see says that
// it has seen enough. Only what connect() can't have counts.
func (f *future) walk(see func(second int, use float64) bool) {
	left := 0.0
	if f.waiting != nil {
		for _, n := range f.waiting[:f.life] {
			left += n
		}
	}
	others := f.others.left(f.wait)
	for second := 0; second <= f.lasts(); second++ {
		if second > 0 && second <= f.life && f.waiting != nil {
			left -= f.waiting[f.life-second]
		}
		if f.others.waits != nil && second > 0 {
			others -= f.others.part * float64(f.others.ages[f.wait-second])
		}
		held := max(float64(f.fixed), float64(f.held)+f.growth*float64(second)) + min(others+f.others.closes*float64(second), f.others.most)
		drained := min(f.drains*float64(min(second, f.life)), float64(f.held-f.fixed))
		if !see(second, held+min(left+drained+f.closes*float64(min(second, f.life)), f.most)) {
			return
		}
	}
}

// limit is the use from which no port can be had.
func (f *future) limit() float64 {
	if f.reused() {
		// No more close than could open, so that at the limit one does not see more.
		return float64(f.ports - f.ports/100)
	}
	return float64(f.ports)
}

// near tells whether it may get full within a life.
func (f *future) near() bool {
	return float64(f.used)+(f.closes+max(0, f.growth))*float64(f.life)+f.others.ends(f.wait) >= f.limit()
}

// full tells when no port can be had any more.
func (f *future) full() (in float64, ever bool) {
	was, ports := 0.0, f.limit()
	if f.near() {
		f.walk(func(second int, use float64) bool {
			if ever = use >= ports; ever && second > 0 {
				in = float64(second-1) + (ports-was)/(use-was)
			}
			was = use
			return !ever
		})
	} else {
		was = float64(f.held) + f.growth*float64(f.lasts()) + min(f.closes*float64(f.life), f.most) + f.others.ends(f.wait)
	}
	if ever || f.growth <= 0 {
		return in, ever
	}
	in = float64(f.lasts()) + (ports-was)/f.growth
	return in, in < farthest.Seconds()
}

// steady tells whether the use settles where it is.
func (f *future) steady(use float64) bool { return math.Abs(use-float64(f.used)) <= f.slack(use) }

// soonLives is how many lives away it may be that what grows beside the closes fills up
// what these have left.
const soonLives = 10

// nearest tells whether the time until it is full is the verdict of now, and not
// where closes lead before: by them, or by what is held, if that grows faster than
// closes change the use, or comes on top of these soon.
func (f *future) nearest(in, use float64) bool {
	life, change := float64(f.lasts()), use-float64(f.used)
	return in <= life || f.steady(use) || f.growth*life >= math.Abs(change) || change > 0 && in <= soonLives*life
}

// settled is the use in the end, if it does not get full, and needs what it
// would take of ports that can't be had.
func (f *future) settled() (use, needs float64) {
	held := float64(f.held)
	if f.growth < 0 {
		held = float64(f.fixed)
	}
	held += f.others.ends(f.wait)
	needs = held + min(f.closes*float64(f.life), f.most)
	if !f.reused() {
		return needs, needs
	}
	return min(held+f.waits(), float64(f.ports)), needs
}

// reused tells whether connect() takes over what is in TIME_WAIT.
func (f *future) reused() bool { return f.life < f.wait }

// waits is how many TIME_WAIT there are in the end, as far as there are ports.
func (f *future) waits() float64 {
	if f.reused() {
		return min(f.takenOver(), f.most)
	}
	return min(f.closes*float64(f.wait), f.most)
}

// takenOver is how many TIME_WAIT there are in the end where connect() takes
// them over: it comes by the ports of the first half in turn, takes the first
// that is free or old enough, and a port is in TIME_WAIT unless no connect()
// came by for the whole wait. The second half comes into play where the first
// is full of young ones.
func (f *future) takenOver() float64 {
	over := func(ports, closes float64) float64 {
		if ports <= 0 {
			return 0
		}
		return ports * (1 - math.Exp(-closes*float64(f.wait)/ports))
	}
	young, bears := f.closes*float64(f.life), f.first/float64(f.life)
	if f.closes <= bears {
		return max(young, over(f.first, f.closes))
	}
	second := float64(f.ports-f.held) - f.others.left(f.wait) - f.first
	return max(young, f.first+over(second, f.closes-bears))
}

// reaches is the time in which the use has come near to where it settles.
func (f *future) reaches(use float64) float64 {
	in, near := 0.0, max(1, use/100, math.Abs(use-float64(f.used))/100)
	if f.closes > 0 || f.others.closes > 0 {
		in = float64(f.wait)
	} else if f.used > f.held {
		in = float64(f.wait - min(f.youngest, f.others.youngest()))
	}
	if f.growth < 0 {
		in = max(in, float64(f.fixed-f.held)/f.growth)
		if f.drains > 0 {
			in = max(in, float64(f.held-f.fixed)/f.drains+float64(f.life))
		}
		return in
	}
	if !f.reused() && (f.waiting != nil || f.life == 0 || float64(f.used-f.held) <= f.others.left(f.wait)) {
		f.walk(func(second int, at float64) bool {
			in = float64(second)
			return math.Abs(at-use) > near
		})
	}
	return in
}

// slack is how far from now the use may settle and be steady all the same: as
// far as chance moves a rate of closes that is taken over ClosingSpan.
func (f *future) slack(use float64) float64 {
	seen := (f.closes + f.others.closes) * closingSeconds
	if f.wait > 0 {
		seen = max(seen, float64(f.used-f.held)*closingSeconds/float64(f.wait))
	}
	return max(3, use/20, math.Sqrt(max(0, seen))*float64(f.wait)/closingSeconds)
}

// verdict fills in where it goes. known says that it is known how it grows, or
// that there are TIME_WAIT which tell enough.
func (f *future) verdict(o *Outlook, known bool) {
	use, needs := f.settled()
	in, full := f.full()
	switch {
	case full && in <= max(float64(f.lasts()), f.horizon) && f.nearest(in, use):
		o.Trend, o.In = TrendFull, seconds(in)
		use = max(needs, float64(f.ports))
	case !known || full && f.steady(use): // it grows, and when that fills it up is not known yet
		o.Trend = TrendUnknown
	case f.steady(use):
		o.Trend = TrendSteady
		if f.reused() {
			use = max(use, float64(f.used)) // what chance may have moved is not said to fall
		}
	default:
		o.Trend, o.In = TrendLevelsOff, seconds(f.reaches(use))
		if use < float64(f.used) {
			o.Trend = TrendDrains
		}
	}
	o.Plateau = int(use + 0.5)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// takenOver tells whether connect() takes over the tuple's TIME_WAIT when they
// are old enough: by those that are, else by the addresses.
func (t *tuplePlace) takenOver(set *source.Settings) bool {
	if t.use.Reusable > 0 {
		return true
	}
	if delay := int((set.ReuseDelay + time.Second - 1) / time.Second); delay <= closingSeconds && t.use.TimeWait > sum(t.young[:delay]) {
		return false // bound before they were connected
	}
	return set.Timestamps > 0 && takesOver(set, t.use.Source, t.use.Destination, t.use.Interface)
}

// future is what can be told of the tuple's, but for the ages of all its
// TIME_WAIT, and begins its outlook. room is how many more TIME_WAIT the kernel
// keeps in this namespace.
func (t *tuplePlace) future(st *State, d *domain, room int) future {
	u, set := &t.use, &st.Snapshot.Settings
	f := future{
		used: u.Used, ports: u.Used + u.Free, held: u.Used - u.TimeWait, fixed: u.Blocked + u.Suspected, growth: t.held.trend(), horizon: t.held.horizon(),
		most: float64(u.TimeWait + room),
	}
	u.Outlook = Outlook{Rate: t.all.shown()}
	wait := min(int(set.TimeWait/time.Second), maxAge)
	if told := wait > 0 && 2*int(t.untimed) <= u.TimeWait; !told || room == 0 {
		// They don't tell; or as many as the kernel keeps are there, so that closes
		// show only as the others go.
		f.stays, f.held, f.fixed = true, u.Used, f.fixed+u.TimeWait
		if !told {
			f.growth, f.horizon = t.all.trend(), t.all.horizon()
		}
	}
	if wait == 0 {
		return f
	}
	o := &u.Outlook
	o.Keeps = set.TimeWait
	reused := set.ReuseDelay < set.TimeWait && t.takenOver(set)
	if reused {
		o.Keeps = max(set.ReuseDelay, time.Millisecond)
	}
	o.CloseRate = t.closeRate(reused, st)
	o.Sustainable = float64(u.TimeWait+u.Free) / o.Keeps.Seconds()
	if f.stays {
		return f
	}
	f.drains = t.drained() * o.CloseRate
	f.closes, f.wait, f.life = o.CloseRate-f.drains, wait, wait
	if f.drains > 0 {
		f.growth = min(f.growth, -f.drains)
	}
	f.youngest = wait
	if u.TimeWait > 0 {
		f.youngest = t.young.silent()
	}
	if t.young.mayBegin() {
		f.begins = f.closes
	}
	if n := t.others(d); n > 0 {
		f.held, f.fixed = f.held-n, f.fixed-n
		part := float64(n) / float64(d.waits.all)
		f.others = portion{&d.waits, part, part * d.closes, float64(n + room)}
		if d.waits.young().mayBegin() {
			f.begins += f.others.closes
		}
	}
	if d.growth < 0 { // but for what listens, and what came in there
		f.fixed = min(f.fixed, d.aside.Len())
		if d.growth-f.growth < calm { // its own stay
			f.fixed += u.Live - (t.blocked - t.ownWaits)
		}
	}
	if reused {
		f.life = 0 // by less than a second no close is in the way
		if set.ReuseDelay >= time.Second {
			f.life = min(wait, int((set.ReuseDelay+time.Second-1)/time.Second))
		}
		f.first = float64(max(0, u.FirstHalfSize-(u.Live-t.secondLive)-(d.first-t.firstBlocked)))
	}
	return f
}
