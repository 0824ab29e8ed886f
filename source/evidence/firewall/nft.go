package firewall

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ephtop/source/evidence/host"
	"ephtop/source/sysctl"
)

// nftObject is a chain, a set, a map or a rule of "nft -j list ruleset"; the
// fields are those that matter (libnftables-json(5)).
type nftObject struct {
	Family, Table, Name, Chain, Hook, Policy string
	Handle, Prio                             int
	Type, Elem                               any
	Expr                                     []map[string]any
}

// errNFT is wrapped where an answer of nft can't be understood.
var errNFT = errors.New("nft's answer is no rule set in JSON")

// nftDecoder makes a rule set of what nft says.
type nftDecoder struct {
	rules *ruleset
	// sets are the elements of the named ones, as far as they are known.
	sets map[chainName]any
	// texts are the rules as nft writes them.
	texts map[nftHandle]string
	// foreign are the families with rules of iptables whose conditions nft does
	// not print ("xt"). iptables-nft-save knows them.
	foreign map[string]bool
	// ingress says that chains on devices exist; they are not judged.
	ingress bool
}

// parseNFT reads the answer of "nft -j list ruleset". An answer that breaks off
// is an error: nft 1.0.6 does so at a dormant table, and says that all went well.
// listing is that of "nft -a list ruleset", for people.
func parseNFT(data, listing []byte) (*nftDecoder, error) {
	var doc struct {
		Objects []struct{ Chain, Set, Map, Rule *nftObject } `json:"nftables"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%w: %v", errNFT, err)
	}
	if doc.Objects == nil {
		return nil, errNFT
	}
	d := &nftDecoder{
		rules: newRuleset(), sets: make(map[chainName]any), texts: nftTexts(listing), foreign: make(map[string]bool),
	}
	for _, o := range doc.Objects {
		if o.Chain != nil {
			d.chain(o.Chain)
		}
		for _, set := range []*nftObject{o.Set, o.Map} {
			if set != nil && set.Elem != nil {
				d.sets[chainName{nftScope(set.Family, set.Table), set.Name}] = set.Elem
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

// ruleWidth is the most that is shown of a rule.
const ruleWidth = 160

// nftHandle names a rule.
type nftHandle struct{ scope, handle string }

// nftTexts finds the rules in what "nft -a list ruleset" prints:
//
//	table inet filter { # handle 1
//		chain input { # handle 1
//			udp sport 53 accept # handle 4
func nftTexts(listing []byte) map[nftHandle]string {
	texts := make(map[nftHandle]string)
	scope := ""
	for line := range strings.Lines(string(listing)) {
		if words := strings.Fields(line); len(words) > 2 && words[0] == "table" && line[0] == 't' {
			scope = nftScope(words[1], words[2])
		}
		const mark = " # handle "
		if i := strings.LastIndex(line, mark); i >= 0 && strings.HasPrefix(line, "\t\t") {
			texts[nftHandle{scope, strings.TrimSpace(line[i+len(mark):])}] = host.Clean(line[:i], ruleWidth)
		}
	}
	return texts
}

func (d *nftDecoder) chain(o *nftObject) {
	c := &chain{
		chainName: chainName{nftScope(o.Family, o.Table), o.Name},
		label:     host.Clean(o.Family+" "+o.Table+" "+o.Name, 80),
		v4:        o.Family == "ip" || o.Family == "inet",
		v6:        o.Family == "ip6" || o.Family == "inet",
		hook:      o.Hook, priority: o.Prio, drops: o.Policy == "drop",
	}
	d.ingress = d.ingress || o.Hook == "ingress"
	if !c.v4 && !c.v6 || o.Type == "nat" { // that is for the first packet of a connection
		c.hook = ""
	}
	d.rules.add(c)
}

// rule adds a rule to its chain; one with a verdict map becomes several.
func (d *nftDecoder) rule(o *nftObject) error {
	scope := nftScope(o.Family, o.Table)
	c := d.rules.byName[chainName{scope, o.Chain}]
	if c == nil {
		return fmt.Errorf("%w: a rule in a chain %s that is not there", errNFT, host.Clean(o.Chain, 40))
	}
	c.count++
	handle := fmt.Sprint(o.Handle)
	r := rule{text: d.texts[nftHandle{scope, handle}]}
	if r.text == "" {
		r.text = "the rule with handle " + handle
	}
	for _, e := range o.Expr {
		for name, arg := range e {
			switch name {
			case "match":
				d.match(&r, scope, word(at(arg, "op")), at(arg, "left"), at(arg, "right"))
			case "vmap":
				d.verdictMap(c, r, at(arg, "key"), at(arg, "data"))
			case "snat", "masquerade":
				d.translate(&r, scope, name, arg)
			default:
				r.statement(name, arg)
				d.foreign[o.Family] = d.foreign[o.Family] || name == "xt"
			}
		}
	}
	c.rules = append(c.rules, r)
	return nil
}

var nftVerdicts = map[string]verdict{
	"accept": accept, "drop": refuse, "reject": refuse, "return": giveBack, "notrack": notrack, "jump": jump, "goto": jumpAway,
}

// statement reads a verdict, or what else a rule does.
func (r *rule) statement(name string, arg any) {
	switch name {
	case "accept", "drop", "reject", "return", "notrack", "jump", "goto":
		r.verdict, r.target = nftVerdicts[name], word(at(arg, "target"))
	case "dnat", "redirect": // or the rule looks the address up
		address, _ := texts(at(arg, "addr"))
		ports, _ := texts(at(arg, "port"))
		r.forwards, r.to = true, strings.Join(append(address, ports...), ":")
	case "counter", "log", "mangle", "comment", "continue", "ct helper", "ct timeout", "flow":
	case "limit", "quota", "ct count", "set", "map": // only part of the packets goes on
		r.only(some)
	default: // a verdict that follows counts
		r.only(some)
		r.verdict = other
	}
}

// translate reads what sources are translated to. A map has an address for each of its
// keys, or an address and ports: as many rules as entries.
func (d *nftDecoder) translate(r *rule, scope, name string, arg any) {
	entries, _ := d.named(scope, at(arg, "addr", "map", "data")).([]any)
	for _, entry := range entries {
		pair, _ := entry.([]any)
		if len(pair) != 2 {
			continue
		}
		value, ports := pair[1], ""
		if parts, _ := at(value, "concat").([]any); len(parts) == 2 {
			list, _ := texts(parts[1])
			value, ports = parts[0], strings.Join(list, ",")
		}
		address, _ := texts(value)
		if one := newSNAT(strings.Join(address, ""), false, ports); len(r.snat) < maxSNAT && !slices.Contains(r.snat, one) {
			r.snat = append(r.snat, one)
		}
	}
	if len(r.snat) == 0 { // or the rule looks the address up in what is not known
		address, _ := texts(at(arg, "addr"))
		ports, _ := texts(at(arg, "port"))
		r.snat = append(r.snat, newSNAT(strings.Join(address, ""), name == "masquerade", strings.Join(ports, ",")))
	}
}

// verdictMap adds a rule for each entry of a map from a key to a verdict.
func (d *nftDecoder) verdictMap(c *chain, before rule, key, data any) {
	if word(data) == kubeNodePortMap {
		d.rules.kube = c.label
	}
	entries, known := d.named(c.scope, data).([]any)
	if !known {
		before.statement("unknown", nil)
		c.rules = append(c.rules, before)
	}
	for _, entry := range entries {
		pair, _ := entry.([]any)
		if len(pair) != 2 {
			continue
		}
		r := before
		r.conds = slices.Clone(before.conds)
		d.match(&r, c.scope, "==", key, pair[0])
		if word(data) == kubeNodePortMap {
			d.nodePort(&r, key, pair[0])
		}
		verdict, _ := pair[1].(map[string]any)
		for name, arg := range verdict {
			r.statement(name, arg)
		}
		c.rules = append(c.rules, r)
	}
}

// nodePort reads an entry of kube-proxy's map from protocol and port to a chain.
func (d *nftDecoder) nodePort(r *rule, key, entry any) {
	kinds, _ := at(key, "concat").([]any)
	values, _ := at(entry, "concat").([]any)
	for i := range min(len(kinds), len(values)) {
		if word(at(kinds[i], "payload", "field")) != "dport" {
			continue
		}
		list, _ := texts(values[i])
		if ranges, err := sysctl.ParsePorts(strings.Join(list, ",")); err == nil {
			r.ports, r.forwards = append(r.ports, ranges...), true
		}
	}
}

// nftKinds are the conditions that can be judged.
var nftKinds = map[string]string{
	"ip saddr": "peer", "ip6 saddr": "peer",
	"tcp dport": "port", "udp dport": "port", "th dport": "port",
	"ip protocol": "protocol", "ip6 nexthdr": "protocol", "meta l4proto": "protocol",
	"meta nfproto": "family", "meta protocol": "family",
	"meta iif": "interface", "meta iifname": "interface", "ct state": "state",
}

// match reads one comparison. What can't be judged fits some packets.
func (d *nftDecoder) match(r *rule, scope, op string, left, right any) {
	mask, _ := at(left, "&").([]any) // "tcp flags & (mask) == (flags)"
	if len(mask) == 2 {
		left = mask[0]
	}
	protocol, what := word(at(left, "payload", "protocol")), ""
	switch protocol {
	case "ip", "ip6":
		d.rules.condition(r, "family", false, protocol)
	case "", "th", "ether", "vlan":
	default: // of icmp, sctp, arp, … none is in question
		d.rules.condition(r, "protocol", false, protocol)
	}
	switch {
	case protocol != "":
		what = protocol + " " + word(at(left, "payload", "field"))
	case at(left, "meta") != nil:
		what = "meta " + word(at(left, "meta", "key"))
	case at(left, "ct") != nil:
		what = "ct " + word(at(left, "ct", "key"))
	}
	fib, _ := texts(at(left, "fib", "flags"))
	values, known := texts(d.named(scope, right))
	_, several := right.([]any)
	neg := op == "!=" && !several || op == "!" // a state is never several
	switch kind := nftKinds[what]; {
	case len(mask) == 2 && what == "tcp flags" && known && (op == "==" || op == "!="):
		bits, _ := texts(mask[1])
		r.flagCondition(op == "!=", bits, values)
	case slices.Contains(fib, "saddr") && right == false: // no route leads back to the peer
		r.only(few)
	case len(mask) == 2, !known && kind != "peer", kind == "port" && len(values) == 0:
		r.only(some)
	case kind == "port" && (op == "<" || op == ">="):
		d.rules.condition(r, kind, op == "<", values[0]+"-65535")
	case kind == "port" && (op == ">" || op == "<="):
		d.rules.condition(r, kind, op == ">", "0-"+values[0])
	case neg, op == "==", op == "in":
		d.rules.condition(r, kind, neg, values...)
	default:
		r.only(some)
	}
}

// named is what stands on the right of a match, or the elements of a set, be it
// in place or known by its name. It is nil where those are not known.
func (d *nftDecoder) named(scope string, right any) any {
	if name, is := strings.CutPrefix(word(right), "@"); is {
		return d.sets[chainName{scope, name}]
	}
	if set := at(right, "set"); set != nil {
		return set
	}
	return right
}

// at goes down into JSON objects; nil where there is no such way.
func at(v any, path ...string) any {
	for _, key := range path {
		object, _ := v.(map[string]any)
		v = object[key]
	}
	return v
}

// word is a string, or empty.
func word(v any) string {
	s, _ := v.(string)
	return s
}

// texts are words, numbers and ranges, one or a list of them. They are known if
// there is nothing else.
func texts(v any) (list []string, known bool) {
	if inner := at(v, "elem", "val"); inner != nil { // with a comment or a counter
		v = inner
	}
	ends, _ := at(v, "range").([]any)
	switch v := v.(type) {
	case string:
		return []string{v}, v != ""
	case float64:
		return []string{fmt.Sprint(v)}, true
	case []any:
		known = true
		for _, e := range v {
			some, all := texts(e)
			list, known = append(list, some...), known && all
		}
		return list, known
	}
	if len(ends) == 2 {
		list, known = texts(ends)
		return []string{strings.Join(list, "-")}, known
	}
	return nil, false
}
