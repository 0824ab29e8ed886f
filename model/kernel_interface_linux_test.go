package model_test

import (
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/model"
	"ephtop/source/live"
)

// kinds are the sources that know the kernel's sockets.
var kinds = [...]string{live.Sockdiag, live.Tables}

// on makes the key of a tuple whose sockets are bound to an interface.
func on(key model.TupleKey, iface int) model.TupleKey {
	key.Interface = uint32(iface)
	return key
}

// A socket that is bound to an interface blocks its four-tuple for those that
// are bound to the same one, one that is bound to none blocks it for everyone.
func TestKernelTuplesOfAnInterface(t *testing.T) {
	t.Parallel()
	const lo = 1
	for _, to := range [...]string{"127.0.0.1:80", "[::1]:80"} {
		at := netip.MustParseAddrPort(to)
		key := towards(at.Addr().String(), to)
		for k, kind := range kinds {
			for i, test := range []struct {
				bound, unbound         int // that stand, the bound ones first
				first                  string
				leftBound, leftUnbound int
			}{
				{100, 0, "bound", 0, 100},
				{30, 0, "bound", 70, 100},
				{0, 100, "unbound", 0, 0},
				{0, 40, "unbound", 60, 60},
				{20, 50, "bound", -1, 50},
				{20, 30, "unbound", 50, 70},
			} {
				if leftOut(i, k) {
					continue
				}
				t.Run(fmt.Sprintf("%s, %s, %d bound and %d not", to, kind, test.bound, test.unbound), func(t *testing.T) {
					t.Parallel()
					l := newLabOf(t, kind)
					l.Listen(to)
					via := func() (int, error) { return l.ConnectVia("lo", to) }
					if test.first == "bound" {
						l.opens(test.bound, via)
						l.opens(test.unbound, l.connect(to))
					} else {
						l.opens(test.unbound, l.connect(to))
						l.opens(test.bound, via)
					}
					st := l.look()
					left := free(st, key)
					if left != test.leftUnbound {
						t.Errorf("the model leaves %d to sockets bound to no interface, want %d", left, test.leftUnbound)
					}
					if test.bound == 0 { // of which nothing can be said before the first
						test.bound++
						if test.leftBound > 0 {
							l.opens(1, via)
							test.leftBound--
						}
						st = l.look()
					}
					if use := tuple(st, on(key, lo)); use == nil && test.leftBound > 0 {
						t.Error("the model does not know the tuple of lo")
					} else if use != nil && test.leftBound >= 0 && use.Free != test.leftBound {
						t.Errorf("the model leaves %d to sockets bound to lo, want %d", use.Free, test.leftBound)
					} else if use != nil {
						l.gives(use.Free, unix.EADDRNOTAVAIL, via)
						if got := tuple(l.look(), on(key, lo)); got.Free != 0 || got.Level != model.LevelExhausted || got.Suspected != 0 {
							t.Errorf("the model says %+v when connect fails, want exhausted, and nothing suspected", got)
						}
						return
					}
					l.gives(test.leftBound, unix.EADDRNOTAVAIL, via)
				})
			}
			t.Run(fmt.Sprintf("%s, %s, what bound sockets leave to the others", to, kind), func(t *testing.T) {
				t.Parallel()
				l := newLabOf(t, kind)
				l.Listen(to)
				l.gives(100, unix.EADDRNOTAVAIL, func() (int, error) { return l.ConnectVia("lo", to) })
				l.gives(100, unix.EADDRNOTAVAIL, l.connect(to))
			})
		}
	}
}

// Link-local addresses are those of a link, so that two links are two tuples.
func TestKernelLinkLocalTuples(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip(err)
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			l := newLabOf(t, kind)
			var links [2]int
			for i := range links {
				name := fmt.Sprintf("link%d", i)
				l.Output("ip", "link", "add", name, "type", "veth", "peer", "name", name+"peer")
				l.Output("ip", "link", "set", name+"peer", "up")
				l.Output("ip", "link", "set", name, "up")
				l.Output("ip", "addr", "add", "fe80::77/64", "dev", name, "nodad")
				l.Must(func() error {
					device, err := net.InterfaceByName(name)
					if err == nil {
						links[i] = device.Index
					}
					return err
				})
			}
			l.Listen("[::]:80")
			for i, n := range [...]int{60, 100} {
				to := fmt.Sprintf("[fe80::77%%%d]:80", links[i])
				l.opens(n, l.connect(to))
			}
			st := l.look()
			key := towards("fe80::77", "[fe80::77]:80")
			for i, want := range [...]int{40, 0} {
				use := tuple(st, on(key, links[i]))
				if use == nil || use.Free != want {
					t.Errorf("the model says %+v of link %d, want %d free", use, links[i], want)
				}
				l.gives(want, unix.EADDRNOTAVAIL, l.connect(fmt.Sprintf("[fe80::77%%%d]:80", links[i])))
			}
			if use := tuple(st, key); use != nil {
				t.Errorf("the model knows a tuple of no link: %+v", use)
			}
		})
	}
}
