package recording

import (
	"time"

	"ephtop/source"
)

type flat struct {
	Time        time.Time
	Took        time.Duration
	Host        string
	OS          string
	Kernel      string
	Source      string
	Settings    source.Settings
	Sockets     []source.Socket
	Processes   []source.Process
	BoundListed bool
	Traced      bool
	Events      []source.Event
	LostEvents  int
	Degraded    []string
}

func (s *flat) Reset() {
	*s = flat{Sockets: s.Sockets[:0], Processes: s.Processes[:0], Events: s.Events[:0], Degraded: s.Degraded[:0]}
}

func flatten(m *source.Moment) *flat {
	s := &m.Snapshots[0]
	f := &flat{m.Time, m.Took, m.Host, m.OS, m.Kernel, m.Source, s.Settings, s.Sockets, m.Processes, s.BoundListed, m.Traced, m.Events, m.LostEvents, nil}
	for _, l := range m.Limits {
		f.Degraded = append(f.Degraded, string(l.Code)+"|"+l.Detail)
	}
	return f
}

func (f *flat) lift(m *source.Moment) {
	m.Reset()
	m.Time, m.Took, m.Host, m.OS, m.Kernel, m.Source = f.Time, f.Took, f.Host, f.OS, f.Kernel, f.Source
	m.Traced, m.Events, m.LostEvents, m.Processes, m.Room = f.Traced, f.Events, f.LostEvents, f.Processes, f.Sockets
	s := m.Add(source.Scope{Host: f.Host})
	s.Settings, s.BoundListed, s.Sockets, s.Inodes = f.Settings, f.BoundListed, f.Sockets, f.Source != "portable"
	for _, d := range f.Degraded {
		for i := range d {
			if d[i] == '|' {
				m.Limit(source.LimitCode(d[:i]), d[i+1:])
				break
			}
		}
	}
}
