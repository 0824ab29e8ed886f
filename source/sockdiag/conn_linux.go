package sockdiag

import (
	"golang.org/x/sys/unix"

	"ephtop/source/netlink"
)

// Open opens a netlink socket in the network namespace of the calling thread,
// where it stays. The error matches unix.EPERM, unix.EACCES or
// unix.EPROTONOSUPPORT where a sandbox refuses netlink.
func Open() (*Dumper, error) { return newDumper(dial) }

// New makes a Dumper that opens its netlink socket when it needs it: the first
// Dump, and the first after Close, lists the sockets of the network namespace of
// the thread that it is called on.
func New() *Dumper { return &Dumper{dial: dial, buf: make([]byte, netlink.BufferSize)} }

func dial() (transport, error) { return netlink.Dial(unix.NETLINK_SOCK_DIAG) }
