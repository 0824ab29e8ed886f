package probe_test

import (
	"context"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
	"ephtop/source/live"
	"ephtop/source/netlab"
	"ephtop/source/probe"
)

// connect() says of each kind of holder whether its port is blocked.
func TestPortsBlockedForEveryone(t *testing.T) {
	t.Parallel()
	if err := probe.Supported(); err != nil {
		t.Skip(err)
	}
	h := netlab.New(t, "40000 40099")
	h.Listen("127.0.0.1:80")
	h.Listen("[::1]:80")
	must := func(_ int, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(h.ConnectFrom("127.0.0.1:40010", "127.0.0.1:80"))
	must(h.ConnectFrom("[::1]:40011", "[::1]:80"))
	must(h.Bind("127.0.0.1:40020"))
	h.Listen("127.0.0.1:40030")
	for range 20 {
		must(h.ConnectRange(40050, 40069, "127.0.0.1:80"))
	}
	want := []uint16{40010, 40011, 40020, 40030}
	set := source.Settings{Range: source.PortRange{Low: 40000, High: 40099}, Reserved: []source.PortRange{{Low: 40090, High: 40099}}}
	var netns uint64
	for _, way := range []string{"inside", "from outside"} {
		var got []uint16
		ask := func() (err error) {
			var st unix.Stat_t
			if netns == 0 {
				if err := unix.Stat("/proc/thread-self/ns/net", &st); err != nil {
					return err
				}
				netns = st.Ino
			}
			got, err = probe.Ports(context.Background(), &source.Scope{Netns: netns}, h.Path(), &set)
			return err
		}
		if way == "inside" {
			h.Must(ask)
		} else if err := ask(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", way, diff)
		}
	}
}

// What connect() says takes the place of what is suspected, once, in the
// namespace asked for.
func TestSourceAsksOnce(t *testing.T) {
	t.Parallel()
	if err := probe.Supported(); err != nil {
		t.Skip(err)
	}
	h := netlab.New(t, "41001 41020")
	h.Listen("127.0.0.1:80")
	for i := range 20 {
		if _, err := h.ConnectFrom(fmt.Sprintf("127.0.0.1:%d", 41001+i), "127.0.0.1:80"); err != nil {
			t.Fatal(err)
		}
	}
	h.Must(func() error {
		inner, err := live.Open(live.Options{Kind: live.Sockdiag, Netns: live.OwnNetns})
		if err != nil {
			return err
		}
		src := probe.New(inner, "")
		defer src.Close()
		var m source.Moment
		for _, want := range []int{-1, 20, -1} {
			if want >= 0 {
				src.Ask(m.Snapshots[0].Scope)
			}
			if err := src.Poll(context.Background(), &m); err != nil {
				return err
			}
			sn := &m.Snapshots[0]
			if sn.BlockedKnown != (want >= 0) || want >= 0 && len(sn.Blocked) != want {
				t.Errorf("blocked known %v, %d ports; want %d", sn.BlockedKnown, len(sn.Blocked), want)
			}
			for _, s := range sn.Sockets {
				if s.State == source.TimeWait {
					t.Errorf("TIME_WAIT on %d", s.LocalPort)
				}
			}
		}
		return nil
	})
}
