package portable

import (
	"strconv"

	"ephtop/source"
)

// losses counts what one poll could not tell.
type losses struct {
	unreadable int // rows whose address or port made no sense
	ownerless  int // live sockets without a pid
}

// limits says what a poll could not see.
func (p *Source) limits(m *source.Moment, lost losses) {
	switch {
	case p.usesLsof():
		m.Limit(source.LimitOpenFiles, "")
		if !p.root {
			m.Limit(source.LimitOthersSockets, "")
		}
	default:
		m.Limit(source.LimitNoTimers, "")
		m.Limit(source.LimitNoBound, "")
	}
	if p.goos == "linux" {
		m.Limit(source.LimitMerged, "")
		if lost.ownerless > 0 {
			p.rights.Limit(m, 0)
		}
	}
	if late := p.processes.look.late(); late != "" {
		m.Limit(source.LimitLate, late)
	}
	if lost.unreadable > 0 {
		m.Limit(source.LimitUnreadable, strconv.Itoa(lost.unreadable))
	}
}
