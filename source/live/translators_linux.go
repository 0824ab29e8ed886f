package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/conntrack"
	"ephtop/source/netns"
	"ephtop/source/procfs"
)

// translators counts the ports that network namespaces have given out by source
// NAT.
type translators struct {
	doors  doors
	focus  *atomic.Uint64
	warn   float64
	only   uint64 // 0 for all
	spaces map[uint64]*translator
	turn   uint32
	once   bool // there may be no second poll
	asks   bool // the kernel answers
	absent bool // connection tracking is not there: another look comes at retry
	retry  uint32
}

// translator is what is remembered of a namespace.
type translator struct {
	reader *conntrack.Reader // nil where nothing was tracked when it was visited
	cookie uint64
	retry  uint32 // turn in which it is visited again
	seen   uint32 // turn in which it was there last
	rules  rules
}

// doors are the ways into namespaces: those of a netns.Lister, or of here.
type doors interface {
	Enter(n *netns.Namespace, f func() error) error
	Away(n *netns.Namespace) func(f func() error) error
}

// here is the network namespace of this process.
type here struct{}

func (here) Enter(_ *netns.Namespace, f func() error) error { return f() }
func (here) Away(*netns.Namespace) func(f func() error) error {
	return func(f func() error) error { return f() }
}

const (
	// visits is how many namespaces are entered by one poll, to see whether they
	// track anything, and visitGap after how many polls one that does not is entered
	// again.
	visits   = 8
	visitGap = 30
)

func (p *plan) newTranslators(d doors, only uint64) *translators {
	return &translators{doors: d, focus: p.Focus, once: p.Once, warn: cmp.Or(p.Warn, usualWarning), only: only, spaces: make(map[uint64]*translator)}
}

// poll adds to m what the namespaces of the list say. An error is that of ctx.
func (t *translators) poll(ctx context.Context, m *source.Moment, list []netns.Namespace) error {
	t.turn++
	if t.absent && t.turn < t.retry {
		return nil
	}
	t.absent = false
	visited := 0
	for i := range list {
		n := &list[i]
		if t.only != 0 && n.Scope.Netns != t.only {
			continue
		}
		s := t.space(n)
		if s.reader == nil {
			if s.retry > t.turn || visited == visits {
				continue
			}
			visited++
			if t.visit(s, n); t.absent {
				return nil
			}
		}
		if err := t.read(ctx, m, s, n); err != nil {
			return err
		}
	}
	t.forget()
	return nil
}

// space gives the place of a namespace. Another one that has its number begins anew.
func (t *translators) space(n *netns.Namespace) *translator {
	s := t.spaces[n.Scope.Netns]
	if s != nil && s.cookie != n.Scope.Cookie {
		s.close()
		s = nil
	}
	if s == nil {
		s = &translator{cookie: n.Scope.Cookie}
		t.spaces[n.Scope.Netns] = s
	}
	s.seen = t.turn
	return s
}

// visit sees whether anything is tracked in a namespace.
func (t *translators) visit(s *translator, n *netns.Namespace) {
	s.retry = t.turn + visitGap
	r, err := conntrack.Open(func(f func() error) error { return t.doors.Enter(n, f) })
	entries := 0
	if err == nil {
		entries, err = r.Entries()
	}
	switch {
	case errors.Is(err, conntrack.ErrAbsent):
		t.absent, t.retry = true, t.turn+visitGap
	case err != nil: // it may not be entered, or has ended
	case entries == 0:
		r.Close() // of files that were read only
	case !t.answers():
		r.Close()
		t.absent, t.retry = true, t.turn+visitGap
	default:
		r.Warn = t.warn
		s.reader = r
	}
}

// answers reports whether the kernel answers. That it does not may change.
func (t *translators) answers() bool {
	t.asks = t.asks || conntrack.Answers(procfs.Release())
	return t.asks
}

// read asks a namespace, if it is known to track connections.
func (t *translators) read(ctx context.Context, m *source.Moment, s *translator, n *netns.Namespace) error {
	if s.reader == nil {
		return nil
	}
	focus := t.focus != nil && t.focus.Load() == n.Scope.Netns
	nat, err := s.reader.Read(ctx, time.Now(), focus)
	if err == nil && len(nat.Pools) > 0 {
		s.rules.keep(s.reader, t.doors.Away(n), nat.Pools[0].Share())
		if t.once && s.rules.wait(ctx, s.reader) {
			nat, err = s.reader.Read(ctx, time.Now(), focus)
		}
	}
	if stopped := ctx.Err(); stopped != nil {
		return fmt.Errorf("ask for connection tracking: %w", stopped)
	}
	if err != nil {
		if !errors.Is(err, unix.EPERM) {
			s.close()
		}
		m.Limit(source.LimitNAT, err.Error())
	}
	if nat.Entries > 0 {
		nat.Netns, nat.Cookie = n.Scope.Netns, n.Scope.Cookie
		m.NATs = append(m.NATs, nat)
	}
	return nil
}

// forget drops the namespaces that have ended.
func (t *translators) forget() {
	for netns, s := range t.spaces {
		if s.seen != t.turn && (t.only == 0 || t.only == netns) {
			s.close()
			delete(t.spaces, netns)
		}
	}
}

func (s *translator) close() {
	s.rules.end()
	if s.reader != nil {
		s.reader.Close() // of files that were read only
		s.reader = nil
	}
}

func (t *translators) close() {
	for _, s := range t.spaces {
		s.close()
	}
	clear(t.spaces)
}
