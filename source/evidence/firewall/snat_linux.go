package firewall

import (
	"context"

	"ephtop/source"
	"ephtop/source/evidence/host"
	"ephtop/source/procfs"
)

// Tables reports whether nf_tables is there. Where it is built into the kernel that
// takes long (procfs.HasModule).
func Tables() bool { return procfs.HasModule("nf_tables", "nf_tables_newtable") }

// SNAT gives the rules of this host that translate sources, as far as they can be
// read. It loads no module: without tables, which says that nf_tables is there, only the
// older interface is asked. What can't be read is missing.
func SNAT(ctx context.Context, tables bool) []source.SNATRule {
	r := reader{Host: &host.Host{Root: "/"}, rules: newRuleset()}
	var foreign map[string]bool
	var err error
	if tables {
		foreign, err = r.nft(ctx)
	}
	for _, v6 := range []bool{false, true} {
		r.iptables(ctx, v6, err == nil, foreign)
	}
	return r.rules.snat(maxSNAT)
}
