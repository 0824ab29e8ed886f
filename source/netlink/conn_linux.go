package netlink

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// receiveTimeout bounds the wait for a kernel that does not answer. A dump is
// made while we receive it, so this never runs out on a working one.
const receiveTimeout = 5 * time.Second

// receiveTurn is how long a wait lasts before it looks at its context.
const receiveTurn = 20 * time.Millisecond

// Conn is a raw netlink socket.
type Conn struct{ fd int }

// Dial opens a socket of a protocol, as unix.NETLINK_SOCK_DIAG, in the network
// namespace of the calling thread, where it stays.
func Dial(protocol int) (Conn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return Conn{-1}, err
	}
	c := Conn{fd}
	tv := unix.NsecToTimeval(receiveTurn.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		c.Close()
		return Conn{-1}, fmt.Errorf("set receive timeout: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		c.Close()
		return Conn{-1}, fmt.Errorf("bind: %w", err)
	}
	return c, nil
}

// Send sends a message to the kernel.
func (c Conn) Send(b []byte) error {
	for {
		err := unix.Sendto(c.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		if err != unix.EINTR {
			return err
		}
	}
}

// Receive reads one datagram into b. What does not fit is cut off, which
// decoders notice. A wait ends with ctx.
func (c Conn) Receive(ctx context.Context, b []byte) (int, error) {
	for waited := time.Duration(0); waited < receiveTimeout; {
		n, err := unix.Read(c.fd, b)
		switch err {
		case nil:
			return n, nil
		case unix.EINTR: // the dump stands where it was
		case unix.EAGAIN:
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			waited += receiveTurn
		default:
			return 0, err
		}
	}
	return 0, fmt.Errorf("no answer from the kernel within %s", receiveTimeout)
}

// Close closes the socket, and so ends a dump that is under way.
func (c Conn) Close() error { return unix.Close(c.fd) }
