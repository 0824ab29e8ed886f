package recording_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"ephtop/source"
)

var epoch = time.Date(2026, 11, 22, 12, 0, 0, 123456789, time.UTC)

// host makes up a host whose sockets come and go, the same for the same seed.
type host struct {
	rand    *rand.Rand
	now     time.Duration
	cookie  uint64
	sockets []source.Socket
	until   []time.Duration // when the timers run out, by socket
	procs   []source.Process
}

// newHost makes a host with n sockets: a few listeners, and of the others
// three in five in TIME_WAIT.
func newHost(seed uint64, n int) *host {
	h := &host{rand: rand.New(rand.NewPCG(seed, 7)), cookie: 4711}
	for i := range 40 {
		h.procs = append(h.procs, source.Process{
			PID: int32(800 + 7*i), Start: uint64(9000 + 31*i), Name: fmt.Sprintf("service-%d", i),
			Command: fmt.Sprintf("/usr/bin/service-%d --config /etc/service/%d.conf", i, i), UID: uint32(1000 + i%5),
			User: fmt.Sprintf("user%d", i%5),
		})
	}
	for i := range n {
		switch {
		case i < 12:
			h.add(h.listener(i), 0)
		case i%5 < 2:
			h.add(h.connection(), 0)
		default:
			s := h.connection()
			h.closeSocket(&s)
			h.add(s, time.Duration(h.rand.Int64N(int64(time.Minute))))
		}
	}
	return h
}

func (h *host) listener(i int) source.Socket {
	h.cookie++
	return source.Socket{
		Local: source.Addr4([4]byte{}), Remote: source.Addr4([4]byte{}), LocalPort: uint16(8000 + i), Proto: source.TCP,
		State: source.Listen, Process: int32(i % len(h.procs)), SendQueue: 4096, UID: 1000, Inode: uint32(1 + h.cookie),
		Cookie: h.cookie, Cgroup: 77,
	}
}

func (h *host) connection() source.Socket {
	h.cookie += 1 + h.rand.Uint64N(3)
	process := h.rand.IntN(len(h.procs))
	return source.Socket{
		Local:     source.Addr4([4]byte{10, 0, 0, 9}),
		Remote:    source.Addr4([4]byte{10, 0, 9, byte(h.rand.IntN(40))}),
		LocalPort: uint16(32768 + h.rand.IntN(28232)), RemotePort: uint16(5000 + h.rand.IntN(10)),
		Proto: source.TCP, State: source.Established, Process: int32(process), UID: h.procs[process].UID,
		Inode: uint32(100000 + 2*h.cookie), Cookie: h.cookie, Cgroup: uint64(5000 + process),
	}
}

func (h *host) closeSocket(s *source.Socket) {
	s.State, s.Timer, s.Process = source.TimeWait, source.TimerTimeWait, source.NoProcess
	s.UID, s.Inode, s.Cgroup, s.SendQueue = 0, 0, 0, 0
}

func (h *host) add(s source.Socket, until time.Duration) {
	h.sockets, h.until = append(h.sockets, s), append(h.until, until)
}

// step lets a second pass and makes so many changes: a new connection, a
// connection that closes, a TIME_WAIT that ends, and a queue that changes, in
// equal parts.
func (h *host) step(changes int) {
	h.now += time.Second + time.Duration(h.rand.IntN(1e6))
	born := 0
	for i := range changes {
		switch i % 4 {
		case 0:
			born++
		case 1:
			n := h.pick(source.Established)
			h.closeSocket(&h.sockets[n])
			h.until[n] = h.now + time.Minute - time.Duration(h.rand.IntN(1e9))
		case 2:
			h.sockets[h.pick(source.TimeWait)].State = source.Unknown
		default:
			h.sockets[h.pick(source.Established)].SendQueue = h.rand.Uint32N(70000)
		}
	}
	h.list(born)
}

// list removes the sockets that have ended, and puts new connections into
// random places, as the kernel's hash table does.
func (h *host) list(born int) {
	places := make(map[int]bool)
	for len(places) < born {
		places[h.rand.IntN(len(h.sockets))] = true
	}
	old, until := h.sockets, h.until
	h.sockets, h.until = make([]source.Socket, 0, len(old)+born), make([]time.Duration, 0, len(old)+born)
	for i := range old {
		if places[i] {
			h.add(h.connection(), 0)
		}
		if old[i].State != source.Unknown {
			h.add(old[i], until[i])
		}
	}
}

// pick gives a socket of a state.
func (h *host) pick(state source.State) int {
	for {
		if n := h.rand.IntN(len(h.sockets)); h.sockets[n].State == state {
			return n
		}
	}
}

// moment fills in what a poll sees. The dump reads the timers with the
// kernel's resolution and up to 20 ms late.
func (h *host) moment(m *source.Moment) {
	m.Reset()
	m.Time, m.Took = epoch.Add(h.now), 20*time.Millisecond+time.Duration(h.rand.IntN(1e6))
	m.Mono = 5000*time.Second + h.now
	m.Host, m.OS, m.Kernel, m.Source = "db1.example.org", "linux", "6.18.5-amd64", "sockdiag"
	s := m.Add(source.Scope{Host: m.Host, Netns: 4026531840, Kind: source.ScopeHost})
	s.BoundListed, s.Inodes, s.Settings = true, true, settings()
	m.Processes = append(m.Processes, h.procs...)
	m.Room = append(m.Room, h.sockets...)
	s.Sockets = m.Room
	for i := range s.Sockets {
		if s.Sockets[i].Timer != source.TimerNone {
			left := h.until[i] - h.now - time.Duration(i)*20*time.Millisecond/time.Duration(len(s.Sockets))
			s.Sockets[i].Expires = uint32(max(0, left.Milliseconds())) &^ 3
		}
	}
}

func settings() source.Settings {
	return source.Settings{
		Range: source.PortRange{Low: 32768, High: 60999}, Reserved: []source.PortRange{{Low: 40000, High: 40010}},
		TimeWait: time.Minute, ReuseTimeWait: 2, ReuseDelay: time.Second, Timestamps: 1, MaxTimeWait: 1 << 18,
	}
}

// moments are those of the made-up host.
func moments(seed uint64, sockets, changes, n int) []*source.Moment {
	h := newHost(seed, sockets)
	var list []*source.Moment
	for range n {
		m := new(source.Moment)
		h.moment(m)
		list = append(list, m)
		h.step(changes)
	}
	return list
}

// clone copies a moment with all that it points to.
func clone(m *source.Moment) *source.Moment {
	c := *m
	c.Processes, c.Events, c.Limits = slices.Clone(m.Processes), slices.Clone(m.Events), slices.Clone(m.Limits)
	c.Cgroups, c.Quiet = slices.Clone(m.Cgroups), slices.Clone(m.Quiet)
	total := 0
	for i := range m.Snapshots {
		total += len(m.Snapshots[i].Sockets)
	}
	c.Snapshots, c.Room = slices.Clone(m.Snapshots), make([]source.Socket, 0, total)
	for i := range c.Snapshots {
		s := &c.Snapshots[i]
		s.Settings = s.Settings.Clone()
		s.Blocked, s.VRFs = slices.Clone(s.Blocked), slices.Clone(s.VRFs)
		from := len(c.Room)
		c.Room = append(c.Room, s.Sockets...)
		s.Sockets = c.Room[from:len(c.Room):len(c.Room)]
	}
	return &c
}
