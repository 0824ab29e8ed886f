package model

import (
	"time"

	"ephtop/source"
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

// closeRate is the closes per second of the tuple. reused says that connect()
// takes over what is older than the delay, so that where the first half is
// crowded, older ones have given way and do not tell.
func (t *tuplePlace) closeRate(reused bool, set *source.Settings) float64 {
	u := &t.use
	if delay := int(max(set.ReuseDelay, time.Second) / time.Second); reused && delay < closingSeconds &&
		float64(u.FirstHalf) >= crowded*float64(u.FirstHalfSize) {
		return float64(sum(t.young[:delay])) / float64(delay)
	}
	if u.Closing >= burstMin {
		for i := range closingSeconds - 1 {
			if t.bursts(i) {
				return float64(u.Closing-sum(t.young[i:i+2])) / (closingSeconds - 2)
			}
		}
	}
	return float64(u.Closing) / closingSeconds
}

// bursts tells whether the second that was i seconds ago and the one before have
// most of the closes.
func (t *tuplePlace) bursts(i int) bool {
	return float64(sum(t.young[i:i+2])) > burstShare*float64(t.use.Closing)
}

func sum(counts []int32) int {
	n := 0
	for _, c := range counts {
		n += int(c)
	}
	return n
}
