package netns

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/procfs"
	"ephtop/source/sockdiag"
	"ephtop/source/sysctl"
)

// Gate looks at the network namespaces of a host without looking at most: no
// tuple can hold more ports than a namespace has sockets, and that number costs
// one small file.
//
//	sockets, TIME_WAIT included, of the ports of the range
//	  ≥ 25 %, or half of the warning   dumped by each poll
//	  ≥ 1 %                            dumped in turn, as many as there is time for
//	  less                             never: far from trouble, which is a fact
//
// The focused one, and those in which a connect failed, are dumped in any case.
// It keeps six descriptors for each namespace; the Go runtime raises the soft
// limit of these to the hard one. It is not safe for concurrent use.
type Gate struct {
	// Ration is of the rows that are kept of all, nil for all. Whoever polls has
	// it begin.
	Ration *source.Ration

	lister  *Lister
	dumper  *sockdiag.Dumper
	spaces  map[uint64]*guarded
	release string
	// boundListed says that a dump has bound sockets (Linux 6.8), countsDrift
	// that the count of all sockets may be too low (4.16 to 5.16).
	boundListed, countsDrift bool
	rights                   procfs.Rights
	// now is a clock, and budget how long dumps in turn may take in one poll.
	now    func() time.Time
	budget time.Duration

	poll     uint32
	kept     int // rows in all guarded.rows
	alloc    int // TCP sockets of the host
	denied   int // namespaces that may not be entered, in this poll
	reason   error
	scratch  []byte
	rest     source.Counter  // of what may not be entered
	quiet    source.Snapshot // of the namespace whose settings were read last
	nowhere  source.Moment   // for limits that are told elsewhere
	looked   []*guarded      // namespaces of this poll, by rising number
	inTurn   []*guarded
	plain    *sysctl.Reader
	defaults source.Settings
}

// GateOptions say what a poll is to look at.
type GateOptions struct {
	// Own is the namespace that the caller looks at by itself, 0 for none.
	Own uint64
	// Only is the one to look at, 0 for all.
	Only uint64
	// Focus is one that is dumped in any case, 0 for none.
	Focus uint64
	// Failed are those in which a connect failed since the poll before.
	Failed map[uint64]bool
	// Warn is the share of ports in use, in percent, that is worth a warning.
	Warn float64
}

// What a gate keeps and does at most.
const (
	rotation  = 5 * time.Millisecond // for dumps in turn, in one poll
	fullEvery = 10                   // dumps, of which one has bound sockets
	maxRows   = 8192                 // rows of one namespace that are kept
	maxKept   = 65536                // and of all
	maxBound  = 1024                 // bound sockets that are kept of one
	tryAgain  = 64                   // polls, until what was refused is tried again
	checked   = 8                    // polls, in which the settings of all are read
)

// NewGate makes a gate before the namespaces of a lister, whose Update its polls
// call. It must not be used any more once that is closed.
func NewGate(l *Lister) *Gate {
	g := &Gate{
		lister: l, dumper: sockdiag.New(), plain: sysctl.New(), spaces: make(map[uint64]*guarded),
		release: procfs.Release(), rights: entryRights(), now: time.Now, budget: rotation,
	}
	before, ok := procfs.ReleaseBefore(g.release, 6, 8)
	g.boundListed = ok && !before
	before, ok = procfs.ReleaseBefore(g.release, 5, 17)
	g.countsDrift = !ok || before
	g.defaults = sysctl.Defaults("linux", g.release)
	return g
}

// Close closes what is kept from poll to poll.
func (g *Gate) Close() error {
	for _, s := range g.spaces {
		s.close()
	}
	clear(g.spaces)
	return g.dumper.Close()
}

// Poll adds to m a Snapshot of each namespace that is looked at, its rows in
// m.Room behind what is there, or a Brief. The windows of all snapshots are made
// anew. No row has a process yet. What can't be looked at is a Limit; an error
// is ErrGone, where Only has ended, or of ctx.
func (g *Gate) Poll(ctx context.Context, m *source.Moment, o GateOptions) error {
	g.poll++
	g.denied, g.reason = 0, nil
	list, err := g.lister.Update(ctx)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("list network namespaces: %w", err)
	}
	if err != nil {
		m.Limit(source.LimitNetns, err.Error())
	}
	if err := g.look(ctx, list, o); err != nil {
		return fmt.Errorf("count sockets of network namespaces: %w", err)
	}
	if o.Only != 0 && len(g.looked) == 0 {
		return ErrGone
	}
	g.choose(o)
	m.Room = source.Grow(m.Room, g.Ration.Most(g.expected()))
	for _, s := range g.looked {
		if err := g.tell(ctx, m, s, o); err != nil {
			return fmt.Errorf("look at network namespace %s: %w", s.Scope.Name, err)
		}
	}
	g.limit(m)
	g.forget()
	Rewindow(m)
	return nil
}

// Add looks at a namespace that the Poll of m left out, for a reason that its
// sockets do not tell. What can't be looked at stays a Brief; an error is of ctx.
func (g *Gate) Add(ctx context.Context, m *source.Moment, netns uint64) error {
	at := slices.IndexFunc(m.Quiet, func(b source.Brief) bool { return b.Scope.Netns == netns })
	s := g.spaces[netns]
	if at < 0 || s == nil || s.denied != nil {
		return nil
	}
	m.Quiet = slices.Delete(m.Quiet, at, at+1)
	s.due = true
	if err := g.tell(ctx, m, s, GateOptions{}); err != nil {
		return fmt.Errorf("look at network namespace %s: %w", s.Scope.Name, err)
	}
	Rewindow(m)
	return nil
}

// Rewindow makes the windows of all snapshots of m anew, whose rows are side by
// side in m.Room, after that has moved.
func Rewindow(m *source.Moment) {
	at := 0
	for i := range m.Snapshots {
		s := &m.Snapshots[i]
		end := at + len(s.Sockets)
		s.Sockets = m.Room[at:end:end]
		at = end
	}
}

// entryRights tells which rights are missing to enter the namespaces of others:
// setns(2) takes the first, to open a link of /proc/PID/ns the second.
func entryRights() procfs.Rights {
	var missing []string
	for _, c := range [...]struct {
		number int
		name   string
	}{{unix.CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}, {unix.CAP_SYS_PTRACE, "CAP_SYS_PTRACE"}} {
		if !procfs.HasCapability(c.number) {
			missing = append(missing, c.name)
		}
	}
	return procfs.Rights{Missing: missing, OwnPIDs: procfs.OwnPIDs()}
}

// look finds out of each namespace how many sockets and how many ports it has.
func (g *Gate) look(ctx context.Context, list []Namespace, o GateOptions) error {
	g.looked = g.looked[:0]
	for i := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := &list[i]
		if n.Scope.Netns == o.Own || o.Only != 0 && n.Scope.Netns != o.Only {
			continue
		}
		s := g.space(n)
		if err := g.measure(s); err == nil {
			g.looked = append(g.looked, s)
		}
	}
	return nil
}

// choose says which namespaces this poll dumps.
func (g *Gate) choose(o GateOptions) {
	hot := min(cmp.Or(o.Warn, 100)/2, 25) / 100
	g.inTurn = g.inTurn[:0]
	for _, s := range g.looked {
		netns := s.Scope.Netns
		s.due = netns == o.Focus || netns == o.Only || o.Failed[netns] || s.share >= hot || s.unknown()
		switch {
		case s.due:
			g.dropRows(s)
		case s.share >= 0.01:
			g.inTurn = append(g.inTurn, s)
		default:
			g.dropRows(s)
		}
	}
	slices.SortFunc(g.inTurn, func(a, b *guarded) int { return a.last.Compare(b.last) })
	left := g.budget
	for i, s := range g.inTurn {
		if left -= g.cost(s); left < 0 && i > 0 {
			return
		}
		s.due = s.denied == nil
	}
}

// expected is how many rows this poll adds, by the counts.
func (g *Gate) expected() int {
	rows := g.kept
	for _, s := range g.looked {
		if s.due {
			rows += s.stat.bound()
		}
	}
	return rows
}

// cost is how long a dump takes: what the last one took, or what the counts
// say. A dump visits every TCP socket of the host.
func (g *Gate) cost(s *guarded) time.Duration {
	if s.took > 0 {
		return s.took
	}
	return 300*time.Microsecond + time.Duration(g.alloc)*100*time.Nanosecond + time.Duration(s.stat.bound())*time.Microsecond
}

// limit says what was not looked at and why.
func (g *Gate) limit(m *source.Moment) {
	if g.rights.OwnPIDs { // /proc shows the processes of our pid namespace only
		m.Limit(source.LimitNetns, "other-pids")
	}
	if g.denied > 0 {
		why := strings.Join(g.rights.Missing, " ")
		if why == "" {
			why = g.reason.Error()
		}
		m.Limit(source.LimitNetns, strconv.Itoa(g.denied)+" "+why)
	}
}

// forget drops the namespaces that have ended.
func (g *Gate) forget() {
	for netns, s := range g.spaces {
		if g.lister.spaces[netns] == nil {
			s.close()
			g.kept -= len(s.rows)
			delete(g.spaces, netns)
		}
	}
}
