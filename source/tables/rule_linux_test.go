//go:build amd64 || arm64

package tables

import (
	"errors"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
)

// only is the one port of the range in the tests of the rule.
const only = 40000

// stage is a namespace with that range, and two listeners to connect to.
type stage struct {
	keeper
	listener int
}

// setRange sets the range of the thread's namespace.
func (s *stage) setRange(ports string) {
	s.must(os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte(ports), 0o644))
}

var (
	reuseAddr = [2]int{unix.SOL_SOCKET, unix.SO_REUSEADDR}
	reusePort = [2]int{unix.SOL_SOCKET, unix.SO_REUSEPORT}
	noPort    = [2]int{unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT}
)

// tcp opens a socket with options.
func (s *stage) tcp(options ...[2]int) int { return s.with(unix.AF_INET, 0, options) }

func (s *stage) with(family, proto int, options [][2]int) int {
	fd := s.socket(family, unix.SOCK_STREAM, proto)
	for _, o := range options {
		s.must(unix.SetsockoptInt(fd, o[0], o[1], 1))
	}
	return fd
}

func (s *stage) bind(fd int, to unix.Sockaddr) int {
	s.must(unix.Bind(fd, to))
	return fd
}

func (s *stage) connect(fd int, to unix.Sockaddr) int {
	s.must(unix.Connect(fd, to))
	return fd
}

// end closes a connection from the client's side, so that it leaves a
// TIME_WAIT.
func (s *stage) end(client int) {
	s.forget(client)
	s.must(netlab.FinishHere(s.listener, client))
}

func (s *stage) shut(fds ...int) {
	for _, fd := range fds {
		s.forget(fd)
		s.must(unix.Close(fd))
	}
}

func (s *stage) disconnect(fd int) {
	unspec := unix.RawSockaddrInet4{Family: unix.AF_UNSPEC}
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&unspec)), unsafe.Sizeof(unspec))
	if errno != 0 {
		panic(errno)
	}
}

// child is a connection to a listener on the port.
func (s *stage) child() (client, server, listener int) {
	listener = s.bind(s.tcp(reuseAddr), v4(1, only))
	s.must(unix.Listen(listener, 5))
	s.setRange("50000 50100")
	client = s.connect(s.tcp(), v4(1, only))
	s.setRange("40000 40000")
	return client, s.accept(listener), listener
}

// rules are the ways in which a port can be held.
var rules = []struct {
	name string
	hold func(s *stage)
}{
	{"nothing", func(s *stage) {}},
	{"connected without bind", func(s *stage) { s.connect(s.tcp(), v4(9, 70)) }},
	{"NO_PORT, connected", func(s *stage) { s.connect(s.bind(s.tcp(noPort), v4(1, 0)), v4(9, 70)) }},
	{"its TIME_WAIT", func(s *stage) { s.end(s.connect(s.tcp(), v4(9, 70))) }},
	{"connected over IPv6 without bind", func(s *stage) { s.connect(s.with(unix.AF_INET6, 0, nil), v6(76)) }},
	{"bind(ip, 0), connected", func(s *stage) { s.connect(s.bind(s.tcp(), v4(1, 0)), v4(9, 70)) }},
	{"bind(any, 0), connected", func(s *stage) { s.connect(s.bind(s.tcp(), &unix.SockaddrInet4{}), v4(9, 70)) }},
	{"bind(ip, port), connected", func(s *stage) { s.connect(s.bind(s.tcp(), v4(1, only)), v4(9, 70)) }},
	{"the same with REUSEADDR", func(s *stage) { s.connect(s.bind(s.tcp(reuseAddr), v4(1, only)), v4(9, 70)) }},
	{"the same with REUSEPORT", func(s *stage) { s.connect(s.bind(s.tcp(reusePort), v4(1, only)), v4(9, 70)) }},
	{"the same with both", func(s *stage) { s.connect(s.bind(s.tcp(reuseAddr, reusePort), v4(1, only)), v4(9, 70)) }},
	{"bind(::1, port), connected", func(s *stage) { s.connect(s.bind(s.with(unix.AF_INET6, 0, nil), v6(only)), v6(76)) }},
	{"TIME_WAIT of one bound", func(s *stage) { s.end(s.connect(s.bind(s.tcp(), v4(1, 0)), v4(9, 70))) }},
	{"the same with REUSEADDR, TIME_WAIT", func(s *stage) { s.end(s.connect(s.bind(s.tcp(reuseAddr), v4(1, only)), v4(9, 70))) }},
	{"bound", func(s *stage) { s.bind(s.tcp(), v4(1, only)) }},
	{"bound with REUSEADDR", func(s *stage) { s.bind(s.tcp(reuseAddr), v4(1, only)) }},
	{"bound with REUSEPORT", func(s *stage) { s.bind(s.tcp(reusePort), v4(1, only)) }},
	{"bound, IPv6", func(s *stage) { s.bind(s.with(unix.AF_INET6, 0, nil), v6(only)) }},
	{"listener", func(s *stage) { s.must(unix.Listen(s.bind(s.tcp(), v4(1, only)), 5)) }},
	{"listener with REUSEPORT", func(s *stage) { s.must(unix.Listen(s.bind(s.tcp(reusePort), v4(1, only)), 5)) }},
	{"a listener's child, the listener gone", func(s *stage) { _, _, l := s.child(); s.shut(l) }},
	{"a child's TIME_WAIT, the listener gone", func(s *stage) { client, server, l := s.child(); s.shut(server, client, l) }},
	{"the client's TIME_WAIT towards the port", func(s *stage) { client, server, l := s.child(); s.shut(client, server, l) }},
	{"connected, another bound beside it", func(s *stage) {
		s.connect(s.tcp(reuseAddr), v4(9, 70))
		s.bind(s.tcp(reuseAddr), v4(2, only))
	}},
	{"the same, and the bound one closed", func(s *stage) {
		s.connect(s.tcp(reuseAddr), v4(9, 70))
		s.shut(s.bind(s.tcp(reuseAddr), v4(2, only)))
	}},
	{"the same with the same address", func(s *stage) {
		s.connect(s.tcp(reuseAddr), v4(9, 70))
		s.shut(s.bind(s.tcp(reuseAddr), v4(1, only)))
	}},
	{"the same, and the bound one in TIME_WAIT", func(s *stage) {
		s.connect(s.tcp(reuseAddr), v4(9, 70))
		s.accept(s.listener)
		s.end(s.connect(s.bind(s.tcp(reuseAddr), v4(2, only)), v4(8, 70)))
	}},
	{"connected, then bind() on another address", func(s *stage) {
		s.connect(s.tcp(), v4(9, 70))
		s.bind(s.tcp(), v4(2, only))
	}},
	{"bound, connected, disconnected", func(s *stage) { s.disconnect(s.connect(s.bind(s.tcp(), v4(1, only)), v4(9, 70))) }},
	{"connected, disconnected", func(s *stage) { s.disconnect(s.connect(s.tcp(), v4(9, 70))) }},
	{"bound, refused", func(s *stage) { unix.Connect(s.bind(s.tcp(), v4(1, only)), v4(9, 1)) }},
	{"refused without bind", func(s *stage) { unix.Connect(s.tcp(), v4(9, 1)) }},
	{"UDP", func(s *stage) { s.must(unix.Bind(s.socket(unix.AF_INET, unix.SOCK_DGRAM, 0), v4(1, only))) }},
	{"listen() without bind", func(s *stage) { s.must(unix.Listen(s.tcp(), 5)) }},
	{"MPTCP connected without bind", func(s *stage) { s.connect(s.with(unix.AF_INET, 262, nil), v4(9, 70)) }},
	{"MPTCP bound, connected", func(s *stage) { s.connect(s.bind(s.with(unix.AF_INET, 262, nil), v4(1, 0)), v4(9, 70)) }},
}

// The bind buckets say what connect() does: for each way to hold a port, it is
// blocked if and only if connect() to another destination is refused.
func TestWhatBlocksConnect(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e *Engine) {
		for _, rule := range rules {
			t.Run(rule.name, func(t *testing.T) { testRule(t, e, rule.hold) })
		}
	})
}

func testRule(t *testing.T, e *Engine, hold func(*stage)) {
	h := netlab.New(t, "40000 40000")
	s := &stage{keeper: keeper{t: t}}
	t.Cleanup(s.close)
	err := h.Do(func() (err error) {
		defer func() {
			if r := recover(); r != nil {
				err, _ = r.(error)
			}
		}()
		s.listener = s.listen(&unix.SockaddrInet4{Port: 70}, 0, 50)
		s.listen(v6(76), 0, 50)
		hold(s)
		return nil
	})
	switch {
	case errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.ENOPROTOOPT):
		t.Skipf("this kernel has no MPTCP: %v", err)
	case err != nil:
		t.Fatal(err)
	}
	got := snapshot(t, walk(t, e, h), h)
	says := isBlocked(got, only)
	_, err = h.Connect("127.0.0.77:70")
	if refused := errors.Is(err, unix.EADDRNOTAVAIL); refused != says {
		t.Errorf("blocked: %v, and connect() says %v", says, err)
	}
	for i := range got.Sockets {
		k := &got.Sockets[i]
		if k.Bind >= source.BindExplicit && k.LocalPort == only && !says {
			t.Errorf("bound explicitly on a port that is free: %+v", *k)
		}
	}
}
