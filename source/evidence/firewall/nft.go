package firewall

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"ephtop/source"
	"ephtop/source/evidence/host"
)

// nftObject is a chain, a set, a map or a rule of "nft -j list ruleset"; the
// fields are those that matter (libnftables-json(5)).
type nftObject struct {
	Family, Table, Name, Chain, Hook, Policy string
	Type, Prio, Flags, Elem                  any
	Expr                                     []any
}

// errNFT is wrapped where an answer of nft can't be understood.
var errNFT = errors.New("nft's answer is no rule set in JSON")

// nftDecoder makes a rule set of what nft says.
type nftDecoder struct {
	rules *ruleset
	// sets are the named ones whose elements are known, by scope and name.
	sets map[string][]any
	// foreign are the families with rules of iptables whose conditions nft does
	// not print ("xt"). iptables-nft-save knows them.
	foreign map[string]bool
	// ingress says that chains on devices exist; they are not judged.
	ingress bool
}

// parseNFT reads the answer of "nft -j list ruleset". An answer that breaks off
// is an error: nft 1.0.6 does so at a dormant table, and says that all went well.
// terse says that the contents of sets were left out.
func parseNFT(data []byte, terse bool) (*nftDecoder, error) {
	var doc struct {
		Objects []struct{ Chain, Set, Map, Rule *nftObject } `json:"nftables"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%w: %v", errNFT, err)
	}
	if doc.Objects == nil {
		return nil, errNFT
	}
	d := &nftDecoder{rules: newRuleset(), sets: make(map[string][]any), foreign: make(map[string]bool)}
	for _, o := range doc.Objects {
		if o.Chain != nil {
			d.chain(o.Chain)
		}
		for _, set := range []*nftObject{o.Set, o.Map} {
			changes := func(flag string) bool { return flag == "timeout" || flag == "dynamic" }
			if set != nil && (set.Elem != nil || !terse) && !slices.ContainsFunc(words(set.Flags), changes) {
				d.sets[nftScope(set.Family, set.Table)+" "+set.Name] = list(set.Elem)
			}
		}
	}
	for _, o := range doc.Objects {
		if o.Rule == nil {
			continue
		}
		if err := d.rule(o.Rule); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// nftScope is where names of chains and sets are unique.
func nftScope(family, table string) string { return "nft " + family + " " + table }

func (d *nftDecoder) chain(o *nftObject) {
	c := &chain{
		scope: nftScope(o.Family, o.Table), name: o.Name,
		label: host.Clean(o.Family+" "+o.Table+" "+o.Name, 80),
		v4:    o.Family == "ip" || o.Family == "inet",
		v6:    o.Family == "ip6" || o.Family == "inet",
		hook:  o.Hook, nat: o.Type == "nat", drops: o.Policy == "drop",
	}
	prio, _ := o.Prio.(float64)
	c.priority = int(prio)
	d.ingress = d.ingress || o.Hook == "ingress"
	if !c.v4 && !c.v6 {
		c.hook = ""
	}
	d.rules.add(c)
}

// rule adds a rule to its chain; one with a verdict map becomes several.
func (d *nftDecoder) rule(o *nftObject) error {
	scope := nftScope(o.Family, o.Table)
	c := d.rules.byKey[scope+" "+o.Chain]
	if c == nil {
		return fmt.Errorf("%w: a rule in a chain %s that is not there", errNFT, host.Clean(o.Chain, 40))
	}
	c.count++
	r := rule{text: nftRuleText(o.Expr)}
	for _, e := range o.Expr {
		for name, arg := range object(e) {
			m := object(arg)
			switch name {
			case "match":
				op, _ := m["op"].(string)
				d.match(&r, scope, op, m["left"], m["right"])
			case "vmap":
				d.verdictMap(c, scope, r, m)
			case "snat", "masquerade":
				r.snat = nftSNAT(name, m)
			case "xt":
				d.foreign[o.Family] = true
				r.xt(m)
			default:
				r.statement(name, m)
			}
		}
		if r.verdict != goOn && r.verdict != notrack {
			break
		}
	}
	c.rules = append(c.rules, r)
	return nil
}

// statement reads a verdict, or what else a rule does: a limit lets only part
// of the packets go on, most statements let all.
func (r *rule) statement(name string, arg map[string]any) {
	switch name {
	case "accept":
		r.verdict = accept
	case "drop", "reject":
		r.verdict = refuse
	case "return":
		r.verdict = giveBack
	case "notrack":
		r.verdict = notrack
	case "queue", "synproxy", "tproxy":
		r.verdict = other
	case "jump":
		r.verdict, r.target = jump, text(arg["target"])
	case "goto":
		r.verdict, r.target = jumpAway, text(arg["target"])
	case "counter", "log", "mangle", "comment", "dup", "dnat", "redirect", "continue",
		"ct helper", "ct timeout", "ct expectation", "secmark", "flow", "last", "set", "map":
	case "limit", "quota", "ct count":
		if arg["inv"] == true { // over a limit that is meant for floods
			r.whenFixed(false, few)
			return
		}
		fallthrough
	default:
		r.whenFixed(false, some)
	}
}

// xt reads what nft says of a match or target of iptables: its name.
func (r *rule) xt(arg map[string]any) {
	switch name := text(arg["name"]); {
	case arg["type"] != "target":
		r.whenFixed(false, some)
	case name == "SNAT" || name == "MASQUERADE":
		r.snat = newSNAT("", name == "MASQUERADE", source.PortRange{})
	default:
		r.verdict = targetVerdict(name)
	}
}

// verdictMap adds a rule for each entry of a map from a key to a verdict.
func (d *nftDecoder) verdictMap(c *chain, scope string, before rule, arg map[string]any) {
	before.conds = slices.Clip(before.conds)
	entries, ok := d.values(scope, arg["data"])
	if !ok {
		before.whenFixed(false, some)
		before.verdict = other
		c.rules = append(c.rules, before)
	}
	for _, entry := range entries {
		if pair := list(entry); len(pair) == 2 {
			r := before
			d.match(&r, scope, "==", arg["key"], unwrap(pair[0]))
			for name, arg := range object(pair[1]) {
				r.statement(name, object(arg))
			}
			c.rules = append(c.rules, r)
		}
	}
}

// match reads one comparison. What can't be judged fits some packets.
func (d *nftDecoder) match(r *rule, scope, op string, left, right any) {
	values, ok := d.values(scope, right)
	names := words(values)
	neg := op == "!="
	payload, meta, ct := object(object(left)["payload"]), object(object(left)["meta"]), object(object(left)["ct"])
	fib, _ := object(left)["fib"].(map[string]any)
	masked := list(object(left)["&"]) // "tcp flags & (mask) == (flags)"
	protocol, field := text(payload["protocol"]), text(payload["field"])
	switch protocol {
	case "tcp", "udp":
		r.whenProtocol(false, protocol)
	case "ip", "ip6":
		r.when(func(p packet) answer { return yes(p.v6 == (protocol == "ip6")) })
	case "", "th", "ether", "vlan":
	default: // icmp, sctp, arp, …: another protocol altogether
		r.whenFixed(false, never)
	}
	switch key := text(meta["key"]); {
	case field == "saddr" && (protocol == "ip" || protocol == "ip6"):
		r.whenFixed(neg, few)
	case fib != nil && fib["result"] != "type": // whether a route leads back to the peer
		r.whenFixed(false, few)
	case !ok:
		r.whenFixed(false, some)
	case field == "dport":
		d.ports(r, op, values)
	case field == "protocol", field == "nexthdr", key == "l4proto":
		r.whenProtocol(neg, names...)
	case key == "iif", key == "iifname":
		r.whenInterface(neg, names...)
	case key == "nfproto", key == "protocol":
		r.when(func(p packet) answer {
			family := []string{"ipv4", "ip"}
			if p.v6 {
				family = []string{"ipv6", "ip6"}
			}
			return unless(neg, yes(slices.ContainsFunc(names, func(n string) bool { return slices.Contains(family, n) })))
		})
	case fib != nil && slices.Contains(words(fib["flags"]), "daddr"):
		r.whenFixed(neg, yes(slices.Contains(names, "local")))
	case key == "pkttype":
		r.whenFixed(neg, yes(slices.Contains(names, "host") || slices.Contains(names, "unicast")))
	case ct["key"] == "state":
		r.whenState(neg, names...)
	case ct["key"] == "direction":
		r.whenReply(neg, slices.Contains(names, "reply"))
	case field == "flags" && op == "==" && object(right)["set"] == nil:
		r.whenFlags(false, allFlags, names)
	case len(masked) == 2 && text(object(object(masked[0])["payload"])["field"]) == "flags":
		r.whenFlags(neg, words(flags(masked[1])), names)
	default:
		r.whenFixed(false, some)
	}
}

// ports reads a comparison of the destination port.
func (d *nftDecoder) ports(r *rule, op string, values []any) {
	var ranges []source.PortRange
	for _, v := range values {
		span, ok := nftPorts(v)
		if !ok {
			r.whenFixed(false, some)
			return
		}
		switch op {
		case "<", ">=":
			span.High = math.MaxUint16
		case "<=", ">":
			span.Low = 0
		}
		ranges = append(ranges, span)
	}
	d.rules.whenPort(r, op == "!=" || op == "<" || op == ">", ranges)
}

// nftPorts reads a number or a range.
func nftPorts(v any) (source.PortRange, bool) {
	ends := list(object(v)["range"])
	if len(ends) != 2 {
		ends = []any{v, v}
	}
	low, ok1 := ends[0].(float64)
	high, ok2 := ends[1].(float64)
	ok := ok1 && ok2 && low >= 0 && low <= high && high <= math.MaxUint16
	if !ok {
		return source.PortRange{}, false
	}
	return source.PortRange{Low: uint16(low), High: uint16(high)}, true
}

// nftSNAT reads the statements that translate the source.
func nftSNAT(name string, m map[string]any) *source.SNATRule {
	address := ""
	if to := m["addr"]; object(to)["map"] == nil { // or the rule looks it up
		address = host.Clean(text(to), 80)
	}
	ports, _ := nftPorts(m["port"])
	return newSNAT(address, name == "masquerade", ports)
}

// values are the right side of a match: a set in place, a named one, or one
// value. It fails where a named set is not known.
func (d *nftDecoder) values(scope string, right any) (values []any, ok bool) {
	values, ok = list(right), true
	if name, is := right.(string); is && strings.HasPrefix(name, "@") {
		values, ok = d.sets[scope+" "+name[1:]]
	} else if set, is := object(right)["set"]; is {
		values = list(set)
	} else {
		values = flags(right)
	}
	values = slices.Clone(values)
	for i, v := range values {
		values[i] = unwrap(v)
	}
	return values, ok
}

// unwrap takes an element of a set out of what stands around it, such as a
// comment.
func unwrap(v any) any {
	if elem, is := object(v)["elem"]; is {
		return object(elem)["val"]
	}
	return v
}

// flags are those that "|" joins, or one.
func flags(v any) []any {
	joined, is := object(v)["|"]
	if !is {
		return list(v)
	}
	var all []any
	for _, e := range list(joined) {
		all = append(all, flags(e)...)
	}
	return all
}

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

// words are values as text, numbers included.
func words(v any) []string {
	var texts []string
	for _, e := range list(v) {
		texts = append(texts, text(e))
	}
	return texts
}
