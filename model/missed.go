package model

import "ephtop/source"

// ends says which of the range's two ends something is true of.
type ends struct{ low, high bool }

// odd tells whether connect() does not look at every port of the range: it
// looks at an even number of them, so that of an odd number it misses one of
// the parity that it tries first. Which one depends on where it begins: from
// the low end it is the high one, from anywhere else the low one; and a failure
// does not make it begin elsewhere (__inet_hash_connect).
func odd(set *source.Settings) bool {
	return set.Parity && set.Range.Count() > 1 && set.Range.Count()%2 == 1
}

// noteEnds notes which tuples hold an end of an odd range.
func (c *census) noteEnds(st *State) {
	set := &st.Snapshot.Settings
	if !odd(set) {
		return
	}
	for i := 0; i < len(c.holders) && c.holders[i].port == set.Range.Low; i++ {
		if n := c.holders[i].tuple; n != noTuple {
			c.tuples.tuples[n].ends.low = true
		}
	}
	for i := len(c.holders) - 1; i >= 0 && c.holders[i].port == set.Range.High; i-- {
		if n := c.holders[i].tuple; n != noTuple {
			c.tuples.tuples[n].ends.high = true
		}
	}
}

// missed counts the free ports of a tuple that connect() can't be counted on to
// look at: one of the ends, where no other port is free. Of three ports it
// always begins with the low one.
func (c *census) missed(t *tuplePlace, d *domain, set *source.Settings) int {
	if !odd(set) {
		return 0
	}
	free := func(port uint16, held bool) bool {
		return !held && c.usable.Has(port) && !(d.any && d.blocked.Has(port)) && !(c.suspects.total > 0 && c.suspects.ports.Has(port))
	}
	low, high := free(set.Range.Low, t.ends.low), free(set.Range.High, t.ends.high)
	if set.Range.Count() == 3 {
		return one(high)
	}
	return one((low || high) && t.use.Free == one(low)+one(high))
}
