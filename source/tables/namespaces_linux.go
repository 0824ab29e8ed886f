//go:build amd64 || arm64

package tables

import (
	"slices"
	"time"

	"ephtop/source"
)

// reservedEvery is how many walks pass between two looks at the reserved ports
// of a namespace, which are 8 KiB each.
const reservedEvery = 8

// namespace is what is kept of a network namespace from walk to walk.
type namespace struct {
	scope    source.Scope
	settings source.Settings
	own      uint8  // as netns.ownTables
	seen     uint32 // the walk that saw it last
	count    int    // of its sockets, in the present walk
	start    int    // of its window

	// What is handed out is never changed, only replaced, as moments keep it.
	keys    []uint64 // see portKey
	blocked []uint16
	vrfs    []source.VRF

	rest *source.Counter // with a Ration only
}

// namespaces are those of the host.
type namespaces struct {
	walks   uint32
	known   map[source.Scope]*namespace // by inode and cookie
	list    []*namespace                // as in memory
	index   map[uint32]int32            // in list, by inode
	largest source.Scope                // of the walk before

	// The row before was of that namespace, as the next is likely to be.
	lastInode uint32
	lastIndex int32
}

func (n *namespaces) reset() {
	n.known = make(map[source.Scope]*namespace)
	n.index = make(map[uint32]int32)
}

// find returns the index of a namespace, or -1: it came or went meanwhile.
func (n *namespaces) find(inode uint32) int32 {
	if inode != n.lastInode || n.lastIndex < 0 {
		i, ok := n.index[inode]
		if !ok {
			i = -1
		}
		n.lastInode, n.lastIndex = inode, i
	}
	return n.lastIndex
}

// list takes the namespaces and their settings from memory.
func (e *Engine) list() error {
	if err := e.run(walkNamespaces); err != nil {
		return err
	}
	if e.memory.result.done == 0 {
		return tooMany("more than %d network namespaces", maxNamespaces)
	}
	e.takeNamespaces()
	return nil
}

func (e *Engine) takeNamespaces() {
	n := &e.namespaces
	n.walks++
	n.list = n.list[:0]
	clear(n.index)
	n.lastIndex = -1
	for i := range e.memory.namespaces[:min(e.memory.result.count, maxNamespaces)] {
		row := &e.memory.namespaces[i]
		key := source.Scope{Netns: uint64(row.inode), Cookie: row.cookie}
		ns := n.known[key]
		if ns == nil || ns.seen == n.walks { // no two are the same
			ns = &namespace{scope: key}
			n.known[key] = ns
		}
		ns.seen, ns.own = n.walks, row.ownTables
		ns.count, ns.start = 0, 0
		e.setSettings(&ns.settings, row)
		if e.Ration != nil {
			if ns.rest == nil {
				ns.rest = new(source.Counter)
			}
			ns.rest.Begin(&ns.settings)
		}
		n.list = append(n.list, ns)
		n.index[row.inode] = int32(i)
	}
	for key, ns := range n.known {
		if ns.seen != n.walks {
			delete(n.known, key)
		}
	}
}

// setSettings sets all settings but the reserved ports.
func (e *Engine) setSettings(s *source.Settings, row *netns) {
	reserved := s.Reserved
	*s = e.defaults
	s.Reserved = reserved
	s.Range = source.PortRange{Low: row.low, High: row.high}
	if s.Range.Validate() != nil { // can't be: the kernel refuses such a range
		s.Range, s.Assumed = e.defaults.Default, true
	}
	s.ReuseTimeWait = int(row.reuse)
	s.Timestamps = int(row.timestamps)
	s.ReuseDelay = time.Duration(row.reuseDelay) * time.Millisecond
	s.MaxTimeWait = int(max(row.maxTimeWaits, 0)) // less than none is none
}

// readReserved reads the reserved ports of a namespace if it is new, or if its
// turn has come.
func (e *Engine) readReserved(i int32) error {
	ns := e.namespaces.list[i]
	fresh := ns.settings.Reserved == nil
	// By its number: its index falls as others end, and its turn might never come.
	if !fresh && (e.namespaces.walks+uint32(ns.scope.Netns))%reservedEvery != 0 {
		return nil
	}
	e.memory.request.netns = uint32(i)
	if err := e.run(readReserved); err == errGone {
		return nil
	} else if err != nil {
		return err
	}
	e.ranges = e.memory.reserved.AppendRanges(e.ranges[:0])
	if fresh || !slices.Equal(ns.settings.Reserved, e.ranges) {
		ns.settings.Reserved = append([]source.PortRange{}, e.ranges...)
	}
	return nil
}
