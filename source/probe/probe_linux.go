package probe

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netns"
)

// localPortRange is IP_LOCAL_PORT_RANGE of linux/in.h.
const localPortRange = 51

// Supported returns why connect() can't be asked here, or nil.
func Supported() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make a socket: %w", err)
	}
	defer unix.Close(fd)
	switch err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, localPortRange, 0); {
	case errors.Is(err, unix.ENOPROTOOPT):
		return errors.New("this kernel cannot give a socket a range of ports of its own (Linux 6.3 can)")
	case err != nil:
		return fmt.Errorf("set IP_LOCAL_PORT_RANGE: %w", err)
	}
	return nil
}

// Ports returns the usable ports that are blocked for everyone in a namespace,
// rising. Path is a file that stands for it, if one is known.
func Ports(ctx context.Context, scope *source.Scope, path string, set *source.Settings) (blocked []uint16, err error) {
	ask := func() (err error) {
		blocked, err = ports(ctx, set)
		return err
	}
	if into := netns.Into(scope, path); into != nil {
		err = into(ask)
	} else {
		err = ask()
	}
	return blocked, err
}

func ports(ctx context.Context, set *source.Settings) (blocked []uint16, err error) {
	to, err := refusing()
	if err != nil {
		return nil, err
	}
	var usable source.PortSet
	usable.SetUsable(set)
	for port := set.Range.Low; ; port++ {
		if usable.Has(port) {
			switch err := connect(to, port); {
			case errors.Is(err, unix.EADDRNOTAVAIL):
				blocked = append(blocked, port)
			case err != nil && !errors.Is(err, unix.ECONNREFUSED) && !errors.Is(err, unix.EINPROGRESS):
				return nil, fmt.Errorf("connect from port %d: %w", port, err)
			}
		}
		if port == set.Range.High {
			return blocked, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("at port %d: %w", port, err)
		}
	}
}

// tries is how many loopback addresses are tried.
const tries = 8

// refusing finds an address on which a port is closed, and that nobody else is
// likely to connect to.
func refusing() (*unix.SockaddrInet4, error) {
	var err error
	for range tries {
		to := &unix.SockaddrInet4{Port: 1 + rand.IntN(1023), Addr: [4]byte{127, byte(1 + rand.IntN(254)), byte(rand.IntN(256)), byte(1 + rand.IntN(254))}}
		if err = connect(to, 0); errors.Is(err, unix.ECONNREFUSED) {
			return to, nil
		}
		// With all ports taken, this one has none either: the next will tell.
		if errors.Is(err, unix.EADDRNOTAVAIL) {
			return to, nil
		}
	}
	return nil, fmt.Errorf("no closed port on loopback to connect to: %w", err)
}

// connect connects from one port, or any, and closes at once. It does not wait
// where an answer does not come.
func connect(to *unix.SockaddrInet4, from uint16) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if from == 0 {
		wait := unix.Timeval{Usec: 100_000}
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &wait)
	} else if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, localPortRange, int(from)<<16|int(from)); err != nil {
		return err
	} else if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	if err := unix.Connect(fd, to); err != nil {
		return err
	}
	// Somebody listens: no TIME_WAIT is to stay.
	unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	return nil
}
