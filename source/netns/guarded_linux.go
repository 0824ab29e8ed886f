package netns

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/sysctl"
)

// guarded is what is remembered of a namespace.
type guarded struct {
	Namespace
	since    uint32         // as in space: another one has another
	settings *sysctl.Reader // nil where it may not be entered
	denied   error          // why
	retry    uint32         // poll by which it is tried again
	usable   int
	assumed  bool // usable is the default's: it was never read

	fresh       bool // its settings were not read yet
	stat        sockstat
	counted     bool    // stat was read
	share       float64 // of the ports that are there, what its sockets can hold at most
	unexplained int     // at the last dump with bound sockets
	dumps       uint32
	last        time.Time // of the last dump, zero where its rows are not kept
	took        time.Duration
	due         bool // to be dumped by this poll
	snapshot    source.Snapshot
	rows        []source.Socket // of the last dump, where it is not dumped by each poll
	bound       []source.Socket // bound sockets of the last dump that had them
}

// unknown reports whether nothing says how many sockets are in a namespace that
// may be entered: it may be in trouble, and only a dump tells.
func (s *guarded) unknown() bool { return !s.counted && s.denied == nil }

func (s *guarded) close() {
	if s.settings != nil {
		s.settings.Close()
	}
}

// space gives the place of a namespace, and visits it if it is new.
func (g *Gate) space(n *Namespace) *guarded {
	known := g.lister.spaces[n.Scope.Netns]
	s := g.spaces[n.Scope.Netns]
	if s == nil || s.since != known.since {
		if s != nil {
			s.close()
			g.kept -= len(s.rows)
		}
		s = &guarded{since: known.since, retry: g.poll, usable: g.defaults.Usable(), assumed: true}
		g.spaces[n.Scope.Netns] = s
	}
	s.Namespace = *n
	if s.settings == nil && s.retry <= g.poll {
		g.visit(s)
	}
	s.Scope = known.Scope
	return s
}

// visit learns what only someone inside can: the identity of a namespace, and
// files that go on telling of it.
func (g *Gate) visit(s *guarded) {
	s.retry, s.fresh = g.poll+tryAgain, true
	err := g.lister.Enter(&s.Namespace, func() (err error) {
		if cookie, err := ownCookie(); err == nil {
			g.lister.setCookie(s.Scope.Netns, cookie)
		}
		s.settings, err = sysctl.Keep(&g.scratch)
		return err
	})
	switch s.denied = nil; {
	case isDenied(err):
		s.denied = err
	case isGone(err): // a process of it has
		s.retry = g.poll + 1
	}
	// What is left is a want of descriptors: it can be dumped all the same.
}

// ownCookie asks for the cookie of the calling thread's namespace.
func ownCookie() (uint64, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	return unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
}

// isGone reports whether an error says that there is no such process or
// namespace any more.
func isGone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) || errors.Is(err, ErrGone) || errors.Is(err, sysctl.ErrGone)
}

// measure reads how many sockets a namespace has, and now and then how many
// ports. An error says that it has ended.
func (g *Gate) measure(s *guarded) error {
	if err := g.check(s); err != nil {
		g.lister.gone(s.Scope.Netns)
		return err
	}
	s.counted = false
	err := g.readStat(s, s.Oldest)
	if s.Oldest == 0 || isGone(err) {
		err = g.lister.Enter(&s.Namespace, func() error { return g.readStat(s, int32(unix.Gettid())) })
	}
	if isGone(err) {
		return ErrGone
	}
	s.share = float64(s.stat.bound()) / float64(max(s.usable, 1))
	return nil
}

// check notices that a namespace has ended though something has its number,
// and reads its settings where they are not read by each poll.
func (g *Gate) check(s *guarded) error {
	switch {
	case s.settings == nil:
		return nil
	case !s.fresh && (g.poll+uint32(s.Scope.Netns))%checked != 0:
		return s.settings.Alive()
	}
	g.nowhere.Reset()
	err := s.settings.Read(context.Background(), &g.nowhere, &g.quiet)
	if isGone(err) {
		return err
	}
	if err == nil { // else the dump says it
		s.fresh, s.usable, s.assumed = false, g.quiet.Settings.Usable(), g.quiet.Settings.Assumed
	}
	return nil
}

// readStat reads the counts of a process's or thread's namespace.
func (g *Gate) readStat(s *guarded, id int32) error {
	if id == 0 {
		return nil
	}
	file, err := g.lister.proc.ReadFile(id, "/net/sockstat")
	if err != nil {
		return err
	}
	if stat, ok := parseSockstat(file); ok {
		s.stat, g.alloc, s.counted = stat, stat.alloc, true
	}
	if g.countsDrift {
		if file, err = g.lister.proc.ReadFile(id, "/net/sockstat6"); err == nil {
			s.stat.inuse += parseTCP6(file)
		}
	}
	return nil
}
