package model_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/model"
	"ephtop/source/netlab"
)

// In a range with an odd number of ports connect() leaves an end out, and which
// one depends on the destination: to many it gives one port less than there
// are. Whenever it refuses, the model has no port left.
func TestKernelOddRanges(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, ports, reserved string
		destinations          int
		most                  int // that connect() can give
		never                 bool
	}{
		{"101 ports", "40000 40100", "", 30, 101, false},
		{"101 ports from an odd one", "40001 40101", "", 10, 101, false},
		{"33 ports", "40000 40032", "", 30, 33, false},
		{"5 ports", "40000 40004", "", 30, 5, false},
		{"3 ports", "40000 40002", "", 30, 2, true},
		{"1 port", "40000 40000", "", 5, 1, true},
		{"the low end reserved", "40000 40032", "40000", 20, 32, false},
		{"the high end reserved", "40000 40032", "40032", 20, 32, false},
		{"both ends reserved", "40000 40032", "40000,40032", 20, 31, true},
		{"another one reserved", "40000 40032", "40010", 20, 32, false},
		{"100 ports", "40000 40099", "", 5, 100, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.Sysctl("net.ipv4.ip_local_port_range", tt.ports)
			l.Sysctl("net.ipv4.ip_local_reserved_ports", tt.reserved)
			l.ListenBacklog("0.0.0.0:80", 4000)
			given := make([]int, tt.destinations)
			for i := range given {
				var err error
				given[i], err = netlab.Repeat(tooMany, l.connect(fmt.Sprintf("127.0.0.%d:80", i+2)))
				if !errors.Is(err, unix.EADDRNOTAVAIL) || given[i] > tt.most || given[i] < tt.most-1 || tt.never && given[i] != tt.most {
					t.Errorf("the kernel gives %d ports of %d and says %v", given[i], tt.most, err)
				}
			}
			st := l.look()
			for i, n := range given {
				u := tuple(st, towards("127.0.0.1", fmt.Sprintf("127.0.0.%d:80", i+2)))
				if u == nil || u.Free != 0 || u.Used != n || u.Used+u.Missed != st.TCP.Pressure.Usable || u.Level != model.LevelExhausted || u.Percent() != 100 {
					t.Errorf("the kernel gave %d and refuses, the model says %+v", n, u)
				}
			}
		})
	}
}

// Any port but an end is one that connect() finds, wherever it begins.
func TestKernelOddRangesGiveTheRest(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.Sysctl("net.ipv4.ip_local_port_range", "40000 40020")
	l.ListenBacklog("0.0.0.0:80", 4000)
	for i := range 20 {
		to := fmt.Sprintf("127.0.0.%d:80", i+2)
		fds := map[uint16]int{}
		for {
			fd, err := l.Connect(to)
			if err != nil {
				break
			}
			fds[localPort(t, fd)] = fd
		}
		// No TIME_WAIT stays of a connection that ends with a reset.
		free := uint16(40001 + i%19)
		if err := unix.SetsockoptLinger(fds[free], unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
			t.Fatal(err)
		}
		l.Close(fds[free])
		// An end that it missed before may be found now.
		u := tuple(l.look(), towards("127.0.0.1", to))
		given, err := netlab.Repeat(tooMany, l.connect(to))
		if given < 1 || given > u.Free || u.Free > 2 || u.Level == model.LevelExhausted || !errors.Is(err, unix.EADDRNOTAVAIL) {
			t.Errorf("%s, port %d is free: the kernel gives %d and says %v, the model says %+v", to, free, given, err, u)
		}
	}
}

func localPort(t *testing.T, fd int) uint16 {
	t.Helper()
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(sa.(*unix.SockaddrInet4).Port)
}

// With tcp_tw_reuse more connections can be closed one after the other than
// there are ports, and the outlook is never full.
func TestKernelReuseGoesOn(t *testing.T) {
	t.Parallel()
	if !hasReuseDelay() {
		t.Skip("this kernel has no " + reuseDelay)
	}
	l := newLab(t)
	l.Sysctl("net.ipv4.tcp_tw_reuse", "2")
	l.Sysctl(reuseDelay, "1")
	listener := l.Listen("127.0.0.1:80")
	for range 5 {
		if err := l.TimeWait(listener, "127.0.0.1:80", 100); err != nil {
			t.Fatalf("more than 100 closes in 100 ports: %v", err)
		}
		time.Sleep(2 * time.Millisecond) // so that the last one is old enough too
		if u := tuple(l.look(), towards("127.0.0.1", "127.0.0.1:80")); u.Outlook.Trend == model.TrendFull || u.SlowConnect() {
			t.Errorf("%d TIME_WAIT, outlook %+v, slow %v", u.TimeWait, u.Outlook, u.SlowConnect())
		}
	}
}
