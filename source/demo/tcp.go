package demo

import (
	"time"

	"ephtop/source"
)

// The kernel's times and counts of retransmission, as on Linux 6.18 with its
// default settings.
const (
	firstSYN    = time.Second            // TCP_TIMEOUT_INIT
	linearSYNs  = 4                      // net.ipv4.tcp_syn_linear_timeouts
	maxSYNs     = 6 + linearSYNs         // net.ipv4.tcp_syn_retries beside these
	firstResend = 200 * time.Millisecond // TCP_RTO_MIN
	maxResends  = 15                     // net.ipv4.tcp_retries2
	maxOrphan   = 8                      // tcp_orphan_retries where the setting is 0
	maxTimeout  = 120 * time.Second      // TCP_RTO_MAX
	finTimeout  = 60 * time.Second       // net.ipv4.tcp_fin_timeout
	keepAlive   = 15 * time.Second       // what the processes of this host ask for
)

// path is the way to a remote address and back.
type path struct {
	trip time.Duration // there and back
	// linger is how long the peer takes to close what we have closed; 0 if its
	// FIN comes with its acknowledgement of ours.
	linger time.Duration
	// dropped says that nothing comes back.
	dropped bool
}

// path gives the way to an address; one that nothing was said about is on this
// host or far outside.
func (k *kernel) path(remote source.Addr) path {
	if p, ok := k.paths[remote]; ok {
		return p
	}
	if remote.IsLoopback() {
		return path{trip: 50 * time.Microsecond}
	}
	return path{trip: 40 * time.Millisecond}
}

// connect connects a process to a peer, on a port that the kernel picks. What
// happens then is for onConnect and onError of the socket.
func (k *kernel) connect(p *process, from, to source.Addr, port uint16) (*socket, error) {
	s, err := k.open(p, source.TCP)
	if err != nil {
		return nil, err
	}
	key := tupleKey{from, to, port}
	t := k.tuple(key)
	look := k.searchConnect(key, t)
	local, distance, ok := look.forConnect(t)
	if !ok {
		k.orphan(s)
		k.tell(source.ConnectFailed, source.Tuple{Local: from, Remote: to, RemotePort: port, Proto: source.TCP}, p)
		return nil, errNoPort
	}
	t.next(distance, k.random)
	s.Local, s.LocalPort, s.Remote, s.RemotePort = from, local, to, port
	s.Family6, s.tuple = !from.Is4(), t
	if taken := k.connected[s.Tuple()]; taken != nil {
		k.remove(taken) // a TIME_WAIT
	}
	k.enter(s)
	k.sendSYN(s)
	return s, nil
}

// connectBound connects a socket that has its port already, from bind().
func (k *kernel) connectBound(s *socket, to source.Addr, port uint16) {
	s.Remote, s.RemotePort = to, port
	s.tuple = k.tuple(tupleKey{s.Local, to, port})
	k.join(s)
	k.tell(source.BoundFirst, s.Tuple(), s.owner)
	k.sendSYN(s)
}

func (k *kernel) sendSYN(s *socket) {
	k.set(s, source.SynSent)
	s.SendQueue = 1
	k.transmit(s, firstSYN, func() { k.establish(s) })
}

// establish completes the handshake of a connection, on both ends if the other
// is on this host too.
func (k *kernel) establish(s *socket) {
	k.set(s, source.Established)
	k.keepAlive(s)
	if k.translated(s) {
		k.router.answered(s.Tuple())
	}
	if s.Remote.IsLoopback() || s.Remote == s.Local {
		if l := k.listener(s.Remote, s.RemotePort); l != nil {
			child := k.child(l, s.Remote, s.Local, s.LocalPort)
			if child != nil {
				s.far, child.far = child, s
				k.accept(l, child)
			}
		}
	}
	if s.onConnect != nil {
		s.onConnect()
	}
}

// arrive is a connection from outside to a listener. It is nil if its
// four-tuple is taken.
func (k *kernel) arrive(l *socket, local, remote source.Addr, port uint16) *socket {
	s := k.child(l, local, remote, port)
	if s != nil {
		k.later(s, k.path(remote).trip, func() { k.accept(l, s) })
	}
	return s
}

func (k *kernel) child(l *socket, local, remote source.Addr, port uint16) *socket {
	s := &socket{index: -1, explicit: true}
	s.Proto, s.Family6, s.Cgroup = source.TCP, l.Family6, l.Cgroup
	s.Local, s.LocalPort, s.Remote, s.RemotePort = local, l.LocalPort, remote, port
	if old := k.connected[s.Tuple()]; old != nil {
		if old.State != source.TimeWait {
			return nil
		}
		k.remove(old) // a SYN takes over a TIME_WAIT (tcp_timewait_state_process)
	}
	k.set(s, source.SynRecv)
	k.enter(s)
	return s
}

// accept hands a connection to the process that listens.
func (k *kernel) accept(l, s *socket) {
	k.set(s, source.Established)
	k.own(s, l.owner)
	k.keepAlive(s)
	if l.onAccept != nil {
		l.onAccept(s)
	}
}

// keepAlive starts the timer that a process asks for with SO_KEEPALIVE.
func (k *kernel) keepAlive(s *socket) {
	s.Timer, s.deadline = source.TimerKeepalive, k.now
}

// transmit sends what the peer answers to after a trip, and again and again
// where no answer comes.
func (k *kernel) transmit(s *socket, timeout time.Duration, answered func()) {
	s.Timer, s.timeout, s.deadline = source.TimerRetransmit, timeout, k.now+timeout
	trip := k.path(s.Remote).trip
	trip += time.Duration(k.random.Int64N(int64(trip)/4 + 1))
	left := k.leaves(s)
	k.later(s, min(trip, timeout), func() {
		if left && !k.path(s.Remote).dropped {
			answered()
			return
		}
		k.later(s, s.deadline-k.now, func() { k.retransmit(s, answered) })
	})
}

// retransmit doubles the time-out, but for the first ones of a SYN
// (tcp_retransmit_timer), and gives up in the end (tcp_write_timeout).
func (k *kernel) retransmit(s *socket, answered func()) {
	most := maxResends
	switch {
	case s.State == source.SynSent:
		most = maxSYNs
	case s.owner == nil:
		most = maxOrphan
	}
	if int(s.Retransmits) >= most {
		k.fail(s, errTimedOut)
		return
	}
	s.Retransmits++
	timeout := s.timeout
	if s.State != source.SynSent || s.Retransmits > linearSYNs {
		timeout = min(2*timeout, maxTimeout)
	}
	k.transmit(s, timeout, answered)
}

// fail ends a connection with an error.
func (k *kernel) fail(s *socket, err error) {
	onError := s.onError
	k.remove(s)
	if onError != nil {
		onError(err)
	}
}

// send sends data on a connection; answered runs when the peer has
// acknowledged it.
func (k *kernel) send(s *socket, bytes uint32, answered func()) {
	s.epoch++
	s.SendQueue = bytes
	k.transmit(s, firstResend+k.path(s.Remote).trip, func() {
		s.epoch++
		s.SendQueue, s.Retransmits = 0, 0
		k.keepAlive(s)
		answered()
	})
}

// close is what a process does: it closes a connection, or gives up a socket
// that has none.
func (k *kernel) close(s *socket) {
	if s.Proto == source.UDP || s.State != source.Established && s.State != source.CloseWait {
		k.remove(s)
		return
	}
	last := source.LastAck
	done := func() { k.lastAcked(s) }
	if s.State == source.Established {
		k.tell(source.Closed, s.Tuple(), s.owner)
		last, done = source.FinWait1, func() { k.finAcked(s) }
	}
	k.orphan(s)
	k.set(s, last)
	s.SendQueue = 1
	k.transmit(s, firstResend+k.path(s.Remote).trip, done)
}

// lastAcked is the end of a connection that the peer closed first.
func (k *kernel) lastAcked(s *socket) {
	far := s.far
	k.remove(s)
	if far != nil {
		k.fin(far)
	}
}

// finAcked is the peer's acknowledgement of our FIN, and its own FIN if it
// closes at once.
func (k *kernel) finAcked(s *socket) {
	linger := k.path(s.Remote).linger
	switch far := s.far; {
	case far != nil:
		k.finWait2(s)
		k.fin(far)
	case linger == 0:
		k.timeWait(s)
	default:
		k.finWait2(s)
		k.later(s, linger, func() { k.fin(s) })
	}
}

// finWait2 waits for the peer's FIN. The kernel keeps no more of an orphan
// than of a TIME_WAIT then, and a dump shows it with that timer.
func (k *kernel) finWait2(s *socket) {
	k.set(s, source.FinWait2)
	s.Timer, s.deadline, s.Cgroup = source.TimerTimeWait, k.now+finTimeout, 0
	k.later(s, finTimeout, func() { k.remove(s) })
}

// fin is the peer's FIN.
func (k *kernel) fin(s *socket) {
	switch s.State {
	case source.Established:
		onEOF := s.onEOF
		k.set(s, source.CloseWait)
		k.keepAlive(s)
		s.ReceiveQueue = 1
		if onEOF != nil {
			onEOF()
		}
	case source.FinWait1, source.FinWait2:
		k.timeWait(s)
	}
}

// timeWait keeps the four-tuple for as long as old segments may come, unless
// there are too many already (net.ipv4.tcp_max_tw_buckets).
func (k *kernel) timeWait(s *socket) {
	if k.settings.MaxTimeWait > 0 && k.waiting >= k.settings.MaxTimeWait {
		k.remove(s)
		return
	}
	k.set(s, source.TimeWait)
	k.untrack(s)
	k.waiting++
	s.Cgroup = 0
	s.Timer, s.deadline = source.TimerTimeWait, k.now+k.settings.TimeWait
	if s.tuple != nil && !s.explicit && k.mayReuse(s) {
		s.tuple.waiting.Add(s.LocalPort)
	}
	k.later(s, k.settings.TimeWait, func() { k.remove(s) })
}
