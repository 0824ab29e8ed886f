package advice

import (
	"fmt"

	"ephtop/model"
	"ephtop/ui/text"
)

// Pool names a private pool of ports, and says how sure its ends are: "source
// ports 2000–2019 (as seen)"; "" for the range.
func Pool(l model.Limit) string {
	if l.Kind == model.PoolRange {
		return ""
	}
	name := map[model.PoolKind]string{
		model.PoolSourcePorts: "source ports", model.PoolSourcePort: "source port",
		model.PoolLocalRange: "its own range", model.PoolReserved: "reserved ports", model.PoolOwnUDP: "its own UDP ports",
	}[l.Kind]
	switch l.Kind {
	case model.PoolSourcePort:
		return fmt.Sprintf("%s %d", name, l.Low)
	case model.PoolReserved:
		return fmt.Sprintf("%s %d–%d", name, l.Low, l.High)
	}
	return fmt.Sprintf("%s %d–%d (as seen)", name, l.Low, l.High)
}

// From is Pool behind a destination: " from source ports 2000–2019 (as seen)".
func From(l model.Limit) string {
	if pool := Pool(l); pool != "" {
		return " from " + pool
	}
	return ""
}

// privatePool is about ports that a program has for itself. A wider range of the
// system is of no use to it.
func (t *teller) privatePool() Advice {
	to, n := t.destination(), text.Plural(t.Of, "port", "ports")
	a := Advice{
		Title: t.title("%s %% of the ports %d–%d to %s are used", percent(t.Count, t.Of), t.Limit.Low, t.Limit.High, to),
		Seen:  fmt.Sprintf("%s of %s to %s are used, %s free: they are taken from %s", text.Count(t.Count), n, to, text.Count(t.Of-t.Count), Pool(t.Limit)),
		Why: "The program names its ports itself or has a range of its own, so that the range of the system, and how much of it is free, is no " +
			"matter: when none of its own is free, bind() fails with EADDRINUSE or connect() with EADDRNOTAVAIL.",
	}
	switch {
	case t.Limit.Kind == model.PoolSourcePort:
		a.Title = t.title("one source port, %d, for all connections to %s", t.Limit.Low, to)
		a.Seen = fmt.Sprintf("port %d is the only one that is used to %s", t.Limit.Low, to)
		a.Why = "The program names one source port: it can have one connection to this destination at a time, and none for the time of a TIME_WAIT after it."
	case t.Level == model.LevelExhausted:
		a.Title = t.title("none of the ports %d–%d is free to %s", t.Limit.Low, t.Limit.High, to)
	}
	if who := t.process(); who != "" {
		a.Seen += "; most by " + who
	}
	a.Seen += t.left(", full in ")
	a.Remedies = gather(t.ownPool(), t.moreSources(), t.freePort())
	return a
}

// ownPool is the remedy of more ports where the program's own are set.
func (t *teller) ownPool() Remedy {
	r := Remedy{
		What:   "name more source ports in the program's configuration, or none",
		Config: "HAProxy: source ADDRESS:LOW-HIGH wider, or source ADDRESS alone; nginx: proxy_bind ADDRESS without a port",
		Effect: "one more connection to this destination for each port; without named ports, as many as the range has",
		Risk:   "a server that starts later on such a port can find it taken",
	}
	switch t.Limit.Kind {
	case model.PoolLocalRange:
		r.What = "widen the range that the program sets with IP_LOCAL_PORT_RANGE"
		r.Config = "setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &(uint32_t){HIGH << 16 | LOW}, 4); only what lies in " + t.set.Range.String() + " counts"
		r.Risk = "other programs with such ranges must keep clear of it"
	case model.PoolReserved:
		r.What = "mount without reserved ports, or with fewer connections for each mount"
		r.Command, r.Config = "mount -o noresvport,nconnect=1 SERVER:/PATH DIRECTORY", ""
		r.Effect = "the connections take ports of the range instead of these " + text.Count(t.Of)
		r.Risk = "the server must accept ports above 1023 (exportfs: insecure)"
	}
	return r
}

// moreSources is the remedy of further source addresses.
func (t *teller) moreSources() Remedy {
	if t.Limit.Kind == model.PoolReserved {
		return Remedy{}
	}
	r := Remedy{
		What:    "take several source addresses, or several addresses of the server",
		Command: "ip address add ADDRESS dev INTERFACE",
		Config:  "HAProxy: a server line for each source; nginx: proxy_bind with several addresses by split_clients",
		Effect:  "+" + text.Plural(t.Of, "port", "ports") + " for each further address",
		Risk:    "firewalls and allow lists must know the new addresses",
	}
	if t.Tuple.Source.IsLoopback() {
		r.Command, r.Config = moreLoopback(t.Tuple.Source)
		r.Risk = "who tells its clients by their address must know the new ones"
	}
	return r
}

// freePort is the remedy of leaving the port to connect().
func (t *teller) freePort() Remedy {
	if !t.linux() || t.Limit.Kind == model.PoolLocalRange || t.Limit.Kind == model.PoolReserved {
		return Remedy{}
	}
	return Remedy{
		What:   "bind the address without a port, with IP_BIND_ADDRESS_NO_PORT, so that connect() picks it",
		Config: "setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int)); bind(fd, ADDRESS:0)",
		Effect: text.Count(max(0, t.set.Usable())) + " ports to each destination instead of " + text.Count(t.Of),
		Risk:   "getsockname() before connect() gives port 0; needs Linux 4.2",
	}
}
