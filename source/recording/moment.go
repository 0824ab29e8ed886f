package recording

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"ephtop/source"
)

// moment is what a reader knows at one moment: all of it, built up from the
// last full moment.
type moment struct {
	n    int
	t    time.Duration
	full bool

	took   time.Duration
	head   head
	events []source.Event
	lost   int

	rows    []row // by id
	lastID  uint64
	entries []entry // by id
	texts   int     // bytes of the entries' texts

	start   time.Time
	actors  []source.Process
	acted   []int // indices into actors, by event
	gone    []uint64
	ended   []uint64
	fresh   int // rows that this moment added
	lastRow uint64
}

// stamp is the beginning of a moment's line.
type stamp struct {
	n    int
	t    time.Duration
	full bool
	// end says that it is no moment: n of them make the recording whole.
	end bool
}

// stampOf reads the beginning of a line, and leaves p behind it.
func stampOf(p *parser) stamp {
	var s stamp
	p.open('{')
	p.more('}')
	if key := p.key(); string(key) == "end" {
		s.end = p.bool()
		p.more('}')
		if string(p.key()) != "moments" {
			p.fail("no number of moments")
		}
		s.n = int(p.uint(math.MaxInt32))
		return s
	} else if string(key) != "n" {
		p.fail("a moment without its number")
	}
	s.n = int(p.uint(math.MaxInt32))
	p.more('}')
	if string(p.key()) != "t" {
		p.fail("a moment without its time")
	}
	s.t = p.seconds()
	at := *p
	if p.err == nil && p.more('}') && string(p.key()) == "full" {
		s.full = p.bool()
	} else {
		*p = at
	}
	return s
}

// begin takes a moment's stamp.
func (m *moment) begin(s stamp) {
	m.n, m.t, m.full = s.n, s.t, s.full
	m.took, m.lost, m.fresh = 0, 0, 0
	m.events, m.actors, m.acted = m.events[:0], m.actors[:0], m.acted[:0]
	m.gone, m.ended = m.gone[:0], m.ended[:0]
	if s.full {
		m.head = head{}
		m.rows, m.entries, m.texts, m.lastID = m.rows[:0], m.entries[:0], 0, 0
	}
	m.lastRow = m.lastID
}

// read applies the rest of a moment's line.
func (m *moment) read(p *parser) error {
	for p.more('}') {
		switch string(p.key()) {
		case "took":
			m.took = p.seconds()
		case "host":
			m.head.host = p.string()
		case "os":
			m.head.os = p.string()
		case "kernel":
			m.head.kernel = p.string()
		case "source":
			m.head.source = p.string()
		case "bound_listed":
			m.head.boundListed = p.bool()
		case "traced":
			m.head.traced = p.bool()
		case "settings":
			m.head.settings = readSettings(p)
		case "degraded":
			m.head.degraded = readTexts(p)
		case "lost":
			m.lost = int(p.uint(math.MaxInt32))
		case "actors":
			m.readActors(p)
		case "events":
			m.readEvents(p)
		case "ended":
			m.ended = m.readIDs(p, m.ended)
		case "processes":
			m.readProcesses(p)
		case "gone":
			m.gone = m.readIDs(p, m.gone)
		case "changed":
			m.readChanged(p)
		case "sockets":
			m.readSockets(p)
		case "n", "t", "full", "end":
			p.fail("n, t or full in a wrong place")
		default:
			p.skip()
		}
	}
	p.end()
	if p.err != nil {
		return p.err
	}
	return m.finish()
}

// readIDs reads a list of ids in rising order.
func (m *moment) readIDs(p *parser, ids []uint64) []uint64 {
	var last uint64
	if m.full {
		p.fail("a full moment where something ends")
	}
	for p.open('['); p.more(']'); {
		id := p.uint(math.MaxUint64)
		if id <= last || len(ids) == maxSockets {
			p.fail("id %d out of order", id)
		}
		last = id
		ids = append(ids, id)
	}
	return ids
}

func (m *moment) readChanged(p *parser) {
	if m.full || m.fresh > 0 {
		p.fail("changed sockets in a wrong place")
	}
	var last uint64
	for p.open('['); p.more(']'); {
		p.open('{')
		p.more('}')
		if string(p.key()) != "id" {
			p.fail("a changed socket without its id")
		}
		id := p.uint(math.MaxUint64)
		n, ok := slices.BinarySearchFunc(m.rows, id, rowID)
		if p.err == nil && (!ok || id <= last) {
			p.fail("unknown socket %d", id)
		}
		if p.err != nil {
			return
		}
		last = id
		m.readRow(p, &m.rows[n])
	}
}

func rowID(r row, id uint64) int { return cmp.Compare(r.id, id) }

func (m *moment) readSockets(p *parser) {
	if m.fresh > 0 {
		p.fail("sockets twice")
	}
	var before uint64
	for p.open('['); p.more(']'); {
		if len(m.rows) == maxSockets {
			p.fail("more than %d sockets", maxSockets)
			return
		}
		m.rows = append(m.rows, row{id: before + 1})
		r := &m.rows[len(m.rows)-1]
		p.open('{')
		m.readRow(p, r)
		if p.err == nil && (r.id <= m.lastRow || r.socket.Proto == 0) {
			p.fail("socket %d out of order, or of no protocol", r.id)
		}
		if p.err != nil {
			return
		}
		before, m.lastRow = r.id, r.id
		m.fresh++
	}
}

// readRow reads the fields of a socket whose object is open.
func (m *moment) readRow(p *parser, r *row) {
	s := &r.socket
	for p.more('}') {
		switch string(p.key()) {
		case "id":
			if r.socket.Proto != 0 {
				p.fail("id in a wrong place")
			}
			r.id = p.uint(math.MaxUint64)
		case "proto":
			s.Proto = readProto(p)
		case "state":
			s.State = readState(p)
		case "local":
			s.Local, s.LocalPort = p.endpoint()
		case "remote":
			s.Remote, s.RemotePort = p.endpoint()
		case "family6":
			s.Family6 = p.bool()
		case "process":
			r.process = p.uint(math.MaxUint64)
		case "timer":
			s.Timer = readTimer(p)
		case "until":
			r.until = m.readUntil(p)
		case "retransmits":
			s.Retransmits = uint8(p.uint(math.MaxUint8))
		case "rx":
			s.ReceiveQueue = uint32(p.uint(math.MaxUint32))
		case "tx":
			s.SendQueue = uint32(p.uint(math.MaxUint32))
		case "interface":
			s.Interface = uint32(p.uint(math.MaxUint32))
		case "uid":
			s.UID = uint32(p.uint(math.MaxUint32))
		case "inode":
			s.Inode = uint32(p.uint(math.MaxUint32))
		case "cookie":
			s.Cookie = p.uint(math.MaxUint64)
		case "cgroup":
			s.Cgroup = p.uint(math.MaxUint64)
		default:
			p.skip()
		}
	}
}

// readUntil reads a deadline. What is left must fit in Socket.Expires.
func (m *moment) readUntil(p *parser) int64 {
	until := p.seconds()
	if until < 0 || until%time.Millisecond != 0 || until.Milliseconds()-m.t.Milliseconds() > math.MaxUint32 {
		p.fail("bad deadline of a timer")
	}
	return until.Milliseconds()
}

func readProto(p *parser) source.Proto {
	switch string(p.bytes()) {
	case "tcp":
		return source.TCP
	case "udp":
		return source.UDP
	}
	p.fail("unknown protocol")
	return 0
}

func readState(p *parser) source.State {
	text := p.bytes()
	for s := range source.State(source.NumStates) {
		if s.String() == string(text) {
			return s
		}
	}
	p.fail("unknown state")
	return source.Unknown
}

func readTimer(p *parser) source.Timer {
	if p.peek() != '"' {
		return source.Timer(p.uint(math.MaxUint8))
	}
	text := p.bytes()
	for t := range source.TimerProbe + 1 {
		if t.String() == string(text) {
			return t
		}
	}
	p.fail("unknown timer")
	return source.TimerNone
}

// finish removes what is gone and checks that all that is pointed to exists.
func (m *moment) finish() error {
	var err error
	if m.rows, err = without(m.rows, m.gone, func(r *row) uint64 { return r.id }); err != nil {
		return err
	}
	if m.entries, err = without(m.entries, m.ended, func(e *entry) uint64 { return e.id }); err != nil {
		return err
	}
	m.lastID = m.lastRow
	m.texts = 0
	for i := range m.entries {
		m.texts += textBytes(&m.entries[i].process)
	}
	if m.texts > maxTexts {
		return fmt.Errorf("%d bytes of names and command lines", m.texts)
	}
	known := finder{entries: m.entries}
	for i := range m.rows {
		if id := m.rows[i].process; id != 0 && known.find(id) == source.NoProcess {
			return fmt.Errorf("socket %d has the unknown process %d", m.rows[i].id, id)
		}
	}
	for i, actor := range m.acted {
		if actor >= len(m.actors) {
			return fmt.Errorf("event %d has the unknown actor %d", i, actor)
		}
		m.events[i].Process = m.actors[actor]
	}
	return nil
}

// without removes from a list those of the given ids. Both are sorted.
func without[T any](list []T, ids []uint64, id func(*T) uint64) ([]T, error) {
	if len(ids) == 0 {
		return list, nil
	}
	kept := list[:0]
	for i := range list {
		if len(ids) > 0 && id(&list[i]) == ids[0] {
			ids = ids[1:]
			continue
		}
		kept = append(kept, list[i])
	}
	if len(ids) > 0 {
		return kept, fmt.Errorf("%d ends, but is unknown", ids[0])
	}
	return kept, nil
}

// fill makes s this moment.
func (m *moment) fill(s *flat) {
	s.Reset()
	s.Time, s.Took = m.start.Add(m.t), m.took
	s.Host, s.OS, s.Kernel, s.Source = m.head.host, m.head.os, m.head.kernel, m.head.source
	s.BoundListed, s.Traced, s.LostEvents = m.head.boundListed, m.head.traced, m.lost
	s.Settings = m.head.settings.Clone()
	s.Degraded = append(s.Degraded, m.head.degraded...)
	s.Events = append(s.Events, m.events...)
	s.Processes = slices.Grow(s.Processes, len(m.entries))
	for i := range m.entries {
		s.Processes = append(s.Processes, m.entries[i].process)
	}
	known := finder{entries: m.entries}
	s.Sockets = slices.Grow(s.Sockets, len(m.rows))[:len(m.rows)]
	for i := range m.rows {
		r, k := &m.rows[i], &s.Sockets[i]
		*k = r.socket
		k.Expires = uint32(left(r.until, m.t))
		k.Process = known.find(r.process)
	}
}
