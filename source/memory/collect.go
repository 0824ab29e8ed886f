package memory

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The garbage that may gather: a share of what is in use as long as that is
// little, to spare a small host the work, and so much where it is much. Nearly
// all of that are rows without a pointer, through which there is nothing to look.
const (
	percent = 40
	garbage = 4 << 20
	least   = 4
)

// Collect has the garbage collected sooner than the runtime does, and the sooner
// the more memory is in use: it is used again from poll to poll, so that costs
// next to nothing, and a host in trouble has none to spare.
func Collect() {
	c := &collector{live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	c.set()
	c.again()
}

// collector sets the percentage anew after each collection.
type collector struct{ live []metrics.Sample }

func (c *collector) set() {
	metrics.Read(c.live)
	live := max(c.live[0].Value.Uint64(), 1)
	debug.SetGCPercent(int(min(percent, max(least, 100*garbage/live))))
}

// again waits for the next collection: that of an object which nobody has.
func (c *collector) again() {
	sign := new([64]byte)
	runtime.AddCleanup(sign, func(c *collector) {
		c.set()
		c.again()
	}, c)
}

// GiveBack gives back to the system what is not in use: for when something is over
// that took much memory, and that does not come again.
func GiveBack() {
	debug.FreeOSMemory()
	leaveProgram()
}
