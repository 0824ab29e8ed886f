package evidence

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ephtop/source"
)

// maxRuleText bounds the answer of one tool.
const maxRuleText = 16 << 20

// firewall asks nft for the rules, and iptables for those that nft does not
// tell: rules of iptables that live in nf_tables, whose conditions nft leaves
// out, and rules of the older kernel interface (legacy).
func (h *host) firewall(ctx context.Context) source.Firewall {
	if h.run == nil {
		return source.Firewall{Status: notThere("the firewall's rules can only be asked of this host")}
	}
	r := rulesReader{host: h, rules: newRuleset()}
	r.nft(ctx)
	r.iptables(ctx, false)
	r.iptables(ctx, true)
	if !r.read {
		return source.Firewall{Status: r.failure()}
	}
	f := judgeFirewall(r.rules, h.Range)
	f.Tools = r.tools
	if f.Reason != "" {
		r.gaps = append(r.gaps, f.Reason)
	}
	f.Reason = strings.Join(r.gaps, "; ")
	return f
}

// rulesReader puts a rule set together from several tools.
type rulesReader struct {
	*host
	rules *ruleset
	tools []string
	read  bool
	// foreign are tables that nft could not tell in full, and nftRead says that
	// it told the others.
	foreign map[string]bool
	nftRead bool
	gaps    []string // what is missing all the same
	errs    []error
}

// failure says why no tool gave rules.
func (r *rulesReader) failure() source.Status {
	var reasons []string
	missing := true
	for _, err := range r.errs {
		missing = missing && errors.Is(err, errNoCommand)
		reasons = append(reasons, err.Error())
	}
	if missing {
		return notThere("neither nft nor iptables is installed")
	}
	text := strings.Join(reasons, "; ")
	lower := strings.ToLower(text)
	if strings.Contains(lower, "must be root") || strings.Contains(lower, "permission denied") || strings.Contains(lower, "not permitted") {
		return notReadable("only root may read the firewall's rules; run as root")
	}
	return notReadable("%s", clean(text, 200))
}

func (r *rulesReader) gap(format string, args ...any) {
	r.gaps = append(r.gaps, fmt.Sprintf(format, args...))
}

func (r *rulesReader) nft(ctx context.Context) {
	args := []string{"-j", "list", "ruleset"}
	out, err := r.run(ctx, maxRuleText, "nft", args...)
	terse := err == nil && out.cut
	if terse { // large sets: without what is in them
		out, err = r.run(ctx, maxRuleText, "nft", append([]string{"-t"}, args...)...)
		if err == nil && out.cut {
			err = errors.New("nft: the rule set is too large")
		}
	}
	var result nftResult
	if err == nil {
		result, err = parseNFT(out.stdout, terse)
	}
	if err != nil {
		r.errs = append(r.errs, err)
		return
	}
	r.read, r.nftRead = true, true
	r.tools = append(r.tools, "nft")
	r.rules.merge(result.rules)
	r.foreign = make(map[string]bool)
	for _, scope := range result.foreign {
		r.foreign[scope] = true
	}
	if terse {
		r.gap("the sets are too large to be read, so rules that use them are not judged")
	}
	if result.ingress {
		r.gap("chains on devices (ingress) are not judged")
	}
}

// iptables asks for what nft left open of one family.
func (r *rulesReader) iptables(ctx context.Context, v6 bool) {
	tool, family := "iptables", "ip"
	if v6 {
		tool, family = "ip6tables", "ip6"
	}
	if !r.nftRead {
		r.plain(ctx, tool, v6)
		return
	}
	for scope := range r.foreign {
		if strings.HasPrefix(scope, "nft "+family+" ") {
			r.nftTables(ctx, tool, family, v6)
			break
		}
	}
	r.legacy(ctx, tool, v6)
}

// plain asks the variants that there are, where nft gave nothing.
func (r *rulesReader) plain(ctx context.Context, tool string, v6 bool) {
	s, err := r.saved(ctx, tool+"-save", v6, "")
	if err != nil {
		r.errs = append(r.errs, err)
		return
	}
	r.take(tool+"-save", s)
	if s.nft {
		r.legacy(ctx, tool, v6)
		r.gap("%s-save tells the tables of iptables only, and nft, which tells all, could not be asked", tool)
	}
}

// nftTables asks for tables that iptables made in nf_tables, and puts them in
// the place of what nft said of them.
func (r *rulesReader) nftTables(ctx context.Context, tool, family string, v6 bool) {
	name := tool + "-nft-save"
	s, err := r.saved(ctx, name, v6, "nft")
	if errors.Is(err, errNoCommand) {
		name = tool + "-save"
		if s, err = r.saved(ctx, name, v6, "nft"); err == nil && !s.nft {
			err = errors.New(name + " tells other rules")
		}
	}
	if err != nil {
		r.gap("rules of %s have conditions that nft does not tell (%v)", tool, err)
		return
	}
	for _, table := range s.tables {
		r.rules.remove(nftScope(family, table))
	}
	r.take(name, s)
}

// legacy asks for the rules of the older kernel interface, if it has any.
func (r *rulesReader) legacy(ctx context.Context, tool string, v6 bool) {
	list := "ip_tables_names"
	if v6 {
		list = "ip6_tables_names"
	}
	if names, err := r.netFile(list); err == nil && len(strings.Fields(string(names))) == 0 {
		return
	} else if err != nil {
		if !isMissing(err) {
			r.gap("whether there are legacy rules of %s is not known (%s)", tool, reason(err))
		}
		return
	}
	name := tool + "-legacy-save"
	s, err := r.saved(ctx, name, v6, "legacy")
	if errors.Is(err, errNoCommand) {
		name = tool + "-save"
		if s, err = r.saved(ctx, name, v6, "legacy"); err == nil && s.nft {
			err = errors.New(name + " tells other rules")
		}
	}
	if err != nil {
		r.gap("there are legacy rules of %s that could not be read (%v)", tool, err)
		return
	}
	r.take(name, s)
}

func (r *rulesReader) take(name string, s saved) {
	r.read = true
	r.tools = append(r.tools, name)
	r.rules.merge(s.rules)
}

func (r *rulesReader) saved(ctx context.Context, name string, v6 bool, kind string) (saved, error) {
	out, err := r.run(ctx, maxRuleText, name)
	if err == nil && out.cut {
		err = fmt.Errorf("%s: the rule set is too large", name)
	}
	if err != nil {
		return saved{}, err
	}
	s, err := parseSaved(out.stdout, v6, kind)
	if err != nil {
		return saved{}, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}
