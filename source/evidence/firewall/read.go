// Package firewall judges by the rules of nft and iptables whether answers from
// other hosts reach the ephemeral ports of this one. What it can't be certain of
// it calls unclear, and names the rule.
//
// It changes nothing on the host, and knows only rules of this network namespace.
package firewall

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"ephtop/source"
	"ephtop/source/evidence/host"
)

// maxRuleText bounds the answer of one tool.
const maxRuleText = 16 << 20

// Read asks nft for the rules, and iptables for those that nft does not tell:
// rules of iptables that live in nf_tables, whose conditions nft leaves out, and
// rules of the older kernel interface (legacy). It judges the ports of rng.
func Read(ctx context.Context, h *host.Host, rng source.PortRange) source.Firewall {
	if h.Root != "/" {
		return source.Firewall{Status: source.Status{
			Outcome: source.OutcomeNotThere, Reason: "the firewall's rules can only be asked of this host",
		}}
	}
	r := reader{Host: h, rules: newRuleset()}
	foreign, err := r.nft(ctx)
	for _, v6 := range []bool{false, true} {
		r.iptables(ctx, v6, err == nil, foreign)
	}
	r.rules.unread = err != nil && !errors.Is(err, host.ErrNoCommand)
	if len(r.tools) == 0 || r.rules.unread && len(r.rules.chains) == 0 {
		return source.Firewall{Status: r.failure()}
	}
	if err != nil {
		r.gap("%v; its tables are not judged, only those of iptables", err)
	}
	f := judged(r.rules, rng)
	f.Tools = r.tools
	if f.Reason != "" {
		r.gaps = append(r.gaps, f.Reason)
	}
	f.Reason = strings.Join(r.gaps, "; ")
	return f
}

// reader puts a rule set together from several tools.
type reader struct {
	*host.Host
	rules *ruleset
	tools []string
	gaps  []string // what is missing all the same
	errs  []error
}

// failure says why no tool gave rules.
func (r *reader) failure() source.Status {
	var reasons []string
	missing := true
	for _, err := range r.errs {
		missing = missing && errors.Is(err, host.ErrNoCommand)
		reasons = append(reasons, err.Error())
	}
	if missing {
		return source.Status{Outcome: source.OutcomeNotThere, Reason: "neither nft nor iptables is installed"}
	}
	reason := host.Clean(strings.Join(reasons, "; "), 200)
	for _, refusal := range []string{"must be root", "permission denied", "not permitted"} {
		if strings.Contains(strings.ToLower(reason), refusal) {
			reason = "only root may read the firewall's rules; run as root"
		}
	}
	return source.Status{Outcome: source.OutcomeNotReadable, Reason: reason}
}

func (r *reader) gap(format string, args ...any) {
	r.gaps = append(r.gaps, fmt.Sprintf(format, args...))
}

func (r *reader) ask(ctx context.Context, name string, args ...string) ([]byte, error) {
	out, err := r.Run(ctx, maxRuleText, name, args...)
	if err == nil && out.Cut {
		err = fmt.Errorf("%s: %w", name, errTooLarge)
	}
	return out.Stdout, err
}

var errTooLarge = errors.New("the rule set is too large")

// nft reads the rules that nft tells, and returns the families with rules of
// iptables that it does not tell in full.
func (r *reader) nft(ctx context.Context) (foreign map[string]bool, err error) {
	data, err := r.ask(ctx, "nft", "-j", "list", "ruleset")
	if errors.Is(err, errTooLarge) {
		data, err = r.ask(ctx, "nft", "-j", "-t", "list", "ruleset")
		r.gap("the sets are too large to be read, so rules that use them are not judged")
	}
	var d *nftDecoder
	if err == nil {
		// Without it the rules go by their handles.
		listing, _ := r.ask(ctx, "nft", "-a", "-s", "-t", "list", "ruleset")
		d, err = parseNFT(data, listing)
	}
	if err != nil {
		r.gaps, r.errs = nil, append(r.errs, err)
		return nil, err
	}
	r.tools, r.rules = append(r.tools, "nft"), d.rules
	if d.ingress {
		r.gap("chains on devices (ingress) are not judged")
	}
	return d.foreign, nil
}

// iptables asks for what nft left open of one family.
func (r *reader) iptables(ctx context.Context, v6, nftRead bool, foreign map[string]bool) {
	tool, family, list := "iptables", "ip", "ip_tables_names"
	if v6 {
		tool, family, list = "ip6tables", "ip6", "ip6_tables_names"
	}
	if !nftRead || foreign[family] {
		err := r.saved(ctx, tool, "nft", v6)
		switch {
		case err != nil && nftRead:
			r.gap("rules of %s have conditions that nft does not tell (%v)", tool, err)
		case err != nil:
			r.errs = append(r.errs, err)
		}
	}
	tables, err := r.ReadNet(list)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		r.gap("whether there are legacy rules of %s is not known (%s)", tool, host.Reason(err))
	case len(strings.Fields(string(tables))) > 0:
		if err := r.saved(ctx, tool, "legacy", v6); err != nil {
			r.gap("there are legacy rules of %s that could not be read (%v)", tool, err)
		}
	}
}

// saved takes the rules of one backend, in the place of what nft tells of them.
// It asks the command of that backend, or the one that is there where it is of
// that backend.
func (r *reader) saved(ctx context.Context, tool, kind string, v6 bool) error {
	command := tool + "-" + kind + "-save"
	data, err := r.ask(ctx, command)
	named := !errors.Is(err, host.ErrNoCommand)
	if !named {
		command = tool + "-save"
		data, err = r.ask(ctx, command)
	}
	if err != nil {
		return err
	}
	s, err := parseSaved(data, v6, kind)
	if err == nil && !named && len(s.tables) > 0 && s.nft != (kind == "nft") {
		err = errors.New("tells other rules")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	family := map[bool]string{false: "ip", true: "ip6"}[v6]
	r.rules.chains = slices.DeleteFunc(r.rules.chains, func(c *chain) bool {
		return kind == "nft" && slices.ContainsFunc(s.tables, func(table string) bool {
			// It leaves out chains of others in the same table.
			return c.scope == nftScope(family, table) && s.rules.byName[chainName{s.tool + " " + table, c.name}] != nil
		})
	})
	for _, c := range s.rules.chains {
		r.rules.add(c)
	}
	r.tools = append(r.tools, command)
	r.rules.cuts = append(r.rules.cuts, s.rules.cuts...)
	return nil
}
