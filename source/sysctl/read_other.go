//go:build !linux && !darwin && !freebsd && !windows

package sysctl

import (
	"context"
	"runtime"

	"ephtop/source"
)

// Reader gives the settings that are assumed on a system that it cannot read.
type Reader struct{}

// New makes a reader.
func New() *Reader { return new(Reader) }

// Read sets s.Settings to [Defaults], and says so in m.Limits.
func (*Reader) Read(_ context.Context, m *source.Moment, s *source.Snapshot) error {
	s.Settings = Defaults(runtime.GOOS, "")
	m.Limit(source.LimitRange, "not known how on "+runtime.GOOS)
	return nil
}
