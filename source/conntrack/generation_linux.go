package conntrack

import (
	"context"
	"fmt"

	"ephtop/source/netlink"
)

// Generation gives that of the namespace's rules in nf_tables: each change makes
// another one, and none is 0 (nf_tables_commit). The question takes as long as reading
// a file, where reading the rules takes a program. It loads nf_tables where this is not
// there (nfnetlink_rcv_msg), so that it is only for who knows that it is.
func (r *Reader) Generation(ctx context.Context) (generation uint32, err error) {
	for err = r.ask(typeGetGeneration, netlink.Request); err == nil && generation == 0; {
		_, err = r.receive(ctx, func(b []byte) (done bool, err error) {
			generation, err = decodeGeneration(b, r.seq)
			return false, err
		})
	}
	if err != nil {
		return 0, fmt.Errorf("ask for the generation of the rules: %w", err)
	}
	return generation, nil
}
