//go:build !linux || !(amd64 || arm64)

package tables

import (
	"context"
	"time"

	"ephtop/source"
)

// Engine reads the tables; only Linux on amd64 and arm64 has it.
type Engine struct{ Ration *source.Ration }

// Report says how a walk went.
type Report struct {
	Restarts, Torn, Cut, Calls int
	Longest                    time.Duration
}

// Events tells of what happens.
type Events struct{}

// Load says that this system has no tables to read.
func Load() (*Engine, error) { return nil, ErrUnsupported }

// Variant returns "".
func (*Engine) Variant() string { return "" }

// Walk says that this system has no tables to read.
func (*Engine) Walk(context.Context, uint64, *source.Moment) (Report, error) {
	return Report{}, ErrUnsupported
}

// Owners says that this system has no tables to read.
func (*Engine) Owners([]uint32, func(pid, fd int32, inode uint32)) error { return ErrUnsupported }

// Trace says that this system has no tables to read.
func (*Engine) Trace() (*Events, error) { return nil, ErrUnsupported }

// Close does nothing.
func (*Engine) Close() error { return nil }

// Drain says that this system has no tables to read.
func (*Events) Drain(dst []source.Event) ([]source.Event, int, error) { return dst, 0, ErrUnsupported }

// Spent returns 0.
func (*Events) Spent() time.Duration { return 0 }

// Partial returns nil.
func (*Events) Partial() error { return nil }

// Close does nothing.
func (*Events) Close() error { return nil }
