package command_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source/netlab"
)

// acting is a process of a story: a client or a server of some name.
const acting = "actor"

// act starts a process that the kernel calls name, and waits until it says that
// it has done, or begun, what it is to do with the addresses, n times.
func act(t *testing.T, h *netlab.Host, name, what string, n int, addresses ...string) *netlab.Child {
	t.Helper()
	return start(t, h, acting, name, what, strconv.Itoa(n), strings.Join(addresses, ","))
}

// start starts this program in a part inside the namespace, and waits until it
// says that it is ready.
func start(t *testing.T, h *netlab.Host, part string, args ...string) *netlab.Child {
	t.Helper()
	cmd := program(t, args...)
	cmd.Env = environ(asProgram + "=" + part)
	cmd.Stderr = os.Stderr
	c := h.Child(t, cmd)
	c.Await(t, "ready")
	return c
}

// beActor is the process that act started.
func beActor(args []string) error {
	name, what, addresses := args[0], args[1], strings.Split(args[3], ",")
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	if err := os.WriteFile("/proc/self/comm", []byte(name), 0); err != nil {
		return err
	}
	do := map[string]func([]string, int) error{
		"serve": serveAll(waitForEnd), "hang up": serveAll(func(net.Conn) {}), "churn": churnAt, "burst": burstAt, "hold": holdAll, "dial": dialAll,
	}[what]
	if do == nil {
		return fmt.Errorf("no actor can %q", what)
	}
	if err := do(addresses, n); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// waitForEnd reads until the client has closed.
func waitForEnd(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// serveAll listens on all addresses. Each connection is closed once it was
// answered.
func serveAll(answer func(net.Conn)) func([]string, int) error {
	return func(addresses []string, _ int) error {
		for _, at := range addresses {
			l, err := net.Listen("tcp", at)
			if err != nil {
				return err
			}
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						answer(c)
						c.Close()
					}()
				}
			}()
		}
		return nil
	}
}

// churnAt opens and closes n connections a second.
func churnAt(addresses []string, n int) error {
	go func() {
		for range time.Tick(time.Second / 10) {
			for range n / 10 {
				if c, err := net.Dial("tcp", addresses[0]); err == nil {
					c.Close()
				}
			}
		}
	}()
	return nil
}

// burstAt opens and closes n connections, and then a hundredth of them a second.
func burstAt(addresses []string, n int) error {
	for range n {
		c, err := net.Dial("tcp", addresses[0])
		if err != nil {
			return err
		}
		c.Close()
	}
	return churnAt(addresses, n/100)
}

// held are the connections of this process.
type held []net.Conn

// holdAll opens n connections, to one address after the other, and keeps them.
func holdAll(addresses []string, n int) error {
	all := make(held, 0, n)
	for i := range n {
		c, err := net.Dial("tcp", addresses[i%len(addresses)])
		if err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		all = append(all, c)
	}
	go func() { // they are this process's for as long as it lives
		time.Sleep(time.Hour)
		fmt.Fprintln(io.Discard, len(all))
	}()
	return nil
}

// dialAll begins n connects that are not waited for.
func dialAll(addresses []string, n int) error {
	to := netip.MustParseAddrPort(addresses[0])
	for range n {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
		if err != unix.EINPROGRESS {
			return fmt.Errorf("connect: %w", err)
		}
	}
	return nil
}
