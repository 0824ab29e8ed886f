//go:build amd64 || arm64

package tables

import (
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
)

// cast are the sockets that the self-test opens. Nothing of them is left when
// they are closed, and nothing that is sent leaves the loopback interface.
type cast struct {
	fds  []int
	want []expected
}

// selfLinger is how long the timewait of the self-test would stay if it could
// not be ended, in seconds.
const selfLinger = 10

// selfWait bounds the wait for our own packets: a firewall may drop them.
const selfWait = 20 * time.Millisecond

func (c *cast) close() {
	for i := len(c.fds) - 1; i >= 0; i-- { // the newest first: see connection
		unix.Close(c.fds[i])
	}
}

// open opens what can be opened. An address of the loopback network that nobody
// else has finds a port even on a host that is out of them.
func (c *cast) open() {
	local := [4]byte{127, byte(1 + rand.IntN(254)), byte(rand.IntN(256)), byte(1 + rand.IntN(254))}
	if fd, err := c.bound(unix.SOCK_STREAM, local); err == nil {
		c.expect("a bound socket", fd, source.Bound, true)
	} else if fd, err := c.bound(unix.SOCK_STREAM, [4]byte{}); err == nil {
		c.expect("a socket bound to any address", fd, source.Bound, true)
	}
	if fd, err := c.bound6(); err == nil {
		c.expect("a UDP socket of IPv6", fd, source.Bound, false)
	}
	if fd, err := c.bound(unix.SOCK_DGRAM, local); err == nil {
		c.expect("a UDP socket", fd, source.Bound, false)
	}
	if fd, err := c.bound(unix.SOCK_STREAM, local); err == nil && unix.Listen(fd, 1) == nil {
		c.expect("a listener", fd, source.Listen, true)
		c.connection(fd)
	}
}

func (c *cast) socket(family, kind int) (int, error) {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err == nil {
		c.fds = append(c.fds, fd)
	}
	return fd, err
}

// bound binds a socket to any port, or to a certain one where the system finds
// none.
func (c *cast) bound(kind int, ip [4]byte) (int, error) {
	fd, err := c.socket(unix.AF_INET, kind)
	if err != nil {
		return 0, err
	}
	for port := range 32 {
		if port > 0 {
			port = 1024 + rand.IntN(64512)
		}
		if err = unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: ip}); err != unix.EADDRINUSE {
			break
		}
	}
	return fd, err
}

func (c *cast) bound6() (int, error) {
	fd, err := c.socket(unix.AF_INET6, unix.SOCK_DGRAM)
	if err != nil {
		return 0, err
	}
	// Without it bind() fails where IPv6 is off on lo, and whoever traces here sees that.
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_FREEBIND, 1); err != nil {
		return 0, err
	}
	return fd, unix.Bind(fd, &unix.SockaddrInet6{Addr: [16]byte{15: 1}})
}

// expect has a socket found as the kernel describes it to its owner.
func (c *cast) expect(name string, fd int, state source.State, blocked bool) {
	x := expected{name: name, fd: fd, blocked: blocked}
	x.socket.State = state
	if err := describe(&x.socket, fd); err == nil {
		c.want = append(c.want, x)
	}
}

func describe(s *source.Socket, fd int) error {
	local, err := unix.Getsockname(fd)
	if err != nil {
		return err
	}
	s.Local, s.LocalPort, s.Family6 = address(local)
	s.Remote = source.Addr{10: 0xff, 11: 0xff}
	if s.Family6 {
		s.Remote = source.Addr{}
	}
	if remote, err := unix.Getpeername(fd); err == nil {
		s.Remote, s.RemotePort, _ = address(remote)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	s.Inode, s.UID = uint32(st.Ino), st.Uid
	proto, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	if err != nil {
		return err
	}
	s.Proto = source.Proto(proto)
	s.Cookie, err = unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	return err
}

func address(sa unix.Sockaddr) (source.Addr, uint16, bool) {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return source.Addr4(sa.Addr), uint16(sa.Port), false
	case *unix.SockaddrInet6:
		return source.Addr(sa.Addr), uint16(sa.Port), true
	}
	return source.Addr{}, 0, false
}

// connection connects to a listener and closes, so that the client becomes a
// timewait: of FIN_WAIT2, which the server's reset ends when it is closed.
func (c *cast) connection(listener int) {
	to, err := unix.Getsockname(listener)
	if err != nil {
		return
	}
	client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer unix.Close(client)
	if err := unix.Connect(client, to); err != nil && err != unix.EINPROGRESS {
		return
	}
	server := -1
	if !within(func() bool {
		server, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		return err == nil
	}) {
		return
	}
	c.fds = append(c.fds, server)
	unix.SetsockoptLinger(server, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.SetsockoptInt(client, unix.IPPROTO_TCP, unix.TCP_LINGER2, selfLinger)
	unix.Shutdown(client, unix.SHUT_WR)
	if !within(func() bool { return stateIs(client, source.FinWait2) && stateIs(server, source.CloseWait) }) {
		return
	}
	c.expect("a connection", server, source.CloseWait, false)
	x := expected{name: "a timewait", fd: -1}
	if describe(&x.socket, client) != nil {
		return
	}
	x.socket.State, x.socket.Timer = source.FinWait2, source.TimerTimeWait
	x.socket.Inode, x.socket.UID = 0, 0
	c.want = append(c.want, x)
}

// within waits for our own packets.
func within(done func() bool) bool {
	for end := time.Now().Add(selfWait); !done(); time.Sleep(50 * time.Microsecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

func stateIs(fd int, state source.State) bool {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	return err == nil && source.State(info.State) == state
}
