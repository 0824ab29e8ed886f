//go:build darwin || freebsd

package sysctl

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
)

// Reader reads the settings, once for each poll.
type Reader struct {
	// sysctl reads one number, as unix.SysctlUint32 does.
	sysctl func(name string) (uint32, error)
}

// New makes a reader of this system's settings.
func New() *Reader { return &Reader{sysctl: unix.SysctlUint32} }

// Read sets s.Settings, and adds to m.Limits what could not be read. A range
// that cannot be read is no error: that of [Defaults] stands in for it. One
// that makes no sense is; the error wraps source.ErrRange.
func (r *Reader) Read(_ context.Context, m *source.Moment, s *source.Snapshot) error {
	settings, err := r.read(m)
	s.Settings = settings
	return err
}

func (r *Reader) read(m *source.Moment) (source.Settings, error) {
	settings := Defaults(runtime.GOOS, "")
	// TIME_WAIT lasts twice the maximum segment lifetime (tcp_twstart), which
	// the sysctl gives in milliseconds.
	if msl, err := r.sysctl("net.inet.tcp.msl"); err == nil && msl > 0 {
		settings.TimeWait = 2 * time.Duration(msl) * time.Millisecond
	}
	first, err := r.sysctl("net.inet.ip.portrange.first")
	if err != nil {
		m.Limit(source.LimitRange, fmt.Sprintf("net.inet.ip.portrange.first: %v", err))
		return settings, nil
	}
	last, err := r.sysctl("net.inet.ip.portrange.last")
	if err != nil {
		m.Limit(source.LimitRange, fmt.Sprintf("net.inet.ip.portrange.last: %v", err))
		return settings, nil
	}
	if settings.Range, err = sysctlRange(first, last); err != nil {
		return settings, err
	}
	settings.Assumed = false
	return settings, nil
}
