package evidence

import (
	"math"
	"strings"

	"ephtop/source"
)

// ports0 stands for no range of ports.
var ports0 source.PortRange

// object is a JSON object, or an empty one.
func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// list is a JSON array, or one of a single value; nothing for null.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// values are the right side of a match: a set in place, a named one, or one
// value. It fails where a named set is not known.
func (d *nftDecoder) values(scope string, right any) (values []any, ok bool) {
	if name, is := right.(string); is && strings.HasPrefix(name, "@") {
		s, found := d.sets[scope+" "+name[1:]]
		return unwrap(s.elems), found && !s.open
	}
	if set, is := object(right)["set"]; is {
		return unwrap(list(set)), true
	}
	if flags, is := object(right)["|"]; is {
		return list(flags), true
	}
	return unwrap(list(right)), true
}

// unwrap takes elements of a set out of what stands around them, such as a
// comment.
func unwrap(elems []any) []any {
	for i, e := range elems {
		if elem, is := object(e)["elem"]; is {
			elems[i] = object(elem)["val"]
		}
	}
	return elems
}

// match reads one comparison. What can't be judged fits some packets.
func (d *nftDecoder) match(scope, op string, left, right any) cond {
	values, ok := d.values(scope, right)
	neg := op == "!=" || op == "!"
	for kind, arg := range object(left) {
		a := object(arg)
		key, _ := a["key"].(string)
		switch kind {
		case "payload":
			protocol, _ := a["protocol"].(string)
			field, _ := a["field"].(string)
			if field == "flags" && object(right)["set"] != nil {
				ok = false // one of several combinations
			}
			return payloadMatch(protocol, field, op, neg, values, ok)
		case "meta":
			if ok {
				return metaMatch(key, neg, values)
			}
		case "ct":
			if ok {
				return ctMatch(key, neg, values)
			}
		case "&":
			if c, fine := flagsMatch(list(arg), neg, right); fine {
				return c
			}
		case "fib":
			if flags := list(a["flags"]); ok && a["result"] == "type" && len(flags) > 0 && flags[0] == "daddr" {
				return typeCond(neg, names(values))
			}
			return fixed(few) // whether a route leads back to the peer
		}
	}
	return fixed(some)
}

// typeCond is on the kind of the destination address, which is local here.
func typeCond(neg bool, types []string) cond {
	local := false
	for _, t := range types {
		local = local || strings.EqualFold(t, "local")
	}
	return fixed(unless(neg, yes(local)))
}

func payloadMatch(protocol, field, op string, neg bool, values []any, ok bool) cond {
	proto := 0
	switch protocol {
	case "tcp":
		proto = protoTCP
	case "udp":
		proto = protoUDP
	case "th":
	case "ip", "ip6":
		return addressMatch(protocol, field, neg, values, ok)
	case "ether", "vlan":
		return fixed(some)
	default: // icmp, sctp, arp, …: another protocol altogether
		return fixed(never)
	}
	switch {
	case field == "dport" && ok:
		ports, known := comparedPorts(op, values)
		if known {
			return portCond(proto, neg, ports)
		}
	case protocol == "tcp" && field == "flags" && ok:
		mask := 0
		for _, v := range values {
			bit, known := flagBit(v)
			if !known {
				return restricted(proto, some)
			}
			mask |= bit
		}
		if op == "==" {
			return flagsCond(false, func(f int) bool { return f == mask })
		}
		return flagsCond(op == "!=", func(f int) bool { return (f&mask != 0) != (op == "!") })
	}
	return restricted(proto, some)
}

// restricted gives an answer for the packets of one protocol only.
func restricted(proto int, a answer) cond {
	return cond{test: func(p packet) answer {
		if proto != 0 && p.proto != proto {
			return never
		}
		return a
	}}
}

// addressMatch reads conditions on the header of IP.
func addressMatch(protocol, field string, neg bool, values []any, ok bool) cond {
	inner := fixed(some)
	switch field {
	case "saddr":
		inner = fixed(unless(neg, few))
	case "protocol", "nexthdr":
		if ok {
			inner = protoCond(neg, protocols(values)...)
		}
	}
	return cond{test: func(p packet) answer {
		if p.v6 != (protocol == "ip6") {
			return never
		}
		return inner.test(p)
	}}
}

func metaMatch(key string, neg bool, values []any) cond {
	switch key {
	case "l4proto":
		return protoCond(neg, protocols(values)...)
	case "iif", "iifname":
		return interfaceCond(neg, names(values)...)
	case "nfproto", "protocol":
		v4, v6 := false, false
		for _, name := range names(values) {
			v4 = v4 || name == "ipv4" || name == "ip" || name == "2" || name == "2048"
			v6 = v6 || name == "ipv6" || name == "ip6" || name == "10" || name == "34525"
		}
		return cond{test: func(p packet) answer { return unless(neg, yes(p.v6 && v6 || !p.v6 && v4)) }}
	case "pkttype":
		host := false
		for _, name := range names(values) {
			host = host || name == "host" || name == "unicast"
		}
		return fixed(unless(neg, yes(host)))
	}
	return fixed(some)
}

func ctMatch(key string, neg bool, values []any) cond {
	switch key {
	case "state":
		states := ctUnknown
		for _, v := range values {
			switch v := v.(type) {
			case string:
				states |= ctStateOf(v)
			case float64:
				states |= ctState(v)
			}
		}
		return stateCond(neg, states)
	case "direction":
		return directionCond(neg, len(values) > 0 && values[0] == "reply")
	}
	return fixed(some)
}

// ctStateOf is the bit of a state that nft or iptables names; 0 for others.
func ctStateOf(name string) ctState {
	switch strings.ToLower(name) {
	case "invalid":
		return ctInvalid
	case "established":
		return ctEstablished
	case "related":
		return ctRelated
	case "new":
		return ctNew
	case "untracked":
		return ctUntracked
	}
	return 0
}

// flagsMatch reads "tcp flags & (mask) == (flags)".
func flagsMatch(sides []any, neg bool, right any) (cond, bool) {
	if len(sides) != 2 {
		return cond{}, false
	}
	payload := object(object(sides[0])["payload"])
	if payload["protocol"] != "tcp" || payload["field"] != "flags" {
		return cond{}, false
	}
	mask, ok1 := flagBits(sides[1])
	want, ok2 := flagBits(right)
	if !ok1 || !ok2 {
		return cond{}, false
	}
	return flagsCond(neg, func(f int) bool { return f&mask == want }), true
}

// flagBits adds up flags that are listed in whatever form.
func flagBits(v any) (int, bool) {
	if flags, is := object(v)["|"]; is {
		v = flags
	}
	bits := 0
	for _, e := range list(v) {
		bit, ok := flagBit(e)
		if object(e)["|"] != nil {
			bit, ok = flagBits(e)
		}
		if !ok {
			return 0, false
		}
		bits |= bit
	}
	return bits, true
}

func flagBit(v any) (int, bool) {
	switch v := v.(type) {
	case float64:
		return int(v), v >= 0 && v < 256
	case string:
		bit, ok := map[string]int{
			"fin": flagFIN, "syn": flagSYN, "rst": flagRST, "psh": flagPSH, "ack": flagACK, "urg": flagURG,
			"ecn": flagECE, "ece": flagECE, "cwr": flagCWR, "none": 0,
			"all": flagFIN | flagSYN | flagRST | flagPSH | flagACK | flagURG,
		}[strings.ToLower(v)]
		return bit, ok
	}
	return 0, false
}

// protocols are the numbers of those that matter; others are -1.
func protocols(values []any) []int {
	var numbers []int
	for _, name := range names(values) {
		numbers = append(numbers, protocolNumber(name))
	}
	return numbers
}

func protocolNumber(name string) int {
	switch strings.ToLower(name) {
	case "tcp", "6":
		return protoTCP
	case "udp", "17":
		return protoUDP
	}
	return -1
}

// names are values as text, numbers included.
func names(values []any) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = nftText(v)
	}
	return texts
}

// comparedPorts are the ports that a comparison means, negation apart.
func comparedPorts(op string, values []any) (portSet, bool) {
	ports := nftPorts(values)
	if ports == nil && len(values) > 0 {
		return nil, false
	}
	span := ports.span()
	switch op {
	case "<":
		return portSet{{Low: span.Low, High: math.MaxUint16}}.not(), len(values) == 1
	case "<=":
		return newPortSet(source.PortRange{Low: 0, High: span.High}), len(values) == 1
	case ">":
		return portSet{{Low: 0, High: span.High}}.not(), len(values) == 1
	case ">=":
		return newPortSet(source.PortRange{Low: span.Low, High: math.MaxUint16}), len(values) == 1
	}
	return ports, true
}

// nftPorts reads numbers, ranges and prefixes; nil where a value is something
// else.
func nftPorts(values []any) portSet {
	var ranges []source.PortRange
	for _, v := range values {
		low, high, ok := nftPortRange(v)
		if !ok {
			return nil
		}
		ranges = append(ranges, source.PortRange{Low: low, High: high})
	}
	return newPortSet(ranges...)
}

func nftPortRange(v any) (low, high uint16, ok bool) {
	if port, ok := nftPort(v); ok {
		return port, port, true
	}
	if ends := list(object(v)["range"]); len(ends) == 2 {
		low, ok1 := nftPort(ends[0])
		high, ok2 := nftPort(ends[1])
		return low, high, ok1 && ok2 && low <= high
	}
	if prefix := object(object(v)["prefix"]); prefix != nil {
		port, ok1 := nftPort(prefix["addr"])
		length, ok2 := prefix["len"].(float64)
		if ok1 && ok2 && length >= 0 && length <= 16 {
			below := uint16(1<<(16-int(length)) - 1)
			return port &^ below, port | below, true
		}
	}
	return 0, 0, false
}

func nftPort(v any) (uint16, bool) {
	n, ok := v.(float64)
	if !ok || n < 0 || n > math.MaxUint16 || n != math.Trunc(n) {
		return 0, false
	}
	return uint16(n), true
}

// span is the range from the lowest to the highest port; zero for none.
func (s portSet) span() source.PortRange {
	if s.empty() {
		return source.PortRange{}
	}
	return source.PortRange{Low: s[0].Low, High: s[len(s)-1].High}
}
