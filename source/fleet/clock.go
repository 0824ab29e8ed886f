package fleet

import "time"

// clock tells how old the lines of a watch are when they are read: they may have
// waited on their way, as where this program was stopped. It goes by the times in
// them, and by how those move on: the host's clock may be wrong, and be set.
type clock struct {
	line, read time.Time // of the line before
	lag        time.Duration
	steady     int // how many lines in a row came as slowly as they were written
}

// steadyLines is after how many such lines nothing waits any more: what did comes
// all at once. If they seem to be late, the host stood still, or its clock did.
const steadyLines = 3

// age tells how old a line is that was written at one time, by the host's clock, and
// read at another, by ours. The first is new.
func (c *clock) age(line, read time.Time) time.Duration {
	written, passed := line.Sub(c.line), read.Sub(c.read)
	first := c.read.IsZero()
	c.line, c.read = line, read
	if first || written <= 0 { // it was set, or says nothing
		c.lag, c.steady = 0, 0
		return 0
	}
	c.lag = max(0, c.lag+passed-written)
	if c.steady++; passed < written/2 {
		c.steady = 0
	}
	if c.steady == steadyLines {
		c.lag, c.steady = 0, 0
	}
	return c.lag
}
