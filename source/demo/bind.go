package demo

import (
	"time"

	"ephtop/source"
)

// searchConnect is how connect() looks for a port towards a destination: it
// skips the ports that were bound explicitly, for every destination; otherwise
// only the four-tuple must be free.
func (k *kernel) searchConnect(key tupleKey, t *tuple) search {
	return search{
		ports: k.settings.Range,
		candidates: func(word int) uint64 {
			return k.usable[word] &^ k.explicit.held[word] &^ (t.used[word] &^ t.waiting[word])
		},
		ok: func(port uint16) bool {
			return !t.used.Has(port) || k.reusable(k.connected[source.Tuple{
				Local: key.source, Remote: key.destination, LocalPort: port, RemotePort: key.port, Proto: source.TCP,
			}])
		},
	}
}

// reusable tells whether a TIME_WAIT is old enough to be taken over, by a clock
// that counts milliseconds.
func (k *kernel) reusable(s *socket) bool {
	age := k.settings.TimeWait - time.Duration(k.expires(s))*time.Millisecond
	return s.State == source.TimeWait && age >= k.settings.ReuseDelay
}

// mayReuse tells whether a TIME_WAIT may ever be taken over (tcp_twsk_unique).
func (k *kernel) mayReuse(s *socket) bool {
	if k.settings.Timestamps <= 0 {
		return false
	}
	return k.settings.ReuseTimeWait == 1 ||
		k.settings.ReuseTimeWait == 2 && (s.Local.IsLoopback() || s.Remote.IsLoopback())
}

// bind gives a process a TCP socket with a port on a local address. Port 0
// lets the kernel pick one that nothing else holds on that address.
func (k *kernel) bind(p *process, local source.Addr, port uint16) (*socket, error) {
	return k.bindTo(p, source.TCP, local, port)
}

// bindUDP gives a process a UDP socket without a peer, as bind does for TCP.
func (k *kernel) bindUDP(p *process, local source.Addr, port uint16) (*socket, error) {
	return k.bindTo(p, source.UDP, local, port)
}

func (k *kernel) bindTo(p *process, proto source.Proto, local source.Addr, port uint16) (*socket, error) {
	free, err := k.claim(proto, local, port)
	if err != nil {
		k.tell(source.BindFailed, source.Tuple{Local: local, LocalPort: port, Proto: proto}, p)
		return nil, err
	}
	s, err := k.open(p, proto)
	if err != nil {
		return nil, err
	}
	s.Local, s.LocalPort, s.Family6, s.explicit = local, free, !local.Is4(), proto == source.TCP
	s.Remote = wildcardOf(local)
	k.set(s, source.Bound)
	k.enter(s)
	return s, nil
}

// claim finds a port on a local address, or tells whether a given one is free.
func (k *kernel) claim(proto source.Proto, local source.Addr, port uint16) (uint16, error) {
	held := k.conflicts(proto, local)
	if port != 0 {
		if held(int(port>>6))&(1<<(port&63)) != 0 {
			return 0, errInUse
		}
		return port, nil
	}
	look := search{
		ports:      k.settings.Range,
		candidates: func(word int) uint64 { return k.usable[word] &^ held(word) },
		ok:         func(uint16) bool { return true },
	}
	port, ok := look.forBind(proto, k.random)
	if !ok {
		return 0, errInUse
	}
	return port, nil
}

// conflicts gives the words of the set of the ports that are held on an address,
// or on a wildcard that covers it. "::" covers IPv4.
func (k *kernel) conflicts(proto source.Proto, local source.Addr) func(word int) uint64 {
	var pools []*holders
	for key, h := range k.pools {
		if key.proto == proto && (key.local == local || covers(key.local, local) || covers(local, key.local)) {
			pools = append(pools, h)
		}
	}
	return func(word int) (held uint64) {
		for _, h := range pools {
			held |= h.held[word]
		}
		return held
	}
}

func covers(wildcard, a source.Addr) bool {
	return wildcard.IsWildcard() && (!wildcard.Is4() || a.Is4())
}

// wildcardOf gives the wildcard of an address's family.
func wildcardOf(a source.Addr) source.Addr {
	if a.Is4() {
		return source.Addr4([4]byte{})
	}
	return source.Addr{}
}

// listen gives a process a TCP listener.
func (k *kernel) listen(p *process, local source.Addr, port uint16, backlog uint32) (*socket, error) {
	s, err := k.bind(p, local, port)
	if err != nil {
		return nil, err
	}
	k.set(s, source.Listen)
	s.SendQueue = backlog
	k.listeners = append(k.listeners, s)
	return s, nil
}

// listener finds who listens on an address and port, or nil.
func (k *kernel) listener(local source.Addr, port uint16) *socket {
	for _, s := range k.listeners {
		if s.LocalPort == port && (s.Local == local || covers(s.Local, local)) {
			return s
		}
	}
	return nil
}

// connectUDP gives a process a UDP socket that is connected to a peer. Its port is
// picked from all that are free on the local address, whatever the peer.
func (k *kernel) connectUDP(p *process, local, remote source.Addr, port uint16) (*socket, error) {
	s, err := k.bindUDP(p, local, 0)
	if err != nil {
		return nil, err
	}
	s.Remote, s.RemotePort = remote, port
	k.set(s, source.Established)
	k.join(s)
	return s, nil
}
