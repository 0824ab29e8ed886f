package demo

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"ephtop/source"
)

// What system calls fail with.
var (
	errNoPort       = errors.New("cannot assign requested address") // EADDRNOTAVAIL
	errInUse        = errors.New("address already in use")          // EADDRINUSE
	errTooManyFiles = errors.New("too many open files")             // EMFILE
	errTimedOut     = errors.New("connection timed out")            // ETIMEDOUT
)

// kernel is the part of a kernel that has to do with ports. Its clock counts
// from the time of the first moment, and is negative before.
type kernel struct {
	settings source.Settings
	usable   source.PortSet
	start    time.Time
	now      time.Duration
	agenda   agenda
	random   *rand.Rand
	// scope says which namespace it is; tables that its moments tell what the
	// kernel's own tables do.
	scope   source.Scope
	tables  bool
	cgroups []source.Cgroup
	inside  int // processes in the container
	// trace says that events are kept for the next moment.
	trace  bool
	events []source.Event
	exited []source.ProcessKey // since the last moment

	table     []*socket
	listeners []*socket
	connected map[source.Tuple]*socket
	tuples    map[tupleKey]*tuple
	// explicit counts the sockets whose ports connect() skips for every
	// destination: bound, listening, or accepted from a listener.
	explicit holders
	pools    map[poolKey]*holders
	paths    map[source.Addr]path
	router   *router // that translates its connections; nil for none
	inode    uint32
	cookie   uint64
	turn     uint32
	// waiting counts the sockets in TIME_WAIT.
	waiting int
}

// poolKey is a local address, on which each port is held or not.
type poolKey struct {
	proto source.Proto
	local source.Addr
}

// socket is a source.Socket, whose Process, Expires and Cookie are only filled
// in by a dump.
type socket struct {
	source.Socket
	// owner is nil where no process has the socket: in TIME_WAIT, closed and
	// not gone yet, not accepted yet.
	owner *process
	// index is the place in kernel.table, or -1 once it is gone.
	index int
	// epoch counts the changes of state; what was planned before one is void.
	epoch    uint32
	explicit bool
	tuple    *tuple
	// far is the other end where that is on this host too.
	far *socket
	// deadline is when the timer fires, or when a keep-alive timer was set.
	deadline time.Duration
	timeout  time.Duration // of the next retransmission

	// onConnect, onEOF and onError are what the owner does when the connection
	// stands, when the peer has closed it, and when it has failed; nil for
	// nothing.
	onConnect, onEOF func()
	onError          func(error)
	// onAccept is what the owner of a listener does with a new connection.
	onAccept func(*socket)
}

// process is a process of the simulated host.
type process struct {
	source.Process
	cgroup uint64
	// open counts its sockets, files bounds them (RLIMIT_NOFILE); 0 for no
	// bound.
	open, files int
	// index is its place in the moment of that turn.
	index int32
	turn  uint32
}

func newKernel(settings source.Settings, start time.Time, random *rand.Rand) *kernel {
	k := &kernel{
		settings: settings, start: start, random: random,
		connected: make(map[source.Tuple]*socket), tuples: make(map[tupleKey]*tuple),
		pools: make(map[poolKey]*holders), paths: make(map[source.Addr]path),
		inode: 48_000, cookie: 0x2000,
	}
	k.usable.SetUsable(&k.settings)
	return k
}

// run lets time go by.
func (k *kernel) run(until time.Duration) { runAll(until, k) }

// runAll lets time go by in all namespaces of a host together: what happens in one
// may bear upon another.
func runAll(until time.Duration, kernels ...*kernel) {
	for {
		var next *kernel
		at := until
		for _, k := range kernels {
			if due, ok := k.agenda.first(); ok && (due < at || due == at && next == nil) {
				next, at = k, due
			}
		}
		if next == nil {
			break
		}
		e, _ := next.agenda.next(until)
		next.now = at
		e.do()
	}
	for _, k := range kernels {
		k.now = until
	}
}

// after plans something.
func (k *kernel) after(d time.Duration, do func()) { k.agenda.add(k.now+d, do) }

// later plans something that is void if the socket changes its state before.
func (k *kernel) later(s *socket, d time.Duration, do func()) {
	epoch := s.epoch
	k.after(d, func() {
		if s.epoch == epoch {
			do()
		}
	})
}

// open makes a socket of a process, without a port.
func (k *kernel) open(p *process, proto source.Proto) (*socket, error) {
	if p.files > 0 && p.open >= p.files {
		return nil, errTooManyFiles
	}
	s := &socket{index: -1}
	s.Proto = proto
	k.own(s, p)
	return s, nil
}

// own gives a socket to a process.
func (k *kernel) own(s *socket, p *process) {
	k.inode += 1 + k.random.Uint32N(3) // other files take inodes too
	s.owner, s.Inode, s.UID, s.Cgroup = p, k.inode, p.UID, p.cgroup
	p.open++
}

// orphan takes a socket from its process.
func (k *kernel) orphan(s *socket) {
	if s.owner != nil {
		s.owner.open--
	}
	s.owner, s.Inode, s.UID = nil, 0, 0
	s.onConnect, s.onEOF, s.onError = nil, nil, nil
}

// enter puts a socket that has its port into the table.
func (k *kernel) enter(s *socket) {
	s.index = len(k.table)
	k.table = append(k.table, s)
	k.pool(poolKey{s.Proto, s.Local}).add(s.LocalPort)
	if s.explicit {
		k.explicit.add(s.LocalPort)
	}
	if s.RemotePort != 0 {
		k.join(s)
	}
}

// join takes a socket's four-tuple.
func (k *kernel) join(s *socket) {
	k.connected[s.Tuple()] = s
	if s.tuple != nil {
		s.tuple.used.Add(s.LocalPort)
	}
}

// remove frees a socket and its port.
func (k *kernel) remove(s *socket) {
	if s.index < 0 {
		return
	}
	k.untrack(s)
	last := len(k.table) - 1
	k.table[s.index] = k.table[last]
	k.table[s.index].index = s.index
	k.table[last] = nil
	k.table = k.table[:last]
	k.orphan(s)
	s.epoch++
	s.index = -1

	k.pool(poolKey{s.Proto, s.Local}).remove(s.LocalPort)
	if s.explicit {
		k.explicit.remove(s.LocalPort)
	}
	if s.RemotePort != 0 {
		delete(k.connected, s.Tuple())
	}
	if s.tuple != nil {
		s.tuple.used.Remove(s.LocalPort)
		s.tuple.waiting.Remove(s.LocalPort)
	}
	switch s.State {
	case source.TimeWait:
		k.waiting--
	case source.Listen:
		k.listeners = slices.DeleteFunc(k.listeners, func(l *socket) bool { return l == s })
	}
	if s.far != nil {
		s.far.far = nil
	}
}

// set changes a socket's state and stops its timer.
func (k *kernel) set(s *socket, state source.State) {
	s.epoch++
	s.State = state
	s.Timer, s.Retransmits, s.ReceiveQueue, s.SendQueue = source.TimerNone, 0, 0, 0
}

func (k *kernel) tuple(key tupleKey) *tuple {
	t := k.tuples[key]
	if t == nil {
		t = &tuple{secret: k.random.Uint32(), perturb: k.random.Uint32()}
		k.tuples[key] = t
	}
	return t
}

func (k *kernel) pool(key poolKey) *holders {
	h := k.pools[key]
	if h == nil {
		h = &holders{}
		k.pools[key] = h
	}
	return h
}

// tell keeps an event for the next moment.
func (k *kernel) tell(kind source.EventKind, tuple source.Tuple, owner *process) {
	if k.trace {
		k.events = append(k.events, source.Event{
			Kind: kind, Time: k.start.Add(k.now), Tuple: tuple, Netns: k.scope.Netns, Process: owner.Process,
		})
	}
}
