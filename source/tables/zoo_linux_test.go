//go:build amd64 || arm64

package tables

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source/netlab"
)

// zoo opens sockets of all kinds, and returns those that must be found, as
// kindOf names them.
func zoo(t *testing.T, h *netlab.Host) []string {
	t.Helper()
	z := &keeper{t: t}
	t.Cleanup(z.close)
	h.Sysctl("net.ipv4.tcp_fin_timeout", "60")
	h.Must(z.open)
	if t.Failed() {
		t.FailNow()
	}
	return []string{
		"tcp4 LISTEN ", "tcp6 LISTEN ", "tcp4 ESTABLISHED ", "tcp6 ESTABLISHED ", "tcp4 ESTABLISHED keepalive", "tcp4 ESTABLISHED persist",
		"tcp4 SYN_SENT on", "tcp4 SYN_RECV on", "tcp4 FIN_WAIT2 ", "tcp4 FIN_WAIT2 timewait", "tcp4 TIME_WAIT timewait", "tcp6 TIME_WAIT timewait",
		"tcp4 CLOSE_WAIT ", "tcp4 BOUND ", "tcp6 BOUND ", "udp4 BOUND ", "udp6 BOUND ", "udp4 ESTABLISHED ",
	}
}

// keeper keeps descriptors until the test ends.
type keeper struct {
	t   *testing.T
	fds []int
}

func (z *keeper) close() {
	for _, fd := range z.fds {
		unix.Close(fd)
	}
}

func (z *keeper) must(err error) {
	if err != nil {
		panic(err)
	}
}

func (z *keeper) socket(family, kind, proto int) int {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, proto)
	z.must(err)
	z.fds = append(z.fds, fd)
	return fd
}

func v4(last byte, port int) *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, last}}
}

func v6(port int) *unix.SockaddrInet6 {
	return &unix.SockaddrInet6{Port: port, Addr: [16]byte{15: 1}}
}

func mapped(last byte, port int) *unix.SockaddrInet6 {
	return &unix.SockaddrInet6{Port: port, Addr: [16]byte{10: 0xff, 11: 0xff, 12: 127, 15: last}}
}

func (z *keeper) listen(sa unix.Sockaddr, proto, backlog int) int {
	family := unix.AF_INET
	if _, six := sa.(*unix.SockaddrInet6); six {
		family = unix.AF_INET6
	}
	fd := z.socket(family, unix.SOCK_STREAM, proto)
	z.must(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	z.must(unix.Bind(fd, sa))
	z.must(unix.Listen(fd, backlog))
	return fd
}

func (z *keeper) connect(family int, to unix.Sockaddr) int {
	fd := z.socket(family, unix.SOCK_STREAM, 0)
	z.must(unix.Connect(fd, to))
	return fd
}

func (z *keeper) accept(listener int) int {
	fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
	z.must(err)
	z.fds = append(z.fds, fd)
	return fd
}

// pair is both ends of a connection.
func (z *keeper) pair(listener, family int, to unix.Sockaddr) (client, server int) {
	client = z.connect(family, to)
	return client, z.accept(listener)
}

func (z *keeper) open() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err, _ = r.(error)
		}
	}()
	listener, listener6 := z.listen(v4(1, 80), 0, 50), z.listen(v6(80), 0, 50)
	z.listen(&unix.SockaddrInet6{Port: 81}, 0, 50)
	z.pair(listener6, unix.AF_INET6, v6(80))
	z.pair(listener, unix.AF_INET6, mapped(1, 80))
	z.pair(listener, unix.AF_INET, v4(1, 80))
	z.listen(v4(1, 87), 0, 5)
	z.connect(unix.AF_INET, v4(1, 87)) // is not accepted
	z.closing(listener, listener6)
	z.waiting()
	z.bound()
	z.udp()
	z.multipath()
	z.options()
	return nil
}

// closing makes the states in which connections end.
func (z *keeper) closing(listener, listener6 int) {
	client, _ := z.pair(listener, unix.AF_INET, v4(1, 80)) // FIN_WAIT2 and CLOSE_WAIT
	z.must(unix.Shutdown(client, unix.SHUT_WR))
	client, _ = z.pair(listener, unix.AF_INET, v4(1, 80)) // a timewait in FIN_WAIT2
	z.must(unix.Shutdown(client, unix.SHUT_WR))
	z.await(client, func(i *unix.TCPInfo) bool { return i.State == 5 }) // FIN_WAIT2
	z.must(unix.Close(client))
	z.forget(client)
	for _, of := range []struct {
		listener, family int
		to               unix.Sockaddr
	}{{listener, unix.AF_INET, v4(1, 80)}, {listener6, unix.AF_INET6, v6(80)}} {
		client, server := z.pair(of.listener, of.family, of.to)
		z.must(unix.Close(client))
		z.forget(client)
		_, err := unix.Read(server, make([]byte, 1))
		z.must(err)
		z.must(unix.Close(server))
		z.forget(server)
	}
}

// await waits until a socket has come to something.
func (z *keeper) await(fd int, done func(*unix.TCPInfo) bool) {
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if z.must(err); done(info) {
			return
		}
		if time.Now().After(end) {
			z.must(fmt.Errorf("it stays at %+v", *info))
		}
	}
}

func (z *keeper) forget(fd int) {
	for i := range z.fds {
		if z.fds[i] == fd {
			z.fds = append(z.fds[:i], z.fds[i+1:]...)
			return
		}
	}
}

// waiting makes what waits for a timer.
func (z *keeper) waiting() {
	z.listen(v4(1, 82), 0, 0)
	for range 3 { // its backlog is full with one: the others wait
		fd := z.socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
		if err := unix.Connect(fd, v4(1, 82)); err != unix.EINPROGRESS {
			z.must(err)
		}
	}
	deferred := z.listen(v4(1, 83), 0, 5) // a client that sends nothing stays a request
	z.must(unix.SetsockoptInt(deferred, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 30))
	z.connect(unix.AF_INET, v4(1, 83))
	deferred6 := z.listen(v6(83), 0, 5)
	z.must(unix.SetsockoptInt(deferred6, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 30))
	z.connect(unix.AF_INET6, v6(83))

	stuck := z.listen(v4(1, 84), 0, 5) // whose peer never reads
	z.must(unix.SetsockoptInt(stuck, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096))
	client, _ := z.pair(stuck, unix.AF_INET, v4(1, 84))
	z.must(unix.SetNonblock(client, true))
	for buf := make([]byte, 1<<16); ; {
		if _, err := unix.Write(client, buf); err == unix.EAGAIN {
			break
		} else {
			z.must(err)
		}
	}
	z.await(client, func(i *unix.TCPInfo) bool { return i.Backoff > 0 && i.Unacked == 0 }) // it has probed
}

func (z *keeper) bound() {
	for _, b := range []struct {
		family int
		to     unix.Sockaddr
	}{{unix.AF_INET, v4(1, 0)}, {unix.AF_INET6, v6(0)}, {unix.AF_INET, &unix.SockaddrInet4{}}, {unix.AF_INET6, &unix.SockaddrInet6{}}, {unix.AF_INET, v4(2, 90)}} {
		z.must(unix.Bind(z.socket(b.family, unix.SOCK_STREAM, 0), b.to))
	}
}

func (z *keeper) udp() {
	receiver := z.socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	z.must(unix.Bind(receiver, v4(1, 53)))
	z.must(unix.Bind(z.socket(unix.AF_INET6, unix.SOCK_DGRAM, 0), v6(53)))
	z.must(unix.Bind(z.socket(unix.AF_INET6, unix.SOCK_DGRAM, 0), &unix.SockaddrInet6{}))
	sender := z.socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	z.must(unix.Connect(sender, v4(1, 53)))
	_, err := unix.Write(sender, make([]byte, 100))
	z.must(err)
	z.must(unix.Connect(z.socket(unix.AF_INET6, unix.SOCK_DGRAM, 0), mapped(1, 53)))
}

// multipath makes subflows, where the kernel has MPTCP.
func (z *keeper) multipath() {
	const mptcp = 262
	if on, err := os.ReadFile("/proc/sys/net/mptcp/enabled"); err != nil || strings.TrimSpace(string(on)) != "1" {
		return
	}
	listener := z.listen(v4(1, 85), mptcp, 5)
	client := z.socket(unix.AF_INET, unix.SOCK_STREAM, mptcp)
	z.must(unix.Connect(client, v4(1, 85)))
	z.accept(listener)
}

// options makes sockets with options that show.
func (z *keeper) options() {
	listener := z.listen(v4(1, 86), 0, 5)
	client, _ := z.pair(listener, unix.AF_INET, v4(1, 86))
	z.must(unix.SetsockoptInt(client, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1))
	client, _ = z.pair(listener, unix.AF_INET, v4(1, 86)) // what is not read
	_, err := unix.Write(client, make([]byte, 1000))
	z.must(err)
	via := z.socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err := unix.BindToDevice(via, "lo"); errors.Is(err, unix.EPERM) {
		return
	} else {
		z.must(err)
	}
	z.must(unix.Connect(via, v4(1, 86)))
	z.accept(listener)
}
