package firewall

import (
	"context"

	"ephtop/source"
	"ephtop/source/evidence/host"
	"ephtop/source/procfs"
)

// SNAT gives the rules of this host that translate sources, as far as they can be
// read. It loads no module: where nf_tables is not there, only the older interface is
// asked. What can't be read is missing.
func SNAT(ctx context.Context) []source.SNATRule {
	r := reader{Host: &host.Host{Root: "/"}, rules: newRuleset()}
	var foreign map[string]bool
	var err error
	if procfs.HasModule("nf_tables", "nf_tables_newtable") {
		foreign, err = r.nft(ctx)
	}
	for _, v6 := range []bool{false, true} {
		r.iptables(ctx, v6, err == nil, foreign)
	}
	return r.rules.snat(maxSNAT)
}
