//go:build amd64 || arm64

package tables

import (
	"context"
	"fmt"

	"ephtop/source"
)

// steps after which a call ends, apart from its rows: buckets by the dozen, or
// sockets of a bind bucket.
const (
	tableSteps = 1 << 15
	bindSteps  = 1 << 12
)

func tooMany(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrOverflow, fmt.Sprintf(format, args...))
}

// Walk appends to m a Snapshot of every network namespace, or of the one with
// the inode number only if that is not 0; of none if there is none such. It
// fills all of a Snapshot but the host and the name in its Scope, and the
// processes of its sockets. Sockets of one namespace come in the same order from
// walk to walk.
//
// After an error m holds what is of no use.
func (e *Engine) Walk(ctx context.Context, only uint64, m *source.Moment) (Report, error) {
	e.report = Report{}
	err := e.walk(ctx, only, m)
	return e.report, err
}

func (e *Engine) walk(ctx context.Context, only uint64, m *source.Moment) error {
	if err := e.list(); err != nil {
		return err
	}
	n := &e.namespaces
	e.memory.request = request{descriptor: uint32(e.socket), rows: e.variant.rows, steps: tableSteps}
	wanted := int32(-1)
	if only != 0 {
		if wanted = n.find(uint32(only)); wanted < 0 || only > 1<<32-1 {
			return nil
		}
		e.memory.request.only = 1 + uint32(wanted)
	}
	e.ports, e.spill, e.spillOf, e.kept = e.ports[:0], e.spill[:0], e.spillOf[:0], 0
	e.Ration.Begin()
	straight, begin := e.straight(wanted), len(m.Room)
	sockets := func(proto source.Proto) func() { return func() { e.takeRows(m, proto, straight) } }
	// Bound sockets last: one that connects meanwhile is seen once, or, between
	// the two tables, by the next walk. The other way it would be seen twice.
	if err := e.eachTable(ctx, walkTCP, ownTCP, wanted, sockets(source.TCP)); err != nil {
		return err
	}
	if err := e.table(ctx, walkListen, 0, sockets(source.TCP)); err != nil {
		return err
	}
	e.memory.request.steps = bindSteps
	err := e.table(ctx, walkBind, 0, func() {
		e.takePorts()
		e.takeRows(m, source.TCP, straight)
	})
	if err != nil {
		return err
	}
	e.memory.request.steps = tableSteps
	if err := e.eachTable(ctx, walkUDP, ownUDP, wanted, sockets(source.UDP)); err != nil {
		return err
	}
	if e.report.Cut > 0 {
		m.Limit(source.LimitNote, fmt.Sprintf("more than %d sockets share one place of the kernel's tables, as those of a UDP port do: the others are not shown", maxRows))
	}
	e.place(m, begin, straight)
	e.sockets = e.kept
	e.placePorts()
	if err := e.addSnapshots(ctx, m, wanted); err != nil {
		return err
	}
	if e.namespaces.largest != e.namespaces.list[straight].scope {
		e.spill, e.spillOf = nil, nil // they held the rows of the largest, as at the first walk
	}
	return nil
}

// straight is the namespace whose rows go to their place at once: the one that
// had most in the walk before.
func (e *Engine) straight(wanted int32) int32 {
	if wanted >= 0 {
		return wanted
	}
	for i, ns := range e.namespaces.list {
		if ns.scope == e.namespaces.largest {
			return int32(i)
		}
	}
	return 0
}

// eachTable walks the table that namespaces share, and those that single ones
// have for themselves (tcp_child_ehash_entries, udp_child_hash_entries).
func (e *Engine) eachTable(ctx context.Context, p program, own uint8, wanted int32, take func()) error {
	for i, ns := range e.namespaces.list {
		switch {
		case i > 0 && ns.own&own == 0: // the first has that which is shared
		case wanted >= 0 && i == 0 && e.namespaces.list[wanted].own&own != 0:
		case wanted >= 0 && i > 0 && int32(i) != wanted:
		default:
			if err := e.table(ctx, p, i, take); err != nil {
				return err
			}
		}
	}
	return nil
}

// table walks a table in as many calls as it takes.
func (e *Engine) table(ctx context.Context, p program, netns int, take func()) error {
	req, res := &e.memory.request, &e.memory.result
	req.netns, req.bucket = uint32(netns), 0
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.run(p); err == errGone {
			return nil
		} else if err != nil {
			return err
		}
		take()
		if res.done != 0 {
			return nil
		}
		if res.bucket <= req.bucket && res.count == 0 && res.ports == 0 {
			return tooMany("%s can't get past bucket %d", programNames[p], req.bucket)
		}
		req.bucket = res.bucket
	}
}

// addSnapshots makes the Snapshots of what was found.
func (e *Engine) addSnapshots(ctx context.Context, m *source.Moment, wanted int32) error {
	most := -1
	for i, ns := range e.namespaces.list {
		if wanted >= 0 && int32(i) != wanted {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.readReserved(int32(i)); err != nil {
			return err
		}
		s := m.Add(ns.scope)
		s.Settings = ns.settings
		s.BoundListed, s.Inodes, s.BlockedKnown = true, true, true
		s.Blocked, s.VRFs = ns.blocked, ns.vrfs
		if ns.rest != nil {
			ns.rest.Give(s)
		}
		s.Sockets = m.Room[ns.start : ns.start+ns.count : ns.start+ns.count]
		e.markExplicit(s)
		if ns.count > most {
			most, e.namespaces.largest = ns.count, ns.scope
		}
	}
	return nil
}
