package netns

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"ephtop/source"
	"ephtop/source/procfs"
	"ephtop/source/sockdiag"
)

// tell adds to m what is known of a namespace.
func (g *Gate) tell(ctx context.Context, m *source.Moment, s *guarded, o GateOptions) error {
	if !s.due {
		g.recall(m, s)
		return nil
	}
	from, start := len(m.Room), g.now()
	snapshot := source.Snapshot{Scope: s.Scope, Inodes: true}
	err := s.denied
	if err == nil {
		snapshot.BoundListed = g.boundListed
		err = g.dump(ctx, m, s, &snapshot, s.Scope.Netns == o.Focus)
	}
	if stopped := ctx.Err(); stopped != nil {
		return stopped
	}
	if isDenied(err) {
		s.denied, s.retry = err, g.poll+tryAgain
		m.Room = m.Room[:from]
		snapshot.BoundListed = false
		err = g.readTables(ctx, m, s, &snapshot, err)
	}
	switch {
	case isGone(err):
		m.Room = m.Room[:from]
		return nil
	case err != nil:
		m.Room = m.Room[:from]
		m.Limit(source.LimitNetns, fmt.Sprintf("1 %v", err))
		g.brief(m, s)
		return nil
	}
	s.took = g.now().Sub(start)
	snapshot.Sockets = m.Room[from:]
	m.Snapshots = append(m.Snapshots, snapshot)
	if s.share < 0.25 { // one that is dumped by each poll needs no memory
		g.keepRows(s, snapshot.Sockets, start)
	}
	snapshot.Sockets = nil
	s.snapshot = snapshot
	return nil
}

// dump appends the sockets of a namespace to m.Room. Those that are bound and
// no more are asked for now and then only, and where the counts leave room for
// new ones.
func (g *Gate) dump(ctx context.Context, m *source.Moment, s *guarded, snapshot *source.Snapshot, focused bool) error {
	full := focused || s.dumps%fullEvery == 0 || s.unexplained != s.stat.unexplained() || len(s.bound) > maxBound || !g.boundListed
	g.dumper.NoBound = !full
	from := len(m.Room)
	var report sockdiag.Report
	if s.settings != nil {
		if err := s.settings.Read(ctx, m, snapshot); err != nil {
			return err
		}
	}
	g.dumper.Ration, g.dumper.Settings = g.Ration, &snapshot.Settings
	err := g.lister.Enter(&s.Namespace, func() (err error) {
		defer g.dumper.Close() // it would keep the namespace alive
		if s.settings == nil {
			if err := g.plain.Read(ctx, m, snapshot); err != nil {
				return err
			}
		}
		m.Room, report, err = g.dumper.Dump(ctx, m.Room)
		return err
	})
	if err != nil {
		return err
	}
	g.dumper.Rest(snapshot)
	s.usable, s.assumed = snapshot.Settings.Usable(), snapshot.Settings.Assumed
	if report.Interrupted {
		m.Limit(source.LimitInterrupted, "")
	}
	s.dumps++
	if !full {
		m.Room = append(m.Room, s.bound...)
		return nil
	}
	s.unexplained, s.bound = s.stat.unexplained(), s.bound[:0]
	for i := range m.Room[from:] {
		if row := &m.Room[from+i]; row.Proto == source.TCP && row.State == source.Bound && len(s.bound) <= maxBound {
			s.bound = append(s.bound, *row)
		}
	}
	return nil
}

// readTables appends to m.Room the sockets of a namespace that may not be
// entered, by the files that everyone may read, and assumes its settings.
func (g *Gate) readTables(ctx context.Context, m *source.Moment, s *guarded, snapshot *source.Snapshot, denied error) error {
	if s.Oldest == 0 {
		return denied
	}
	snapshot.Settings = g.defaults
	g.rest.Begin(&snapshot.Settings)
	for _, t := range [...]struct {
		name    string
		proto   source.Proto
		family6 bool
	}{{"tcp", source.TCP, false}, {"tcp6", source.TCP, true}, {"udp", source.UDP, false}, {"udp6", source.UDP, true}} {
		err := readTable(ctx, fmt.Sprintf("%s/%d/net/%s", g.lister.proc.Root, s.Oldest, t.name), func(lines []byte) {
			from := len(m.Room)
			m.Room = procfs.AppendSockets(m.Room, lines, t.proto, t.family6)
			m.Room = g.Ration.KeepFrom(m.Room, from, &g.rest)
		})
		if err != nil && (t.name == "tcp" || !isGone(err)) {
			return err
		}
	}
	g.rest.Give(snapshot)
	m.Limit(source.LimitRange, fmt.Sprintf("%s: %v", s.Scope.Name, denied))
	return nil
}

// recall adds to m what the last dump of a namespace saw, or how many sockets
// it has at most.
func (g *Gate) recall(m *source.Moment, s *guarded) {
	if s.denied != nil {
		g.denied++
		g.reason = s.denied
	}
	switch {
	case s.last.IsZero() && s.counted:
		g.brief(m, s)
		return
	case s.last.IsZero():
		return
	}
	m.Room = append(m.Room, s.rows...)
	snapshot := s.snapshot
	snapshot.Scope, snapshot.Age = s.Scope, g.now().Sub(s.last)
	snapshot.Sockets = s.rows
	m.Snapshots = append(m.Snapshots, snapshot)
}

// brief adds to m what is known of a namespace that was not looked at. Where its
// sockets could not be counted, it may have any number, and that proves nothing.
func (g *Gate) brief(m *source.Moment, s *guarded) {
	b := source.Brief{Scope: s.Scope, Bound: s.stat.bound(), Usable: s.usable, Assumed: s.assumed}
	if !s.counted {
		b.Bound, b.Assumed = b.Usable, true
	}
	m.Quiet = append(m.Quiet, b)
}

// keepRows keeps what a dump saw for the polls until the next: of a ration, a
// quarter at most.
func (g *Gate) keepRows(s *guarded, rows []source.Socket, at time.Time) {
	g.dropRows(s)
	if len(rows) <= maxRows && g.kept+len(rows) <= min(maxKept, g.Ration.Most(4*maxKept)/4) {
		s.rows, s.last = append(s.rows[:0], rows...), at
		g.kept += len(rows)
	}
}

func (g *Gate) dropRows(s *guarded) {
	g.kept -= len(s.rows)
	s.rows, s.last = s.rows[:0], time.Time{}
}

// readTable hands out the lines of a file, many at once: that of a namespace with
// 300,000 sockets has 45 MB, which the kernel takes seconds to make.
func readTable(ctx context.Context, path string, take func(lines []byte)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	b, kept := make([]byte, 64<<10), 0
	for err == nil {
		if err := ctx.Err(); err != nil {
			return err
		}
		var n int
		n, err = file.Read(b[kept:])
		n += kept
		end := bytes.LastIndexByte(b[:n], '\n') + 1
		if kept = n - end; kept == len(b) { // no line is as long
			return fmt.Errorf("%s has a line of %d bytes", path, kept)
		}
		take(b[:end])
		copy(b, b[end:n])
	}
	if err != io.EOF {
		return err
	}
	take(b[:kept])
	return nil
}
