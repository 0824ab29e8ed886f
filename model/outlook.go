package model

import "time"

// ClosingSpan is the time over which the rate of closes is taken.
const ClosingSpan = 5 * time.Second

// Outlook says where the use of a destination is going if it goes on closing
// connections as now. It is the only place that knows the rule.
type Outlook struct {
	// CloseRate is the closes per second, seen in young TIME_WAIT sockets.
	CloseRate float64
	// Sustainable is the closes per second that the range can bear beside what
	// is live now, each keeping its port for the time of a TIME_WAIT:
	// (usable − live − blocked) / TIME_WAIT. 0 where that time is not known.
	Sustainable float64
	// Plateau is where the use will settle at CloseRate, in ports:
	// live + blocked + TIME_WAIT × CloseRate.
	Plateau int
}

// Outlook tells where the use of the tuple is going, for a system on which a
// socket stays in TIME_WAIT for wait.
func (t *TupleUse) Outlook(wait time.Duration) Outlook {
	o := Outlook{CloseRate: closeRate(t.Closing)}
	if wait > 0 {
		o.Sustainable = float64(t.TimeWait+t.Free) / wait.Seconds()
	}
	o.Plateau = plateau(t.Live+t.Blocked+t.Suspected, t.TimeWait, o.CloseRate, wait, t.Free == 0)
	return o
}

// closeRate is that of so many TIME_WAIT that began in the last ClosingSpan.
func closeRate(closing int) float64 { return float64(closing) / ClosingSpan.Seconds() }

// plateau is where ports settle of which held stay as they are. In a tuple
// that is full no more close than could open, so that the rate says nothing:
// it does not fall below what is held and waits now.
func plateau(held, timeWait int, rate float64, wait time.Duration, full bool) int {
	settled := held + int(rate*wait.Seconds()+0.5)
	if full {
		settled = max(settled, held+timeWait)
	}
	return settled
}
