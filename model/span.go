package model

import (
	"math"
	"time"
)

// Span is a time in ticks, up to 497 days: what is longer is as long. There are
// so many rows that eight bytes for each are worth saving.
type Span uint32

// spanTick is what a Span counts: ages are shown in seconds, and the kernel's
// timers tell no less either.
const spanTick = 10 * time.Millisecond

// SpanOf gives a time that is not negative as a Span.
func SpanOf(d time.Duration) Span {
	return Span(min(max(0, d/spanTick), math.MaxUint32))
}

// Duration gives the time that it is.
func (s Span) Duration() time.Duration { return time.Duration(s) * spanTick }
