//go:build !linux && !darwin && !freebsd && !windows

package portrange

import (
	"context"
	"errors"
	"runtime"

	"ephtop/source"
)

// Reader gives the settings that are assumed on a system that it cannot read.
type Reader struct{}

// New makes a reader.
func New() *Reader { return new(Reader) }

// Read sets s.Settings to [Defaults], and says so in s.Degraded.
func (*Reader) Read(_ context.Context, s *source.Snapshot) error {
	s.Settings = Defaults(runtime.GOOS, "")
	reason := errors.New("not known how on " + runtime.GOOS)
	s.Degraded = append(s.Degraded, assumption(runtime.GOOS, s.Settings.Range, reason))
	return nil
}
