package firewall

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"ephtop/source/evidence/host"
)

// saved is what one of the iptables-save commands says.
type saved struct {
	rules  *ruleset
	v6     bool
	tool   string
	tables []string // the last is the one that is being read
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
		s.tables = append(s.tables, line[1:])
		return nil
	case line[0] == ':':
		return s.chain(strings.Fields(line[1:]))
	}
	if line[0] == '[' { // packets and bytes
		_, line, _ = strings.Cut(line, " ")
	}
	rule, ok := strings.CutPrefix(line, "-A ")
	name, rest, _ := strings.Cut(rule, " ")
	c := s.rules.byName[chainName{s.scope(), name}]
	if !ok || c == nil {
		return errors.New("neither a table nor a chain nor a rule of one")
	}
	c.count++
	r := s.rule(c, rest)
	r.forwards = r.forwards || name == kubeNodePorts && r.verdict == jump
	c.rules = append(c.rules, r)
	return nil
}

func (s *saved) scope() string {
	if len(s.tables) == 0 {
		return ""
	}
	return s.tool + " " + s.tables[len(s.tables)-1]
}

func (s *saved) chain(fields []string) error {
	if len(fields) < 2 || len(s.tables) == 0 {
		return errors.New("a chain without a policy or a table")
	}
	at := builtIn[s.tables[len(s.tables)-1]+" "+fields[0]]
	s.rules.add(&chain{
		chainName: chainName{s.scope(), fields[0]}, label: host.Clean(s.scope()+" "+fields[0], 80),
		v4: !s.v6, v6: s.v6,
		hook: at.hook, priority: at.priority, drops: fields[1] == "DROP",
	})
	return nil
}

// savedWord is a word of a rule. One in quotes is kept as it stands: none of those
// that are read here needs any.
var savedWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\S+`) })

// rule reads what follows "-A CHAIN".
func (s *saved) rule(c *chain, line string) rule {
	r := rule{text: host.Clean(line, ruleWidth)}
	words := savedWord().FindAllString(line, -1)
	neg := false
	for len(words) > 0 {
		name, args := words[0], words[1:]
		switch name {
		case "!":
			neg, words = true, args
			continue
		case "-j", "-g":
			s.target(&r, c.scope, name, args)
			return r
		}
		// An option takes the words up to the next.
		n := slices.IndexFunc(args, func(w string) bool { return w == "!" || strings.HasPrefix(w, "-") && len(w) > 1 })
		if n < 0 {
			n = len(args)
		}
		s.option(&r, name, neg, args[:n])
		neg, words = false, args[n:]
	}
	return r
}

// savedKinds are the options that can be judged.
var savedKinds = map[string]string{
	"-p": "protocol", "-i": "interface", "-s": "peer", "--dport": "port", "--dports": "port",
	"--ctstate": "state", "--state": "state",
}

// plainMatches say nothing by themselves; their options do.
var plainMatches = []string{"tcp", "udp", "comment", "multiport", "conntrack", "state", "set"}

// option reads a condition. One that can't be judged fits some packets.
func (s *saved) option(r *rule, name string, neg bool, args []string) {
	first, last := "", ""
	if len(args) > 0 {
		first, last = args[0], args[len(args)-1]
	}
	kind := savedKinds[name]
	switch {
	case name == "--comment", name == "-m" && slices.Contains(plainMatches, first):
	case name == "-m" && first == "rpfilter": // whether a route leads back to the peer
		r.only(few)
	case name == "--match-set" && strings.HasPrefix(last, "src"):
		s.rules.condition(r, "peer", neg)
	case name == "--tcp-flags":
		r.flagCondition(neg, strings.Split(strings.ToLower(first), ","), strings.Split(strings.ToLower(last), ","))
	case kind == "port":
		s.rules.condition(r, kind, neg, strings.ReplaceAll(first, ":", "-"))
	default:
		s.rules.condition(r, kind, neg, strings.Split(first, ",")...)
	}
}

// targets are what those that are no chains do.
var targets = map[string]verdict{
	"ACCEPT": accept, "DROP": refuse, "REJECT": refuse, "RETURN": giveBack, "NOTRACK": notrack,
	"LOG": goOn, "NFLOG": goOn, "ULOG": goOn, "MARK": goOn, "CONNMARK": goOn, "SET": goOn, "CT": goOn,
	"TRACE": goOn, "TCPMSS": goOn, "SNAT": goOn, "MASQUERADE": goOn, "DNAT": goOn, "REDIRECT": goOn,
}

// target reads what follows "-j" or "-g".
func (s *saved) target(r *rule, scope, option string, args []string) {
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
	known := false
	r.target = name
	if r.verdict, known = targets[name]; !known {
		r.verdict = other
	}
	switch {
	case option == "-g":
		r.verdict = jumpAway
	case s.rules.byName[chainName{scope, name}] != nil:
		r.verdict = jump
	case name == "CT" && slices.Contains(args, "--notrack"):
		r.verdict = notrack
	case name == "SNAT": // "192.0.2.1-192.0.2.4:40000-40019", "[2001:db8::1]:40000-40019"
		address, ports := value("--to-source"), ""
		if i := strings.LastIndexByte(address, ':'); i >= 0 && (strings.Count(address, ":") == 1 || strings.Contains(address, "]:")) {
			address, ports = address[:i], address[i+1:]
		}
		r.snat = append(r.snat, newSNAT(address, false, ports))
	case name == "MASQUERADE":
		r.snat = append(r.snat, newSNAT("", true, value("--to-ports")))
	case name == "DNAT":
		r.forwards, r.to = true, value("--to-destination")
	case name == "REDIRECT":
		r.forwards, r.to = true, value("--to-ports")
	}
}
