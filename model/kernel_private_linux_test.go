package model_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/model"
	"ephtop/source/live"
	"ephtop/source/netlab"
	"ephtop/source/procfs"
)

// private finds the pool of a kind.
func private(st *model.State, kind model.PoolKind) *model.TupleUse {
	for i := range st.TCP.Pressure.Tuples {
		if t := &st.TCP.Pressure.Tuples[i]; t.Pool == kind {
			return t
		}
	}
	return nil
}

// tellsBind reports whether a source tells who named a port: the tables of Linux
// 6.18 and later.
func tellsBind(kind string) bool {
	before, ok := procfs.ReleaseBefore(procfs.Release(), 6, 18)
	return kind == live.Tables && ok && !before
}

// A caller that names its source ports is out of them while the range is empty:
// the kernel refuses it, and nobody else.
func TestKernelSourcePorts(t *testing.T) {
	t.Parallel()
	for _, to := range families() {
		from := netip.MustParseAddrPort(to).Addr()
		for i, test := range []struct {
			first, n int
			level    model.Level
		}{{2000, 20, model.LevelExhausted}, {39900, 10, model.LevelExhausted}, {50000, 150, model.LevelExhausted}, {40020, 20, model.LevelExhausted}, {2000, 5, model.LevelOK}, {39990, 20, model.LevelExhausted}} {
			for k, kind := range kinds {
				if leftOut(i, k) {
					continue
				}
				if !tellsBind(kind) && test.first >= 39990 && test.first < 40100 {
					continue // nothing tells a named port from one of the range
				}
				t.Run(fmt.Sprintf("%s, %s, %d from %d", kind, to, test.n, test.first), func(t *testing.T) {
					t.Parallel()
					l := newLabOf(t, kind)
					l.Listen(to)
					next := 0
					connect := func() (int, error) {
						at := netip.AddrPortFrom(from, uint16(test.first+next%test.n))
						next++
						return l.ConnectFrom(at.String(), to)
					}
					l.gives(test.n, unix.EADDRINUSE, connect)
					st := l.look()
					pool := private(st, model.PoolSourcePorts)
					want := model.Limit{Kind: model.PoolSourcePorts, Low: uint16(test.first), High: uint16(test.first + test.n - 1)}
					if pool == nil || pool.Limit != want || pool.Used != test.n || pool.Free != 0 || pool.Level != test.level {
						t.Fatalf("the model says %+v, want all of %+v used, and %v", pool, want, test.level)
					}
					if st.Level != test.level {
						t.Errorf("level %v, want %v", st.Level, test.level)
					}
					inside := 0 // of the range
					for port := test.first; port < test.first+test.n; port++ {
						if port >= 40000 && port < 40100 {
							inside++
						}
					}
					l.gives(100-inside, unix.EADDRNOTAVAIL, l.connect(to))
				})
			}
		}
	}
}

// IP_LOCAL_PORT_RANGE makes connect() go through every port of a range of the
// socket's own.
func TestKernelRangeOfTheSocketsOwn(t *testing.T) {
	t.Parallel()
	for _, to := range [...]string{"127.0.0.1:80", "[::1]:80"} {
		for i, test := range []struct{ low, high int }{{40000, 40019}, {40041, 40070}, {40090, 40099}} {
			for k, kind := range kinds {
				if leftOut(i, k) {
					continue
				}
				t.Run(fmt.Sprintf("%s, %s, %d to %d", kind, to, test.low, test.high), func(t *testing.T) {
					t.Parallel()
					l := newLabOf(t, kind)
					l.Listen(to)
					connect := func() (int, error) { return l.ConnectRange(test.low, test.high, to) }
					n, err := netlab.Repeat(tooMany, connect)
					if errors.Is(err, unix.ENOPROTOOPT) {
						t.Skip("this kernel has no IP_LOCAL_PORT_RANGE")
					}
					if n != test.high-test.low+1 || !errors.Is(err, unix.EADDRNOTAVAIL) {
						t.Fatalf("the kernel gives %d and says %v", n, err)
					}
					st := l.look()
					pool := private(st, model.PoolLocalRange)
					if pool == nil || pool.Limit.Low != uint16(test.low) || pool.Limit.High != uint16(test.high) || pool.Used != n || pool.Free != 0 {
						t.Fatalf("the model says %+v, want %d to %d, all used", pool, test.low, test.high)
					}
					want := model.LevelExhausted
					if kind == live.Sockdiag { // which can't tell for sure
						want = model.LevelOK
					}
					if pool.Level != want {
						t.Errorf("the model says %v, want %v", pool.Level, want)
					}
					l.gives(100-n, unix.EADDRNOTAVAIL, l.connect(to))
				})
			}
		}
	}
}

// One source port is one connection to each destination, and no alarm.
func TestKernelOneSourcePort(t *testing.T) {
	t.Parallel()
	for _, to := range [...]string{"127.0.0.1:80", "[::1]:80"} {
		for _, kind := range kinds {
			t.Run(kind+" "+to, func(t *testing.T) {
				t.Parallel()
				l := newLabOf(t, kind)
				l.Listen(to)
				from := netip.AddrPortFrom(netip.MustParseAddrPort(to).Addr(), 9999)
				l.gives(1, unix.EADDRINUSE, func() (int, error) { return l.ConnectFrom(from.String(), to) })
				st := l.look()
				if pool := private(st, model.PoolSourcePort); pool == nil || pool.Used != 1 || pool.Limit.Low != 9999 || pool.Level != model.LevelOK || st.Level != model.LevelOK {
					t.Errorf("the model says %+v, level %v; want port 9999, ok", pool, st.Level)
				}
			})
		}
	}
}

// Children of a listener that is gone share one port, which is no pool.
func TestKernelChildrenAreNoPool(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			l := newLabOf(t, kind)
			for _, to := range [...]string{"127.0.0.1:8080", "127.0.0.1:8443"} {
				listener := l.Listen(to)
				l.opens(30, l.connect(to))
				for range 30 {
					l.Accept(listener)
				}
				l.Close(listener)
			}
			for _, use := range l.look().TCP.Pressure.Tuples {
				if use.Pool != model.PoolRange {
					t.Errorf("a pool of %+v: %+v", use.TupleKey, use.Limit)
				}
			}
		})
	}
}

// Ports below 1024 that NFS clients take are one pool of a known size.
func TestKernelReservedPorts(t *testing.T) {
	t.Parallel()
	for _, to := range [...]string{"127.0.0.1:2049", "[::1]:2049"} {
		for _, kind := range kinds {
			t.Run(kind+" "+to, func(t *testing.T) {
				t.Parallel()
				l := newLabOf(t, kind)
				l.Listen(to)
				from, port := netip.MustParseAddrPort(to).Addr(), uint16(1024)
				l.opens(300, func() (int, error) {
					port--
					return l.ConnectFrom(netip.AddrPortFrom(from, port).String(), to)
				})
				pool := private(l.look(), model.PoolReserved)
				if pool == nil || pool.Used != 300 || pool.Free != 124 || pool.Level != model.LevelWarning {
					t.Errorf("the model says %+v, want 300 of 424 used, a warning", pool)
				}
			})
		}
	}
}
