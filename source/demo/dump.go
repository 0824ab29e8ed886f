package demo

import (
	"time"

	"ephtop/source"
)

// perSocket and perDump are what a dump costs on a real host, owners included
// (50,001 sockets in 45 ms on two cores).
const (
	perDump   = 2 * time.Millisecond
	perSocket = 900 * time.Nanosecond
)

// dump fills a moment with the present, and takes the events.
func (k *kernel) dump(m *source.Moment) {
	m.Time = k.start.Add(k.now)
	s := m.Add(source.Scope{Host: m.Host})
	s.Settings = k.settings.Clone()
	s.BoundListed = true
	s.Inodes = true
	m.Traced = k.trace
	k.turn++
	for _, sock := range k.table {
		if sock.Cookie == 0 {
			// The kernel counts a socket when someone first asks (sock_gen_cookie).
			k.cookie++
			sock.Cookie = k.cookie
		}
		row := sock.Socket
		row.Process = k.processIndex(m, sock.owner)
		row.Expires = k.expires(sock)
		m.Room = append(m.Room, row)
	}
	s.Sockets = m.Room
	m.Events = append(m.Events, k.events...)
	k.events = k.events[:0]
	m.Took = perDump + time.Duration(len(s.Sockets))*perSocket
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
