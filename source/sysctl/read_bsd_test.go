//go:build darwin || freebsd

package sysctl

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"ephtop/source"
)

func fake(values map[string]uint32) *Reader {
	return &Reader{sysctl: func(name string) (uint32, error) {
		if v, ok := values[name]; ok {
			return v, nil
		}
		return 0, errors.New("no such sysctl")
	}}
}

func TestRead(t *testing.T) {
	var m source.Moment
	var s source.Snapshot
	r := fake(map[string]uint32{
		"net.inet.ip.portrange.first": 20000, "net.inet.ip.portrange.last": 20099, "net.inet.tcp.msl": 5000,
	})
	if err := r.Read(context.Background(), &m, &s); err != nil {
		t.Fatal(err)
	}
	if got := s.Settings; got.Range.Count() != 100 || got.Default != Defaults(runtime.GOOS, "").Range || got.Assumed || got.TimeWait != 10*time.Second {
		t.Errorf("got %+v", got)
	}
}

// What "sysctl net.inet.ip.portrange net.inet.tcp.msl" prints, in any language.
const (
	ofFreeBSD = `net.inet.ip.portrange.randomized: 1
net.inet.ip.portrange.reservedlow: 0
net.inet.ip.portrange.reservedhigh: 1023
net.inet.ip.portrange.hilast: 65535
net.inet.ip.portrange.hifirst: 49152
net.inet.ip.portrange.last: 65535
net.inet.ip.portrange.first: 10000
net.inet.ip.portrange.lowlast: 600
net.inet.ip.portrange.lowfirst: 1023
net.inet.tcp.msl: 30000`
	ofMacOS = `net.inet.ip.portrange.lowfirst: 1023
net.inet.ip.portrange.lowlast: 600
net.inet.ip.portrange.first: 49152
net.inet.ip.portrange.last: 65535
net.inet.ip.portrange.hifirst: 49152
net.inet.ip.portrange.hilast: 65535
net.inet.tcp.msl: 15000`
)

func TestReadOfRealSystems(t *testing.T) {
	tests := []struct {
		name, says string
		want       source.PortRange
		timeWait   time.Duration
	}{
		{"FreeBSD 14", ofFreeBSD, source.PortRange{Low: 10000, High: 65535}, time.Minute},
		{"macOS 14", ofMacOS, source.PortRange{Low: 49152, High: 65535}, 30 * time.Second},
		{"macOS that counts down", strings.NewReplacer("range.first: 49152", "range.first: 65535", "range.last: 65535", "range.last: 49152").Replace(ofMacOS),
			source.PortRange{Low: 49152, High: 65535}, 30 * time.Second},
	}
	for _, tt := range tests {
		values := make(map[string]uint32)
		for line := range strings.Lines(tt.says) {
			var name string
			var n uint32
			if _, err := fmt.Sscan(strings.Replace(line, ":", " ", 1), &name, &n); err != nil {
				t.Fatal(err)
			}
			values[name] = n
		}
		var m source.Moment
		var s source.Snapshot
		err := fake(values).Read(context.Background(), &m, &s)
		if got := s.Settings; err != nil || len(m.Limits) != 0 || got.Assumed || got.Range != tt.want || got.TimeWait != tt.timeWait {
			t.Errorf("%s: got %+v, %v, limits %v; want %v and %v", tt.name, got, err, m.Limits, tt.want, tt.timeWait)
		}
	}
}

func TestReadOfNothingAssumesTheDefault(t *testing.T) {
	var m source.Moment
	var s source.Snapshot
	if err := fake(nil).Read(context.Background(), &m, &s); err != nil {
		t.Fatal(err)
	}
	if s.Settings.Range != s.Settings.Default || !s.Settings.Assumed || len(m.Limits) != 1 {
		t.Errorf("got %+v, %q", s.Settings, m.Limits)
	}
}

func TestReadRefusesWhatMakesNoSense(t *testing.T) {
	r := fake(map[string]uint32{"net.inet.ip.portrange.first": 0, "net.inet.ip.portrange.last": 70000})
	if err := r.Read(context.Background(), new(source.Moment), new(source.Snapshot)); !errors.Is(err, source.ErrRange) {
		t.Errorf("got %v, want ErrRange", err)
	}
}
