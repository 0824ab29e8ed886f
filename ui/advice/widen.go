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

func (t *teller) proto() source.Proto { return cmp.Or(t.Proto, source.TCP) }

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
		OfRange: true,
		What:    fmt.Sprintf("%s from %v to %v", what, t.set.Range, to),
		Command: command, Effect: t.moreports(more, then.Usable()),
		Risk: fmt.Sprintf("a server that starts later on a port from %d to %d can find it taken", to.Low, to.High),
	}
	if in := t.servers(func(port uint16) bool {
		return to.Contains(port) && !t.set.Range.Contains(port) && !t.set.IsReserved(port)
	}); len(in) > 0 {
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
	effect := "+" + text.Plural(more, "port", "ports") + ", " + text.Count(then)
	if t.proto() == source.UDP {
		return effect + " on each local address"
	}
	if t.pressure().PoolOnly {
		effect += " in all"
	} else {
		effect += " to each destination"
	}
	if t.Problem == model.SlowConnect {
		return effect + fmt.Sprintf("; connect() gets slow at %s instead of %s ports", text.Count(then/2), text.Count(t.Of))
	}
	switch o := t.outlook(); {
	case o.Trend == model.TrendFull && o.Plateau > then:
		return effect + "; not enough for what closes now, which needs " + text.Count(o.Plateau)
	case t.use != nil && o.CloseRate == 0:
		return effect
	}
	return effect + "; sustains " + t.insteadOf(sustains(t.spare()+more, t.keeps()))
}

// server is a port that something waits on.
type server struct {
	port uint16
	name string // of its process, "" if not known
}

// servers finds the servers on certain ports.
func (t *teller) servers(on func(port uint16) bool) []server {
	var list []server
	for i := range t.st.Rows {
		s := &t.st.Snapshot.Sockets[i]
		waits := s.State == source.Listen || s.Proto == source.UDP && s.State == source.Bound
		if !waits || !on(s.LocalPort) {
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
	return few(each(list, func(s server) string {
		if s.name == "" {
			return fmt.Sprint(s.port)
		}
		return fmt.Sprintf("%d (%s)", s.port, s.name)
	}), 4)
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
	return strings.Join(each(joined, rangeName), ",")
}
