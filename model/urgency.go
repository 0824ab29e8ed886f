package model

import (
	"cmp"
	"math/bits"
	"time"
)

// compareFindings puts the most urgent first: of one level, what is so now, and then
// what leaves no port first.
func compareFindings(a, b Finding) int {
	return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(one(a.Past), one(b.Past)),
		cmp.Compare(a.nearness(), b.nearness()),
		cmp.Compare(a.Problem.place(), b.Problem.place()), cmp.Compare(a.Problem, b.Problem))
}

// place is where a problem stands among those of one level: that there are no more
// ports comes before why, whosever ports they are.
func (p Problem) place() Problem {
	switch p {
	case NATFull, TrackingFull, WayFull:
		return PoolFull
	}
	return p
}

// nearness is how near the end is that the finding tells of. Calls that fail come before
// what will.
func (f *Finding) nearness() int {
	if f.Problem == ConnectsFail {
		return -1
	}
	return nearness(f.left())
}

// nearness gives the place of what leaves no port in so long, in steps that double up
// to soon: what ends about the same time changes no places by a second more or less.
// Last is what has no end in sight.
func nearness(left time.Duration) int {
	const step = soon / 16
	if left <= 0 || left > soon {
		return bits.Len(uint(soon/step)) + 1
	}
	return bits.Len(uint(left / step))
}

// left is the time until the ports that the finding is about are used up, those of
// a NAT that they pass among them, where that is in sight; else 0.
func (f *Finding) left() time.Duration {
	var left time.Duration
	switch f.Problem {
	case TupleFull, PrivatePool:
		left = f.Span
	case NATFull:
	default:
		return 0
	}
	if f.NATPool != nil {
		left = sooner(left, f.NATPool.Outlook.Left())
	}
	return left
}

// sooner is the shorter of two times of which 0 is not known.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
