package command_test

import (
	"fmt"
	"testing"

	"ephtop/source/netlab"
)

// TestKernelHealthyHosts has doctor look at hosts that are in good health, each
// in its own way: no point of the checklist that is about ports may be more
// than ok.
func TestKernelHealthyHosts(t *testing.T) {
	t.Parallel()
	some := []string{"127.0.0.2:80", "127.0.0.3:80", "127.0.0.4:80", "[::1]:80"}
	listen := func(h *netlab.Host) {
		for _, at := range some {
			h.Listen(at)
		}
	}
	for _, c := range []struct {
		name, ports string // ports "" are the kernel's default
		set         func(t *testing.T, h *netlab.Host)
	}{
		{"nothing", "", func(*testing.T, *netlab.Host) {}},
		{"closes on loopback, with the kernel's defaults", "", startChurn},
		{"the whole pool is in use, no destination is half full", "40000 40099", func(t *testing.T, h *netlab.Host) {
			listen(h)
			for _, to := range some {
				fill(t, h, 45, func() (int, error) { return h.Connect(to) })
			}
		}},
		{"a server with many clients", "", func(t *testing.T, h *netlab.Host) {
			h.Listen("127.0.0.2:80")
			fill(t, h, 3000, func() (int, error) { return h.Connect("127.0.0.2:80") })
		}},
		{"listeners in the range", "", func(t *testing.T, h *netlab.Host) {
			for i := range 5 {
				h.Listen(fmt.Sprintf("127.0.0.1:%d", 40000+i))
			}
		}},
		{"a pool of connections was closed", "", func(t *testing.T, h *netlab.Host) {
			if err := h.TimeWait(h.Listen("127.0.0.2:80"), "127.0.0.2:80", 3000); err != nil {
				t.Error(err)
			}
		}},
		{"the same without reuse", "", func(t *testing.T, h *netlab.Host) {
			h.Sysctl("net.ipv4.tcp_tw_reuse", "0")
			if err := h.TimeWait(h.Listen("127.0.0.2:80"), "127.0.0.2:80", 3000); err != nil {
				t.Error(err)
			}
		}},
		{"proxies that bind an address and no port", "40000 40099", func(t *testing.T, h *netlab.Host) {
			listen(h)
			for _, to := range some[:3] {
				fill(t, h, 50, func() (int, error) { return h.ConnectNoPort("127.0.0.9:0", to) })
			}
		}},
		{"a few connections that were bound first", "", func(t *testing.T, h *netlab.Host) {
			listen(h)
			fill(t, h, 20, func() (int, error) { return h.ConnectFrom("127.0.0.9:0", some[0]) })
		}},
		{"an odd range", "1024 65000", func(t *testing.T, h *netlab.Host) {
			listen(h)
			fill(t, h, 5000, func() (int, error) { return h.Connect(some[0]) })
		}},
		{"a resolver's UDP sockets", "", func(t *testing.T, h *netlab.Host) {
			fill(t, h, 500, func() (int, error) { return h.ConnectUDP("127.0.0.53:53") })
		}},
		{"a client with a port of its own, another with five", "", func(t *testing.T, h *netlab.Host) {
			listen(h)
			fill(t, h, 1, func() (int, error) { return h.ConnectFrom("127.0.0.1:9999", some[0]) })
			for i := range 5 {
				fill(t, h, 1, func() (int, error) { return h.ConnectFrom(fmt.Sprintf("127.0.0.1:%d", 2000+i), some[1]) })
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := netlab.New(t, c.ports)
			c.set(t, h)
			_, d := consultHost(t, h, "--for", "2s")
			for _, p := range d.Points {
				// The log, and who may read it, are the host's own.
				if (p.Verdict == "warning" || p.Verdict == "problem") && p.Topic != "log" && p.Topic != "changes" {
					t.Errorf("%s is %s: %q", p.Topic, p.Verdict, p.Seen)
				}
			}
			if status, stdout := ephtop(t, h, "check"); status != 0 {
				t.Errorf("check: status %d, %s", status, stdout)
			}
		})
	}
}

// fill opens n sockets, which must be possible.
func fill(t *testing.T, h *netlab.Host, n int, open func() (int, error)) {
	t.Helper()
	if got, err := netlab.Repeat(n, open); err != nil {
		t.Fatalf("the kernel refuses after %d of %d: %v", got, n, err)
	}
}
