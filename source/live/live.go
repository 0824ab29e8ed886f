// Package live opens the best source of moments that this host has: on Linux
// the kernel's own tables (package tables), sock_diag until they are loaded or
// where they are refused, and everywhere else, or where that is refused too, the
// portable fall-back.
//
// What is opened wraps what is below it, from the outside in: what ends tracing
// while a poll does not return (abandoner); another range (source.WithRange); which processes have ended (exits); beside, until the tables take over; events (traced); and
// then the walker of the tables, or sock_diag, for which fallback puts the
// portable source if the kernel refuses.
//
// It must not know what the moments are for.
package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"ephtop/source"
	"ephtop/source/portable"
)

// The kinds of source, as --source names them.
const (
	Auto     = "auto"
	Tables   = "tables"
	Sockdiag = "sockdiag"
	Portable = "portable"
)

// kinds lists what Options.Kind can be.
var kinds = [...]string{Auto, Tables, Sockdiag, Portable}

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
	// Once says that there may be no second poll, so that the first one is to
	// wait for the best source.
	Once bool
	// Trace says whether the kernel is to tell of closes and failed connects as
	// they happen (Linux): TraceAuto, where that can be; TraceOn, without which
	// Open fails; TraceOff, if empty too.
	Trace string
	// Tracing turns it on and off later, whatever Trace says, and knows how it
	// stands; nil where nobody asks.
	Tracing *source.Tracing
	// Log gets what is of interest to someone who looks for a fault; nil for
	// none.
	Log *slog.Logger
}

// What Options.Netns can be beside the name of one.
const (
	AllNetns = "all"
	OwnNetns = "self"
)

// What Options.Trace can be.
const (
	TraceAuto = "auto"
	TraceOn   = "on"
	TraceOff  = "off"
)

// TraceModes gives the values that Options.Trace can have.
func TraceModes() []string { return []string{TraceAuto, TraceOn, TraceOff} }

// failures are the namespaces in which a connect failed for want of a port
// since the poll before: the tracer tells the kernel source.
type failures map[uint64]bool

// plan is what is known of a source that is to be opened.
type plan struct {
	Options
	failed failures
	began  time.Time // since when Moment.Mono is counted
	own    uint64    // the network namespace of the thread that opens

	tracing *source.Tracing // Options.Tracing, or our own
	telling telling         // what is told of at present
}

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
	o.Trace = cmp.Or(o.Trace, TraceOff)
	p := plan{Options: o, failed: make(failures), began: time.Now(), own: ownNetns(), tracing: cmp.Or(o.Tracing, new(source.Tracing))}
	p.tracing.Want(o.Trace != TraceOff)
	src, err := p.open()
	if err != nil {
		return nil, err
	}
	if err := p.insisted(); err != nil {
		return nil, errors.Join(err, src.Close())
	}
	if p.one() {
		src = &single{Source: src, name: o.Netns}
	}
	src = watchExits(src)
	if o.Range != nil {
		src = source.WithRange(src, *o.Range)
	}
	return &abandoner{src, &p.telling}, nil
}

func (p *plan) open() (source.Source, error) {
	switch p.Kind {
	case Auto, "":
		return p.openAuto()
	case Tables:
		src, err := p.openTables()
		if err != nil {
			return nil, fmt.Errorf("open source tables: %w", err)
		}
		return src, nil
	case Sockdiag:
		src, err := p.openKernel()
		if err != nil {
			return nil, fmt.Errorf("open source sockdiag: %w", err)
		}
		return p.traced(src), nil
	case Portable:
		src, err := p.openPortable()
		if err != nil {
			return nil, err
		}
		return p.traced(src), nil
	}
	return nil, fmt.Errorf("unknown source %q: use %s", p.Kind, strings.Join(kinds[:], ", "))
}

// openAuto prefers the kernel's own tables, and sock_diag until they can be read.
func (p *plan) openAuto() (source.Source, error) {
	if !kernelSupported {
		src, err := p.openPortable()
		if err != nil {
			return nil, err
		}
		return p.traced(src), nil
	}
	b, err := openBeside(p.openSockdiag, p.openTables, p.Once || p.Trace == TraceOn, p.Log)
	if err != nil {
		return nil, err
	}
	b.stay = p.traced
	if p.Trace == TraceOn { // whether that can be is to be known
		err = b.settle(context.Background())
	}
	return b, err
}

// openSockdiag opens sock_diag, or the portable source where the kernel refuses
// it.
func (p *plan) openSockdiag() (source.Source, error) {
	src, err := p.openKernel()
	switch {
	case err == nil:
		return &fallback{Source: src, portable: p.newPortable, log: p.Log, settled: p.one()}, nil
	case refused(err) && !p.one():
		return &fallback{Source: p.newPortable(), reason: err, settled: true}, nil
	}
	return nil, err
}

// openPortable opens the source that knows its own namespace only.
func (p *plan) openPortable() (source.Source, error) {
	if p.one() {
		return nil, fmt.Errorf("network namespace %q: source portable sees its own only: use %s or %s", p.Netns, AllNetns, OwnNetns)
	}
	return p.newPortable(), nil
}

// newPortable says in each moment that other namespaces are not seen, where
// there may be any and they were not left out on purpose.
func (p *plan) newPortable() source.Source {
	if kernelSupported && p.Netns != OwnNetns {
		return alone{portable.New()}
	}
	return portable.New()
}

// alone is a source that sees its own network namespace only.
type alone struct{ source.Source }

// Poll polls the source behind.
func (a alone) Poll(ctx context.Context, m *source.Moment) error {
	err := a.Source.Poll(ctx, m)
	if err == nil {
		m.Limit(source.LimitNetns, "portable")
	}
	return err
}

// one reports whether one namespace alone is to be looked at, by its name.
func (p *plan) one() bool { return p.Netns != "" && p.Netns != AllNetns && p.Netns != OwnNetns }

// fallback is a source that is replaced by the portable one if the kernel
// refuses its first poll, as sandboxes do.
type fallback struct {
	source.Source
	portable func() source.Source
	settled  bool  // no more replacing
	reason   error // why the portable source stands in, nil if it does not
	log      *slog.Logger
}

// Poll polls what stands behind.
func (f *fallback) Poll(ctx context.Context, m *source.Moment) error {
	err := f.Source.Poll(ctx, m)
	if err != nil && !f.settled && refused(err) {
		f.log.Warn("sock_diag refused, using the portable source", "error", err)
		f.Source.Close()
		f.Source, f.reason = f.portable(), err
		err = f.Source.Poll(ctx, m)
	}
	f.settled = f.settled || err == nil
	if err == nil && f.reason != nil {
		m.Limit(source.LimitFallback, f.reason.Error())
	}
	return err
}
