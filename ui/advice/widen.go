package advice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

// wide is a range that leaves the ports of the usual servers alone. Its ends
// differ in parity, as the kernel prefers (ip-sysctl, ip_local_port_range).
var wide = source.PortRange{Low: 10240, High: 65535}

const lostAtRestart = "lost at the next start unless the line stands in a file under /etc/sysctl.d"

func (t *teller) proto() source.Proto { return cmp.Or(t.f.Proto, source.TCP) }

// widen is the remedy of a wider range; it has no name where little is left
// to gain.
func (t *teller) widen() Remedy {
	to := source.PortRange{Low: min(wide.Low, t.set.Range.Low), High: max(wide.High, t.set.Range.High)}
	return t.rangeRemedy("widen the range", to)
}

func (t *teller) rangeRemedy(what string, to source.PortRange) Remedy {
	then := t.set.Clone()
	then.Range = to
	more := then.Usable() - t.set.Usable()
	command := t.setRange(to)
	if command == "" || more < t.set.Usable()/20 || more <= 0 {
		return Remedy{}
	}
	r := Remedy{
		What:    fmt.Sprintf("%s from %v to %v", what, t.set.Range, to),
		Command: command, Effect: t.moreports(more, then.Usable()),
		Risk: fmt.Sprintf("a server that starts later on a port from %d to %d can find it taken", to.Low, to.High),
	}
	if in := t.serversBetween(to); len(in) > 0 {
		var numbers []uint16
		for _, s := range in {
			numbers = append(numbers, s.port)
		}
		r.Risk = "servers listen between the old and the new ends: " + named(in)
		if reserve := t.reserve(numbers); reserve != "" {
			r.Command = reserve + "\n" + command
			r.Risk += "; the first line keeps their ports from being given away"
		}
	}
	if t.linux() {
		r.Risk += "; " + lostAtRestart
	}
	return r
}

// moreports says what so many more usable ports mean.
func (t *teller) moreports(more, then int) string {
	now := t.room()
	effect := "+" + text.Plural(more, "port", "ports") + ", " + text.Count(then) + " to each destination"
	if t.pressure().PoolOnly {
		effect = "+" + text.Plural(more, "port", "ports") + ", " + text.Count(then) + " in all"
	}
	if t.proto() == source.UDP {
		return "+" + text.Plural(more, "port", "ports") + ", " + text.Count(then) + " on each local address"
	}
	if t.f.Problem == model.SlowConnect {
		return effect + fmt.Sprintf("; connect() gets slow at %s instead of %s ports", text.Count(then/2), text.Count(t.f.Of))
	}
	return effect + "; sustains " + rate(now.with(more).sustains()) + " instead of " + closes(now.sustains())
}

// server is a port that something waits on.
type server struct {
	port uint16
	name string // of its process, "" if not known
}

// serversBetween finds the servers whose ports a new range would take in.
func (t *teller) serversBetween(to source.PortRange) []server {
	var list []server
	for i := range t.st.Rows {
		s := &t.st.Snapshot.Sockets[i]
		waits := s.State == source.Listen || s.Proto == source.UDP && s.State == source.Bound
		if !waits || !to.Contains(s.LocalPort) || t.set.Range.Contains(s.LocalPort) || t.set.IsReserved(s.LocalPort) {
			continue
		}
		found := server{port: s.LocalPort}
		if p := t.st.Process(i); p != nil {
			found.name = text.Truncate(text.Sanitize(p.Name), nameWidth)
		}
		list = append(list, found)
	}
	slices.SortFunc(list, func(a, b server) int {
		return cmp.Or(cmp.Compare(a.port, b.port), strings.Compare(b.name, a.name))
	})
	return slices.CompactFunc(list, func(a, b server) bool { return a.port == b.port })
}

func named(list []server) string {
	const most = 4
	var words []string
	for _, s := range list[:min(len(list), most)] {
		w := fmt.Sprint(s.port)
		if s.name != "" {
			w += " (" + s.name + ")"
		}
		words = append(words, w)
	}
	if n := len(list) - most; n > 0 {
		words = append(words, text.Count(n)+" more")
	}
	return strings.Join(words, ", ")
}

// portList writes ranges and ports as ip_local_reserved_ports takes them,
// sorted, and joined where they touch.
func portList(reserved []source.PortRange, numbers []uint16) string {
	all := slices.Clone(reserved)
	for _, n := range numbers {
		all = append(all, source.PortRange{Low: n, High: n})
	}
	slices.SortFunc(all, func(a, b source.PortRange) int { return cmp.Compare(a.Low, b.Low) })
	var joined []source.PortRange
	for _, r := range all {
		if n := len(joined); n > 0 && int(r.Low) <= int(joined[n-1].High)+1 {
			joined[n-1].High = max(joined[n-1].High, r.High)
			continue
		}
		joined = append(joined, r)
	}
	var words []string
	for _, r := range joined {
		if r.Low == r.High {
			words = append(words, fmt.Sprint(r.Low))
		} else {
			words = append(words, r.String())
		}
	}
	return strings.Join(words, ",")
}
