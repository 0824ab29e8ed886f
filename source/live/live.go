// Package live opens the best source of moments that this host has: on Linux
// the kernel's own tables (sockdiag, owner and sysctl put together), and
// everywhere else, or where these are refused, the portable fall-back.
//
// It must not know what the moments are for.
package live

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"

	"ephtop/source"
	"ephtop/source/portable"
)

// The kinds of source, as --source names them.
const (
	Auto     = "auto"
	Sockdiag = "sockdiag"
	Portable = "portable"
)

// kinds lists what Options.Kind can be.
var kinds = [...]string{Auto, Sockdiag, Portable}

// Options say what to open.
type Options struct {
	// Kind is Auto if empty.
	Kind string
	// Range stands in for the system's range if it is not nil.
	Range *source.PortRange
	// Netns says which network namespaces to look at (Linux): AllNetns, if empty
	// too, OwnNetns, or one by its name, a process in it, or a file that stands
	// for it.
	Netns string
	// Focus is the inode number of a namespace that each poll looks at, wherever
	// it stands; nil for none. It may change between polls.
	Focus *atomic.Uint64
	// Warn is the share of ports in use, in percent, that is worth a warning:
	// what can't reach half of it need not be looked at. 0 for the usual one.
	Warn float64
	// Trace asks the kernel to tell of closes and failed connects as they
	// happen (Linux, root).
	Trace bool
	// Log gets what is of interest to someone who looks for a fault; nil for
	// none.
	Log *slog.Logger
}

// What Options.Netns can be beside the name of one.
const (
	AllNetns = "all"
	OwnNetns = "self"
)

// failures are the namespaces in which a connect failed for want of a port
// since the poll before: the tracer tells the kernel source.
type failures map[uint64]bool

// Kinds gives the values that Options.Kind can have.
func Kinds() []string { return slices.Clone(kinds[:]) }

// Open opens a source of the network namespace of the calling thread, and of the
// others that Options.Netns names. With
// Auto, a kernel that refuses netlink is no error: the portable source takes
// over, and each moment says why.
func Open(o Options) (source.Source, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Range != nil {
		if err := o.Range.Validate(); err != nil {
			return nil, err
		}
	}
	failed := make(failures)
	src, err := openKind(o, failed)
	if err != nil {
		return nil, err
	}
	if o.Range != nil {
		src = source.WithRange(src, *o.Range)
	}
	if o.Trace {
		src = withTrace(src, failed)
	}
	return src, nil
}

func openKind(o Options, failed failures) (source.Source, error) {
	switch o.Kind {
	case Auto, "":
		return openAuto(o, failed)
	case Sockdiag:
		src, err := openKernel(o, failed)
		if err != nil {
			return nil, fmt.Errorf("open source sockdiag: %w", err)
		}
		return src, nil
	case Portable:
		return openPortable(o)
	}
	return nil, fmt.Errorf("unknown source %q: use %s", o.Kind, strings.Join(kinds[:], ", "))
}

// openPortable opens the source that knows its own namespace only.
func openPortable(o Options) (source.Source, error) {
	if o.one() {
		return nil, fmt.Errorf("network namespace %q: source portable sees its own only: use %s or %s", o.Netns, AllNetns, OwnNetns)
	}
	return portable.New(), nil
}

// one reports whether one namespace alone is to be looked at, by its name.
func (o *Options) one() bool { return o.Netns != "" && o.Netns != AllNetns && o.Netns != OwnNetns }

// openAuto prefers the kernel's tables.
func openAuto(o Options, failed failures) (source.Source, error) {
	if !kernelSupported {
		return openPortable(o)
	}
	src, err := openKernel(o, failed)
	switch {
	case err == nil:
		return &fallback{Source: src, log: o.Log, settled: o.one()}, nil
	case refused(err) && !o.one():
		return &fallback{Source: portable.New(), reason: err, settled: true}, nil
	}
	return nil, err
}

// fallback is a source that is replaced by the portable one if the kernel
// refuses its first poll, as sandboxes do.
type fallback struct {
	source.Source
	settled bool  // no more replacing
	reason  error // why the portable source stands in, nil if it does not
	log     *slog.Logger
}

// Poll polls what stands behind.
func (f *fallback) Poll(ctx context.Context, m *source.Moment) error {
	err := f.Source.Poll(ctx, m)
	if err != nil && !f.settled && refused(err) {
		f.log.Warn("sock_diag refused, using the portable source", "error", err)
		f.Source.Close()
		f.Source, f.reason = portable.New(), err
		err = f.Source.Poll(ctx, m)
	}
	f.settled = f.settled || err == nil
	if err == nil && f.reason != nil {
		m.Limit(source.LimitFallback, f.reason.Error())
	}
	return err
}
