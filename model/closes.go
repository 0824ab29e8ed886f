package model

import (
	"slices"
	"time"
)

// ClosingSpan is the time over which the rate of closes is taken.
const ClosingSpan = 5 * time.Second

// closingSeconds is ClosingSpan in whole seconds.
const closingSeconds = 5

// A burst is no rate: if two seconds one after the other have more than so much
// of so many closes, it is the others that tell the rate.
const (
	burstShare = 0.8
	burstMin   = 20
)

// What tells that closes have begun or ended within ClosingSpan: seconds with so
// many each, none of which has more than a few times as many as another, and so
// many in all, or so many that would have come since.
const (
	steadyMin  = 3
	steadyPart = 3
	begunMin   = 10
	missedMin  = 8
)

// closes counts closes by how many seconds ago they were.
type closes [closingSeconds]int32

// sum is that of a part of closes.
func sum(counts []int32) int {
	n := 0
	for _, c := range counts {
		n += int(c)
	}
	return n
}

// rate is the closes per second while they go on. first says that there were none
// before.
func (c *closes) rate(first bool) float64 {
	if full := c.begun(first); len(full) > 1 {
		return float64(sum(full)) / float64(len(full))
	}
	all := sum(c[:])
	if all >= burstMin {
		for i := range closingSeconds - 1 {
			if c.bursts(i) {
				return float64(all-sum(c[i:i+2])) / (closingSeconds - 2)
			}
		}
	}
	return float64(all) / closingSeconds
}

// bursts tells whether the second that was i seconds ago and the one before have
// most of the closes.
func (c *closes) bursts(i int) bool {
	return float64(sum(c[i:i+2])) > burstShare*float64(sum(c[:]))
}

// silent is for how many seconds there were none.
func (c *closes) silent() int {
	for i, n := range c {
		if n > 0 {
			return i
		}
	}
	return closingSeconds
}

// stopped tells whether steady closes have come to an end.
func (c *closes) stopped() bool {
	silent := c.silent()
	if silent+2 >= closingSeconds {
		return false
	}
	before := c[silent+1:] // in the second between they ended
	return slices.Min(before) >= steadyMin && sum(before)*silent >= missedMin*len(before)
}

// over tells whether closes came to an end, as they had at the look before, or
// since. ended says that who closed has ended.
func (c *closes) over(had, ended bool, since time.Duration) bool {
	looked := min(max(1, int(since.Round(time.Second)/time.Second)), closingSeconds)
	return had && sum(c[:looked]) == 0 || c[0] == 0 && (ended || c.stopped())
}

// begun gives the seconds since steady closes began, but for the one in which
// they did; none where they go on for longer.
func (c *closes) begun(first bool) []int32 {
	oldest := closingSeconds - 1
	for oldest > 0 && c[oldest] == 0 {
		oldest--
	}
	full := c[:oldest]
	if oldest < 2 || oldest == closingSeconds-1 && !first {
		return nil
	}
	if least := slices.Min(full); slices.Max(full) > steadyPart*least+steadyMin || !first && (least < steadyMin || sum(full) < begunMin) {
		return nil
	}
	return full
}

// mayBegin tells whether all closes are so young that they may be a burst, or the
// first of many.
func (c *closes) mayBegin() bool { return sum(c[:2]) > 0 && sum(c[2:]) == 0 }

// closeRate is the closes per second of the tuple. reused says that connect()
// takes over what is older than the delay, so that where the first half is
// crowded, older ones have given way and do not tell.
func (t *tuplePlace) closeRate(reused bool, st *State) float64 {
	u, set := &t.use, &st.Snapshot.Settings
	if delay := int(max(set.ReuseDelay, time.Second) / time.Second); reused && delay < closingSeconds &&
		float64(u.FirstHalf) >= crowded*float64(u.FirstHalfSize) {
		return float64(sum(t.young[:delay])) / float64(delay)
	}
	if u.Closing == 0 {
		return 0
	}
	_, ended := st.Exit(u.Process)
	ended = ended && 2*t.most > u.Live+u.TimeWait
	if t.stopped = t.young.over(t.stopped, ended, st.Elapsed); t.stopped {
		return 0
	}
	return t.young.rate(u.TimeWait == u.Closing)
}
