//go:build !linux

package trace

import (
	"errors"
	"time"

	"ephtop/source"
)

// Tracer reads events as they happen; only Linux has them.
type Tracer struct{}

var errUnsupported = errors.New("it needs Linux")

// Open says that this system can't trace.
func Open() (*Tracer, error) { return nil, errUnsupported }

// Drain says that this system can't trace.
func (*Tracer) Drain(dst []source.Event) ([]source.Event, int, error) { return dst, 0, errUnsupported }

// Check says that this system can't trace.
func Check() error { return errUnsupported }

// Spent returns 0.
func (*Tracer) Spent() time.Duration { return 0 }

// Partial returns nil.
func (*Tracer) Partial() error { return nil }

// Close does nothing.
func (*Tracer) Close() error { return nil }
