package model_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/model"
)

const reuseDelay = "net.ipv4.tcp_tw_reuse_delay"

// fillTimeWait leaves a TIME_WAIT to 127.0.0.1:80 on each of the 100 ports.
func fillTimeWait(l *lab) {
	if err := l.TimeWait(l.Listen("127.0.0.1:80"), "127.0.0.1:80", 100); err != nil {
		l.t.Fatal(err)
	}
}

// hasReuseDelay tells whether the age from which connect() takes a TIME_WAIT
// over can be set.
func hasReuseDelay() bool {
	_, err := os.Stat("/proc/sys/" + strings.ReplaceAll(reuseDelay, ".", "/"))
	return !errors.Is(err, fs.ErrNotExist)
}

func checkTimeWait(l *lab, reusable int, level model.Level) {
	l.t.Helper()
	got := tuple(l.look(), towards("127.0.0.1", "127.0.0.1:80"))
	if got == nil || got.TimeWait != 100 || got.Free != 0 || got.Reusable != reusable || got.Level != level {
		l.t.Errorf("the model says %+v, want 100 TIME_WAIT, %d of them reusable, and %v", got, reusable, level)
	}
}

func TestKernelTimeWaitWithoutReuse(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, setting, value string }{
		{"tw_reuse off", "net.ipv4.tcp_tw_reuse", "0"},
		{"timestamps off", "net.ipv4.tcp_timestamps", "0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			if hasReuseDelay() {
				l.Sysctl(reuseDelay, "1")
			}
			l.Sysctl("net.ipv4.tcp_tw_reuse", "2")
			l.Sysctl(tt.setting, tt.value)
			fillTimeWait(l)
			time.Sleep(20 * time.Millisecond) // far beyond the delay, where it can be set
			checkTimeWait(l, 0, model.LevelExhausted)
			l.gives(0, unix.EADDRNOTAVAIL, l.connect("127.0.0.1:80"))
		})
	}
}

// With tcp_tw_reuse 2 connect() takes over a TIME_WAIT between loopback
// addresses once it is old enough.
func TestKernelTimeWaitReuse(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.Sysctl("net.ipv4.tcp_tw_reuse", "0") // none is reused while they are made
	if hasReuseDelay() {
		l.Sysctl(reuseDelay, "30000")
	}
	fillTimeWait(l)
	l.Sysctl("net.ipv4.tcp_tw_reuse", "2")
	if hasReuseDelay() {
		checkTimeWait(l, 0, model.LevelExhausted)
		l.gives(0, unix.EADDRNOTAVAIL, l.connect("127.0.0.1:80"))
		l.Sysctl(reuseDelay, "1000")
	}
	deadline := time.Now().Add(time.Minute)
	for tuple(l.look(), towards("127.0.0.1", "127.0.0.1:80")).Reusable < 100 {
		if time.Now().After(deadline) {
			t.Fatal("the model never calls all of them reusable")
		}
		time.Sleep(20 * time.Millisecond)
	}
	checkTimeWait(l, 100, model.LevelCritical)
	l.gives(100, unix.EADDRNOTAVAIL, l.connect("127.0.0.1:80"))
	got := tuple(l.look(), towards("127.0.0.1", "127.0.0.1:80"))
	if got.Live != 100 || got.TimeWait != 0 || got.Level != model.LevelExhausted {
		t.Errorf("after reuse the model says %+v, want 100 live and exhausted", got)
	}
}

// Whether connect() takes over a TIME_WAIT that is old enough depends on its
// addresses where tcp_tw_reuse is 2 (tcp_twsk_unique).
func TestKernelTimeWaitReuseByAddress(t *testing.T) {
	t.Parallel()
	if !hasReuseDelay() {
		t.Skip("this kernel has no " + reuseDelay)
	}
	tests := []struct {
		name, setting, to string
		reusable          int
		level             model.Level
	}{
		{"loopback only, from loopback to loopback", "2", "127.0.0.1:80", 100, model.LevelCritical},
		{"loopback only, IPv6", "2", "[::1]:80", 100, model.LevelCritical},
		{"loopback only, v4-mapped", "2", "[::ffff:127.0.0.1]:80", 100, model.LevelCritical},
		{"loopback only, other addresses", "2", "10.0.0.1:80", 0, model.LevelExhausted},
		{"always, other addresses", "1", "10.0.0.1:80", 100, model.LevelCritical},
		{"always, from loopback to loopback", "1", "127.0.0.1:80", 100, model.LevelCritical},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.Address("10.0.0.1")
			l.Sysctl("net.ipv4.tcp_tw_reuse", tt.setting)
			l.Sysctl(reuseDelay, "30000") // none is reused while they are made
			if err := l.TimeWait(l.Listen(tt.to), tt.to, 100); err != nil {
				t.Fatal(err)
			}
			l.Sysctl(reuseDelay, "1")
			time.Sleep(20 * time.Millisecond)
			got := l.look().TCP.Pressure.Worst()
			if got == nil || got.TimeWait != 100 || got.Reusable != tt.reusable || got.Level != tt.level {
				t.Errorf("the model says %+v, want 100 TIME_WAIT, %d of them reusable, and %v", got, tt.reusable, tt.level)
			}
			l.gives(tt.reusable, unix.EADDRNOTAVAIL, l.connect(tt.to))
		})
	}
}

// With tcp_tw_reuse 2 one loopback end is enough for the kernel, or a socket
// bound to the loopback interface.
func TestKernelTimeWaitReuseSignsOfLoopback(t *testing.T) {
	t.Parallel()
	if !hasReuseDelay() {
		t.Skip("this kernel has no " + reuseDelay)
	}
	tests := []struct {
		name    string
		connect func(*lab) (int, error)
	}{
		{"one end", func(l *lab) (int, error) { return l.ConnectNoPort("127.0.0.1:0", "10.0.0.1:80") }},
		{"interface", func(l *lab) (int, error) { return l.ConnectVia("lo", "10.0.0.1:80") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.Address("10.0.0.1")
			l.Sysctl("net.ipv4.tcp_tw_reuse", "2")
			l.Sysctl(reuseDelay, "30000")
			listener := l.Listen("10.0.0.1:80")
			connect := func() (int, error) { return tt.connect(l) }
			for range 100 {
				client, err := connect()
				if err != nil {
					t.Fatal(err)
				}
				server := l.Accept(listener)
				l.Close(client)
				l.CloseSecond(server)
			}
			l.gives(0, unix.EADDRNOTAVAIL, connect)
			l.Sysctl(reuseDelay, "1")
			time.Sleep(20 * time.Millisecond)
			if got := l.look().TCP.Pressure.Worst(); got.TimeWait != 100 || got.Reusable != 100 {
				t.Errorf("the model says %+v, want 100 TIME_WAIT, 100 of them reusable", got)
			}
			l.gives(100, unix.EADDRNOTAVAIL, connect)
		})
	}
}
