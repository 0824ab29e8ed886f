package live

import (
	"fmt"
	"time"

	"ephtop/source"
)

const (
	// budgetPercent is how much of one processor core tracing may cost.
	budgetPercent = 5

	// budgetSpan is over how long that is meant: what is saved in it may be spent.
	// No less than budgetLeast is judged.
	budgetSpan  = 5 * time.Second
	budgetLeast = 3 * time.Second
)

// budget is what tracing may cost: a bucket that leaks as much as it may, and
// that runs over when too much was spent for too long. A cost is processor time,
// of ephtop to read the events and of the kernel to tell them. What the model
// makes of them is not in it.
type budget struct {
	percent int // of a core

	before source.Moment // its time alone, of the poll before
	spent  time.Duration // until then

	over   time.Duration // what was spent beyond the share
	events int           // since there is any of that
	span   time.Duration // and how long that is
}

// spend takes in the events of a moment and what tracing has cost so far, and
// reports whether that is too much.
func (b *budget) spend(m *source.Moment, spent time.Duration) bool {
	took, cost := m.Since(&b.before), spent-b.spent
	first := b.before.Time.IsZero()
	b.before.Time, b.before.Mono, b.spent = m.Time, m.Mono, spent
	if first {
		return false
	}
	share := time.Duration(b.percent)
	b.over += cost - took*share/100
	b.events += len(m.Events) + m.LostEvents
	b.span += took
	if b.over <= 0 {
		b.over, b.events, b.span = 0, 0, 0
	}
	return b.over > budgetSpan*share/100 && b.span >= budgetLeast
}

// String is the detail of source.LimitTraceStopped.
func (b *budget) String() string {
	return fmt.Sprintf("%.0f %d", float64(b.events)/b.span.Seconds(), b.percent)
}
