package recording

import (
	"math"
	"slices"

	"ephtop/source"
)

func readTexts(p *parser) []string {
	var list []string
	for p.open('['); p.more(']'); {
		if len(list) == maxDegraded {
			p.fail("more than %d notes", maxDegraded)
			return nil
		}
		list = append(list, p.string())
	}
	return list
}

func readSettings(p *parser) source.Settings {
	var s source.Settings
	for p.open('{'); p.more('}'); {
		switch string(p.key()) {
		case "range":
			s.Range = p.portRange()
		case "assumed":
			s.Assumed = p.bool()
		case "default":
			s.Default = p.portRange()
		case "reserved":
			s.Reserved = readReserved(p)
		case "time_wait":
			s.TimeWait = p.seconds()
		case "reuse_time_wait":
			s.ReuseTimeWait = int(p.int(math.MinInt32, math.MaxInt32))
		case "reuse_delay":
			s.ReuseDelay = p.seconds()
		case "timestamps":
			s.Timestamps = int(p.int(math.MinInt32, math.MaxInt32))
		case "max_time_wait":
			s.MaxTimeWait = int(p.int(math.MinInt32, math.MaxInt32))
		case "pool_only":
			s.PoolOnly = p.bool()
		case "parity":
			s.Parity = p.bool()
		default:
			p.skip()
		}
	}
	return s
}

func readReserved(p *parser) []source.PortRange {
	var list []source.PortRange
	for p.open('['); p.more(']'); {
		if len(list) == maxReserved {
			p.fail("more than %d reserved ranges", maxReserved)
			return nil
		}
		list = append(list, p.portRange())
	}
	return list
}

// readProcesses reads processes that are new or changed.
func (m *moment) readProcesses(p *parser) {
	var last uint64
	for p.open('['); p.more(']'); {
		p.open('{')
		p.more('}')
		if string(p.key()) != "id" {
			p.fail("a process without its id")
		}
		id := p.uint(math.MaxUint64)
		n, ok := slices.BinarySearchFunc(m.entries, id, entryID)
		switch {
		case p.err != nil:
		case id <= last || !ok && n < len(m.entries):
			p.fail("process %d out of order", id)
		case !ok && n == maxProcesses:
			p.fail("more than %d processes", maxProcesses)
		case !ok:
			m.entries = append(m.entries, entry{id: id})
		}
		if p.err != nil {
			return
		}
		last = id
		m.texts -= textBytes(&m.entries[n].process)
		readProcess(p, &m.entries[n].process)
		if m.texts += textBytes(&m.entries[n].process); m.texts > maxTexts {
			p.fail("more than %d bytes of names and command lines", maxTexts)
		}
	}
}

// readProcess reads the fields of a process whose object is open.
func readProcess(p *parser, r *source.Process) {
	for p.more('}') {
		switch string(p.key()) {
		case "pid":
			r.PID = int32(p.int(math.MinInt32, math.MaxInt32))
		case "start":
			r.Start = p.uint(math.MaxUint64)
		case "name":
			r.Name = p.string()
		case "command":
			r.Command = p.string()
		case "uid":
			r.UID = uint32(p.uint(math.MaxUint32))
		case "user":
			r.User = p.string()
		default:
			p.skip()
		}
	}
}

func (m *moment) readActors(p *parser) {
	if len(m.actors) > 0 {
		p.fail("actors twice")
	}
	for p.open('['); p.more(']'); {
		if len(m.actors) == maxEvents {
			p.fail("more than %d actors", maxEvents)
			return
		}
		m.actors = append(m.actors, source.Process{})
		p.open('{')
		readProcess(p, &m.actors[len(m.actors)-1])
	}
}

func (m *moment) readEvents(p *parser) {
	if len(m.events) > 0 {
		p.fail("events twice")
	}
	for p.open('['); p.more(']'); {
		if len(m.events) == maxEvents {
			p.fail("more than %d events", maxEvents)
			return
		}
		var e source.Event
		var actor int
		for p.open('{'); p.more('}'); {
			switch string(p.key()) {
			case "kind":
				e.Kind = readKind(p)
			case "at":
				e.Time = m.start.Add(p.seconds())
			case "proto":
				e.Tuple.Proto = readProto(p)
			case "local":
				e.Tuple.Local, e.Tuple.LocalPort = p.endpoint()
			case "remote":
				e.Tuple.Remote, e.Tuple.RemotePort = p.endpoint()
			case "actor":
				actor = int(p.uint(maxEvents))
			default:
				p.skip()
			}
		}
		m.events = append(m.events, e)
		m.acted = append(m.acted, actor)
	}
}

func readKind(p *parser) source.EventKind {
	text := p.bytes()
	for k := range source.ConnectFailed + 1 {
		if k.String() == string(text) {
			return k
		}
	}
	p.fail("unknown event")
	return 0
}

// finder finds processes by their ids. It remembers where it found some of
// them, for most sockets are those of few processes.
type finder struct {
	entries []entry
	hints   [64]int32
}

// find gives the index of a process, or source.NoProcess.
func (f *finder) find(id uint64) int32 {
	if id == 0 {
		return source.NoProcess
	}
	hint := &f.hints[id%uint64(len(f.hints))]
	if int(*hint) < len(f.entries) && f.entries[*hint].id == id {
		return *hint
	}
	n, ok := slices.BinarySearchFunc(f.entries, id, entryID)
	if !ok {
		return source.NoProcess
	}
	*hint = int32(n)
	return *hint
}
