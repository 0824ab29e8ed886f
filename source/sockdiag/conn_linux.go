package sockdiag

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

// Open opens a netlink socket in the network namespace of the calling thread,
// where it stays. The error matches unix.EPERM, unix.EACCES or
// unix.EPROTONOSUPPORT where a sandbox refuses netlink.
func Open() (*Dumper, error) { return newDumper(dialNetlink) }

// New makes a Dumper that opens its netlink socket when it needs it: the first
// Dump, and the first after Close, lists the sockets of the network namespace of
// the thread that it is called on.
func New() *Dumper { return &Dumper{dial: dialNetlink, buf: make([]byte, bufferSize)} }

// netlinkConn is a raw NETLINK_SOCK_DIAG socket. No library stands between: it
// would allocate for every row (measured with github.com/mdlayher/netlink, see
// BenchmarkDump).
type netlinkConn struct{ fd int }

func dialNetlink() (transport, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, err
	}
	c := netlinkConn{fd}
	tv := unix.NsecToTimeval(receiveTurn.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		c.close()
		return nil, fmt.Errorf("set receive timeout: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		c.close()
		return nil, fmt.Errorf("bind: %w", err)
	}
	return c, nil
}

func (c netlinkConn) send(b []byte) error {
	for {
		err := unix.Sendto(c.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		if err != unix.EINTR {
			return err
		}
	}
}

func (c netlinkConn) receive(ctx context.Context, b []byte) (int, error) {
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

func (c netlinkConn) close() error { return unix.Close(c.fd) }
