package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/owner"
	"ephtop/source/procfs"
	"ephtop/source/sockdiag"
	"ephtop/source/sysctl"
)

// kernelSupported says whether this system has the kernel's tables at all.
const kernelSupported = true

// kernel reads the kernel's own tables.
type kernel struct {
	dumper   *sockdiag.Dumper
	owners   *owner.Tracker
	settings *sysctl.Reader
	log      *slog.Logger

	scope       source.Scope
	release     string
	began       time.Time
	boundListed bool
	rights      procfs.Rights
}

func openKernel(log *slog.Logger) (source.Source, error) {
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
		dumper: dumper, owners: owners, settings: sysctl.New(), log: log,
		rights: procfs.ReadRights(), began: time.Now(), scope: ownScope(),
	}
	k.release = release()
	k.boundListed = listsBound(k.release)
	return k, nil
}

// Poll dumps the sockets and finds their processes.
func (k *kernel) Poll(ctx context.Context, m *source.Moment) error {
	start := time.Now()
	m.Reset()
	m.Time, m.Mono = start, start.Sub(k.began)
	m.Host, m.OS, m.Kernel, m.Source = k.scope.Host, runtime.GOOS, k.release, Sockdiag
	s := m.Add(k.scope)
	s.BoundListed, s.Inodes = k.boundListed, true
	if err := k.settings.Read(ctx, m, s); err != nil {
		return err
	}
	var err error
	var dumped sockdiag.Report
	if m.Room, dumped, err = k.dumper.Dump(ctx, m.Room); err != nil {
		return err
	}
	s.Sockets = m.Room
	var owned owner.Report
	m.Processes, owned, err = k.owners.Assign(ctx, m.Room, m.Processes)
	if stopped := ctx.Err(); stopped != nil {
		return fmt.Errorf("find the processes of sockets: %w", stopped)
	}
	k.limit(m, dumped, owned, err)
	m.Took = time.Since(start)
	k.log.Debug("poll", "took", m.Took, "sockets", len(m.Room), "retries", dumped.Retries,
		"scanned", owned.Scanned, "read", owned.Read, "unowned", owned.Unowned, "hidden", owned.Hidden)
	return nil
}

// limit says what the poll could not see.
func (k *kernel) limit(m *source.Moment, dumped sockdiag.Report, owned owner.Report, err error) {
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

// Close closes what is kept open between polls.
func (k *kernel) Close() error { return errors.Join(k.dumper.Close(), k.owners.Close()) }

// refused tells whether an error means that this kernel or sandbox does not
// give us sock_diag, now or later.
func refused(err error) bool {
	for _, errno := range []error{
		unix.EPERM, unix.EACCES, unix.ENOSYS, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT, unix.EOPNOTSUPP,
		unix.ENOENT, unix.EINVAL, sockdiag.ErrMalformed,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// ownScope is the network namespace of the calling thread, in which the
// netlink socket looks.
func ownScope() source.Scope {
	var scope source.Scope
	scope.Host, _ = os.Hostname() // "" is shown as no name
	own, ok := netnsOf("thread-self")
	if !ok {
		return scope
	}
	scope.Netns = own
	if first, ok := netnsOf("1"); ok && first == own {
		scope.Name, scope.Kind = "host", source.ScopeHost
	}
	return scope
}

// netnsOf gives the inode number of the namespace of a process, where it may
// be asked for.
func netnsOf(pid string) (uint64, bool) {
	var st unix.Stat_t
	if unix.Stat("/proc/"+pid+"/ns/net", &st) != nil {
		return 0, false
	}
	return st.Ino, true
}

func release() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// listsBound tells whether a dump has bound and unconnected TCP sockets: since
// Linux 6.8 (inet_diag: add bound-inactive sockets).
func listsBound(release string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major > 6 || major == 6 && minor >= 8
}
