package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"ephtop/source"
	"ephtop/source/memory"
	"ephtop/source/netns"
	"ephtop/source/owner"
	"ephtop/source/procfs"
	"ephtop/source/tables"
	"ephtop/source/trace"
)

// walker reads the kernel's own tables, those of all network namespaces in one
// pass (package tables).
type walker struct {
	engine  *tables.Engine
	owners  owners
	names   *netns.Lister
	nats    *translators
	cgroups *netns.Cgroups
	log     *slog.Logger

	named   []source.Scope // those of the poll before
	unnamed int            // polls since their names were looked for

	only    uint64        // the namespace to look at, 0 for all
	rights  procfs.Rights // to read what is shown of processes
	host    string
	release string
	began   time.Time
	limit   int64 // bytes of memory that may be taken, 0 for any number
}

// owners finds the processes of sockets.
type owners interface {
	Assign(context.Context, []source.Socket, []source.Process) ([]source.Process, owner.Report, error)
}

// openTables loads the engine. What that takes of memory, once and never again,
// is given back at once: it is more than all that a small host needs.
func (p *plan) openTables() (source.Source, error) {
	defer memory.GiveBack()
	start := time.Now()
	engine, err := tables.Load()
	if err != nil {
		return nil, err
	}
	w := &walker{
		engine: engine, names: netns.New(""), cgroups: netns.NewCgroups(""), log: p.Log,
		host: procfs.OwnScope("self").Host, release: procfs.Release(), began: p.began, limit: memory.Limit(),
	}
	engine.Ration = source.NewRation(memory.Rows(w.limit))
	w.only, err = p.only(w.names)
	w.nats = p.newTranslators(w.names, w.only)
	if err == nil {
		w.owners, err = w.openOwners()
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	p.Log.Info("the kernel's tables are read", "variant", engine.Variant(), "took", time.Since(start))
	return p.tracedBy(w, w.narrate, func() error { return nil }), nil
}

// narrate has the engine tell of events, or tracefs where that can't be.
func (w *walker) narrate() (teller, error) {
	defer memory.GiveBack() // as openTables
	events, err := w.engine.Trace()
	if err != nil {
		w.log.Info("events come by tracefs", "error", err)
		return trace.Open()
	}
	return newNarrator(events, w.cgroups.ID), nil
}

// only gives the namespace to look at, 0 for all.
func (p *plan) only(names *netns.Lister) (uint64, error) {
	switch {
	case p.one():
		n, err := names.Resolve(context.Background(), p.Netns)
		return n.Scope.Netns, err
	case p.Netns == OwnNetns:
		return p.own, nil
	}
	return 0, nil
}

// openOwners has the engine list descriptors where its pids are those of our
// /proc.
func (w *walker) openOwners() (owners, error) {
	w.rights = procfs.ReadRights()
	if w.rights.OwnPIDs {
		t, err := owner.New("/proc")
		if err != nil {
			return nil, fmt.Errorf("read processes: %w", err)
		}
		t.SetCgroup(w.cgroups.ID)
		return t, nil
	}
	f := owner.NewFinder("/proc", w.engine.Owners)
	f.SetCgroup(w.cgroups.ID)
	return f, nil
}

// Poll walks the tables and finds out whose the sockets and namespaces are.
func (w *walker) Poll(ctx context.Context, m *source.Moment) error {
	start := time.Now()
	m.Reset()
	m.Time, m.Mono = start, start.Sub(w.began)
	m.Host, m.OS, m.Kernel, m.Source = w.host, runtime.GOOS, w.release, Tables
	walked, err := w.engine.Walk(ctx, w.only, m)
	if err != nil {
		return fmt.Errorf("walk the kernel's tables: %w", err)
	}
	if w.only != 0 && len(m.Snapshots) == 0 {
		return netns.ErrGone
	}
	if err := w.name(ctx, m); err != nil {
		return err
	}
	var owned owner.Report
	m.Processes, owned, err = w.owners.Assign(ctx, m.Room, m.Processes)
	if stopped := ctx.Err(); stopped != nil {
		return fmt.Errorf("find the processes of sockets: %w", stopped)
	}
	if err != nil {
		m.Limit(source.LimitOwners, err.Error())
	}
	if err := w.nats.poll(ctx, m, w.names.List()); err != nil {
		return err
	}
	if owned.Hidden > 0 || w.rights.OwnPIDs && owned.Unowned > 0 {
		w.rights.Limit(m, owned.Hidden)
	}
	w.cgroups.Fill(m)
	limitLate(m, owned.Late, w.cgroups.Late(), w.names.Late())
	m.LimitRows(w.limit)
	m.Took = time.Since(start)
	w.log.Debug("poll", "took", m.Took, "namespaces", len(m.Snapshots), "sockets", len(m.Room), "calls", walked.Calls,
		"longest", walked.Longest, "restarts", walked.Restarts, "torn", walked.Torn, "described", owned.Scanned, "unowned", owned.Unowned)
	return nil
}

// nameGap is the number of polls after which the names of namespaces are looked
// for again, where no namespace came or went.
const nameGap = 4

// name says what people call the namespaces. An error is that of ctx.
func (w *walker) name(ctx context.Context, m *source.Moment) error {
	changed := len(w.named) != len(m.Snapshots)
	for i := range m.Snapshots {
		s := &m.Snapshots[i].Scope
		changed = changed || w.named[i].Netns != s.Netns || w.named[i].Cookie != s.Cookie
	}
	if w.unnamed++; changed || w.unnamed >= nameGap {
		w.unnamed = 0
		if _, err := w.names.Update(ctx); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			w.unnamed = nameGap // to say so in each moment
			m.Limit(source.LimitNote, err.Error())
		}
	}
	w.named = w.named[:0]
	for i := range m.Snapshots {
		s := &m.Snapshots[i].Scope
		known := w.names.Name(s.Netns)
		s.Host, s.Name, s.Kind, s.PID = w.host, known.Name, known.Kind, known.PID
		w.named = append(w.named, *s)
	}
	return nil
}

// Close takes the programs out of the kernel.
func (w *walker) Close() error {
	w.nats.close()
	return errors.Join(w.engine.Close(), w.names.Close(), w.cgroups.Close())
}
