package netlab

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Sockets are file descriptors made by plain system calls: a test says exactly
// which calls the kernel sees, and tens of thousands of them need no
// goroutine each.

// Listen makes a TCP listener with a backlog that no test fills. Nothing
// accepts: the kernel completes the handshakes by itself.
func (h *Host) Listen(addr string) int {
	h.t.Helper()
	h.Sysctl("net.core.somaxconn", "1048576")
	return h.ListenBacklog(addr, 1<<20)
}

// ListenBacklog makes a TCP listener at which more than backlog connections
// wait in vain.
func (h *Host) ListenBacklog(addr string, backlog int) int {
	h.t.Helper()
	fd, err := h.open(addr, unix.SOCK_STREAM, option(unix.SOL_SOCKET, unix.SO_REUSEADDR), bindTo(addr), listen(backlog))
	if err != nil {
		h.t.Fatalf("listen on %s: %v", addr, err)
	}
	return fd
}

// TryListen makes a TCP listener if its port can be had.
func (h *Host) TryListen(addr string) (int, error) {
	return h.open(addr, unix.SOCK_STREAM, bindTo(addr), listen(16))
}

// Connect connects over TCP without binding first.
func (h *Host) Connect(to string) (int, error) {
	return h.open(to, unix.SOCK_STREAM, connectTo(to))
}

// ConnectFrom binds to an address, port 0 for any, and connects.
func (h *Host) ConnectFrom(from, to string) (int, error) {
	return h.open(to, unix.SOCK_STREAM, bindTo(from), connectTo(to))
}

// ConnectReuse is ConnectFrom with SO_REUSEADDR.
func (h *Host) ConnectReuse(from, to string) (int, error) {
	return h.open(to, unix.SOCK_STREAM, option(unix.SOL_SOCKET, unix.SO_REUSEADDR), bindTo(from), connectTo(to))
}

// ConnectNoPort binds to an address and leaves the port to connect
// (IP_BIND_ADDRESS_NO_PORT), so that it is picked as for Connect.
func (h *Host) ConnectNoPort(from, to string) (int, error) {
	noPort := option(unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT)
	return h.open(to, unix.SOCK_STREAM, noPort, bindTo(from), connectTo(to))
}

// ConnectVia binds to an interface (SO_BINDTODEVICE) and connects.
func (h *Host) ConnectVia(device, to string) (int, error) {
	bind := func(fd int) error { return unix.BindToDevice(fd, device) }
	return h.open(to, unix.SOCK_STREAM, bind, connectTo(to))
}

// ConnectRange has connect() pick a port within a range of the socket's own
// (IP_LOCAL_PORT_RANGE); the error is unix.ENOPROTOOPT before Linux 6.3.
func (h *Host) ConnectRange(low, high int, to string) (int, error) {
	const localPortRange = 51
	within := func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_IP, localPortRange, high<<16|low) }
	return h.open(to, unix.SOCK_STREAM, within, connectTo(to))
}

// ConnectPending sends a SYN and does not wait for the answer.
func (h *Host) ConnectPending(to string) (int, error) {
	return h.open(to, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, func(fd int) error {
		if err := unix.Connect(fd, sockaddr(to)); err != unix.EINPROGRESS {
			return err
		}
		return nil
	})
}

// Bind binds a TCP socket, port 0 for any, and leaves it unconnected.
func (h *Host) Bind(addr string) (int, error) { return h.open(addr, unix.SOCK_STREAM, bindTo(addr)) }

// BindUDP binds a UDP socket and leaves it unconnected.
func (h *Host) BindUDP(addr string) (int, error) { return h.open(addr, unix.SOCK_DGRAM, bindTo(addr)) }

// ConnectUDP connects a UDP socket without binding first.
func (h *Host) ConnectUDP(to string) (int, error) {
	return h.open(to, unix.SOCK_DGRAM, connectTo(to))
}

// SendUDP sends an empty datagram from a socket that is neither bound nor
// connected.
func (h *Host) SendUDP(to string) (int, error) {
	return h.open(to, unix.SOCK_DGRAM, func(fd int) error { return unix.Sendto(fd, nil, 0, sockaddr(to)) })
}

// Accept takes a connection from a listener.
func (h *Host) Accept(listener int) int {
	h.t.Helper()
	var fd int
	h.Must(func() (err error) { fd, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC); return err })
	h.keep(fd)
	return fd
}

// Close closes a socket before the test ends.
func (h *Host) Close(fd int) {
	h.mu.Lock()
	delete(h.fds, fd)
	h.mu.Unlock()
	if err := unix.Close(fd); err != nil {
		h.t.Errorf("close %d: %v", fd, err)
	}
}

// CloseSecond waits until the peer has closed a connection, closes it too, and
// returns when that has left the peer in TIME_WAIT.
func (h *Host) CloseSecond(fd int) {
	h.t.Helper()
	h.mu.Lock()
	delete(h.fds, fd)
	h.mu.Unlock()
	h.Must(func() error { return closeSecond(fd) })
}

// Repeat opens sockets until the kernel refuses or n stand. It returns how
// many stand and the refusal.
func Repeat(n int, open func() (int, error)) (int, error) {
	for i := range n {
		if _, err := open(); err != nil {
			return i, err
		}
	}
	return n, nil
}

// Fill connects to an address until the kernel refuses or n connections
// stand. It returns how many stand and the refusal.
func (h *Host) Fill(to string, n int) (int, error) {
	return Repeat(n, func() (int, error) { return h.Connect(to) })
}

// TimeWait makes n connections to a listener and closes them from the
// client's side, so that each leaves a client's TIME_WAIT. It returns the
// first refusal.
func (h *Host) TimeWait(listener int, to string, n int) error {
	return h.timeWait(listener, to, n, connectTo(to))
}

// TimeWaitFrom is TimeWait with clients that bind to an address, port 0 for
// any, before they connect.
func (h *Host) TimeWaitFrom(listener int, from, to string, n int) error {
	return h.timeWait(listener, to, n, bindTo(from), connectTo(to))
}

func (h *Host) timeWait(listener int, to string, n int, steps ...step) error {
	return h.Do(func() error {
		for range n {
			client, err := openHere(to, unix.SOCK_STREAM, steps...)
			if err != nil {
				return err
			}
			if err := FinishHere(listener, client); err != nil {
				return err
			}
		}
		return nil
	})
}

// ConnectHere is Connect for a function that Do runs, to be timed: the caller
// closes the descriptor, or hands it to FinishHere.
func ConnectHere(to string) (int, error) { return openHere(to, unix.SOCK_STREAM, connectTo(to)) }

// FinishHere closes a connection from the client's side, for a function that
// Do runs, so that it leaves a TIME_WAIT.
func FinishHere(listener, client int) error {
	server, _, err := unix.Accept(listener)
	unix.Close(client)
	if err != nil {
		return fmt.Errorf("accept: %w", err)
	}
	return closeSecond(server)
}

// closeSecond closes a connection that the peer closes first, and waits for
// the peer's last answer: it is in TIME_WAIT then.
func closeSecond(fd int) error {
	defer unix.Close(fd)
	if n, err := unix.Read(fd, make([]byte, 1)); err != nil {
		return fmt.Errorf("wait for the peer: %w", err)
	} else if n > 0 {
		return errors.New("the peer sends instead of closing")
	}
	if err := unix.Shutdown(fd, unix.SHUT_WR); err != nil {
		return fmt.Errorf("shutdown: %w", err)
	}
	for {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return fmt.Errorf("ask for the state: %w", err)
		}
		if info.State == unix.BPF_TCP_CLOSE {
			return nil
		}
		runtime.Gosched()
	}
}

// open makes a socket of an address's family inside the namespace and takes it
// through some steps. The error is the kernel's own: unix.EADDRNOTAVAIL where
// connect finds no free port.
func (h *Host) open(addr string, kind int, steps ...step) (int, error) {
	fd := -1
	err := h.Do(func() (err error) {
		fd, err = openHere(addr, kind, steps...)
		return err
	})
	if err == nil {
		h.keep(fd)
	}
	return fd, err
}

// openHere is open in the namespace of the calling thread.
func openHere(addr string, kind int, steps ...step) (int, error) {
	family := unix.AF_INET
	if netip.MustParseAddrPort(addr).Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	for _, do := range steps {
		if err := do(fd); err != nil {
			unix.Close(fd)
			return -1, err
		}
	}
	return fd, nil
}

// step is a system call on a socket.
type step func(fd int) error

func connectTo(to string) step {
	return func(fd int) error { return unix.Connect(fd, sockaddr(to)) }
}

func bindTo(addr string) step {
	return func(fd int) error { return unix.Bind(fd, sockaddr(addr)) }
}

func listen(backlog int) step {
	return func(fd int) error { return unix.Listen(fd, backlog) }
}

// option sets a flag.
func option(level, name int) step {
	return func(fd int) error { return unix.SetsockoptInt(fd, level, name, 1) }
}

// keep closes a socket when the test ends, if nobody did before.
func (h *Host) keep(fd int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fds[fd] = struct{}{}
}

func (h *Host) closeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for fd := range h.fds {
		unix.Close(fd)
	}
	clear(h.fds)
}

// sockaddr keeps a v4-mapped address IPv6, so that tests can make v4-mapped
// sockets: "[::ffff:127.0.0.1]:80".
func sockaddr(addr string) unix.Sockaddr {
	ap := netip.MustParseAddrPort(addr)
	if ap.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}
	}
	zone, _ := strconv.Atoi(ap.Addr().Zone()) // the number of an interface
	return &unix.SockaddrInet6{Port: int(ap.Port()), Addr: ap.Addr().As16(), ZoneId: uint32(zone)}
}
