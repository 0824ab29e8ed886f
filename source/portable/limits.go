package portable

import "fmt"

// losses counts what one poll could not tell.
type losses struct {
	unreadable int // rows whose address or port made no sense
	ownerless  int // live sockets without a pid
}

// limits says what a poll could not see and why.
func (p *Source) limits(lost losses) []string {
	var out []string
	switch {
	case p.usesLsof():
		out = append(out, "sockets that no process holds are not listed, TIME_WAIT above all: lsof lists open files only")
		if !p.root {
			out = append(out, "sockets of other users are hidden: run as root to see them")
		}
	default:
		out = append(out,
			"the time left of TIME_WAIT is not known: gopsutil does not tell it",
			"bound and unconnected TCP sockets are not listed, though they hold ports: gopsutil does not see them")
	}
	if p.goos == "linux" {
		out = append(out, "sockets that share all addresses and ports (SO_REUSEPORT) count as one: gopsutil merges them")
		if !p.root && lost.ownerless > 0 {
			out = append(out, "processes of other users are hidden: run as root to see them")
		}
	}
	if lost.unreadable > 0 {
		out = append(out, fmt.Sprintf("sockets left out because gopsutil gave no readable address or port for them: %d", lost.unreadable))
	}
	return out
}
