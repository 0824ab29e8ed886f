package netlab

import (
	"fmt"
	"net/netip"

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
	var fd int
	h.Must(func() (err error) {
		if fd, err = socketFor(addr, unix.SOCK_STREAM); err != nil {
			return err
		}
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return err
		}
		if err := unix.Bind(fd, sockaddr(addr)); err != nil {
			return fmt.Errorf("bind %s: %w", addr, err)
		}
		return unix.Listen(fd, 1<<20)
	})
	h.closeLater(fd)
	return fd
}

// Connect connects over TCP without binding first (row A of kernel.md).
func (h *Host) Connect(to string) (int, error) { return h.dial("", to, unix.SOCK_STREAM) }

// ConnectFrom binds to an address, port 0 for any, and connects (row C).
func (h *Host) ConnectFrom(from, to string) (int, error) { return h.dial(from, to, unix.SOCK_STREAM) }

// ConnectUDP connects a UDP socket.
func (h *Host) ConnectUDP(to string) (int, error) { return h.dial("", to, unix.SOCK_DGRAM) }

// Bind binds a TCP socket and leaves it unconnected (row E).
func (h *Host) Bind(addr string) (int, error) { return h.dial(addr, "", unix.SOCK_STREAM) }

// BindUDP binds a UDP socket and leaves it unconnected.
func (h *Host) BindUDP(addr string) (int, error) { return h.dial(addr, "", unix.SOCK_DGRAM) }

// dial opens a socket, binds it where from says, connects it where to says.
// The error is the kernel's: unix.EADDRNOTAVAIL where no port is free.
func (h *Host) dial(from, to string, kind int) (int, error) {
	fd := -1
	err := h.Do(func() (err error) {
		addr := to
		if addr == "" {
			addr = from
		}
		if fd, err = socketFor(addr, kind); err != nil {
			return err
		}
		if from != "" {
			err = unix.Bind(fd, sockaddr(from))
		}
		if err == nil && to != "" {
			err = unix.Connect(fd, sockaddr(to))
		}
		if err != nil {
			unix.Close(fd)
		}
		return err
	})
	if err != nil {
		return -1, err
	}
	h.closeLater(fd)
	return fd, nil
}

// Fill connects to an address until the kernel refuses or n connections
// stand. It returns how many stand and the refusal.
func (h *Host) Fill(to string, n int) (int, error) {
	for i := range n {
		if _, err := h.Connect(to); err != nil {
			return i, err
		}
	}
	return n, nil
}

// TimeWait makes n connections to a listener and closes them from the
// client's side, so that each leaves a client's TIME_WAIT. It returns the
// first refusal.
func (h *Host) TimeWait(listener int, to string, n int) error {
	return h.Do(func() error {
		for range n {
			if err := timeWaitOnce(listener, to); err != nil {
				return err
			}
		}
		return nil
	})
}

func timeWaitOnce(listener int, to string) error {
	client, err := socketFor(to, unix.SOCK_STREAM)
	if err != nil {
		return err
	}
	if err := unix.Connect(client, sockaddr(to)); err != nil {
		unix.Close(client)
		return err
	}
	server, _, err := unix.Accept(listener)
	unix.Close(client)
	if err != nil {
		return fmt.Errorf("accept: %w", err)
	}
	return unix.Close(server)
}

func (h *Host) closeLater(fd int) { h.t.Cleanup(func() { unix.Close(fd) }) }

func socketFor(addr string, kind int) (int, error) {
	family := unix.AF_INET
	if netip.MustParseAddrPort(addr).Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	return fd, nil
}

// sockaddr keeps a v4-mapped address IPv6, so that tests can make v4-mapped
// sockets: "[::ffff:127.0.0.1]:80".
func sockaddr(addr string) unix.Sockaddr {
	ap := netip.MustParseAddrPort(addr)
	if ap.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(ap.Port()), Addr: ap.Addr().As16()}
}
