package command_test

import (
	"fmt"
	"strings"
	"testing"

	"ephtop/source/netlab"
	"ephtop/source/probe"
)

// All ports are bound first: no destination has one left, and check says so by
// whatever it looks at.
func TestKernelCheckOfEverythingBoundFirst(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"auto", "sockdiag"} {
		h := netlab.New(t, "40000 40099")
		h.Sysctl("net.ipv4.tcp_tw_reuse", "0")
		for i := range 100 {
			to := fmt.Sprintf("127.0.1.%d:900", 1+i/10)
			if i%10 == 0 {
				h.Listen(to)
			}
			if _, err := h.ConnectFrom("127.0.0.1:0", to); err != nil {
				t.Fatal(err)
			}
		}
		status, out := ephtop(t, h, "check", "--netns", "self", "--source", source)
		if status != 2 || !strings.HasPrefix(out, "EPHTOP CRITICAL - no port of 100 is free") {
			t.Errorf("%s: status %d, %s", source, status, out)
		}
	}
}

// Ports of the first half that were bound by number are a blind spot of a dump.
// connect() knows.
func TestKernelDoctorAsksConnect(t *testing.T) {
	t.Parallel()
	if err := probe.Supported(); err != nil {
		t.Skip(err)
	}
	h := netlab.New(t, "40000 40099")
	h.Listen("127.0.0.2:900")
	for i := range 40 {
		if _, err := h.ConnectFrom(fmt.Sprintf("127.0.0.1:%d", 40000+2*i), "127.0.0.2:900"); err != nil {
			t.Fatal(err)
		}
	}
	for ask, want := range map[string]bool{"--probe": true, "--ascii": false} {
		_, d := consultHost(t, h, "--for", "1s", "--netns", "self", "--source", "sockdiag", ask)
		found := false
		for _, f := range d.Findings {
			found = found || f.Problem == "bound-first" && strings.Contains(f.Title, "40 ports bound before connect()")
		}
		if found != want {
			t.Errorf("%s: found %v, want %v: %+v", ask, found, want, d.Findings)
		}
	}
}
