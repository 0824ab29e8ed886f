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
	"ephtop/source/portrange"
	"ephtop/source/sockdiag"
)

// kernelSupported says whether this system has the kernel's tables at all.
const kernelSupported = true

// kernel reads the kernel's own tables.
type kernel struct {
	dumper   *sockdiag.Dumper
	owners   *owner.Tracker
	settings *portrange.Reader
	log      *slog.Logger

	host, release string
	boundListed   bool
	unprivileged  bool
	hidden        int // processes hidden, as last seen
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
		dumper: dumper, owners: owners, settings: portrange.New(), log: log,
		unprivileged: os.Geteuid() != 0,
	}
	k.host, _ = os.Hostname()
	k.release = release()
	k.boundListed = listsBound(k.release)
	return k, nil
}

// Poll dumps the sockets and finds their processes.
func (k *kernel) Poll(ctx context.Context, s *source.Snapshot) error {
	start := time.Now()
	s.Reset()
	s.Time, s.Host, s.OS, s.Kernel, s.Source = start, k.host, runtime.GOOS, k.release, Sockdiag
	s.BoundListed = k.boundListed
	if err := k.settings.Read(ctx, s); err != nil {
		return err
	}
	var err error
	var dumped sockdiag.Report
	if s.Sockets, dumped, err = k.dumper.Dump(ctx, s.Sockets); err != nil {
		return err
	}
	var owned owner.Report
	s.Processes, owned, err = k.owners.Assign(s.Sockets, s.Processes)
	k.degrade(s, dumped, owned, err)
	s.Took = time.Since(start)
	k.log.Debug("poll", "took", s.Took, "sockets", len(s.Sockets), "retries", dumped.Retries,
		"scanned", owned.Scanned, "read", owned.Read, "unowned", owned.Unowned, "hidden", owned.Hidden)
	return nil
}

// degrade says what the poll could not see.
func (k *kernel) degrade(s *source.Snapshot, dumped sockdiag.Report, owned owner.Report, err error) {
	add := func(format string, args ...any) { s.Degraded = append(s.Degraded, fmt.Sprintf(format, args...)) }
	if dumped.Interrupted {
		add("the socket tables changed during the dump: single sockets may be missing or listed twice")
	}
	if err != nil {
		add("some sockets have no process: %v", err)
	}
	if owned.Unowned == 0 {
		k.hidden = 0
	} else if owned.Hidden > 0 {
		k.hidden = owned.Hidden
	}
	if owned.Unowned > 0 && (k.unprivileged || k.hidden > 0) {
		add("%s hidden: run as root to see which sockets are theirs", processes(k.hidden))
	}
	if dumped.NoUDP {
		add("UDP sockets are not seen: the kernel has no udp_diag (modprobe udp_diag)")
	}
}

func processes(n int) string {
	switch n {
	case 0: // hidden so well that they can't be counted (hidepid)
		return "processes of other users are"
	case 1:
		return "1 process of another user is"
	}
	return fmt.Sprintf("%d processes of other users are", n)
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
