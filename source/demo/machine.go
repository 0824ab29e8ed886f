package demo

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"ephtop/source"
)

// machine is a kernel and the processes on it, as a scenario sets them up and
// drives them.
type machine struct {
	*kernel
	// local is the host's own address.
	local source.Addr
	// pid is that of the last process that was started while the host ran.
	pid int32
}

// uptime is how long the host has run at the first moment, ticks how a
// process's start is counted (USER_HZ).
const (
	uptime = 37 * 24 * time.Hour
	ticks  = 100
)

// addr reads an address of a scenario's text.
func addr(s string) source.Addr { return source.AddrFrom(netip.MustParseAddr(s)) }

// daemon adds a process that has run for some days.
func (m *machine) daemon(pid int32, user string, uid uint32, name, command string) *process {
	p := m.process(pid, user, uid, name, command)
	p.Start = uint64((11*24*time.Hour + time.Duration(pid)*time.Second).Seconds() * ticks)
	m.group(p)
	return p
}

func (m *machine) process(pid int32, user string, uid uint32, name, command string) *process {
	p := new(process)
	p.PID, p.UID, p.User, p.Name, p.Command = pid, uid, user, name, command
	return p
}

// spawn starts a process now.
func (m *machine) spawn(user string, uid uint32, name, command string) *process {
	m.pid = max(m.pid, 20_000) + 1 + m.random.Int32N(30)
	p := m.process(m.pid, user, uid, name, command)
	m.put(p, source.Cgroup{ID: 4242, Kind: source.ScopeUnit, Unit: "cron.service", Path: "/system.slice/cron.service"})
	p.Start = uint64((uptime + m.now).Seconds() * ticks)
	return p
}

// at plans something for a moment of the scenario.
func (m *machine) at(t time.Duration, do func()) { m.after(t-m.now, do) }

// often does something again and again, at random, so many times a second on
// average.
func (m *machine) often(rate func() float64, do func()) {
	const look = 100 * time.Millisecond // so that a change of the rate counts at once
	var next func()
	next = func() {
		wait := time.Duration(math.MaxInt64)
		if r := rate(); r > 0 {
			wait = time.Duration(m.random.ExpFloat64() / r * float64(time.Second))
		}
		if wait > look {
			m.after(look, next)
			return
		}
		m.after(wait, func() {
			do()
			next()
		})
	}
	next()
}

// always is a rate that never changes.
func always(rate float64) func() float64 { return func() float64 { return rate } }

// about gives a time that is exponentially distributed around a mean, but not
// shorter than a tenth of it.
func (m *machine) about(mean time.Duration) time.Duration {
	return mean/10 + time.Duration(m.random.ExpFloat64()*0.9*float64(mean))
}

// listen has a process serve a port. It closes what its clients have closed. A
// scenario whose port is taken is wrong.
func (m *machine) listen(p *process, local string, port uint16, backlog uint32) *socket {
	l, err := m.kernel.listen(p, addr(local), port, backlog)
	if err != nil {
		panic(fmt.Sprintf("demo: listen on %s port %d: %v", local, port, err))
	}
	l.onAccept = func(s *socket) {
		s.onEOF = func() { m.closeSoon(s) }
	}
	return l
}

// receive has a process hold a UDP port, as listen does one of TCP.
func (m *machine) receive(p *process, local string, port uint16) {
	if _, err := m.bindUDP(p, addr(local), port); err != nil {
		panic(fmt.Sprintf("demo: bind UDP %s port %d: %v", local, port, err))
	}
}

// closeSoon closes a socket as fast as a program comes to it.
func (m *machine) closeSoon(s *socket) {
	m.later(s, m.about(4*time.Millisecond), func() { m.close(s) })
}

// reach says how far away an address is, and how long it takes to close after
// us.
func (m *machine) reach(a string, trip, linger time.Duration) source.Addr {
	to := addr(a)
	m.paths[to] = path{trip: trip, linger: linger}
	return to
}

// client is a process that connects to one destination.
type client struct {
	process *process
	from    source.Addr
	to      source.Addr
	port    uint16
	// life is how long a connection lasts on average.
	life time.Duration
	// byPeer is the share of the connections that the peer closes first, which
	// leaves no TIME_WAIT here.
	byPeer float64
}

// dial opens one connection, for as long as they last; ended runs when the
// process is done with it, unless it could not even begin.
func (m *machine) dial(c *client, ended func()) error {
	s, err := m.connect(c.process, c.from, c.to, c.port)
	if err != nil {
		return err
	}
	life, byPeer := m.about(c.life), m.random.Float64() < c.byPeer
	s.onConnect = func() {
		m.after(life, func() { m.part(s, byPeer, ended) })
	}
	s.onEOF = func() {
		m.later(s, m.about(4*time.Millisecond), func() {
			m.close(s)
			ended()
		})
	}
	s.onError = func(error) { ended() }
	return nil
}

// part ends a connection that still stands: its peer closes it, or its process
// does and then runs ended.
func (m *machine) part(s *socket, byPeer bool, ended func()) {
	switch {
	case s.State != source.Established || s.owner == nil:
	case byPeer:
		m.fin(s)
	default:
		m.close(s)
		ended()
	}
}

// every does something at a moment of the scenario, and again and again after
// it; n counts.
func (m *machine) every(first, gap time.Duration, do func(n int)) {
	var next func(n int)
	next = func(n int) {
		do(n)
		m.after(gap, func() { next(n + 1) })
	}
	m.at(first, func() { next(0) })
}

// keep has a client hold as many connections as size says, as a pool does that
// looks after itself a few times a second.
func (m *machine) keep(c client, size func() int) {
	const look = 400 * time.Millisecond
	held := 0
	var refill func()
	refill = func() {
		wait := look/2 + time.Duration(m.random.Int64N(int64(look)))
		if lack := size() - held; lack > 0 {
			for range lack {
				m.after(time.Duration(m.random.Int64N(int64(wait))), func() {
					if m.dial(&c, func() { held-- }) == nil {
						held++
					}
				})
			}
		}
		m.after(wait, refill)
	}
	refill()
}

// exactly is a size that never changes.
func exactly(n int) func() int { return func() int { return n } }

// visitors come to a listener from outside: so many a second, for so long on
// average. Most leave first, and so keep the TIME_WAIT to themselves.
func (m *machine) visitors(l *socket, rate float64, life time.Duration) {
	m.often(always(rate), func() {
		remote := source.Addr4([4]byte{198, 51, 100, byte(1 + m.random.IntN(254))})
		if l.Family6 && m.random.IntN(6) == 0 {
			remote = source.Addr{0x20, 0x01, 0x0d, 0xb8, 5: byte(m.random.IntN(8)), 15: byte(1 + m.random.IntN(250))}
		}
		local := m.local
		if !remote.Is4() {
			local = addr("2001:db8:4::7")
		}
		s := m.arrive(l, local, remote, uint16(1024+m.random.IntN(64000)))
		if s == nil {
			return
		}
		stay, first := m.about(life), m.random.IntN(10) < 9
		m.after(stay, func() { m.part(s, first, func() {}) })
	})
}

// lookUp asks the name server on a UDP socket that lives as long as the answer
// takes.
func (m *machine) lookUp(p *process, server source.Addr) {
	from := m.local
	if server.IsLoopback() {
		from = server
	}
	if s, err := m.connectUDP(p, from, server, 53); err == nil {
		m.after(m.about(25*time.Millisecond), func() { m.close(s) })
	}
}

// talk keeps a UDP socket connected for some time.
func (m *machine) talk(p *process, to source.Addr, port uint16, life time.Duration) {
	if s, err := m.connectUDP(p, m.local, to, port); err == nil {
		m.after(life, func() { m.close(s) })
	}
}

// fetch runs a program that connects once and ends.
func (m *machine) fetch(p *process, to source.Addr, port uint16, life time.Duration) {
	from := m.local
	if to.IsLoopback() {
		from = to
	}
	_ = m.dial(&client{process: p, from: from, to: to, port: port, life: life}, func() { m.exited = append(m.exited, p.Key()) })
}

// furniture is what runs on every server: remote access, time, names,
// monitoring.
func (m *machine) furniture() {
	sshd := m.daemon(742, "root", 0, "sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups")
	resolved := m.daemon(611, "systemd-resolve", 991, "systemd-resolve", "/usr/lib/systemd/systemd-resolved")
	chronyd := m.daemon(655, "chrony", 990, "chronyd", "/usr/sbin/chronyd -F 2")
	exporter := m.daemon(803, "prometheus", 989, "node_exporter", "/usr/bin/node_exporter --web.listen-address=:9100")
	ssh := m.listen(sshd, "0.0.0.0", 22, 128)
	metrics := m.listen(exporter, "::", 9100, 4096)
	m.listen(resolved, "127.0.0.53", 53, 4096)
	m.receive(resolved, "127.0.0.53", 53)
	m.receive(chronyd, "127.0.0.1", 323)
	for i, port := range []uint16{51022, 60144} {
		m.arrive(ssh, m.local, source.Addr4([4]byte{10, 0, 1, byte(20 + i)}), port)
	}
	m.arrive(metrics, m.local, addr("10.0.1.9"), 43210)
	names := m.reach("10.0.0.2", 600*time.Microsecond, 0)
	m.often(always(8), func() { m.lookUp(resolved, names) })
}
