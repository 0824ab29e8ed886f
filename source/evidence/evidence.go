package evidence

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"ephtop/source"
	"ephtop/source/evidence/firewall"
	"ephtop/source/evidence/host"
	"ephtop/source/guard"
)

// read is the status of a part that was read, but for what the reason names.
func read(reason string) source.Status {
	return source.Status{Outcome: source.OutcomeRead, Reason: reason}
}

func notReadable(format string, args ...any) source.Status {
	return source.Status{Outcome: source.OutcomeNotReadable, Reason: fmt.Sprintf(format, args...)}
}

func notThere(format string, args ...any) source.Status {
	return source.Status{Outcome: source.OutcomeNotThere, Reason: fmt.Sprintf(format, args...)}
}

const (
	timeout  = 3 * time.Second    // bounds each part by itself
	grace    = 2 * time.Second    // for what is killed then to end, and no more
	logSince = 24 * time.Hour     // how far back the log is read
	recent   = 7 * 24 * time.Hour // how new a changed file of settings is called recent
)

// Options say what to ask for. The zero value asks this host, now.
type Options struct {
	// Range is the range of ephemeral ports that the firewall is judged by.
	// Zero means 32768-60999.
	Range source.PortRange
	// Now is the time against which files and log lines are recent. Zero means
	// the present.
	Now time.Time
	// Processes are those whose descriptors are counted.
	Processes []source.Process
	// Into runs a function in the network namespace that is asked about, nil where
	// that is the one of the process. In another one the files of settings set
	// nothing.
	Into func(func() error) error
	// Root is the tree that files are read from, "/" if empty. Under another
	// root no command is run and the kernel is not asked, as both would speak
	// of this host.
	Root string
}

func (o Options) withDefaults() Options {
	if o.Range == (source.PortRange{}) {
		o.Range = source.PortRange{Low: 32768, High: 60999}
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	o.Root = cmp.Or(o.Root, "/")
	return o
}

// Gather asks for every part at once, each bounded by its own timeout, and
// returns when the last has answered or is given up. It never fails: a part that could not be
// read says so in its Status.
func Gather(ctx context.Context, o Options) source.Evidence {
	o = o.withDefaults()
	e := source.Evidence{Time: o.Now}
	if runtime.GOOS != "linux" && o.Root == "/" {
		e.Firewall.Status = unknownHere("the firewall's rules")
		e.Conntrack.Status = unknownHere("the table of connection tracking")
		e.OtherNAT.Status = unknownHere("what translates")
		e.Log.Status = unknownHere("the system log")
		e.Sysctls.Status = unknownHere("the kernel's defaults and the files that change them")
		e.Resources.Status = unknownHere("the limits of processes")
		return e
	}
	h := newGatherer(o)
	var parts sync.WaitGroup
	there := o.Into
	if there == nil {
		there = here
	}
	parts.Go(func() {
		ask(ctx, there, &e.Firewall, &e.Firewall.Status, func(ctx context.Context) source.Firewall { return firewall.Read(ctx, h.Host, o.Range) })
	})
	parts.Go(func() { ask(ctx, there, &e.Conntrack, &e.Conntrack.Status, h.conntrack) })
	parts.Go(func() { ask(ctx, there, &e.Sysctls, &e.Sysctls.Status, h.sysctls) })
	// What translates beside connection tracking does so for all of the host.
	parts.Go(func() { ask(ctx, here, &e.OtherNAT, &e.OtherNAT.Status, h.otherNAT) })
	parts.Go(func() { ask(ctx, here, &e.Log, &e.Log.Status, h.log) })
	parts.Go(func() { ask(ctx, here, &e.Resources, &e.Resources.Status, h.resources) })
	parts.Wait()
	return e
}

// here runs a function in the namespace of the process.
func here(f func() error) error { return f() }

// ask sets to to what read gives in a namespace, or the status to why that is nothing:
// a file server, or a program that can't be killed for it, may never answer.
func ask[T any](ctx context.Context, into func(func() error) error, to *T, status *source.Status, read func(context.Context) T) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var answer T
	wait := guard.Aside{Patience: timeout + grace}
	var entered error
	err := wait.Do("", func() {
		entered = into(func() error { answer = read(ctx); return nil })
	})
	if err == nil {
		err = entered // not before: what is late may still write it
	}
	if err != nil {
		*status = notReadable("%v", err)
		return
	}
	*to = answer
}

// gatherer asks a host as the options say.
type gatherer struct {
	*host.Host
	opt Options
}

func newGatherer(o Options) *gatherer { return &gatherer{&host.Host{Root: o.Root}, o} }

func unknownHere(what string) source.Status {
	return notThere("not known here: ephtop reads %s on Linux only, and this is %s", what, runtime.GOOS)
}
