package model

import "cmp"

// compareFindings puts the most urgent first: of one level, what is so now.
func compareFindings(a, b Finding) int {
	return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(one(a.Past), one(b.Past)),
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
