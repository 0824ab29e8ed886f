//go:build amd64 || arm64

package tables

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
)

// trace traces until the test ends.
func trace(t *testing.T, e *Engine) *Events {
	t.Helper()
	events, err := e.Trace()
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
	mine := slices.DeleteFunc(all, func(v source.Event) bool { return v.Netns != inode(t, h) })
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
		events := trace(t, e)
		const closes = 1000
		if err := h.TimeWait(l, "127.0.0.1:80", closes); err != nil {
			t.Fatal(err)
		}
		told := drain(t, events, h)
		if n := kinds(told); len(told) != closes || n[source.Closed] != closes {
			t.Errorf("%v of %d closes", n, closes)
		}
		for _, v := range told {
			if v.Tuple.RemotePort != 80 || v.Tuple.LocalPort == 0 || v.Tuple.Local != v.Tuple.Remote || v.Tuple.Proto != source.TCP {
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
	each(t, func(t *testing.T, e *Engine) {
		h := netlab.New(t, "")
		events := trace(t, e)
		const binds = 30000
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
		all, lost, err := events.Drain(nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(events.links) == 1 {
			t.Skip("this kernel cannot attach to functions")
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
	{"bind without a free port", func(h *netlab.Host) error { _, err := h.Bind("127.0.0.1:0"); return err },
		unix.EADDRINUSE, source.BindFailed, "tcp 127.0.0.1:0 → 0.0.0.0:0"},
	{"bind to a port in use", func(h *netlab.Host) error { _, err := h.Bind("127.0.0.1:80"); return err }, unix.EADDRINUSE, 0, ""},
	{"bind of UDP without a free port", func(h *netlab.Host) error { _, err := h.BindUDP("127.0.0.1:0"); return err },
		unix.EADDRINUSE, source.BindFailed, "udp 127.0.0.1:0 → 0.0.0.0:0"},
	{"connect of UDP without a free port", func(h *netlab.Host) error { _, err := h.ConnectUDP("127.0.0.1:53"); return err },
		unix.EAGAIN, source.BindFailed, "udp 0.0.0.0:0 → 0.0.0.0:0"},
	{"bind to an address of others", func(h *netlab.Host) error { _, err := h.Bind("192.0.2.1:8080"); return err },
		unix.EADDRNOTAVAIL, source.AddressRefused, "tcp 192.0.2.1:8080 → 0.0.0.0:0"},
	{"bind of UDP to an IPv6 address of others", func(h *netlab.Host) error { _, err := h.BindUDP("[2001:db8::1]:8080"); return err },
		unix.EADDRNOTAVAIL, source.AddressRefused, "udp [2001:db8::1]:8080 → [::]:0"},
	{"connect after an explicit bind", func(h *netlab.Host) error { _, err := h.ConnectFrom("127.0.0.9:9000", "127.0.0.1:80"); return err },
		nil, source.BoundFirst, "tcp 127.0.0.9:9000 → 127.0.0.1:80"},
}

// Each failure makes the one event that says what it is.
func TestFailures(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e *Engine) {
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
		events := trace(t, e)
		complete := len(events.links) == 1+len(functionPrograms)
		t.Logf("%d of %d functions", len(events.links)-1, len(functionPrograms))
		for _, f := range failures {
			t.Run(f.name, func(t *testing.T) {
				if err := f.call(h); !errors.Is(err, f.err) {
					t.Fatalf("%v, want %v", err, f.err)
				}
				told := drain(t, events, h)
				byState := f.kind == source.ConnectFailed || f.kind == source.BoundFirst
				switch {
				case f.tuple == "" && len(told) == 0:
				case !byState && !complete:
					t.Skip("this kernel cannot attach to functions")
				case f.tuple == "" || len(told) != 1:
					t.Errorf("%d events: %+v", len(told), told)
				case told[0].Kind != f.kind || told[0].Tuple.String() != f.tuple:
					t.Errorf("%v %v, want %v %v", told[0].Kind, told[0].Tuple, f.kind, f.tuple)
				}
			})
		}
	})
}

// An attempt on a socket whose connect() was refused before is told as what it
// is, too.
func TestConnectFailsAfterARefusal(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e *Engine) {
		h := netlab.New(t, "40000 40000")
		h.Listen("127.0.0.1:80")
		events := trace(t, e)
		h.Must(func() error {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			if err := unix.Connect(fd, v4(1, 81)); err != unix.ECONNREFUSED {
				t.Errorf("%v", err)
			}
			holder, err := netlab.ConnectHere("127.0.0.1:80")
			if err != nil {
				return err
			}
			defer unix.Close(holder)
			if err := unix.Connect(fd, v4(1, 80)); err != unix.EADDRNOTAVAIL {
				t.Errorf("%v", err)
			}
			return nil
		})
		told := drain(t, events, h)
		if len(events.links) == 1 {
			t.Skip("this kernel cannot attach to functions")
		}
		want := "tcp 127.0.0.1:0 → 127.0.0.1:80"
		if n := kinds(told); n[source.ConnectFailed] != 1 || n[source.AddressRefused] != 0 || told[0].Tuple.String() != want {
			t.Errorf("%+v", told)
		}
	})
}
