package evidence

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"ephtop/source"
)

// saved is what one of the iptables-save commands says.
type saved struct {
	rules *ruleset
	// tables are the names of the tables that it speaks of.
	tables []string
	// nft says that the rules live in nf_tables, where nft lists them too.
	nft bool
}

// errSaved is wrapped where an answer of iptables-save can't be understood.
var errSaved = errors.New("not the format of iptables-save")

// builtIn says where the kernel asks the built-in chains, by table and chain
// (include/uapi/linux/netfilter_ipv4.h).
var builtIn = map[string]struct {
	hook     string
	priority int
}{
	"raw PREROUTING":    {"prerouting", -300},
	"mangle PREROUTING": {"prerouting", -150},
	"mangle INPUT":      {"input", -150},
	"filter INPUT":      {"input", 0},
	"security INPUT":    {"input", 50},
	"nat POSTROUTING":   {"postrouting", 100},
}

// parseSaved reads the answer of iptables-save or, with v6, ip6tables-save.
// kind tells the rules of several backends apart: "legacy", "nft", "".
func parseSaved(data []byte, v6 bool, kind string) (saved, error) {
	s := saved{rules: newRuleset()}
	p := savedParser{saved: &s, v6: v6, tool: "iptables"}
	if v6 {
		p.tool = "ip6tables"
	}
	if kind != "" {
		p.tool += "-" + kind
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if err := p.line(line); err != nil {
			return saved{}, fmt.Errorf("%w: %v: %s", errSaved, err, clean(line, 80))
		}
	}
	return s, nil
}

type savedParser struct {
	*saved
	v6    bool
	tool  string
	table string
}

func (p *savedParser) scope() string { return p.tool + " " + p.table }

func (p *savedParser) line(line string) error {
	switch {
	case line == "" || line == "COMMIT":
		return nil
	case line[0] == '#':
		p.nft = p.nft || strings.Contains(line, "(nf_tables)")
		return nil
	case line[0] == '*':
		p.table = line[1:]
		p.tables = append(p.tables, p.table)
		return nil
	case p.table == "":
		return errors.New("a line outside any table")
	case line[0] == ':':
		return p.chain(line[1:])
	}
	words, err := savedWords(line)
	if err != nil {
		return err
	}
	if strings.HasPrefix(words[0].text, "[") { // packets and bytes, with -c
		words = words[1:]
	}
	if len(words) < 2 || words[0].text != "-A" {
		return errors.New("neither a table, a chain nor a rule")
	}
	c := p.rules.byKey[p.scope()+" "+words[1].text]
	if c == nil {
		return errors.New("a rule of a chain that was not declared")
	}
	r := rule{text: clean(rest(line, words, 2), ruleWidth)}
	p.rule(&r, words[2:])
	c.rules = append(c.rules, r)
	c.count++
	return nil
}

// rest is the line from a word on.
func rest(line string, words []word, n int) string {
	if n >= len(words) {
		return ""
	}
	return line[words[n].at:]
}

func (p *savedParser) chain(line string) error {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return errors.New("a chain without a policy")
	}
	at := builtIn[p.table+" "+fields[0]]
	p.rules.add(&chain{
		key: p.scope() + " " + fields[0], scope: p.scope(),
		label: clean(p.scope()+" "+fields[0], 80),
		v4:    !p.v6, v6: p.v6,
		hook: at.hook, priority: at.priority, nat: p.table == "nat",
		drops: fields[1] == "DROP",
	})
	return nil
}

// word is one word of a line, without its quotes, and where it began.
type word struct {
	text string
	at   int
}

// savedWords splits a line as the shell that iptables-save writes for would:
// double quotes with backslashes inside.
func savedWords(line string) ([]word, error) {
	var words []word
	var text strings.Builder
	inWord, quoted, escaped := false, false, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		if !inWord && c != ' ' && c != '\t' {
			inWord = true
			words = append(words, word{at: i})
		}
		switch {
		case escaped:
			text.WriteByte(c)
			escaped = false
		case c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\t'):
			if inWord {
				words[len(words)-1].text = text.String()
				text.Reset()
				inWord = false
			}
		default:
			text.WriteByte(c)
		}
	}
	if quoted || escaped {
		return nil, errors.New("a quote that does not end")
	}
	if inWord {
		words[len(words)-1].text = text.String()
	}
	return words, nil
}

// rule reads the words after "-A CHAIN".
func (p *savedParser) rule(r *rule, words []word) {
	neg := false
	for len(words) > 0 {
		name := words[0].text
		args := words[1:]
		if name == "!" {
			neg, words = true, args
			continue
		}
		if name == "-j" || name == "-g" {
			p.target(r, name, args)
			return
		}
		// An option takes the words up to the next; a negative number is none.
		n := slices.IndexFunc(args, func(w word) bool { return w.text == "!" || strings.HasPrefix(w.text, "-") && len(w.text) > 1 })
		if n < 0 {
			n = len(args)
		}
		values := make([]string, n)
		for i := range values {
			values[i] = args[i].text
		}
		r.conds = append(r.conds, savedCond(name, neg, values))
		neg, words = false, args[n:]
	}
}

// savedCond reads one option. One that can't be judged fits some packets.
func savedCond(name string, neg bool, values []string) cond {
	first := ""
	if len(values) > 0 {
		first = values[0]
	}
	switch name {
	case "-p", "--protocol":
		if first == "all" {
			return cond{}
		}
		return protoCond(neg, protocolNumber(first))
	case "-i":
		return interfaceCond(neg, first)
	case "-s", "-f":
		return fixed(unless(neg, few))
	case "--comment":
		return cond{}
	case "-m":
		return moduleCond(first)
	case "--match-set": // the set's name and what of the packet is in it
		if len(values) == 2 && strings.HasPrefix(values[1], "src") {
			return fixed(unless(neg, few))
		}
	case "--dport", "--dports":
		if ports, ok := savedPorts(first); ok {
			return portCond(0, neg, ports)
		}
	case "--ctstate", "--state":
		states := ctUnknown
		for s := range strings.SplitSeq(first, ",") {
			states |= ctStateOf(s)
		}
		return stateCond(neg, states)
	case "--ctdir":
		return directionCond(neg, strings.EqualFold(first, "REPLY"))
	case "--dst-type":
		return typeCond(neg, strings.Split(first, ","))
	case "--tcp-flags":
		if len(values) == 2 {
			mask, ok1 := savedFlags(values[0])
			want, ok2 := savedFlags(values[1])
			if ok1 && ok2 {
				return flagsCond(neg, func(f int) bool { return f&mask == want })
			}
		}
	}
	return fixed(some)
}

// moduleCond is what naming a match says by itself; its options say the rest.
func moduleCond(name string) cond {
	switch name {
	case "tcp", "udp", "comment", "multiport", "conntrack", "state", "addrtype", "set":
		return cond{}
	case "recent", "rpfilter":
		return fixed(few)
	case "icmp", "icmp6", "ipv6-icmp", "sctp", "esp", "ah", "dccp":
		return fixed(never)
	}
	return fixed(some)
}

// savedPorts reads "80", "1024:2047" and lists of them.
func savedPorts(text string) (portSet, bool) {
	var ranges []source.PortRange
	for item := range strings.SplitSeq(text, ",") {
		from, to, stretch := strings.Cut(item, ":")
		if !stretch {
			to = from
		}
		if stretch && from == "" {
			from = "0"
		}
		if stretch && to == "" {
			to = strconv.Itoa(math.MaxUint16)
		}
		low, err1 := strconv.ParseUint(from, 10, 16)
		high, err2 := strconv.ParseUint(to, 10, 16)
		if err1 != nil || err2 != nil {
			return nil, false
		}
		ranges = append(ranges, source.PortRange{Low: uint16(low), High: uint16(high)})
	}
	return newPortSet(ranges...), true
}

func savedFlags(text string) (int, bool) {
	bits := 0
	for name := range strings.SplitSeq(text, ",") {
		bit, ok := flagBit(name)
		if !ok {
			return 0, false
		}
		bits |= bit
	}
	return bits, true
}

// iptablesVerdict is what a target that is no chain does; known is false for
// those that may be chains or decide in ways unknown here.
func iptablesVerdict(name string) (v verdict, known bool) {
	switch name {
	case "ACCEPT":
		return accept, true
	case "DROP", "REJECT":
		return refuse, true
	case "RETURN":
		return giveBack, true
	case "NOTRACK":
		return notrack, true
	case "LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "SET", "TRACE", "AUDIT", "DSCP", "TOS", "TTL", "HL", "TCPMSS",
		"CLASSIFY", "CHECKSUM", "ECN", "SECMARK", "CONNSECMARK", "LED", "RATEEST", "TEE", "IDLETIMER", "CT", "HMARK",
		"SNAT", "MASQUERADE", "DNAT", "REDIRECT", "NETMAP":
		return goOn, true
	}
	return other, false
}

// target reads what follows "-j" or "-g".
func (p *savedParser) target(r *rule, option string, words []word) {
	if len(words) == 0 {
		return
	}
	name := words[0].text
	v, known := iptablesVerdict(name)
	switch {
	case option == "-g":
		r.verdict, r.target = jumpAway, name
	case known:
		r.verdict = v
	case p.rules.byKey[p.scope()+" "+name] != nil:
		r.verdict, r.target = jump, name
	default:
		r.verdict = other
	}
	value := func(option string) string {
		for i, w := range words[:len(words)-1] {
			if w.text == option {
				return words[i+1].text
			}
		}
		return ""
	}
	switch name {
	case "CT":
		if slices.ContainsFunc(words, func(w word) bool { return w.text == "--notrack" }) {
			r.verdict = notrack
		}
	case "SNAT":
		address, ports := savedAddress(value("--to-source"))
		r.snat = newSNAT(address, false, ports)
	case "MASQUERADE":
		_, ports := savedAddress(":" + value("--to-ports"))
		r.snat = newSNAT("", true, ports)
	}
}

// savedAddress reads "192.0.2.1-192.0.2.4:40000-40019"; an IPv6 address with
// ports stands in brackets.
func savedAddress(text string) (address string, ports source.PortRange) {
	address = text
	if i := strings.LastIndexByte(text, ':'); i >= 0 && (strings.Count(text, ":") == 1 || text[0] == '[' && i > strings.LastIndexByte(text, ']')) {
		if set, ok := savedPorts(strings.Replace(text[i+1:], "-", ":", 1)); ok && text[i+1:] != "" {
			address, ports = text[:i], set.span()
		}
	}
	return clean(address, 80), ports
}
