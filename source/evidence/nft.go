package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"ephtop/source"
)

// nftResult is a rule set as nft tells it.
type nftResult struct {
	rules *ruleset
	// foreign are the scopes of tables with rules of iptables, whose conditions
	// nft does not print ("xt"). iptables-nft-save knows them.
	foreign []string
	// ingress says that chains on devices exist; they are not judged.
	ingress bool
}

// nftObject is one entry of "nft -j list ruleset"; the fields are those of all
// its kinds that matter (libnftables-json(5)).
type nftObject struct {
	Family string          `json:"family"`
	Table  string          `json:"table"`
	Name   string          `json:"name"`
	Chain  string          `json:"chain"`
	Type   any             `json:"type"`
	Hook   string          `json:"hook"`
	Prio   json.RawMessage `json:"prio"`
	Policy string          `json:"policy"`
	Flags  any             `json:"flags"`
	Elem   []any           `json:"elem"`
	Expr   []any           `json:"expr"`
}

// errNFT is wrapped where an answer of nft can't be understood.
var errNFT = errors.New("nft's answer is no rule set in JSON")

// parseNFT reads the answer of "nft -j list ruleset". terse says that the
// contents of sets were left out. An answer that breaks off is an error: nft
// 1.0.6 does so at a dormant table, and says that all went well.
func parseNFT(data []byte, terse bool) (nftResult, error) {
	var doc struct {
		Objects []map[string]json.RawMessage `json:"nftables"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nftResult{}, fmt.Errorf("%w: %v", errNFT, err)
	}
	if doc.Objects == nil {
		return nftResult{}, errNFT
	}
	d := nftDecoder{sets: make(map[string]nftSet), result: nftResult{rules: newRuleset()}}
	var rules []nftObject
	for _, entry := range doc.Objects {
		for kind, raw := range entry {
			var o nftObject
			if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
				if err := json.Unmarshal(raw, &o); err != nil {
					return nftResult{}, fmt.Errorf("%w: %s: %v", errNFT, kind, err)
				}
			}
			switch kind {
			case "chain":
				d.chain(&o)
			case "set", "map":
				d.set(&o, terse)
			case "rule":
				rules = append(rules, o)
			}
		}
	}
	for i := range rules {
		if err := d.rule(&rules[i]); err != nil {
			return nftResult{}, err
		}
	}
	return d.result, nil
}

type nftDecoder struct {
	sets   map[string]nftSet
	result nftResult
}

// nftSet is a named set or map.
type nftSet struct {
	elems []any
	// open says that what is in it is not known, or will change by itself.
	open bool
}

// nftScope is where names of chains and sets are unique.
func nftScope(family, table string) string { return "nft " + family + " " + table }

func (d *nftDecoder) chain(o *nftObject) {
	scope := nftScope(o.Family, o.Table)
	c := &chain{
		key: scope + " " + o.Name, scope: scope,
		label: clean(o.Family+" "+o.Table+" "+o.Name, 80),
		v4:    o.Family == "ip" || o.Family == "inet",
		v6:    o.Family == "ip6" || o.Family == "inet",
		hook:  o.Hook, nat: o.Type == "nat", drops: o.Policy == "drop",
	}
	_ = json.Unmarshal(o.Prio, &c.priority) // one that is not a number sorts as 0
	if o.Hook == "ingress" {
		d.result.ingress = true
	}
	if !c.v4 && !c.v6 {
		c.hook = ""
	}
	d.result.rules.add(c)
}

func (d *nftDecoder) set(o *nftObject, terse bool) {
	s := nftSet{elems: o.Elem, open: terse && o.Elem == nil}
	for _, flag := range list(o.Flags) {
		if flag == "timeout" || flag == "dynamic" {
			s.open = true
		}
	}
	d.sets[nftScope(o.Family, o.Table)+" "+o.Name] = s
}

// rule adds a rule to its chain; one with a verdict map becomes several.
func (d *nftDecoder) rule(o *nftObject) error {
	scope := nftScope(o.Family, o.Table)
	c := d.result.rules.byKey[scope+" "+o.Chain]
	if c == nil {
		return fmt.Errorf("%w: a rule in a chain %s that is not there", errNFT, clean(o.Chain, 40))
	}
	c.count++
	r := rule{text: nftRuleText(o.Expr)}
	decided := false
	for _, e := range o.Expr {
		for name, arg := range object(e) {
			if decided {
				break
			}
			switch name {
			case "match":
				m := object(arg)
				op, _ := m["op"].(string)
				r.conds = append(r.conds, d.match(scope, op, m["left"], m["right"]))
			case "vmap":
				d.verdictMap(c, scope, r, object(arg))
			case "xt":
				d.foreign(scope, &r, object(arg))
			default:
				if v, target, ok := nftVerdict(name, arg); ok {
					r.verdict, r.target, decided = v, target, v != notrack
				} else if s := nftSNAT(name, arg); s != nil {
					r.snat = s
				} else {
					r.conds = append(r.conds, nftStatement(name, arg))
				}
			}
		}
	}
	c.rules = append(c.rules, r)
	return nil
}

// nftVerdict reads a statement that decides.
func nftVerdict(name string, arg any) (v verdict, target string, ok bool) {
	switch name {
	case "accept":
		return accept, "", true
	case "drop", "reject":
		return refuse, "", true
	case "return":
		return giveBack, "", true
	case "notrack":
		return notrack, "", true
	case "queue", "synproxy", "tproxy":
		return other, "", true
	case "jump", "goto":
		target, _ := object(arg)["target"].(string)
		if name == "goto" {
			return jumpAway, target, true
		}
		return jump, target, true
	}
	return goOn, "", false
}

// nftStatement is the condition in a statement that is no match: a limit lets
// only part of the packets go on; most statements let all.
func nftStatement(name string, arg any) cond {
	switch name {
	case "counter", "log", "mangle", "comment", "dup", "dnat", "redirect", "continue",
		"ct helper", "ct timeout", "ct expectation", "secmark", "flow", "last", "set", "map":
		return cond{}
	case "limit", "quota", "ct count", "connlimit":
		if inv, _ := object(arg)["inv"].(bool); inv {
			return fixed(few)
		}
	}
	return fixed(some)
}

// nftSNAT reads the statements that translate the source.
func nftSNAT(name string, arg any) *source.SNATRule {
	if name != "snat" && name != "masquerade" {
		return nil
	}
	m := object(arg)
	ports := nftPorts([]any{m["port"]})
	s := newSNAT("", name == "masquerade", ports.span())
	switch addr := m["addr"].(type) {
	case string:
		s.Address = clean(addr, 80)
	case map[string]any:
		if addr["range"] != nil || addr["prefix"] != nil {
			s.Address = clean(nftText(addr), 80)
		}
	}
	return s
}

// foreign reads what nft says of a match or target of iptables: its name.
func (d *nftDecoder) foreign(scope string, r *rule, xt map[string]any) {
	if n := len(d.result.foreign); n == 0 || d.result.foreign[n-1] != scope {
		d.result.foreign = append(d.result.foreign, scope)
	}
	if xt["type"] != "target" {
		r.conds = append(r.conds, fixed(some))
		return
	}
	switch name, _ := xt["name"].(string); name {
	case "SNAT", "MASQUERADE":
		r.snat = newSNAT("", name == "MASQUERADE", ports0)
	default:
		if v, known := iptablesVerdict(name); known {
			r.verdict = v
		} else {
			r.verdict = other
		}
	}
}

// verdictMap adds a rule for each entry of a map from a key to a verdict.
func (d *nftDecoder) verdictMap(c *chain, scope string, before rule, arg map[string]any) {
	entries, ok := d.values(scope, arg["data"])
	if !ok {
		before.conds, before.verdict = append(before.conds[:len(before.conds):len(before.conds)], fixed(some)), other
		c.rules = append(c.rules, before)
		return
	}
	for _, entry := range entries {
		pair := list(entry)
		if len(pair) != 2 {
			continue
		}
		r := before
		r.conds = append(before.conds[:len(before.conds):len(before.conds)], d.match(scope, "==", arg["key"], pair[0]))
		for name, arg := range object(pair[1]) {
			r.verdict, r.target, _ = nftVerdict(name, arg)
		}
		c.rules = append(c.rules, r)
	}
}
