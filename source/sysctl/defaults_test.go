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

func TestReleaseBefore(t *testing.T) {
	tests := map[string]bool{
		"4.1.0": true, "4.1": true, "3.10.0-1160.el7": true, "2.6.32": true, "4.1-rc2": true,
		"4.2.0": false, "4.2-rc1": false, "4.19.0": false, "4.10": false, "5.0": false, "6.18.44-fc": false,
		"": false, "4": false, ".": false, "a.b": false, "4.": false, "99999999999999999999.1": false,
	}
	for release, want := range tests {
		if got := releaseBefore(release, 4, 2); got != want {
			t.Errorf("releaseBefore(%q, 4, 2) = %v, want %v", release, got, want)
		}
	}
}

func FuzzKernelRelease(f *testing.F) {
	for _, seed := range []string{"6.18.44-fc-v657", "4.1.0", "3.10.0-1160.el7", "", ".", "4.", "4.2+"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, release string) {
		old := releaseBefore(release, 4, 2)
		if old && !releaseBefore(release, 4, 3) {
			t.Errorf("%q is before 4.2 but not before 4.3", release)
		}
	})
}
