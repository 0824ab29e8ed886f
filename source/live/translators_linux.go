package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/conntrack"
	"ephtop/source/netns"
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
	turns  []*translator // those in which nothing is translated, by when that was seen
	until  time.Time     // no turn begins before
	once   bool          // there may be no second poll
	wait   time.Duration // that this poll still has for rules
	asks   bool          // the kernel answers
	absent bool          // connection tracking is not there: another look comes at retry
	retry  uint32
}

// translator is what is remembered of a namespace.
type translator struct {
	netns.Namespace
	reader *conntrack.Reader // nil where nothing was tracked when it was visited
	retry  uint32            // turn in which it is visited again
	seen   uint32            // turn in which it was there last
	rules  rules
	// urgency is how much a look is due, of those that take turns.
	urgency float64
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
	// again, unless it is the one that somebody looks at.
	visits   = 32
	visitGap = 10
	// turnTime is how long looks may take in one poll at namespaces in which nothing is
	// translated: each walks the table of the host, 8 to 40 ms. turnShare is that part of
	// all time which they may take, firstRest the longest rest while some were never
	// looked at, and onceTime how long where there is one poll alone.
	turnTime  = 5 * time.Millisecond
	turnShare = 50
	firstRest = time.Second / 2
	onceTime  = 4 * time.Second
	// patience is how long a poll waits in all for rules that were never told: till then
	// nobody knows how many ports there are, and nft tells within 20 to 50 ms.
	patience = time.Second / 4
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
	t.absent, t.wait = false, patience
	visited := 0
	t.turns = t.turns[:0]
	for i := range list {
		n := &list[i]
		if t.only != 0 && n.Scope.Netns != t.only {
			continue
		}
		s := t.space(n)
		if s.reader == nil && (s.retry <= t.turn || t.looksAt(s)) && (visited < visits || t.once) {
			visited++
			if t.visit(s); t.absent {
				return nil
			}
		}
		switch {
		case s.reader == nil:
		case !s.reader.Translates():
			t.turns = append(t.turns, s)
		default:
			if err := t.read(ctx, m, s, conntrack.Counts); err != nil {
				return err
			}
		}
	}
	t.forget()
	return t.inTurn(ctx, m, visited < visits || t.once)
}

// inTurn reads namespaces in which nothing is translated, and looks whether something
// is now: first at those that were never looked at, then by how long ago that was and how
// many entries they have, as many as there is time for. all says that these are all
// namespaces: the one that matters may be among the others.
func (t *translators) inTurn(ctx context.Context, m *source.Moment, all bool) error {
	began := time.Now()
	for _, s := range t.turns {
		at, _ := s.reader.Looked()
		entries, _ := s.reader.Entries() // what fails is told when it is read
		s.urgency = began.Sub(at).Seconds() * float64(entries)
	}
	slices.SortStableFunc(t.turns, func(a, b *translator) int { return cmp.Compare(b.urgency, a.urgency) })
	left := turnTime
	if t.once {
		left = onceTime
	}
	var spent time.Duration
	missed := 0
	for _, s := range t.turns {
		want := conntrack.Counts
		at, last := s.reader.Looked()
		if all && !began.Before(t.until) && (spent == 0 || spent+last < left) {
			want = conntrack.Turn
		}
		start := time.Now()
		if err := t.read(ctx, m, s, want); err != nil {
			return err
		}
		if want == conntrack.Turn {
			spent += time.Since(start)
		} else if at.IsZero() {
			missed++
		}
	}
	if t.once && missed > 0 {
		t.limit(m, fmt.Sprintf("there was no time for %d of %d network namespaces", missed, len(t.spaces)))
	}
	if spent > 0 {
		t.until = began.Add(rest(spent, missed))
	}
	return nil
}

// rest is how long no turn begins after one that took so long, with so many namespaces
// that were never looked at: what translates may be among these.
func rest(spent time.Duration, unseen int) time.Duration {
	if unseen > 0 {
		return min(turnShare*spent, firstRest)
	}
	return turnShare * spent
}

// space gives the place of a namespace. Another one that has its number begins anew;
// one of which no more is known than its number, or its oldest process, may yet get the
// cookie that it has.
func (t *translators) space(n *netns.Namespace) *translator {
	s := t.spaces[n.Scope.Netns]
	if s != nil && s.Scope.Cookie != n.Scope.Cookie && (isCookie(s.Scope.Cookie) || !isCookie(n.Scope.Cookie)) {
		s.close()
		s = nil
	}
	if s == nil {
		s = new(translator)
		t.spaces[n.Scope.Netns] = s
	}
	s.Namespace, s.seen = *n, t.turn
	return s
}

// isCookie reports whether it is the kernel's own, and not what stands in for one
// (netns.Lister).
func isCookie(c uint64) bool { return c != 0 && c>>63 == 0 }

// visit sees whether anything is tracked in a namespace.
func (t *translators) visit(s *translator) {
	s.retry = t.turn + visitGap
	r, err := conntrack.Open(func(f func() error) error { return t.doors.Enter(&s.Namespace, f) })
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
	t.asks = t.asks || conntrack.Answers()
	return t.asks
}

// read asks a namespace that is known to track connections.
func (t *translators) read(ctx context.Context, m *source.Moment, s *translator, want conntrack.Want) error {
	if t.inFocus(s) {
		want = conntrack.Focus
	}
	nat, err := s.reader.Read(ctx, time.Now(), want)
	if err == nil && s.reader.Translates() {
		if t.ruled(ctx, s, &nat) {
			nat, err = s.reader.Read(ctx, time.Now(), want)
		}
		if ctx.Err() == nil && !s.rules.known() {
			t.limit(m, "how many ports its rules give is not known yet")
			if len(nat.Pools) > 0 && 100*nat.Pools[0].Share() < t.warn {
				nat.Pools, nat.Seen = nil, 0
			}
		}
	}
	if stopped := ctx.Err(); stopped != nil {
		return fmt.Errorf("ask for connection tracking: %w", stopped)
	}
	if errors.Is(err, unix.EPERM) {
		err = fmt.Errorf("it needs CAP_NET_ADMIN: %w", unix.EPERM)
	} else if err != nil {
		s.close()
	}
	if err != nil {
		t.limit(m, err.Error())
	}
	if nat.Entries > 0 {
		nat.Netns, nat.Cookie = s.Scope.Netns, s.Scope.Cookie
		for i := range m.Snapshots { // who looked at it knows best what tells it from others
			if scope := &m.Snapshots[i].Scope; scope.Netns == nat.Netns {
				nat.Cookie = scope.Cookie
			}
		}
		m.NATs = append(m.NATs, nat)
	}
	return nil
}

// ruled keeps the rules of a namespace, and reports whether there are new ones.
func (t *translators) ruled(ctx context.Context, s *translator, nat *source.NAT) (news bool) {
	share := 0.0
	if len(nat.Pools) > 0 {
		share = nat.Pools[0].Share()
	}
	news = s.rules.keep(ctx, s.reader, t.doors.Away(&s.Namespace), share)
	switch {
	case news:
	case t.once:
		news = s.rules.wait(ctx, s.reader)
	case !s.rules.known() && t.wait > 0:
		began := time.Now()
		waiting, stop := context.WithTimeout(ctx, t.wait)
		news = s.rules.wait(waiting, s.reader)
		stop()
		t.wait -= time.Since(began)
	}
	return news
}

// inFocus reports whether somebody looks at the namespace, and looksAt whether at
// no other one either.
func (t *translators) inFocus(s *translator) bool {
	return t.focus != nil && t.focus.Load() == s.Scope.Netns
}

func (t *translators) looksAt(s *translator) bool { return t.only != 0 || t.inFocus(s) }

// limit says why something is not seen, once and not for each namespace.
func (t *translators) limit(m *source.Moment, why string) {
	if !slices.ContainsFunc(m.Limits, func(l source.Limit) bool { return l.Code == source.LimitNAT }) {
		m.Limit(source.LimitNAT, why)
	}
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
	s.rules = rules{} // of another reader
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
