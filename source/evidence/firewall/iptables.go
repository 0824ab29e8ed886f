package firewall

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ephtop/source"
	"ephtop/source/evidence/host"
	"ephtop/source/sysctl"
)

// saved is what one of the iptables-save commands says.
type saved struct {
	rules   *ruleset
	v6      bool
	tool    string
	table   string // the one that is being read
	command string
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
// kind tells the rules of the two backends apart: "legacy", "nft".
func parseSaved(data []byte, v6 bool, kind string) (*saved, error) {
	s := &saved{rules: newRuleset(), v6: v6, tool: "iptables-" + kind}
	if v6 {
		s.tool = "ip6tables-" + kind
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if err := s.line(line); err != nil {
			return nil, fmt.Errorf("%w: %v: %s", errSaved, err, host.Clean(line, 80))
		}
	}
	return s, nil
}

func (s *saved) line(line string) error {
	switch {
	case line == "" || line == "COMMIT":
		return nil
	case line[0] == '#':
		s.nft = s.nft || strings.Contains(line, "(nf_tables)")
		return nil
	case line[0] == '*':
		s.table = line[1:]
		s.tables = append(s.tables, s.table)
		return nil
	case line[0] == ':':
		return s.chain(strings.Fields(line[1:]))
	}
	if line[0] == '[' { // packets and bytes
		_, line, _ = strings.Cut(line, " ")
	}
	rule, ok := strings.CutPrefix(line, "-A ")
	name, rest, _ := strings.Cut(rule, " ")
	c := s.rules.byKey[s.scope()+" "+name]
	if !ok || c == nil {
		return errors.New("neither a table nor a chain nor a rule of one")
	}
	c.count++
	return s.rule(c, rest)
}

func (s *saved) scope() string { return s.tool + " " + s.table }

func (s *saved) chain(fields []string) error {
	if len(fields) < 2 || s.table == "" {
		return errors.New("a chain without a policy or a table")
	}
	at := builtIn[s.table+" "+fields[0]]
	s.rules.add(&chain{
		scope: s.scope(), name: fields[0], label: host.Clean(s.scope()+" "+fields[0], 80),
		v4: !s.v6, v6: s.v6,
		hook: at.hook, priority: at.priority, nat: s.table == "nat",
		drops: fields[1] == "DROP",
	})
	return nil
}

// word is a word of a rule. One in quotes is kept as it stands: none of those
// that are read here needs any.
var word = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\S+`)

// rule reads what follows "-A CHAIN".
func (s *saved) rule(c *chain, line string) error {
	r := rule{text: host.Clean(line, ruleWidth)}
	words := word.FindAllString(line, -1)
	if slices.ContainsFunc(words, func(w string) bool { return w[0] == '"' && (len(w) == 1 || !strings.HasSuffix(w, `"`)) }) {
		return errors.New("a quote that does not end")
	}
	neg := false
	for len(words) > 0 {
		name, args := words[0], words[1:]
		// An option takes the words up to the next.
		n := slices.IndexFunc(args, func(w string) bool { return w == "!" || strings.HasPrefix(w, "-") && len(w) > 1 })
		if n < 0 {
			n = len(args)
		}
		switch {
		case name == "!":
			neg, words = true, args
			continue
		case name == "-j" || name == "-g":
			s.target(&r, name, args)
			n = len(args)
		default:
			s.option(&r, name, neg, args[:n])
		}
		neg, words = false, args[n:]
	}
	c.rules = append(c.rules, r)
	return nil
}

// option reads a condition. One that can't be judged fits some packets.
func (s *saved) option(r *rule, name string, neg bool, args []string) {
	first, last := "", ""
	if len(args) > 0 {
		first, last = args[0], args[len(args)-1]
	}
	items := strings.Split(first, ",")
	ports, err := sysctl.ParsePorts(strings.ReplaceAll(first, ":", "-"))
	switch {
	case name == "--comment":
	case name == "-m":
		r.module(first)
	case name == "-p":
		r.whenProtocol(neg, first)
	case name == "-i":
		r.whenInterface(neg, first)
	case name == "-s", name == "-f", name == "--match-set" && strings.HasPrefix(last, "src"):
		r.whenFixed(neg, few)
	case (name == "--dport" || name == "--dports") && err == nil:
		s.rules.whenPort(r, neg, ports)
	case name == "--ctstate", name == "--state":
		r.whenState(neg, items...)
	case name == "--ctdir":
		r.whenReply(neg, strings.EqualFold(first, "REPLY"))
	case name == "--dst-type": // that of packets for this host is local
		r.whenFixed(neg, yes(slices.Contains(items, "LOCAL")))
	case name == "--tcp-flags":
		r.whenFlags(neg, strings.Split(strings.ToLower(first), ","), strings.Split(strings.ToLower(last), ","))
	default:
		r.whenFixed(false, some)
	}
}

// module is what naming a match says by itself; its options say the rest.
func (r *rule) module(name string) {
	switch name {
	case "tcp", "udp", "comment", "multiport", "conntrack", "state", "addrtype", "set":
	case "recent", "rpfilter":
		r.whenFixed(false, few)
	case "icmp", "icmp6", "ipv6-icmp", "sctp", "esp", "ah", "dccp":
		r.whenFixed(false, never)
	default:
		r.whenFixed(false, some)
	}
}

// targetVerdict is what a target that is no chain does.
func targetVerdict(name string) verdict {
	switch name {
	case "ACCEPT":
		return accept
	case "DROP", "REJECT":
		return refuse
	case "RETURN":
		return giveBack
	case "NOTRACK":
		return notrack
	case "LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "SET", "TRACE", "AUDIT", "DSCP", "TOS", "TTL", "HL", "TCPMSS",
		"CLASSIFY", "CHECKSUM", "ECN", "SECMARK", "CONNSECMARK", "LED", "RATEEST", "TEE", "IDLETIMER", "CT", "HMARK",
		"SNAT", "MASQUERADE", "DNAT", "REDIRECT", "NETMAP":
		return goOn
	}
	return other
}

// target reads what follows "-j" or "-g".
func (s *saved) target(r *rule, option string, args []string) {
	if len(args) == 0 {
		return
	}
	value := func(option string) string {
		if i := slices.Index(args, option); i >= 0 && i+1 < len(args) {
			return args[i+1]
		}
		return ""
	}
	name := args[0]
	r.verdict, r.target = targetVerdict(name), name
	switch {
	case option == "-g":
		r.verdict = jumpAway
	case name == "CT" && slices.Contains(args, "--notrack"):
		r.verdict = notrack
	case name == "SNAT":
		address, ports := savedAddress(value("--to-source"))
		r.snat = newSNAT(address, false, ports)
	case name == "MASQUERADE":
		_, ports := savedAddress(":" + value("--to-ports"))
		r.snat = newSNAT("", true, ports)
	case r.verdict == other && s.rules.byKey[s.scope()+" "+name] != nil:
		r.verdict = jump
	}
}

// savedAddress reads "192.0.2.1-192.0.2.4:40000-40019"; an IPv6 address with
// ports stands in brackets.
func savedAddress(text string) (address string, ports source.PortRange) {
	i := strings.LastIndexByte(text, ':')
	if i >= 0 && (strings.Count(text, ":") == 1 || strings.HasSuffix(text[:i], "]")) {
		if ranges, err := sysctl.ParsePorts(text[i+1:]); err == nil {
			text, ports = text[:i], ranges[0]
		}
	}
	return host.Clean(text, 80), ports
}
