package netns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
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
// It is not safe for concurrent use.
type Gate struct {
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
	quiet    source.Snapshot // of the namespace whose settings were read last
	nowhere  source.Moment   // for limits that are told elsewhere
	looked   []*guarded      // namespaces of this poll, by rising number
	inTurn   []*guarded
	plain    *sysctl.Reader
	defaults source.Settings
}

// guarded is what is remembered of a namespace.
type guarded struct {
	Namespace
	since    uint32 // as in space: another one has another
	polled   uint32
	settings *sysctl.Reader // nil where it may not be entered
	denied   error          // why
	retry    uint32         // poll by which it is tried again
	usable   int

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

// ErrGone says that a network namespace has ended.
var ErrGone = errors.New("the network namespace has ended")

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

func (s *guarded) close() {
	if s.settings != nil {
		s.settings.Close()
	}
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
	g.look(list, o)
	if o.Only != 0 && len(g.looked) == 0 {
		return ErrGone
	}
	g.choose(o)
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
func (g *Gate) look(list []Namespace, o GateOptions) {
	g.looked = g.looked[:0]
	for i := range list {
		n := &list[i]
		if n.Scope.Netns == o.Own || o.Only != 0 && n.Scope.Netns != o.Only {
			continue
		}
		s := g.space(n)
		if err := g.measure(s); err == nil {
			g.looked = append(g.looked, s)
		}
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
		s = &guarded{since: known.since, retry: g.poll, usable: g.defaults.Usable()}
		g.spaces[n.Scope.Netns] = s
	}
	s.Namespace, s.polled = *n, g.poll
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
	err := g.enter(s, func() (err error) {
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

// enter runs f in a namespace, on the lister's thread.
func (g *Gate) enter(s *guarded, f func() error) error {
	paths := [...]string{"", s.Path}
	if door := cmp.Or(s.Door, s.Oldest); door != 0 {
		paths[0] = g.lister.proc.Root + "/" + strconv.Itoa(int(door)) + "/ns/net"
	}
	err := ErrGone
	for _, path := range paths {
		if path == "" {
			continue
		}
		err = g.lister.visitor.do(func(t *thread) error { return t.enter(path, s.Scope.Netns, f) })
		if !isGone(err) && !isDenied(err) {
			break
		}
	}
	return err
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
		err = g.enter(s, func() error { return g.readStat(s, int32(unix.Gettid())) })
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
		s.fresh, s.usable = false, g.quiet.Settings.Usable()
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

// choose says which namespaces this poll dumps.
func (g *Gate) choose(o GateOptions) {
	hot := min(cmp.Or(o.Warn, 100)/2, 25) / 100
	g.inTurn = g.inTurn[:0]
	for _, s := range g.looked {
		netns := s.Scope.Netns
		s.due = netns == o.Focus || netns == o.Only || o.Failed[netns] || s.share >= hot
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

// cost is how long a dump takes: what the last one took, or what the counts
// say. A dump visits every TCP socket of the host.
func (g *Gate) cost(s *guarded) time.Duration {
	if s.took > 0 {
		return s.took
	}
	return 300*time.Microsecond + time.Duration(g.alloc)*100*time.Nanosecond + time.Duration(s.stat.bound())*time.Microsecond
}

// tell adds to m what is known of a namespace.
func (g *Gate) tell(ctx context.Context, m *source.Moment, s *guarded, o GateOptions) error {
	if !s.due {
		g.recall(m, s)
		return nil
	}
	from, start := len(m.Room), g.now()
	snapshot := source.Snapshot{Scope: s.Scope, Inodes: true}
	err := s.denied
	if err == nil {
		snapshot.BoundListed = g.boundListed
		err = g.dump(ctx, m, s, &snapshot, s.Scope.Netns == o.Focus)
	}
	if stopped := ctx.Err(); stopped != nil {
		return stopped
	}
	if isDenied(err) {
		s.denied, s.retry = err, g.poll+tryAgain
		m.Room = m.Room[:from]
		snapshot.BoundListed = false
		err = g.readTables(m, s, &snapshot, err)
	}
	switch {
	case isGone(err):
		m.Room = m.Room[:from]
		return nil
	case err != nil:
		m.Room = m.Room[:from]
		m.Limit(source.LimitNetns, fmt.Sprintf("1 %v", err))
		g.brief(m, s)
		return nil
	}
	s.took = g.now().Sub(start)
	snapshot.Sockets = m.Room[from:]
	s.snapshot = snapshot
	m.Snapshots = append(m.Snapshots, snapshot)
	if s.share < 0.25 { // one that is dumped by each poll needs no memory
		g.keepRows(s, snapshot.Sockets, start)
	}
	return nil
}

// dump appends the sockets of a namespace to m.Room. Those that are bound and
// no more are asked for now and then only, and where the counts leave room for
// new ones.
func (g *Gate) dump(ctx context.Context, m *source.Moment, s *guarded, snapshot *source.Snapshot, focused bool) error {
	full := focused || s.dumps%fullEvery == 0 || s.unexplained != s.stat.unexplained() || len(s.bound) > maxBound || !g.boundListed
	g.dumper.NoBound = !full
	from := len(m.Room)
	var report sockdiag.Report
	err := g.enter(s, func() (err error) {
		defer g.dumper.Close() // it would keep the namespace alive
		m.Room, report, err = g.dumper.Dump(ctx, m.Room)
		if err != nil || s.settings != nil {
			return err
		}
		return g.plain.Read(ctx, m, snapshot)
	})
	if err != nil {
		return err
	}
	if s.settings != nil {
		if err := s.settings.Read(ctx, m, snapshot); err != nil {
			return err
		}
	}
	s.usable = snapshot.Settings.Usable()
	if report.Interrupted {
		m.Limit(source.LimitInterrupted, "")
	}
	s.dumps++
	if !full {
		m.Room = append(m.Room, s.bound...)
		return nil
	}
	s.unexplained, s.bound = s.stat.unexplained(), s.bound[:0]
	for i := range m.Room[from:] {
		if row := &m.Room[from+i]; row.Proto == source.TCP && row.State == source.Bound && len(s.bound) <= maxBound {
			s.bound = append(s.bound, *row)
		}
	}
	return nil
}

// readTables appends to m.Room the sockets of a namespace that may not be
// entered, by the files that everyone may read, and assumes its settings.
func (g *Gate) readTables(m *source.Moment, s *guarded, snapshot *source.Snapshot, denied error) error {
	if s.Oldest == 0 {
		return denied
	}
	for _, t := range [...]struct {
		name    string
		proto   source.Proto
		family6 bool
	}{{"tcp", source.TCP, false}, {"tcp6", source.TCP, true}, {"udp", source.UDP, false}, {"udp6", source.UDP, true}} {
		file, err := os.ReadFile(fmt.Sprintf("%s/%d/net/%s", g.lister.proc.Root, s.Oldest, t.name))
		if err != nil && (t.name == "tcp" || !isGone(err)) {
			return err
		}
		m.Room = procfs.AppendSockets(m.Room, file, t.proto, t.family6)
	}
	snapshot.Settings = g.defaults
	m.Limit(source.LimitRange, fmt.Sprintf("%s: %v", s.Scope.Name, denied))
	return nil
}

// recall adds to m what the last dump of a namespace saw, or how many sockets
// it has at most.
func (g *Gate) recall(m *source.Moment, s *guarded) {
	if s.denied != nil {
		g.denied++
		g.reason = s.denied
	}
	switch {
	case s.last.IsZero() && s.counted:
		g.brief(m, s)
		return
	case s.last.IsZero():
		return
	}
	m.Room = append(m.Room, s.rows...)
	snapshot := s.snapshot
	snapshot.Scope, snapshot.Age = s.Scope, g.now().Sub(s.last)
	snapshot.Sockets = s.rows
	m.Snapshots = append(m.Snapshots, snapshot)
}

func (g *Gate) brief(m *source.Moment, s *guarded) {
	m.Quiet = append(m.Quiet, source.Brief{Scope: s.Scope, Bound: s.stat.bound(), Usable: s.usable})
}

// keepRows keeps what a dump saw for the polls until the next.
func (g *Gate) keepRows(s *guarded, rows []source.Socket, at time.Time) {
	g.dropRows(s)
	if len(rows) <= maxRows && g.kept+len(rows) <= maxKept {
		s.rows, s.last = append(s.rows[:0], rows...), at
		g.kept += len(rows)
	}
}

func (g *Gate) dropRows(s *guarded) {
	g.kept -= len(s.rows)
	s.rows, s.last = s.rows[:0], time.Time{}
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
