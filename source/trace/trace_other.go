//go:build !linux

package trace

import (
	"errors"

	"ephtop/source"
)

// Tracer reads events as they happen; only Linux has them.
type Tracer struct{}

var errUnsupported = errors.New("tracing needs Linux: run without --trace")

// Open says that this system can't trace.
func Open() (*Tracer, error) { return nil, errUnsupported }

// Drain says that this system can't trace.
func (*Tracer) Drain(dst []source.Event) ([]source.Event, int, error) { return dst, 0, errUnsupported }

// Close does nothing.
func (*Tracer) Close() error { return nil }
