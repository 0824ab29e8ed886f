package model

import (
	"math"
	"testing"
	"time"

	"ephtop/source"
)

// A recording may have any time of the years 0000 to 9999, and a clock that nobody
// sets may run by centuries from one moment to the next. Ages and rates are told all
// the same: the clock that they are told by goes on, and never overflows.
func TestTheClockOfAnyTime(t *testing.T) {
	t.Parallel()
	for _, year := range []int{0, 1, 1677, 1678, 1969, 1970, 2026, 2099, 2262, 2263, 9999} {
		for _, step := range []time.Duration{time.Second, 100 * 365 * 24 * time.Hour, math.MaxInt64} {
			f, last := NewFleet(Options{}), int64(0)
			for i := range 6 {
				m := moment(0, connections(50, source.Established, "10.0.0.9", 32768, 1, "10.0.9.2:5432")...)
				m.Time = time.Date(year, 6, 1, 0, 0, i, 0, time.UTC)
				m.Mono = time.Second
				if i%2 == 1 {
					m.Mono += min(step, math.MaxInt64-time.Second)
				}
				m.Snapshots[0].Age = time.Duration(i) * time.Hour
				var o Overview
				f.Update(m, &o)
				clock := o.States[0].Clock
				if i > 0 && clock < last || clock < 0 {
					t.Fatalf("year %d, steps of %v: a clock of %d after %d", year, step, clock, last)
				}
				last = clock
			}
		}
	}
}
