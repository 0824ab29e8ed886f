package sysctl

import (
	"testing"
	"time"

	"ephtop/source"
)

func TestDefaults(t *testing.T) {
	tests := []struct {
		name, goos, release string
		rng                 string
		ports               int
		timeWait            time.Duration
		poolOnly, parity    bool
	}{
		{"linux of today", "linux", "6.18.44", "32768-60999", 28232, time.Minute, false, true},
		{"linux since 4.2", "linux", "4.2.0", "32768-60999", 28232, time.Minute, false, true},
		{"linux before 4.2", "linux", "4.1.52", "32768-61000", 28233, time.Minute, false, true},
		{"linux of RHEL 7", "linux", "3.10.0-1160.el7.x86_64", "32768-61000", 28233, time.Minute, false, true},
		{"linux of unknown age", "linux", "", "32768-60999", 28232, time.Minute, false, true},
		{"windows", "windows", "", "49152-65535", 16384, 2 * time.Minute, false, false},
		{"macOS", "darwin", "", "49152-65535", 16384, 30 * time.Second, true, false},
		{"FreeBSD", "freebsd", "", "10000-65535", 55536, time.Minute, false, false},
		{"any other", "plan9", "", "49152-65535", 16384, time.Minute, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Defaults(tt.goos, tt.release)
			if got := s.Range.String(); got != tt.rng {
				t.Errorf("range %s, want %s", got, tt.rng)
			}
			if got := s.Usable(); got != tt.ports {
				t.Errorf("%d ports, want %d", got, tt.ports)
			}
			if s.TimeWait != tt.timeWait {
				t.Errorf("TIME_WAIT %v, want %v", s.TimeWait, tt.timeWait)
			}
			if s.PoolOnly != tt.poolOnly || s.Parity != tt.parity {
				t.Errorf("pool only: %v, parity: %v, want %v and %v", s.PoolOnly, s.Parity, tt.poolOnly, tt.parity)
			}
			if !s.Assumed || s.Default != s.Range {
				t.Errorf("not marked as assumed, or another default than the range: %+v", s)
			}
			if s.ReuseTimeWait != source.UnknownSetting || s.Timestamps != source.UnknownSetting || s.MaxTimeWait != source.UnknownSetting {
				t.Errorf("settings that nobody read are not unknown: %+v", s)
			}
		})
	}
}
