package portable

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"

	gnet "github.com/shirou/gopsutil/v3/net"

	"ephtop/source"
	"ephtop/source/guard"
	"ephtop/source/procfs"
	"ephtop/source/sysctl"
)

// Name is what Moment.Source says of this origin.
const Name = "portable"

// Source is a source.Source by gopsutil.
type Source struct {
	// what the system says; tests put their own here
	goos      string
	root      bool // may see the sockets of other users
	rights    procfs.Rights
	list      func(context.Context) ([]gnet.ConnectionStat, error)
	settings  func(context.Context, *source.Moment, *source.Snapshot) error
	processes *processes

	scope  source.Scope
	kernel string

	// pending is a list whose Poll gave up on it, nil if there is none.
	pending chan listing
	// seen holds the sockets of this poll where the list can repeat them.
	seen map[identity]struct{}
}

// listing is the outcome of one list.
type listing struct {
	rows []gnet.ConnectionStat
	err  error
}

// identity is what tells two rows apart.
type identity struct {
	tuple   source.Tuple
	state   source.State
	family6 bool
}

// New makes a source of this host's sockets.
func New() *Source {
	return &Source{
		goos:      runtime.GOOS,
		root:      os.Geteuid() == 0,
		rights:    procfs.ReadRights(),
		list:      listConnections,
		settings:  sysctl.New().Read,
		processes: newProcesses(newDescriber()),
		scope:     procfs.OwnScope("self"),
		kernel:    kernelRelease(),
		seen:      make(map[identity]struct{}),
	}
}

// Poll overwrites m with the present moment. It returns as soon as ctx is
// done, though gopsutil may go on for a moment in the background; the next
// Poll, and Close, wait for that. On Linux the sockets are those of the
// process's network namespace.
func (p *Source) Poll(ctx context.Context, m *source.Moment) error {
	m.Reset()
	m.Time = time.Now()
	m.Host, m.OS, m.Kernel, m.Source = p.scope.Host, p.goos, p.kernel, Name
	s := m.Add(p.scope)
	if err := p.settings(ctx, m, s); err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	rows, err := p.await(ctx)
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("list sockets: %w: install lsof", err)
	}
	if err != nil {
		return fmt.Errorf("list sockets: %w", err)
	}
	lost, err := p.fill(ctx, m, rows)
	if err != nil {
		return fmt.Errorf("look up processes: %w", err)
	}
	s.Sockets = m.Room
	p.limits(m, lost)
	m.Took = time.Since(m.Time)
	return nil
}

// patience is how long Close waits.
const patience = 2 * time.Second

// Close waits for what a Poll that was given up has left behind, unless that does
// not end: lsof hangs where a file server does not answer.
func (p *Source) Close() error {
	if p.pending != nil {
		select {
		case <-p.pending:
		case <-time.After(patience):
		}
		p.pending = nil
	}
	return nil
}

// await lists the connections, or gives up when ctx is done: gopsutil looks at
// ctx on some systems only, and takes a second or more for many sockets.
func (p *Source) await(ctx context.Context) ([]gnet.ConnectionStat, error) {
	if p.pending != nil {
		select {
		case <-p.pending: // of a moment that has gone by
			p.pending = nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	done := make(chan listing, 1)
	go func() {
		var l listing
		// gopsutil reads some texts of the system without looking whether they are
		// long enough.
		l.err = guard.Do(func() (err error) { l.rows, err = p.list(ctx); return err })
		done <- l
	}()
	select {
	case l := <-done:
		if err := ctx.Err(); err != nil {
			return nil, err // lsof was stopped, and the list may be cut
		}
		return l.rows, l.err
	case <-ctx.Done():
		p.pending = done
		return nil, ctx.Err()
	}
}

// fill turns rows into sockets and looks up their processes.
func (p *Source) fill(ctx context.Context, m *source.Moment, rows []gnet.ConnectionStat) (losses, error) {
	var lost losses
	clear(p.seen)
	p.processes.begin()
	for i := range rows {
		socket, ok := convert(&rows[i])
		if !ok {
			lost.unreadable++
			continue
		}
		if p.repeats(&socket) {
			continue
		}
		if rows[i].Pid > 0 {
			if err := ctx.Err(); err != nil {
				return lost, err
			}
			socket.Process = p.processes.index(ctx, rows[i].Pid, m)
		}
		switch {
		case socket.Process != source.NoProcess:
			socket.UID = m.Processes[socket.Process].UID
		case rows[i].Pid <= 0 && socket.State != source.TimeWait:
			lost.ownerless++
		}
		m.Room = append(m.Room, socket)
	}
	p.processes.end()
	return lost, nil
}

// repeats tells whether the socket is in the snapshot already: lsof lists a
// socket once for each process that holds it, so once for each child of a
// forking server.
func (p *Source) repeats(s *source.Socket) bool {
	if !p.usesLsof() {
		return false
	}
	id := identity{s.Tuple(), s.State, s.Family6}
	_, repeated := p.seen[id]
	p.seen[id] = struct{}{}
	return repeated
}

// usesLsof tells whether gopsutil runs lsof to list sockets.
func (p *Source) usesLsof() bool { return p.goos == "darwin" || p.goos == "freebsd" }
