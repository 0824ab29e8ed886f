package advice

import (
	"fmt"
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

// wayFull is about the ports that a NAT on the way has for one destination.
func (t *teller) wayFull() Advice {
	p := t.Way
	a := Advice{
		Title: t.title("%s %% of the NAT's ports to %s used", WayShare(p), t.destination()),
		Seen:  fmt.Sprintf("%s to %s (--nat): %s", WayUsed(p), t.destination(), t.wayHolds()),
		Why: "The NAT on the way has so many ports for each destination, and all namespaces and addresses of this host share them; so does every " +
			"other host behind it, which is not seen here. One that finds none is dropped without a word: connect() waits, and times out.",
	}
	if p.Level == model.LevelExhausted {
		a.Title = t.title("no port of the NAT on the way is free to %s", t.destination())
	}
	if p.Live > p.Ports {
		a.Seen += "; that more live than it has ports says that it has more than --nat, or has forgotten some that are idle"
	}
	if p.TimeWait+p.Gone > 0 {
		a.Why += " The port of what is closed it keeps for a while, by its own rules: 65 s at Azure's NAT gateway, 120 s at Google's Cloud NAT and at " +
			"Linux. AWS does not say. The level is that of what lives; what may be freed is worth a warning at most, until connects stay without an answer."
	}
	a.Remedies = append([]Remedy{t.fewerAtATime()}, t.wayRemedies()...)
	return a
}

// wayHolds tells what holds the ports, and what only may.
func (t *teller) wayHolds() string {
	p := t.Way
	what := "connections live"
	if p.Proto == source.UDP {
		what = "sockets connected"
	}
	s := text.Count(p.Live) + " " + what
	for _, part := range []struct {
		n    int
		what string
	}{{p.Opening - p.Unanswered, "in SYN_SENT"}, {p.TimeWait, "in TIME_WAIT"}, {p.Gone, "closed in the last minute"}} {
		if part.n > 0 {
			s += ", " + text.Count(part.n) + " " + part.what
		}
	}
	if p.TimeWait+p.Gone > 0 {
		s += ", whose ports it may have freed"
	}
	if p.Unanswered > 0 {
		s += ", " + text.Count(p.Unanswered) + " without an answer"
	}
	if who := t.process(); who != "" {
		s += "; most by " + who
	}
	return s
}

// WayUsed says how many ports of a NAT on the way are used: "30 to 20,000 of 20,000
// TCP ports", where more than what lives may hold some.
func WayUsed(p *model.WayPool) string {
	used := text.Count(p.Used())
	if p.Unsure() > 0 {
		used = text.Count(p.Certain()) + " to " + used
	}
	return used + " of " + wayPorts(p)
}

func wayPorts(p *model.WayPool) string {
	proto := strings.ToUpper(p.Proto.String())
	return text.Plural(p.Ports, proto+" port", proto+" ports")
}

// WayShare is the same in percent, without the sign: "<1 to 100".
func WayShare(p *model.WayPool) string {
	least, most := percent(p.Certain(), p.Ports), percent(p.Used(), p.Ports)
	if least == most {
		return most
	}
	return least + " to " + most
}

// WayFact says in a line how full it is, and how bad that is.
func WayFact(p *model.WayPool) string {
	to := model.TupleKey{Destination: p.Remote, Port: p.RemotePort}
	return fmt.Sprintf("NAT on the way: %s %% of %s to %s used, %s", WayShare(p), wayPorts(p), to.To(), p.Level)
}

// wayLimit is about connects that get no answer beside connections that live.
func (t *teller) wayLimit() Advice {
	a := Advice{
		Title: t.title("a limit on the way to %s, it seems", t.destination()),
		Seen: fmt.Sprintf("%s to %s, and %s get no answer, the oldest for %s, while %s", text.Plural(t.Live, "connection lives", "connections live"),
			t.destination(), text.Count(t.Count)+" more", span(t.Span), text.Plural(t.Outside, "other destination answers", "other destinations answer")),
		Why: "A host that is down has no connections that live, and a network that is down answers nobody. What is like this is a NAT on the way " +
			"that has no port left for this destination, a firewall that limits connections, or a server whose backlog is full",
	}
	if t.Pool > 0 {
		a.Seen += fmt.Sprintf("; %s answered meanwhile", text.Plural(t.Pool, "connect was", "connects were"))
		a.Why += ". From here they look the same."
	} else {
		a.Why += "; for a while also a host that died while what lives is idle. From here they look the same."
	}
	if who := t.process(); who != "" {
		a.Seen += "; by " + who
	}
	a.Remedies = append([]Remedy{{
		What: "ask what stands on the way, and the server",
		Config: "AWS NAT gateway: ErrorPortAllocation above 0\n" +
			"Azure: SNAT Connection Count, failed; Load Balancer: Used SNAT Ports beside Allocated SNAT Ports\n" +
			"Google Cloud NAT: dropped_sent_packets_count, reason OUT_OF_RESOURCES\n" +
			"the server: ss -ltn has Recv-Q above Send-Q where its backlog is full; a Linux router: ephtop doctor on it",
		Effect: "says which of them it is",
		Risk:   "none: it only looks",
	}, {
		What:   "tell ephtop how many ports the NAT has for each destination",
		Config: "ephtop --nat 55000 (AWS NAT gateway, for each of its addresses), --nat 64512 (Azure, for each public IP), --nat 64 (Google Cloud NAT's min-ports-per-vm)",
		Effect: "shows how full it is before connects fail",
		Risk:   "none: it only looks",
	}, t.fewerAtATime()}, t.wayRemedies()...)
	return a
}

// fewerAtATime is the remedy that needs nobody else.
func (t *teller) fewerAtATime() Remedy {
	return t.cure().remedy("fewer ports to " + t.destination() + " at a time: each connection holds one until it is closed, and some time longer")
}

// wayRemedies are what helps where a NAT on the way is short of ports.
func (t *teller) wayRemedies() []Remedy {
	list := []Remedy{{
		What: "reach the service without the NAT",
		Config: "AWS: a VPC endpoint (gateway endpoint for S3 and DynamoDB, else PrivateLink)\nAzure: a private endpoint (Private Link)\n" +
			"Google Cloud: Private Google Access, Private Service Connect",
		Effect: "its connections take no port of the NAT at all",
		Risk:   "the service must offer it; names must resolve to the private address",
	}, {
		What: "give the NAT more ports",
		Config: "AWS NAT gateway: further addresses, up to 8, of 55,000 connections to each destination\n" +
			"Azure NAT gateway: further public IPs, up to 16, of 64,512 SNAT ports (50,000 connections to one destination are promised)\n" +
			"Azure Load Balancer: more ports an instance in its outbound rule (1,024 or fewer by default), or a NAT gateway instead\n" +
			"Google Cloud NAT: --min-ports-per-vm (64 by default), or --enable-dynamic-port-allocation",
		Effect: "more SNAT ports for each destination; say the new number with --nat",
		Risk:   "peers that list allowed addresses must learn the new ones; a change of Cloud NAT may cut connections",
	}, moreDestinations()}
	if t.linux() && t.Proto != source.UDP {
		list = append(list, Remedy{
			What:    "have idle connections keep alive for shorter than the NAT remembers them",
			Command: "sysctl -w net.ipv4.tcp_keepalive_time=200",
			Effect: "a NAT forgets what is idle: AWS after 350 s, Azure after 4 min by default, Google Cloud after 20 min; it then breaks, and another " +
				"one is opened for it",
			Risk: "only sockets with SO_KEEPALIVE heed it; one that is kept alive keeps its port: close what is not needed; " + lostAtRestart,
		})
	}
	return list
}

// wayTold is the sentence of a NAT on the way.
func (t *teller) wayTold() string {
	if t.Problem == model.WayLimit {
		return t.oneOf("{who} meets a limit on the way to {to}: ", "a limit on the way to {to}: ") + text.Count(t.Live) + " live, " + text.Count(t.Count) +
			" get no answer"
	}
	used := WayShare(t.Way) + " % used"
	switch p := t.Way; {
	case p.Level == model.LevelExhausted && p.Unanswered > 0:
		return "the NAT on the way has no port to {to}: all " + text.Count(t.Of) + " used, " + text.Count(p.Unanswered) + " wait"
	case p.Level == model.LevelExhausted:
		return "the NAT on the way has no port to {to}: all " + text.Count(t.Of) + " used" + t.oneOf(", most by {who}", "")
	}
	return t.oneOf("{who} holds most NAT ports to {to}: ", "the NAT's ports to {to}: ") + used
}
