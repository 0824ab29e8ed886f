package demo

import (
	"cmp"
	"slices"
	"time"

	"ephtop/source"
)

// perSocket and perDump are what a dump costs on a real host, owners included
// (50,001 sockets in 45 ms on two cores).
const (
	perDump   = 2 * time.Millisecond
	perSocket = 900 * time.Nanosecond
	perTables = 4 // times as fast are the kernel's own tables
)

// dump fills a moment with the present of all namespaces, and takes the events.
func (h *Host) dump(m *source.Moment) {
	m.Time = h.spaces[0].kernel.start.Add(h.spaces[0].kernel.now)
	for i := range h.spaces {
		if s := &h.spaces[i]; s.there() {
			s.kernel.dump(m)
		}
	}
	if h.router != nil {
		m.NATs = append(m.NATs, h.router.nat(h.spaces[0].kernel.scope))
	}
	rest := m.Room // which has its place now
	for i := range m.Snapshots {
		s := &m.Snapshots[i]
		n := len(s.Sockets)
		s.Sockets, rest = rest[:n:n], rest[n:]
	}
	slices.SortFunc(m.Cgroups, func(a, b source.Cgroup) int { return cmp.Compare(a.ID, b.ID) })
	m.Took = perDump + time.Duration(len(m.Room))*perSocket
	if h.spaces[0].kernel.tables {
		m.Took /= perTables
	}
}

// dump adds the present of one namespace.
func (k *kernel) dump(m *source.Moment) {
	s := m.Add(k.scope)
	s.Settings = k.settings.Clone()
	s.BoundListed = true
	s.Inodes = true
	m.Traced = k.trace
	k.turn++
	from := len(m.Room)
	for _, sock := range k.table {
		if sock.Cookie == 0 {
			// The kernel counts a socket when someone first asks (sock_gen_cookie).
			k.cookie++
			sock.Cookie = k.cookie
		}
		row := sock.Socket
		row.Process = k.processIndex(m, sock.owner)
		row.Expires = k.expires(sock)
		if k.tables {
			row.Bind = sock.bind()
		}
		m.Room = append(m.Room, row)
	}
	s.Sockets = m.Room[from:]
	if s.BlockedKnown = k.tables; k.tables {
		s.Blocked = k.explicit.list()
	}
	m.Cgroups = append(m.Cgroups, k.cgroups...)
	m.Events = append(m.Events, k.events...)
	m.Exited = append(m.Exited, k.exited...)
	k.events, k.exited = k.events[:0], k.exited[:0]
}

// bind says who picked the port of a TCP socket, as the kernel does from 6.18 on.
func (s *socket) bind() source.Bind {
	switch {
	case s.Proto != source.TCP || s.State == source.TimeWait:
		return source.BindUnknown
	case s.explicit:
		return source.BindExplicit
	}
	return source.BindConnect
}

// processIndex gives a process's place in the moment.
func (k *kernel) processIndex(m *source.Moment, p *process) int32 {
	if p == nil {
		return source.NoProcess
	}
	if p.turn != k.turn {
		p.turn, p.index = k.turn, int32(len(m.Processes))
		m.Processes = append(m.Processes, p.Process)
	}
	return p.index
}

// expires is what is left on a socket's timer, in milliseconds.
func (k *kernel) expires(s *socket) uint32 {
	switch s.Timer {
	case source.TimerNone:
		return 0
	case source.TimerKeepalive:
		return uint32((keepAlive - (k.now-s.deadline)%keepAlive).Milliseconds())
	}
	return uint32(max(0, s.deadline-k.now).Milliseconds())
}
