package advice

import (
	"regexp"
	"strings"

	"ephtop/source"
)

// letIn says how answers are accepted: first in each chain that refuses them, by the tool
// whose chain it is, for neither knows the names of the other.
func (e *examiner) letIn(r *source.ReturnTraffic) {
	if len(r.RefusedBy) == 0 {
		e.next("let answers in: %snft insert rule inet filter input ct state established,related accept", e.enter())
	}
	for _, by := range r.RefusedBy {
		switch command := acceptIn(by.Chain); {
		case by.Early:
			e.next("let answers in: %s, which is asked before connection tracking, must accept these ports", by.Chain)
		case command == "":
			e.next("let answers in: accept those to own connections first in %s", by.Chain)
		default:
			e.next("let answers in: %s%s", e.enter(), command)
		}
	}
}

// plainChain is the name of a chain in a [source.FirewallRule] that can be typed: the
// command of iptables or the family, the table, and the chain.
var plainChain = regexp.MustCompile(`^([a-z0-9-]+) ([A-Za-z0-9_][A-Za-z0-9_./-]*) ([A-Za-z0-9_][A-Za-z0-9_./-]*)$`)

// ofIptables are the chains that iptables has made in nf_tables: nft could add to them,
// and iptables not read them any more.
var ofIptables = regexp.MustCompile(`^ip6? (mangle|filter|security) (PREROUTING|INPUT)$`)

// acceptIn is the command that accepts answers first in a chain, "" where that can't be
// typed.
func acceptIn(chain string) string {
	name := plainChain.FindStringSubmatch(chain)
	if name == nil {
		return ""
	}
	tool, table, chain := name[1], name[2], name[3]
	if ofIptables.MatchString(name[0]) {
		tool += "tables-nft"
	}
	if !strings.Contains(tool, "tables") {
		return "nft insert rule " + name[0] + " ct state established,related accept"
	}
	if table != "filter" {
		tool += " -t " + table
	}
	return tool + " -I " + chain + " -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
}
