package netlab

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// waits are clients in TIME_WAIT, of whom there are more than can be made within
// the minute that they last.
type waits struct {
	raw   int // to send packets
	ends  []ends
	begun time.Time // since when the oldest have lasted
}

// ends are those of a connection.
type ends struct{ client, server netip.AddrPort }

// open makes ready to make them on the thread's namespace.
func (w *waits) open() (err error) {
	w.raw, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return fmt.Errorf("open a raw socket: %w", err)
	}
	w.begun = time.Now()
	return nil
}

// add makes one more with a listener, and has the others stay meanwhile.
func (w *waits) add(listener int, to netip.AddrPort) error {
	client, err := ConnectHere(to.String())
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	name, err := unix.Getsockname(client)
	if err != nil {
		return fmt.Errorf("ask for the port: %w", err)
	}
	in := name.(*unix.SockaddrInet4)
	w.ends = append(w.ends, ends{netip.AddrPortFrom(netip.AddrFrom4(in.Addr), uint16(in.Port)), to})
	server, _, err := unix.Accept(listener)
	unix.Close(client)
	unix.Close(server)
	if err == nil && time.Since(w.begun) > 20*time.Second {
		err = w.renew()
	}
	return err
}

// renew has the minute of all begin anew: an acknowledgment that makes no sense
// does that (tcp_timewait_state_process), and its answer meets a reset, which
// net.ipv4.tcp_rfc1337 has them survive.
func (w *waits) renew() error {
	w.begun = time.Now()
	var packet segment
	for i := range w.ends {
		e := &w.ends[i]
		if err := packet.send(w.raw, e.server, e.client, tcpACK, 0); err != nil {
			return err
		}
	}
	return nil
}
