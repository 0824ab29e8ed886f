package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"ephtop/source"
	"ephtop/source/netns"
)

// usualWarning is the share of ports in use that is worth a warning where nobody
// says, in percent.
const usualWarning = 60

// others looks at the network namespaces beside the one that the source was
// opened in, or at one of them alone. Nil looks at none.
type others struct {
	lister *netns.Lister
	gate   *netns.Gate
	failed failures
	focus  *atomic.Uint64
	warn   float64

	only uint64 // 0 for all
	name string // what only was called when it was asked for
}

func (p *plan) openOthers() (*others, error) {
	l := netns.New("")
	t := &others{lister: l, gate: netns.NewGate(l), failed: p.failed, focus: p.Focus, warn: cmp.Or(p.Warn, usualWarning), name: p.Netns}
	if p.one() {
		n, err := l.Resolve(context.Background(), p.Netns)
		if err != nil {
			t.close()
			return nil, err
		}
		t.only = n.Scope.Netns
	}
	return t, nil
}

// alone reports whether the namespace that the source was opened in is not
// looked at.
func (t *others) alone() bool { return t != nil && t.only != 0 }

// poll adds to m what is seen of other namespaces than own, and what own is
// called.
func (t *others) poll(ctx context.Context, m *source.Moment, own uint64) error {
	if t == nil {
		return nil
	}
	o := netns.GateOptions{Own: own, Only: t.only, Failed: t.failed, Warn: t.warn}
	if t.only != 0 {
		o.Own = 0
	}
	if t.focus != nil {
		o.Focus = t.focus.Load()
	}
	if err := t.gate.Poll(ctx, m, o); errors.Is(err, netns.ErrGone) {
		return fmt.Errorf("network namespace %q: %w", t.name, err)
	} else if err != nil {
		return err
	}
	if scope := t.lister.Name(own); t.only == 0 && scope.Kind != source.ScopeUnnamed {
		s := &m.Snapshots[0].Scope
		s.Name, s.Kind, s.PID = scope.Name, scope.Kind, scope.PID
	}
	return nil
}

// show looks at the namespaces whose translated ports are worth a warning, or whose
// table of connections is nearly full, though their sockets are not: they need not have
// any. So it does at those that may hold much of these ports.
func (t *others) show(ctx context.Context, m *source.Moment) error {
	if t == nil {
		return nil
	}
	for i := range m.NATs {
		n := &m.NATs[i]
		fullest := float64(n.Entries) / float64(max(1, n.Max))
		if len(n.Pools) > 0 {
			fullest = max(fullest, n.Pools[0].Share())
		}
		if 100*fullest < t.warn {
			continue
		}
		for _, netns := range append(holders(m, n), n.Netns) {
			if err := t.gate.Add(ctx, m, netns); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxHolders is how many namespaces are looked at for one that translates, and
// holderPart the part of a pool that is worth it: one in so many ports.
const (
	maxHolders = 8
	holderPart = 8
)

// holders are the namespaces that nobody looked at and that have as many sockets as it
// takes to hold much of the fullest pool: whose its ports are is told by their rows.
func holders(m *source.Moment, n *source.NAT) (list []uint64) {
	if len(n.Pools) == 0 {
		return nil
	}
	least := max(1, n.Pools[0].Used/holderPart)
	quiet := slices.DeleteFunc(slices.Clone(m.Quiet), func(b source.Brief) bool { return b.Bound < least })
	slices.SortStableFunc(quiet, func(a, b source.Brief) int { return cmp.Compare(b.Bound, a.Bound) })
	for i := range quiet[:min(len(quiet), maxHolders)] {
		list = append(list, quiet[i].Scope.Netns)
	}
	return list
}

// list gives the namespaces that there are, or that which the source was opened in
// where no others are looked at.
func (t *others) list(own source.Scope) []netns.Namespace {
	if t == nil {
		return []netns.Namespace{{Scope: own}}
	}
	return t.lister.List()
}

// late names what does not answer, "" for nothing.
func (t *others) late() string {
	if t == nil {
		return ""
	}
	return t.lister.Late()
}

func (t *others) close() error {
	if t == nil {
		return nil
	}
	return errors.Join(t.gate.Close(), t.lister.Close())
}
