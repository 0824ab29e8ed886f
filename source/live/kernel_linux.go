package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/memory"
	"ephtop/source/netlink"
	"ephtop/source/netns"
	"ephtop/source/owner"
	"ephtop/source/procfs"
	"ephtop/source/sockdiag"
	"ephtop/source/sysctl"
)

// kernelSupported says whether this system has the kernel's tables at all.
const kernelSupported = true

// CanTrace says whether this system has anything to trace.
const CanTrace = true

// kernel asks sock_diag.
type kernel struct {
	dumper   *sockdiag.Dumper
	owners   *owner.Tracker
	settings *sysctl.Reader
	cgroups  *netns.Cgroups
	others   *others // the other namespaces, nil where none is looked at
	nats     *translators
	log      *slog.Logger

	scope       source.Scope
	release     string
	began       time.Time
	boundListed bool
	peers       peers
	rights      procfs.Rights
	limit       int64 // bytes of memory that may be taken, 0 for any number
}

func (p *plan) openKernel() (source.Source, error) {
	dumper, err := sockdiag.Open()
	if err != nil {
		return nil, err
	}
	owners, err := owner.New("/proc")
	if err != nil {
		dumper.Close()
		return nil, fmt.Errorf("read processes: %w", err)
	}
	k := &kernel{
		dumper: dumper, owners: owners, settings: sysctl.New(), cgroups: netns.NewCgroups(""), log: p.Log,
		scope: procfs.OwnScope("thread-self"), // as the netlink socket's
		began: p.began, release: procfs.Release(), rights: procfs.ReadRights(),
	}
	// A dump has bound and unconnected TCP sockets since Linux 6.8 (inet_diag: add
	// bound-inactive sockets).
	before, ok := procfs.ReleaseBefore(k.release, 6, 8)
	k.boundListed = ok && !before
	k.limit = memory.Limit()
	dumper.Ration = source.NewRation(memory.Rows(k.limit))
	k.peers.warn = cmp.Or(p.Warn, usualWarning)
	owners.SetCgroup(k.cgroups.ID)
	k.nats = p.newTranslators(here{}, k.scope.Netns)
	if p.Netns != OwnNetns {
		if k.others, err = p.openOthers(); err != nil {
			k.Close()
			return nil, err
		}
		k.others.gate.Ration = dumper.Ration
		k.nats = p.newTranslators(k.others.lister, k.others.only)
	}
	return k, nil
}

// Poll dumps the sockets and finds their processes.
func (k *kernel) Poll(ctx context.Context, m *source.Moment) error {
	start := time.Now()
	m.Reset()
	m.Time, m.Mono = start, start.Sub(k.began)
	m.Host, m.OS, m.Kernel, m.Source = k.scope.Host, runtime.GOOS, k.release, Sockdiag
	var dumped sockdiag.Report
	var err error
	k.dumper.Ration.Begin()
	if !k.others.alone() {
		if dumped, err = k.own(ctx, m); err != nil {
			return err
		}
	}
	if err := k.others.poll(ctx, m, k.scope.Netns); err != nil {
		return err
	}
	if err := k.nats.poll(ctx, m, k.others.list(k.scope)); err != nil {
		return err
	}
	if err := k.others.show(ctx, m); err != nil {
		return err
	}
	var owned owner.Report
	m.Processes, owned, err = k.owners.Assign(ctx, m.Room, m.Processes)
	if stopped := ctx.Err(); stopped != nil {
		return fmt.Errorf("find the processes of sockets: %w", stopped)
	}
	k.cgroups.Fill(m)
	k.say(m, dumped, owned, err)
	limitLate(m, owned.Late, k.cgroups.Late(), k.others.late())
	m.Took = time.Since(start)
	k.log.Debug("poll", "took", m.Took, "sockets", len(m.Room), "retries", dumped.Retries,
		"scanned", owned.Scanned, "read", owned.Read, "unowned", owned.Unowned, "hidden", owned.Hidden)
	return nil
}

// own looks at the namespace that the source was opened in.
func (k *kernel) own(ctx context.Context, m *source.Moment) (dumped sockdiag.Report, err error) {
	s := m.Add(k.scope)
	s.BoundListed, s.Inodes = k.boundListed, true
	if err := k.settings.Read(ctx, m, s); err != nil {
		return dumped, err
	}
	k.dumper.Settings = &s.Settings
	if cap(m.Room) == 0 { // to grow by and by leaves garbage
		m.Room = source.Grow(m.Room, k.dumper.Ration.Most(netns.Sockets("/proc/thread-self")))
	}
	m.Room, dumped, err = k.dumper.Dump(ctx, m.Room)
	s.Sockets = m.Room
	k.dumper.Rest(s)
	if err == nil {
		k.peers.ask(ctx, k.dumper, s, m.Mono)
	}
	return dumped, err
}

// say says what the poll could not see.
func (k *kernel) say(m *source.Moment, dumped sockdiag.Report, owned owner.Report, err error) {
	m.LimitRows(k.limit)
	if dumped.Interrupted {
		m.Limit(source.LimitInterrupted, "")
	}
	if err != nil {
		m.Limit(source.LimitOwners, err.Error())
	}
	if owned.Unowned > 0 {
		k.rights.Limit(m, owned.Hidden)
	}
	if dumped.NoUDP {
		m.Limit(source.LimitNoUDP, "")
	}
}

// limitLate says which files do not answer.
func limitLate(m *source.Moment, names ...string) {
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	slices.Sort(names)
	if names = slices.Compact(names); len(names) > 0 {
		m.Limit(source.LimitLate, strings.Join(names, ", "))
	}
}

// Close closes what is kept open between polls.
func (k *kernel) Close() error {
	k.nats.close()
	return errors.Join(k.dumper.Close(), k.cgroups.Close(), k.others.close())
}

// refused tells whether an error means that this kernel or sandbox does not
// give us sock_diag, now or later.
func refused(err error) bool {
	for _, errno := range []error{
		unix.EPERM, unix.EACCES, unix.ENOSYS, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT, unix.EOPNOTSUPP,
		unix.ENOENT, unix.EINVAL, netlink.ErrMalformed,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// ownNetns is the inode number of the calling thread's network namespace.
func ownNetns() uint64 { return procfs.OwnScope("thread-self").Netns }
