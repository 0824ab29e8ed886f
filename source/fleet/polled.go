package fleet

import (
	"fmt"
	"time"
)

// polled tells how old the figures of a host are, by the clock of Prometheus alone:
// that of the host, by which a poll is dated, may be any.
type polled struct {
	poll   float64 // when the last was, by the host's clock
	asked  float64
	read   float64 // when Prometheus has read it; 0 if that is not told
	before bool    // it was the same PrometheusPatience before
}

// The figures that are made of metricPolled have this label, which says what they are.
const (
	labelPolled  = "ephtop_polled"
	polledRead   = "read"
	polledBefore = "before"
)

// polledExpr asks for them.
func polledExpr(match Selector) string {
	polls := metricPrefix + metricPolled + "{" + string(match) + "}"
	return fmt.Sprintf(`label_replace(timestamp(%[1]s), "%[2]s", "%[3]s", "", "") or label_replace(%[1]s == (%[1]s offset %[5]ds), "%[2]s", "%[4]s", "", "")`,
		polls, labelPolled, polledRead, polledBefore, int(PrometheusPatience.Seconds()))
}

// take takes what was asked for, if that is what s is.
func (p *polled) take(s *sample) bool {
	switch s.labels[labelPolled] {
	case polledRead:
		p.read = s.value
	case polledBefore:
		p.before = true
	default:
		return false
	}
	return true
}

// polls are the last that were seen of targets, and when Prometheus read them first.
type polls map[target]struct{ poll, read float64 }

// age says how old the last poll of a target is: from when that was first read, which
// is a few seconds after. Where it was there already, and does not move, it is as old
// as the host says, if not older.
func (seen polls) age(t target, p *polled) time.Duration {
	last, ok := seen[t]
	if !ok || last.poll != p.poll {
		last.poll, last.read = p.poll, p.asked
		if p.read > 0 {
			last.read = min(p.read, p.asked)
		}
	}
	if p.before {
		last.read = min(last.read, p.poll, p.asked-PrometheusPatience.Seconds()-1)
	}
	seen[t] = last
	return seconds(p.asked - last.read)
}
