package advice

import (
	"fmt"
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

// translated is the point of the ports that source NAT gave out, here or on the way.
func (e *examiner) translated() {
	if p := e.st.Way; p != nil {
		e.seen("%s", WayFact(p))
	}
	switch n := e.st.NAT; {
	case e.p.Reason != "" && strings.Contains(e.p.Reason, "not permitted"):
		e.seen("not known: the entries of connection tracking can be read by root only")
		e.next("%s", asRoot)
	case strings.Contains(e.p.Reason, "nf_conntrack_netlink"):
		e.seen("not known: %s", e.p.Reason)
		e.next("modprobe nf_conntrack_netlink: ephtop loads no module itself")
	case e.p.Reason != "":
		e.seen("not known: %s", e.p.Reason)
		e.next("see how many are used: conntrack -L -n, counted by address and destination")
	case n != nil && len(n.Pools) > 0:
		e.pools(n)
	case n != nil && n.NAT.Seen == 0:
		e.seen("%s of connection tracking, too few for any address to be near the end of its ports", entries(n.NAT.Entries))
	case n != nil:
		e.seen("%s of connection tracking, and no source address is translated", entries(n.NAT.Entries))
	case e.ev.Conntrack.OK():
		e.seen("too few connections are tracked for any address to be near the end of its ports")
	default:
		e.seen("there is no connection tracking here, so nothing is translated by it")
	}
	if n := e.st.NATElsewhere; n != nil {
		e.natElsewhere(n)
	}
	e.otherNAT(&e.ev.OtherNAT)
}

// natElsewhere says that another namespace is short of translated ports, or of room for
// entries.
func (e *examiner) natElsewhere(n *model.NATState) {
	name := Namespace(&n.Scope)
	if len(n.Pools) == 0 || n.Level > n.Pools[0].Level {
		e.seen("%s", Within(name, fmt.Sprintf("connection tracking has %s of %s", text.Count(n.NAT.Entries), entries(n.NAT.Max))))
	} else {
		e.seen("%s", Within(name, e.fullest(&n.Pools[0])))
	}
	e.next("see the findings about %s", name)
}

func entries(n int) string { return text.Plural(n, "entry", "entries") }

// pools tells of the fullest pool, what is lost, and of what that is known.
func (e *examiner) pools(n *model.NATState) {
	p := &n.Pools[0]
	gives := ""
	if p.Evictable > 0 {
		gives = ", " + text.Count(p.Evictable) + " of them in TIME_WAIT, of which every other one gives way to a new connection"
	}
	e.seen("fullest: %s%s", e.fullest(p), gives)
	if left := p.Outlook.Left(); left > 0 {
		e.seen("%s ports/s more than give way: full in %s", text.Rate(p.Outlook.Rate), text.Duration(left))
	}
	if p.Ports == 0 {
		e.seen("no rule is known that gives fewer than %s ports", text.Count(source.UnboundNATPorts))
	}
	if r := &n.Rates; r.Known && r.InsertFailed+r.Drop > 0 {
		e.seen("%s connections/s got no entry, %s packets/s were dropped: %s", rate(r.InsertFailed), rate(r.Drop), dropWords[n.Drops])
	}
	if n.NAT.Seen < n.NAT.Entries {
		e.seen("by a sample of %s of %s", text.Count(n.NAT.Seen), entries(n.NAT.Entries))
	}
}

// fullest tells how full a pool is.
func (e *examiner) fullest(p *model.NATPoolUse) string {
	key := model.TupleKey{Destination: p.Remote, Port: p.RemotePort}
	return fmt.Sprintf("%s of %s of %s to %s used (%s %%)", text.Count(p.Used), text.Plural(p.Capacity(), "port", "ports"), p.Address, key.To(),
		text.Percent(e.st.Thresholds.Below(p.Percent())))
}

// dropWords say why connections get no entry.
var dropWords = map[model.NATDrops]string{
	model.NoDrops: "not any more", model.DropsExhausted: "no port was free", model.DropsRace: "two packets raced to make one entry",
	model.DropsTableFull: "the table is full", model.DropsOtherwise: "why is not known",
}

// otherNAT says what nobody can count.
func (e *examiner) otherNAT(o *source.OtherNAT) {
	if o.IPVS > 0 {
		e.seen("IPVS has %s: what it translates is not in nf_conntrack, and not counted here", text.Plural(o.IPVS, "virtual service", "virtual services"))
		e.next("see what IPVS holds: ipvsadm -Lnc")
	}
	if o.Cilium {
		e.seen("Cilium is here: where it masquerades by BPF, that is not in nf_conntrack, and not counted here")
		e.next("see what Cilium holds: cilium-dbg bpf nat list")
	}
}
