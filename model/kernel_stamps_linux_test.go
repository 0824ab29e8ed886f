package model_test

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source/live"
	"ephtop/source/netlab"
)

const timestamps = "net.ipv4.tcp_timestamps"

// What counts for a TIME_WAIT are the timestamps that its connection had, and not
// the setting of now (tcp_twsk_unique). A dump does not tell them: there, the
// setting of when the connection was first seen counts.
func TestKernelTimestampsOfTheConnection(t *testing.T) {
	t.Parallel()
	if !hasReuseDelay() {
		t.Skip("this kernel has no " + reuseDelay)
	}
	for _, to := range families() {
		for _, test := range []struct {
			then, now string
			n, gives  int
		}{{"1", "0", 100, 100}, {"0", "1", 100, 0}, {"2", "0", 100, 100}, {"0", "2", 100, 0}, {"1", "0", 37, 100}, {"0", "1", 37, 63}} {
			for _, kind := range kinds {
				for _, looks := range [...]bool{true, false} {
					if !looks && kind == live.Sockdiag {
						continue
					}
					t.Run(fmt.Sprintf("%s, %s, %d with %s, then %s, looks %v", kind, to, test.n, test.then, test.now, looks), func(t *testing.T) {
						t.Parallel()
						l := newLabOf(t, kind)
						l.Sysctl("net.ipv4.tcp_tw_reuse", "2")
						l.Sysctl(reuseDelay, "30000")
						l.Sysctl(timestamps, test.then)
						if err := l.TimeWait(l.Listen(to), to, test.n); err != nil {
							t.Fatal(err)
						}
						if looks {
							l.look()
						}
						l.Sysctl(timestamps, test.now)
						l.Sysctl(reuseDelay, "1")
						time.Sleep(20 * time.Millisecond)
						got := l.look().TCP.Pressure.Worst()
						if got == nil || got.TimeWait != test.n || got.Reusable+got.Free != test.gives {
							t.Errorf("the model says %+v, want %d TIME_WAIT, %d free or reusable", got, test.n, test.gives)
						}
						l.gives(test.gives, unix.EADDRNOTAVAIL, l.connect(to))
					})
				}
			}
		}
	}
}

// A peer without timestamps leaves TIME_WAIT that can't be taken over. Where the
// tables don't tell, the connections that are still open do.
func TestKernelPeerWithoutTimestamps(t *testing.T) {
	t.Parallel()
	if !hasReuseDelay() {
		t.Skip("this kernel has no " + reuseDelay)
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip(err)
	}
	for _, to := range [...]string{"10.9.8.2:80", "[fd00::2]:80"} {
		for _, setting := range [...]string{"0", "1"} {
			for _, kind := range kinds {
				t.Run(fmt.Sprintf("%s, %s, timestamps %s", kind, to, setting), func(t *testing.T) {
					t.Parallel()
					l, peer := newLabOf(t, kind), netlab.New(t, "")
					join(l.Host, peer)
					peer.Sysctl(timestamps, setting)
					l.Sysctl("net.ipv4.tcp_tw_reuse", "1")
					l.Sysctl(reuseDelay, "30000")
					listener := peer.Listen(to)
					l.opens(10, l.connect(to))
					for range 10 {
						peer.Accept(listener)
					}
					for range 90 {
						client, err := l.Connect(to)
						if err != nil {
							t.Fatal(err)
						}
						server := peer.Accept(listener)
						l.Close(client)
						peer.CloseSecond(server)
					}
					l.Sysctl(reuseDelay, "1")
					time.Sleep(20 * time.Millisecond)
					want := 0
					if setting == "1" {
						want = 90
					}
					if got := l.look().TCP.Pressure.Worst(); got.TimeWait != 90 || got.Reusable != want {
						t.Errorf("the model says %+v, want 90 TIME_WAIT, %d of them reusable", got, want)
					}
					l.gives(want, unix.EADDRNOTAVAIL, l.connect(to))
				})
			}
		}
	}
}

// join joins two hosts by a cable, 10.9.8.1 and fd00::1 at the first's end.
func join(a, b *netlab.Host) {
	a.Output("ip", "link", "add", "cable", "type", "veth", "peer", "name", "end")
	a.Output("ip", "link", "set", "end", "netns", b.Path())
	for i, h := range [...]*netlab.Host{a, b} {
		name := [...]string{"cable", "end"}[i]
		h.Output("ip", "addr", "add", fmt.Sprintf("10.9.8.%d/24", i+1), "dev", name)
		h.Output("ip", "addr", "add", fmt.Sprintf("fd00::%d/64", i+1), "dev", name, "nodad")
		h.Output("ip", "link", "set", name, "up")
	}
}
