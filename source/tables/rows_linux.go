//go:build amd64 || arm64

package tables

import (
	"slices"
	"time"

	"ephtop/source"
)

// takeRows decodes the rows of a call. Those of one namespace go to the end of
// m.Room, the others aside.
func (e *Engine) takeRows(m *source.Moment, proto source.Proto, straight int32) {
	rows := e.memory.rows[:min(e.memory.result.count, maxRows)]
	// At first to what the walk before needed: to grow by and by leaves garbage.
	if e.tested == nil {
		m.Room = source.Grow(m.Room, max(e.Ration.Most(len(rows)), e.Ration.Most(e.sockets)-len(m.Room)))
	}
	if e.tested != nil {
		e.kept += len(rows) // what is to come
	}
	var s source.Socket
	for i := range rows {
		of := e.namespaces.find(rows[i].netns)
		if of < 0 || e.tested != nil && !e.tested.Has(rows[i].localPort) {
			continue
		}
		s = source.Socket{}
		e.decode(&s, &rows[i], proto)
		if e.tested == nil && !e.Ration.Keep(&s, e.namespaces.list[of].rest) {
			continue
		}
		e.kept++
		e.namespaces.list[of].count++
		if of == straight {
			m.Room = append(m.Room, s)
			continue
		}
		e.spill = append(e.spill, s)
		e.spillOf = append(e.spillOf, of)
	}
}

func (e *Engine) decode(s *source.Socket, r *row, proto source.Proto) {
	s.Local, s.LocalPort = r.local, r.localPort
	s.Remote, s.RemotePort = r.remote, r.remotePort
	s.Proto = proto
	s.State = stateOf(r.state)
	s.Family6 = r.flags&family6 != 0
	s.Timer = min(source.Timer(r.timer), source.TimerProbe)
	s.Retransmits = r.retransmits
	switch {
	case proto != source.TCP || e.memory.result.knowsBind == 0: // up to 6.17 sk_userlocks is a part of a byte
	case r.flags&connectBind != 0:
		s.Bind = source.BindConnect
	case r.flags&bindPort != 0:
		s.Bind = source.BindPort
	}
	if s.State == source.TimeWait {
		s.Stamps = source.StampsNone
		if r.flags&stamps != 0 {
			s.Stamps = source.StampsBoth
		}
	}
	s.Process = source.NoProcess
	s.Expires = uint32(time.Duration(r.expires) * e.tick / time.Millisecond)
	s.Interface = r.iface
	s.UID, s.Inode = r.uid, r.inode
	s.Cookie, s.Cgroup = r.cookie, r.cgroup
	s.ReceiveQueue, s.SendQueue = r.receiveQueue, r.sendQueue
}

// stateOf translates the kernel's state. A socket of TCP in a bind bucket that
// is in TCP_CLOSE is bound, and UDP without a peer is too.
func stateOf(k uint8) source.State {
	switch {
	case k == 7:
		return source.Bound
	case k == 12: // TCP_NEW_SYN_RECV
		return source.SynRecv
	case k >= 1 && k <= 11:
		return source.State(k)
	}
	return source.Unknown
}

// place puts the rows that went aside behind the others, those of a namespace
// side by side and in the order in which they came.
func (e *Engine) place(m *source.Moment, begin int, straight int32) {
	next := len(m.Room)
	for i, ns := range e.namespaces.list {
		if int32(i) == straight {
			ns.start = begin
			continue
		}
		ns.start = next
		next += ns.count
		ns.count = 0 // counted again as they are placed
	}
	m.Room = source.Grow(m.Room, len(e.spill))[:next]
	for i, of := range e.spillOf {
		ns := e.namespaces.list[of]
		m.Room[ns.start+ns.count] = e.spill[i]
		ns.count++
	}
}

// portKey sorts the ports by namespace, then by layer-3 domain; 0 is none.
func portKey(of int32, l3mdev uint32, port uint16) uint64 {
	return uint64(of)<<48 | uint64(l3mdev)<<16 | uint64(port)
}

func (e *Engine) takePorts() {
	for _, p := range e.memory.ports[:min(e.memory.result.ports, maxPorts)] {
		if of := e.namespaces.find(p.netns); of >= 0 && p.port != 0 {
			e.ports = append(e.ports, portKey(of, p.l3mdev, p.port))
		}
	}
}

// placePorts gives each namespace its blocked ports, anew only if they changed.
func (e *Engine) placePorts() {
	slices.Sort(e.ports)
	keys := slices.Compact(e.ports)
	for i, ns := range e.namespaces.list {
		n, _ := slices.BinarySearch(keys, portKey(int32(i)+1, 0, 0))
		ns.setBlocked(keys[:n])
		keys = keys[n:]
	}
}

func (ns *namespace) setBlocked(keys []uint64) {
	for i := range keys {
		keys[i] &= 1<<48 - 1 // whose index may differ in the next walk
	}
	if slices.Equal(ns.keys, keys) {
		return
	}
	ns.keys = append(ns.keys[:0], keys...)
	ns.blocked, ns.vrfs = nil, nil
	for begin := 0; begin < len(keys); {
		l3mdev := uint32(keys[begin] >> 16)
		end, _ := slices.BinarySearch(keys, portKey(0, l3mdev, 0)+1<<16)
		ports := make([]uint16, end-begin)
		for i, key := range keys[begin:end] {
			ports[i] = uint16(key)
		}
		if l3mdev == 0 {
			ns.blocked = ports
		} else {
			ns.vrfs = append(ns.vrfs, source.VRF{Interface: l3mdev, Blocked: ports})
		}
		begin = end
	}
}

// markExplicit marks the sockets that were bound by bind(), by listen() or as a
// listener's child: where the kernel says which connect() bound, all others on a
// blocked port.
func (e *Engine) markExplicit(s *source.Snapshot) {
	if e.memory.result.knowsBind == 0 || len(s.Blocked)+len(s.VRFs) == 0 {
		return
	}
	blocked := &e.explicit
	*blocked = source.PortSet{}
	for _, port := range s.Blocked {
		blocked.Add(port)
	}
	for _, vrf := range s.VRFs {
		for _, port := range vrf.Blocked {
			blocked.Add(port)
		}
	}
	for i := range s.Sockets {
		k := &s.Sockets[i]
		if k.Proto == source.TCP && k.Bind == source.BindUnknown && blocked.Has(k.LocalPort) {
			k.Bind = source.BindExplicit
		}
	}
}
