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

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/guard"
	"ephtop/source/procfs"
)

// Namespace is a network namespace of this host.
type Namespace struct {
	// Scope names it. Netns is its inode number; where we may not ask for that,
	// the inode number of its /proc/PID/net/tcp, which is as unique.
	Scope source.Scope
	// Processes is the number of processes in it, threads not counted.
	Processes int
	// Oldest is the oldest process in it, 0 for none, and Start tells it from
	// others with its number.
	Oldest int32
	Start  uint64
	// Door is the oldest process whose link to it may be opened, 0 for none.
	Door int32
	// Path is where it is mounted, "" for nowhere.
	Path string
}

// Lister knows which network namespaces there are. It is not safe for
// concurrent use.
type Lister struct {
	root    string
	proc    procfs.Reader
	engines scribe
	mounts  mountTable
	visitor visitor
	host    string
	// contained says that we are in a pid namespace other than the host's, where
	// process 1 tells nothing of the host.
	contained bool
	// self is this process, 0 where that is none of the host's. Commands that are shown
	// name processes, and are typed when it has ended.
	self int32
	// now is the time since boot, in clock ticks as the start of a process.
	now func() uint64
	// hostname asks for the host name that a process sees.
	hostname func(pid int32) string

	poll   uint32
	began  uint64    // when the first poll was
	procs  []process // by rising pid
	next   []process
	spaces map[uint64]*space
	keys   map[uint64]uint64 // inode of /proc/PID/net/tcp → namespace
	keyed  map[uint64]bool   // those that are in keys
	denied bool              // the link of some process may not be read
	list   []Namespace       // by rising Netns
	extra  []mount           // what Watch added
	units  map[string]uint64 // the namespace of a unit, 0 for several; made by the first who asks in a poll
	hand   int               // process that was looked at again last
	stale  bool              // the list is older than the table
	unsure bool              // the name made last may be another once files answer
	paths  guard.Aside       // of files that stand for a namespace

	dir     []byte // /proc, ended by NUL
	numbers []int32
	buf     []byte
	link    []byte
}

// space is what is remembered of a namespace.
type space struct {
	Namespace
	since   uint32 // poll in which it was seen first
	seen    uint32 // poll in which it was counted last
	stayed  bool   // something of it was there before
	mount   mount  // the one with the best name
	before  mount  // that of the count before
	entered uint64 // start of Door
	named   bool
	namer   int32 // the oldest process when it was named
}

// New makes a lister of the host whose /proc, /var and /run are below root: ""
// but in tests.
func New(root string) *Lister {
	root = strings.TrimSuffix(root, "/")
	l := &Lister{
		root:    root,
		proc:    procfs.Reader{Root: root + "/proc"},
		engines: scribe{engines: engines{root}},
		dir:     []byte(root + "/proc\x00"),
		mounts:  mountTable{path: root + "/proc/self/mountinfo"},
		now:     sinceBoot,
		spaces:  make(map[uint64]*space),
		keys:    make(map[uint64]uint64),
		keyed:   make(map[uint64]bool),
		buf:     make([]byte, 32<<10),
		link:    make([]byte, 64),
	}
	l.host, _ = os.Hostname() // "" is shown as no name
	l.hostname = func(int32) string { return "" }
	if root == "" {
		l.contained = procfs.OwnPIDs()
		l.self = procfs.Self()
		l.hostname = func(pid int32) string { return l.visitor.hostname("/proc/" + strconv.Itoa(int(pid))) }
	}
	return l
}

// Update looks which namespaces there are now. The result is by rising inode
// number, and is good until the next Update.
func (l *Lister) Update(ctx context.Context) ([]Namespace, error) {
	l.poll++
	l.units = nil
	moved, err := l.listProcesses(ctx)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	// Without the list of mounts, the namespaces of processes are left.
	mounted, err := l.mounts.update()
	if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	changed := l.watchExtra() || moved || mounted
	if changed {
		l.count()
	}
	if l.nameAll() || changed || l.stale {
		l.publish()
	}
	return l.list, nil
}

// List gives what the last Update gave.
func (l *Lister) List() []Namespace { return l.list }

// Name gives the scope of a namespace by its inode number: its name, kind and
// process. One that nothing is known of is called by its number.
func (l *Lister) Name(netns uint64) source.Scope {
	if s := l.spaces[netns]; s != nil {
		return s.Scope
	}
	return source.Scope{Host: l.host, Netns: netns, Name: bareName(netns)}
}

func bareName(netns uint64) string { return fmt.Sprintf("net:[%d]", netns) }

// Watch adds a namespace by a file that stands for it, as a mount or a link
// below /proc, for as long as it does.
func (l *Lister) Watch(path string) { l.extra = append(l.extra, mount{path: path}) }

// Close frees what is kept from poll to poll.
func (l *Lister) Close() error {
	l.visitor.close()
	return l.mounts.close()
}

// watchExtra looks what the watched files stand for and reports whether that
// changed.
func (l *Lister) watchExtra() (changed bool) {
	for i := range l.extra {
		m := &l.extra[i]
		if netns, late := l.number(m.path); late == nil && netns != m.netns {
			m.netns, changed = netns, true
		}
	}
	return changed
}

// number gives the inode number of what a file stands for, 0 for none. An error
// says that it does not answer.
func (l *Lister) number(path string) (uint64, error) {
	var netns uint64
	if late := l.paths.Do(path, func() { netns = procfs.Netns(unix.AT_FDCWD, path) }); late != nil {
		return 0, late
	}
	return netns, nil
}

// Late names what does not answer, "" for nothing: what it says is as it was.
func (l *Lister) Late() string {
	return cmp.Or(l.engines.aside.Late(), l.paths.Late(), l.proc.Late())
}

// count makes the table of namespaces from the processes and the mounts. A
// namespace of which nothing stayed that was there before is another one,
// though it has the same number: the kernel gives that away again at once.
func (l *Lister) count() {
	for i := range l.procs {
		p := &l.procs[i]
		if p.netns == 0 {
			continue
		}
		s := l.space(p.netns)
		s.stayed = s.stayed || p.stayed
		if s.Processes++; s.Oldest == 0 || p.start < s.Start {
			s.Oldest, s.Start = p.pid, p.start
		}
		if p.open && (s.Door == 0 || p.start < s.entered) {
			s.Door, s.entered = p.pid, p.start
		}
	}
	for _, mounts := range [...][]mount{l.mounts.mounts, l.extra} {
		for _, m := range mounts {
			if m.netns == 0 {
				continue
			}
			s := l.space(m.netns)
			s.stayed = s.stayed || m == s.before
			if s.Path == "" || m.rank() > s.mount.rank() {
				s.Path, s.mount = m.path, m
			}
		}
	}
	for netns, s := range l.spaces {
		switch {
		case s.seen != l.poll:
			delete(l.spaces, netns)
		case !s.stayed && s.since != l.poll:
			l.renew(s)
		case s.mount != s.before:
			s.named = false
		}
	}
	for key, netns := range l.keys {
		if l.spaces[netns] == nil {
			delete(l.keys, key)
			delete(l.keyed, netns)
		}
	}
}

// space gives the place of a namespace, emptied once in each poll.
func (l *Lister) space(netns uint64) *space {
	s := l.spaces[netns]
	if s == nil {
		s = &space{since: l.poll}
		s.Scope = source.Scope{Host: l.host, Netns: netns}
		l.spaces[netns] = s
	}
	if s.seen != l.poll {
		s.seen, s.stayed = l.poll, false
		s.before, s.mount = s.mount, mount{}
		s.Processes, s.Oldest, s.Start, s.Door, s.Path = 0, 0, 0, 0, ""
	}
	return s
}

// renew makes of a namespace another one that has its number. Where nobody may
// ask for the cookie, the start of its oldest process stands in, with a bit
// that no cookie has.
func (l *Lister) renew(s *space) {
	s.since, s.named = l.poll, false
	s.Scope = source.Scope{Host: l.host, Netns: s.Scope.Netns, Cookie: s.Start | 1<<63}
}

// setCookie says what tells a namespace from others that had its number.
func (l *Lister) setCookie(netns, cookie uint64) {
	if s := l.spaces[netns]; s != nil && s.Scope.Cookie != cookie {
		s.Scope.Cookie, l.stale = cookie, true
	}
}

// gone says that a namespace has ended: what has its number is another.
func (l *Lister) gone(netns uint64) {
	if s := l.spaces[netns]; s != nil {
		l.renew(s)
	}
}

// publish writes the list, in the memory of the one before.
func (l *Lister) publish() {
	l.stale = false
	l.list = l.list[:0]
	for _, s := range l.spaces {
		l.list = append(l.list, s.Namespace)
	}
	slices.SortFunc(l.list, func(a, b Namespace) int { return cmp.Compare(a.Scope.Netns, b.Scope.Netns) })
}
