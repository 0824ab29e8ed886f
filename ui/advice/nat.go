package advice

import (
	"cmp"
	"fmt"
	"math"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

// natFull is about the ports of a translated address towards one destination.
func (t *teller) natFull() Advice {
	p := t.NATPool
	a := Advice{
		Title: t.title("%s %% of the SNAT ports of %s to %s used%s", percent(t.Count, t.Of), p.Address, t.destination(), t.left(", full in ")),
		Seen:  t.natUsed(),
		Why: "Each translated address has these ports for each destination and protocol, and no more. A connection that finds none is dropped " +
			"without a word: connect() waits, tries again after a second, and times out.",
	}
	if p.Level == model.LevelExhausted {
		a.Title = t.title("no SNAT port of %s is free to %s", p.Address, t.destination())
	}
	a.Remedies = t.natRemedies()
	return a
}

// natLoss is about connections that find no port though some are free.
func (t *teller) natLoss() Advice {
	a := Advice{
		Title: t.title("connects to %s are slow: %s %% of the SNAT ports used", t.destination(), percent(t.Count, t.Of)),
		Seen:  t.natUsed() + "; at that " + lostOf(t.NATPool.Loss) + " their first packet",
		Why: "The kernel tries some 250 ports for a connection and gives up, though others are free. Its first packet is dropped and sent again " +
			"after 1 s, then 3 s: that is how long a connect takes, and nothing says why.",
	}
	if t.NAT.Rates.Known {
		a.Seen += "; " + rate(t.Rate) + " packets/s are dropped here"
	}
	a.Remedies = t.natRemedies()
	return a
}

// lostOf says how many connections lose something.
func lostOf(share float64) string {
	if share < 0.01 {
		return "about one of " + text.Count(int(math.Round(1/max(share, 1e-6)))) + " new connections loses"
	}
	return "about " + text.Percent(100*share) + " % of new connections lose"
}

// natUsed tells how many ports are used, and whose they are.
func (t *teller) natUsed() string {
	p := t.NATPool
	s := fmt.Sprintf("%s of %s of %s to %s are used", text.Count(p.Used), text.Plural(p.Capacity(), "port", "ports"), p.Address, t.destination())
	if p.Evictable > 0 {
		s += fmt.Sprintf(", %s of them in TIME_WAIT, of which about every other one gives way to a new connection", text.Count(p.Evictable))
	}
	if t.NAT.NAT.Seen > 0 && t.NAT.NAT.Seen < t.NAT.NAT.Entries {
		s += fmt.Sprintf(" (by a sample of %s of %s entries)", text.Count(t.NAT.NAT.Seen), text.Count(t.NAT.NAT.Entries))
	}
	var holders []string
	for i := range p.Holders {
		h := &p.Holders[i]
		who := h.Client.String()
		if h.Process >= 0 && int(h.Process) < len(t.st.Processes) {
			who = processName(&t.st.Processes[h.Process]) + " at " + who
		}
		holders = append(holders, who+" "+text.Count(h.Ports))
	}
	if len(holders) > 0 {
		s += "; by " + few(holders, 3)
	}
	return s
}

// natRemedies are what helps where translated ports are short.
func (t *teller) natRemedies() []Remedy {
	p := t.NATPool
	list := []Remedy{t.fewerAtATime()}
	if p.Ports > 0 && p.Ports < source.UnboundNATPorts {
		list = append(list, Remedy{
			What:   "have the rule give all ports from 1024 on",
			Config: fmt.Sprintf("nft: snat to %s, without a range of ports; iptables: --to-source %s", p.Address, p.Address),
			Effect: fmt.Sprintf("%s ports instead of %s", text.Count(source.UnboundNATPorts), text.Count(p.Ports)),
			Risk:   "the ports that the range kept for others are given out too; ip_local_reserved_ports does not bind SNAT",
		})
	}
	list = append(list, moreDestinations(), Remedy{
		What:   "translate different clients to different addresses",
		Config: "nft: snat to jhash ip saddr mod 2 map { 0 : ADDRESS, 1 : ADDRESS }",
		Effect: "more addresses help many clients; connections of one client to one destination stay with one address, and --random-fully adds no ports",
		Risk:   "none of the addresses may be another host's",
	})
	if p.Proto == source.TCP {
		list = append(list, Remedy{
			What:    "forget connections that are dead or over sooner",
			Command: "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=86400\nsysctl -w net.netfilter.nf_conntrack_tcp_timeout_time_wait=30",
			Effect:  "an entry of a peer that is gone holds its port for a day and not for five, one in TIME_WAIT for 30 s and not for 120",
			Risk:    "a connection that is idle for longer is cut: have it keep alive",
		})
	}
	return list
}

// moreDestinations is the remedy that every NAT knows.
func moreDestinations() Remedy {
	return Remedy{
		What:   "reach the service at more addresses or ports",
		Config: "further addresses behind its name, or a second port",
		Effect: "each address and port of the destination has ports of its own",
		Risk:   "clients must spread over them",
	}
}

// trackingFull is about the table of connection tracking.
func (t *teller) trackingFull() Advice {
	seen := fmt.Sprintf("%s of %s entries", text.Count(t.Count), text.Count(t.Of))
	switch c := &t.NAT.NAT.Counters; {
	case t.Level < model.LevelCritical:
		seen += "; nothing is dropped for it now"
	case t.NAT.Rates.Known:
		seen += ", and " + rate(max(t.Rate, t.NAT.Rates.EarlyDrop)) + " packets/s dropped for it"
	default:
		seen += ", and " + text.Plural(int(max(c.Drop-min(c.Drop, c.InsertFailed), c.EarlyDrop)), "packet", "packets") + " dropped for it so far"
	}
	return Advice{
		Title: t.title("connection tracking is full: %s entries", text.Count(t.Count)),
		Seen:  seen,
		Why:   noEntry,
		Remedies: []Remedy{moreEntries(t.Of), {
			What:    "forget connections that are dead sooner",
			Command: "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=86400",
			Effect:  "an entry of a peer that is gone stays for a day and not for five",
			Risk:    "a connection that is idle for longer is cut: have it keep alive",
		}},
	}
}

const noEntry = "Without room for an entry, the first packet of a connection is dropped: that is not for want of ports."

// moreEntries is the remedy for a table of so many that is full.
func moreEntries(most int) Remedy {
	return Remedy{
		What:    "have the host allow more entries",
		Command: fmt.Sprintf("%s=%d", trackingLimit, 2*most),
		Effect:  "twice as many in each network namespace",
		Risk:    "about 320 bytes of kernel memory for each; not lasting until it is written to /etc/sysctl.d",
	}
}

// trackingLimit sets what no namespace but the host's can: the limit of each.
const trackingLimit = "sysctl -w net.netfilter.nf_conntrack_max"

// trackingRace is about packets that race to make one entry.
func (t *teller) trackingRace() Advice {
	return Advice{
		Title: t.title("NAT drops packets that race for one entry"),
		Seen:  fmt.Sprintf("%s packets/s dropped, with ports free and room in the table", rate(max(t.Rate, t.NAT.Rates.InsertFailed))),
		Why: "Two first packets of one flow at once make one entry, and the second is dropped: two queries of DNS from one socket, most of all. " +
			"Names then take 5 s to resolve.",
		Remedies: []Remedy{{
			What:   "have the resolver ask one question after the other, or from two sockets",
			Config: "/etc/resolv.conf: options single-request-reopen",
			Effect: "no two packets race",
			Risk:   "a little slower where nothing was lost; musl has no such option",
		}, {
			What:   "keep a cache of DNS on each host, so that its queries are not translated",
			Config: "Kubernetes: NodeLocal DNSCache",
			Effect: "no query passes NAT",
			Risk:   "one more service to run",
		}},
	}
}

// natTold is the sentence of translated ports.
func (t *teller) natTold() string {
	used := percent(t.Count, t.Of) + " % used"
	if t.Problem == model.NATFull { // there is no room for both
		used = cmp.Or(t.left("full in "), used)
	}
	switch {
	case t.Problem == model.NATLoss:
		return t.oneOf("connects of {who} to {to} are slow: ", "connects to {to} are slow: ") + "SNAT ports " + used
	case t.Level == model.LevelExhausted:
		return "no SNAT port is free to {to}: all " + text.Count(t.Of) + " used" + t.oneOf(", most by {who}", "")
	}
	return t.oneOf("{who} holds most SNAT ports to {to}: ", "SNAT ports of "+t.NATPool.Address.String()+" to {to}: ") + used
}
