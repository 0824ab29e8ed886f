package recording

import (
	"slices"
	"time"

	"ephtop/source"
)

// row is a socket as it is recorded. The Process and Expires of its socket are
// 0: process and until say these in the terms of the recording.
type row struct {
	socket  source.Socket
	id      uint64
	process uint64 // id, or 0
	until   int64  // milliseconds since the start, or 0
}

// left is what is left at now of a timer that runs out at until, in
// milliseconds.
func left(until int64, now time.Duration) int64 { return max(0, until-now.Milliseconds()) }

// noRow is what a new socket is compared with.
var noRow row

// entry is a process as it is recorded.
type entry struct {
	process source.Process
	id      uint64
}

// head is what a snapshot says of the host. Its lists belong to it.
type head struct {
	host, os, kernel, source string
	boundListed, traced      bool
	settings                 source.Settings
	degraded                 []string
}

// headOf takes the head of a snapshot, whose lists it shares.
func headOf(s *flat) head {
	return head{
		host: clip(s.Host), os: clip(s.OS), kernel: clip(s.Kernel), source: clip(s.Source), boundListed: s.BoundListed,
		traced: s.Traced, settings: s.Settings, degraded: s.Degraded,
	}
}

// clone copies the head with its lists.
func (h *head) clone() head {
	c := *h
	c.settings = h.settings.Clone()
	c.degraded = slices.Clone(h.degraded)
	return c
}

func sameTexts(a, b []string) bool {
	return slices.EqualFunc(a, b, func(a, b string) bool { return clip(a) == clip(b) })
}

func sameSettings(a, b *source.Settings) bool {
	return slices.Equal(a.Reserved, b.Reserved) && a.Range == b.Range && a.Assumed == b.Assumed &&
		a.TimeWait == b.TimeWait && a.ReuseTimeWait == b.ReuseTimeWait && a.ReuseDelay == b.ReuseDelay &&
		a.Timestamps == b.Timestamps && a.MaxTimeWait == b.MaxTimeWait && a.PoolOnly == b.PoolOnly &&
		a.Default == b.Default && a.Parity == b.Parity
}
