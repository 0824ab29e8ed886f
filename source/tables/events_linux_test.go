//go:build amd64 || arm64

package tables

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
)

// events traces until the test ends.
func events(t *testing.T, e *Engine, ways ...way) *Events {
	t.Helper()
	events, err := e.trace(ways...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := events.Close(); err != nil {
			t.Error(err)
		}
	})
	return events
}

// eachWay runs a test with each variant and each way to tell of failures, begun
// before the test's own.
func eachWay(t *testing.T, f func(t *testing.T, e *Events)) {
	t.Helper()
	for name, w := range map[string]way{"functions": byFunction, "calls": byCall} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, e *Engine) {
				events := events(t, e, w)
				var refused *ebpf.VerifierError
				if err := events.Partial(); errors.As(err, &refused) {
					t.Fatal(shorten(err))
				} else if err != nil {
					t.Skip(err)
				}
				f(t, events)
			})
		})
	}
}

// drain returns the events of one namespace, and checks who did it.
func drain(t *testing.T, events *Events, h *netlab.Host) []source.Event {
	t.Helper()
	all, lost, err := events.Drain(nil)
	if err != nil || lost > 0 {
		t.Fatalf("%d events lost, %v", lost, err)
	}
	comm, err := os.ReadFile("/proc/self/comm") // the main thread's; others have it too
	if err != nil {
		t.Fatal(err)
	}
	own := of(t, h)
	mine := slices.DeleteFunc(all, func(v source.Event) bool { return !own(v.Netns, v.Cookie) })
	for _, v := range mine {
		if int(v.Process.PID) != os.Getpid() || v.Process.Name != strings.TrimSpace(string(comm)) {
			t.Errorf("by %+v: %+v", v.Process, v)
		}
	}
	return mine
}

// kinds counts events by kind.
func kinds(events []source.Event) map[source.EventKind]int {
	count := make(map[source.EventKind]int)
	for _, v := range events {
		count[v.Kind]++
	}
	return count
}

// Every close of an established connection is told, by whom and in which
// namespace, and nothing else.
func TestEveryCloseIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e *Engine) {
		h := netlab.New(t, "")
		l := h.Listen("127.0.0.1:80")
		events := events(t, e, byFunction, byCall)
		const closes = 1000
		if err := h.TimeWait(l, "127.0.0.1:80", closes); err != nil {
			t.Fatal(err)
		}
		told, cookie := drain(t, events, h), snapshot(t, walk(t, e, nil), h).Scope.Cookie
		if n := kinds(told); len(told) != closes || n[source.Closed] != closes {
			t.Errorf("%v of %d closes", n, closes)
		}
		for _, v := range told {
			if v.Tuple.RemotePort != 80 || v.Tuple.LocalPort == 0 || v.Tuple.Local != v.Tuple.Remote || v.Tuple.Proto != source.TCP || v.Cookie != cookie {
				t.Fatalf("%+v", v)
			}
		}
		if again := drain(t, events, h); len(again) != 0 {
			t.Errorf("told again: %+v", again)
		}
	})
}

// The ring holds a megabyte; what it has no room for is counted.
func TestLostEventsAreCounted(t *testing.T) {
	eachWay(t, func(t *testing.T, events *Events) {
		h := netlab.New(t, "")
		const binds = 30000
		events.mu.Lock() // so that nobody empties the ring meanwhile
		h.Must(func() error {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			for range binds {
				unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{192, 0, 2, 1}})
			}
			return nil
		})
		events.mu.Unlock()
		all, lost, err := events.Drain(nil)
		if err != nil {
			t.Fatal(err)
		}
		if lost == 0 || len(all)+lost < binds {
			t.Errorf("%d told, %d lost of %d", len(all), lost, binds)
		}
		if _, lost, err := events.Drain(nil); err != nil || lost != 0 {
			t.Errorf("%d lost once more, %v", lost, err)
		}
		events.Close()
		if _, _, err := events.Drain(nil); !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// What is fetched seldom is not lost: the ring is emptied between two Drains.
func TestEventsWaitForDrain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e *Engine) {
		h := netlab.New(t, "")
		events := events(t, e)
		own := of(t, h)
		waiting := func() (n int) {
			events.mu.Lock()
			defer events.mu.Unlock()
			for _, v := range events.pending {
				if own(v.Netns, v.Cookie) {
					n++
				}
			}
			return n
		}
		if _, err := h.ConnectFrom("127.0.0.9:9001", "127.0.0.1:81"); !errors.Is(err, unix.ECONNREFUSED) {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); waiting() == 0; time.Sleep(emptying / 10) {
			if time.Now().After(deadline) {
				t.Fatal("what happened still is in the ring")
			}
		}
		if events.Spent() < eventCost {
			t.Errorf("an event has cost %v", events.Spent())
		}
		if told := drain(t, events, h); len(told) != 1 || told[0].Kind != source.BoundFirst {
			t.Errorf("told: %+v", told)
		}
	})
}

// failure is a call that makes one event, or none.
type failure struct {
	name  string
	call  func(h *netlab.Host) error
	err   error
	kind  source.EventKind
	tuple string // as source.Tuple.String; "" for no event
}

var failures = []failure{
	{"connect without a free port", func(h *netlab.Host) error { _, err := h.Connect("127.0.0.1:80"); return err },
		unix.EADDRNOTAVAIL, source.ConnectFailed, "tcp 127.0.0.1:0 → 127.0.0.1:80"},
	{"connect over IPv6 without a free port", func(h *netlab.Host) error { _, err := h.Connect("[::1]:80"); return err },
		unix.EADDRNOTAVAIL, source.ConnectFailed, "tcp [::1]:0 → [::1]:80"},
	{"connect without a free port, not waiting", func(h *netlab.Host) error { _, err := h.ConnectPending("127.0.0.1:80"); return err },
		unix.EADDRNOTAVAIL, source.ConnectFailed, "tcp 127.0.0.1:0 → 127.0.0.1:80"},
	{"connect of MPTCP without a free port", func(h *netlab.Host) error { return call(h, mptcp, nil, to4(1, 80)) },
		unix.EADDRNOTAVAIL, source.ConnectFailed, "tcp 127.0.0.1:0 → 127.0.0.1:80"},
	{"connect that the peer refuses", func(h *netlab.Host) error { _, err := h.ConnectFrom("127.0.0.9:9001", "127.0.0.1:81"); return err },
		unix.ECONNREFUSED, source.BoundFirst, "tcp 127.0.0.9:9001 → 127.0.0.1:81"},
	{"bind without a free port", func(h *netlab.Host) error { _, err := h.Bind("127.0.0.1:0"); return err },
		unix.EADDRINUSE, source.BindFailed, "tcp 127.0.0.1:0 → 0.0.0.0:0"},
	{"bind over IPv6 without a free port", func(h *netlab.Host) error { _, err := h.Bind("[::]:0"); return err },
		unix.EADDRINUSE, source.BindFailed, "tcp [::]:0 → [::]:0"},
	{"bind of MPTCP without a free port", func(h *netlab.Host) error { return call(h, mptcp, to4(1, 0), nil) },
		unix.EADDRINUSE, source.BindFailed, "tcp 127.0.0.1:0 → 0.0.0.0:0"},
	{"bind to a port in use", func(h *netlab.Host) error { _, err := h.Bind("127.0.0.1:80"); return err },
		unix.EADDRINUSE, source.BindFailed, "tcp 127.0.0.1:80 → 0.0.0.0:0"},
	{"bind to a port in use, over IPv6", func(h *netlab.Host) error { _, err := h.Bind("[::1]:80"); return err },
		unix.EADDRINUSE, source.BindFailed, "tcp [::1]:80 → [::]:0"},
	{"bind of UDP without a free port", func(h *netlab.Host) error { _, err := h.BindUDP("127.0.0.1:0"); return err },
		unix.EADDRINUSE, source.BindFailed, "udp 127.0.0.1:0 → 0.0.0.0:0"},
	{"bind of UDP to a port in use", func(h *netlab.Host) error { _, err := h.BindUDP("0.0.0.0:40001"); return err },
		unix.EADDRINUSE, source.BindFailed, "udp 0.0.0.0:40001 → 0.0.0.0:0"},
	{"listen without a free port", func(h *netlab.Host) error {
		return h.Do(func() error {
			return withSocket(unix.AF_INET, unix.SOCK_STREAM, 0, func(fd int) error { return unix.Listen(fd, 1) })
		})
	}, unix.EADDRINUSE, source.BindFailed, "tcp 0.0.0.0:0 → 0.0.0.0:0"},
	{"connect of UDP without a free port", func(h *netlab.Host) error { _, err := h.ConnectUDP("127.0.0.1:53"); return err },
		unix.EAGAIN, source.BindFailed, "udp 0.0.0.0:0 → 0.0.0.0:0"},
	{"send of UDP without a free port", func(h *netlab.Host) error { return send(h, unix.AF_INET, to4(1, 53)) },
		unix.EAGAIN, source.BindFailed, "udp 0.0.0.0:0 → 0.0.0.0:0"},
	{"send of UDP over IPv6 without a free port", func(h *netlab.Host) error {
		return send(h, unix.AF_INET6, to6(unix.SockaddrInet6{Addr: [16]byte{15: 1}, Port: 53}))
	},
		unix.EAGAIN, source.BindFailed, "udp [::]:0 → [::]:0"},
	{"send of UDP with a message, without a free port", func(h *netlab.Host) error {
		return h.Do(func() error {
			return withSocket(unix.AF_INET, unix.SOCK_DGRAM, 0, func(fd int) error { return unix.Sendmsg(fd, []byte{1}, nil, to4(1, 53), 0) })
		})
	}, unix.EAGAIN, source.BindFailed, "udp 0.0.0.0:0 → 0.0.0.0:0"},
	{"send of UDP into a full buffer", fullBuffer, unix.EAGAIN, 0, ""},
	{"receive with nothing there", func(h *netlab.Host) error {
		return h.Do(func() error {
			return withSocket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0, func(fd int) error {
				_, err := unix.Read(fd, make([]byte, 1))
				return err
			})
		})
	}, unix.EAGAIN, 0, ""},
	{"bind to an address of others", func(h *netlab.Host) error { _, err := h.Bind("192.0.2.1:8080"); return err },
		unix.EADDRNOTAVAIL, source.AddressRefused, "tcp 192.0.2.1:8080 → 0.0.0.0:0"},
	{"bind of UDP to an IPv6 address of others", func(h *netlab.Host) error { _, err := h.BindUDP("[2001:db8::1]:8080"); return err },
		unix.EADDRNOTAVAIL, source.AddressRefused, "udp [2001:db8::1]:8080 → [::]:0"},
	{"connect after an explicit bind", func(h *netlab.Host) error { _, err := h.ConnectFrom("127.0.0.9:9000", "127.0.0.1:80"); return err },
		nil, source.BoundFirst, "tcp 127.0.0.9:9000 → 127.0.0.1:80"},
	{"bind of a socket that is no internet's", func(h *netlab.Host) error {
		return h.Do(func() error {
			return withSocket(unix.AF_UNIX, unix.SOCK_STREAM, 0, func(fd int) error {
				name := &unix.SockaddrUnix{Name: "@ephtop"}
				return errors.Join(unix.Bind(fd, name), withSocket(unix.AF_UNIX, unix.SOCK_STREAM, 0, func(fd int) error { return unix.Bind(fd, name) }))
			})
		})
	}, unix.EADDRINUSE, 0, ""},
}

// mptcp is the protocol that socket(2) makes a socket of MPTCP of.
const mptcp = unix.IPPROTO_MPTCP

func to4(last byte, port int) unix.Sockaddr {
	return &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, last}, Port: port}
}

func to6(sa unix.SockaddrInet6) unix.Sockaddr { return &sa }

func withSocket(family, kind, proto int, f func(fd int) error) error {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return f(fd)
}

// call binds and connects a socket of a protocol, as far as it is told to.
func call(h *netlab.Host, proto int, from, to unix.Sockaddr) error {
	return h.Do(func() error {
		return withSocket(unix.AF_INET, unix.SOCK_STREAM, proto, func(fd int) (err error) {
			if from != nil {
				err = unix.Bind(fd, from)
			}
			if err == nil && to != nil {
				err = unix.Connect(fd, to)
			}
			return err
		})
	})
}

func send(h *netlab.Host, family int, to unix.Sockaddr) error {
	return h.Do(func() error {
		return withSocket(family, unix.SOCK_DGRAM, 0, func(fd int) error { return unix.Sendto(fd, []byte{1}, 0, to) })
	})
}

// fullBuffer sends more than a socket that has a port may: to a neighbour that
// does not answer, so that all of it waits.
func fullBuffer(h *netlab.Host) error {
	return h.Do(func() error {
		link := make([]byte, unix.SizeofIfInfomsg)
		binary.NativeEndian.PutUint32(link[8:], unix.IFF_UP)
		binary.NativeEndian.PutUint32(link[12:], unix.IFF_UP)
		kind := attribute(unix.IFLA_INFO_KIND, []byte("veth\x00"))
		if err := route(unix.RTM_NEWLINK, slices.Concat(link, attribute(unix.IFLA_IFNAME, []byte("v0\x00")), attribute(unix.IFLA_LINKINFO, kind))); err != nil {
			return err
		}
		device, err := net.InterfaceByName("v0")
		if err != nil {
			return err
		}
		address := binary.NativeEndian.AppendUint32([]byte{unix.AF_INET, 24, 0, unix.RT_SCOPE_UNIVERSE}, uint32(device.Index))
		if err := route(unix.RTM_NEWADDR, slices.Concat(address, attribute(unix.IFA_LOCAL, []byte{10, 9, 0, 1}))); err != nil {
			return err
		}
		return withSocket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0, func(fd int) error {
			if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Port: 4444}), unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 1)); err != nil {
				return err
			}
			for range 1000 {
				if err := unix.Sendto(fd, make([]byte, 1000), 0, &unix.SockaddrInet4{Addr: [4]byte{10, 9, 0, 2}, Port: 9}); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// Each failure makes the one event that says what it is.
func TestFailures(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, events *Events) {
		h := netlab.New(t, "40000 40001") // which are used up, by TCP and by UDP
		h.Listen("127.0.0.1:80")
		h.Listen("[::1]:80")
		for _, addr := range []string{"0.0.0.0:40000", "0.0.0.0:40001"} {
			if _, err := h.BindUDP(addr); err != nil {
				t.Fatal(err)
			}
			if _, err := h.Bind(addr); err != nil {
				t.Fatal(err)
			}
		}
		drain(t, events, h)
		for _, f := range failures {
			t.Run(f.name, func(t *testing.T) {
				if err := f.call(h); errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.EOPNOTSUPP) {
					t.Skipf("this kernel can't: %v", err)
				} else if !errors.Is(err, f.err) {
					t.Fatalf("%v, want %v", err, f.err)
				}
				told := drain(t, events, h)
				switch {
				case f.tuple == "" && len(told) == 0:
				case f.tuple == "" || len(told) != 1:
					t.Errorf("%d events: %+v", len(told), told)
				case told[0].Kind != f.kind || told[0].Tuple.String() != f.tuple:
					t.Errorf("%v %v, want %v %v", told[0].Kind, told[0].Tuple, f.kind, f.tuple)
				}
			})
		}
	})
}

// Where there is no ::1, it is the address that connect() does not find.
func TestNoAddressToConnectFrom(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, events *Events) {
		h := netlab.New(t, "40000 40099")
		h.Sysctl("net/ipv6/conf/lo/disable_ipv6", "1")
		for _, connect := range []func(string) (int, error){h.Connect, h.ConnectUDP} {
			if _, err := connect("[::1]:6432"); !errors.Is(err, unix.EADDRNOTAVAIL) {
				t.Errorf("%v", err)
			}
		}
		told := drain(t, events, h)
		if n := kinds(told); len(told) != 2 || n[source.AddressRefused] != 2 {
			t.Fatalf("%+v", told)
		}
		for i, want := range []string{"tcp [::]:0 → [::1]:6432", "udp [::]:0 → [::1]:6432"} {
			if got := told[i].Tuple.String(); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	})
}

// A listener whose port was taken between bind() and listen() is told.
func TestListenFails(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, events *Events) {
		h := netlab.New(t, "40000 40099")
		err := h.Do(func() error {
			reuse := func(f func(fd int) error) func(fd int) error {
				return func(fd int) error {
					if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
						return err
					}
					if err := unix.Bind(fd, to4(1, 40050)); err != nil {
						return err
					}
					return f(fd)
				}
			}
			return withSocket(unix.AF_INET, unix.SOCK_STREAM, 0, reuse(func(first int) error {
				return withSocket(unix.AF_INET, unix.SOCK_STREAM, 0, reuse(func(second int) error {
					if err := unix.Listen(first, 1); err != nil {
						return err
					}
					return unix.Listen(second, 1)
				}))
			}))
		})
		if !errors.Is(err, unix.EADDRINUSE) {
			t.Fatal(err)
		}
		told := drain(t, events, h)
		if len(told) != 1 || told[0].Kind != source.BindFailed || told[0].Tuple.String() != "tcp 127.0.0.1:40050 → 0.0.0.0:0" {
			t.Errorf("%+v", told)
		}
	})
}

// An attempt on a socket whose connect() was refused before is told as what it
// is, too.
func TestConnectFailsAfterARefusal(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, events *Events) {
		h := netlab.New(t, "40000 40000")
		h.Listen("127.0.0.1:80")
		h.Must(func() error {
			return withSocket(unix.AF_INET, unix.SOCK_STREAM, 0, func(fd int) error {
				if err := unix.Connect(fd, to4(1, 81)); err != unix.ECONNREFUSED {
					t.Errorf("%v", err)
				}
				holder, err := netlab.ConnectHere("127.0.0.1:80")
				if err != nil {
					return err
				}
				defer unix.Close(holder)
				for range 2 {
					if err := unix.Connect(fd, to4(1, 80)); err != unix.EADDRNOTAVAIL {
						t.Errorf("%v", err)
					}
				}
				return nil
			})
		})
		told := drain(t, events, h)
		if n := kinds(told); n[source.ConnectFailed] != 2 || n[source.AddressRefused] != 0 {
			t.Errorf("%+v", told)
		}
		for _, v := range told {
			if v.Kind == source.ConnectFailed && (v.Tuple.Remote != source.Addr4([4]byte{127, 0, 0, 1}) || v.Tuple.RemotePort != 80) {
				t.Errorf("%v", v.Tuple)
			}
		}
	})
}

// Where no way can be, failures of connect() are told all the same.
func TestConnectFailsByItsState(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e *Engine) {
		events := events(t, e)
		h := netlab.New(t, "40000 40001")
		h.Listen("127.0.0.1:80")
		if _, err := h.Fill("127.0.0.1:80", 2); err != nil {
			t.Fatal(err)
		}
		for range 3 { // again and again by what may be the same socket's memory
			if _, err := h.Connect("127.0.0.1:80"); !errors.Is(err, unix.EADDRNOTAVAIL) {
				t.Fatal(err)
			}
		}
		if told := drain(t, events, h); kinds(told)[source.ConnectFailed] != 3 {
			t.Errorf("%+v", told)
		}
	})
}
