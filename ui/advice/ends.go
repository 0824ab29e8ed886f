package advice

import (
	"fmt"
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

// maxEnds bounds what is named of what can end.
const maxEnds = 6

// ends names what ends first, and what would move its end.
func (e *examiner) ends() {
	var words []string
	for i := range e.p.Ends[:min(maxEnds, len(e.p.Ends))] {
		end := &e.p.Ends[i]
		words = append(words, fmt.Sprintf("%s: %s of %s · %s %%", e.endName(end), text.Count(end.Used), text.Count(end.Max), percent(end.Used, end.Max)))
	}
	e.seen("%s", strings.Join(words, "; "))
	if r := &e.ev.Resources; r.Reason != "" {
		e.seen("not known: %s", r.Reason)
	}
	first := &e.p.Ends[0]
	switch near := e.st.Thresholds.Level(first.Used, first.Max) > model.LevelOK; {
	case e.p.Verdict > model.VerdictUnknown:
		e.moveEnd(first)
	case near && first.Kind == model.EndConntrack:
		e.next("see the firewall and the way back, above")
	case near && first.Kind == model.EndTimeWait:
		e.next("see TIME_WAIT, above")
	case near && first.Kind == model.EndTranslated:
		e.next("see translated ports, below")
	}
}

func (e *examiner) endName(end *model.End) string {
	switch end.Kind {
	case model.EndDescriptors:
		d := &e.ev.Resources.Descriptors[end.Index]
		return fmt.Sprintf("descriptors of %s (pid %d)", text.Truncate(d.Name, nameWidth), d.PID)
	case model.EndConntrack:
		return "entries of connection tracking"
	case model.EndTimeWait:
		return "TIME_WAIT that the kernel keeps"
	case model.EndFiles:
		return "open files of the host"
	case model.EndTranslated:
		p := &e.st.NAT.Pools[0]
		return fmt.Sprintf("SNAT ports of %s to %s", p.Address, source.AddrPort(p.Remote, p.RemotePort))
	case model.EndUDP:
		return "UDP ports"
	}
	if h := e.st.TCP.Pressure.Headline(); h.Scope == model.ScopeTuple {
		return "ports to " + source.AddrPort(h.Key.Destination, h.Key.Port)
	}
	return "ports"
}

// moveEnd says how more of it can be had.
func (e *examiner) moveEnd(end *model.End) {
	more := max(65536, 2*end.Max)
	switch end.Kind {
	case model.EndDescriptors:
		d := &e.ev.Resources.Descriptors[end.Index]
		e.seen("without a descriptor, socket() and accept() fail with EMFILE (too many open files), however many ports there are")
		e.next("raise the limit where it is started: LimitNOFILE=%d in its unit, ulimit -n %d, docker run --ulimit nofile=%d", more, more, more)
		e.next("prlimit --pid %d --nofile=%d: raises it at once, until it is started anew", d.PID, more)
	case model.EndFiles:
		e.next("sysctl -w fs.file-max=%d, on the host", 2*end.Max)
	}
}

// goClient is the cure of a process whose file says that it is a Go program.
func (e *examiner) goClient(p *source.Process, port uint16) {
	for i := range e.ev.Resources.Descriptors {
		d := &e.ev.Resources.Descriptors[i]
		if p == nil || d.PID != p.PID || !strings.HasPrefix(d.Runtime, "go") {
			continue
		}
		known := &source.Process{Name: "go"}
		for j := range clients {
			if c := &clients[j]; c.runs(known) {
				if cure, ok := c.towards(port); ok {
					e.seen("%s is a Go program (%s)", d.Name, d.Runtime)
					e.next("%s: %s", cure.what, cure.config)
				}
			}
		}
	}
}
