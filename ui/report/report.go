// Package report writes a [model.State] without a terminal: as text for a
// person or a ticket, as JSON for programs, and as CSV for spreadsheets.
//
// It depends on package model, on ui/advice for what is found in words, on
// ui/text for numbers and for names of foreign origin, and on ui/theme for the
// colours of the text. It must not know where a
// State comes from, nor of the dashboard: it reads no clock, opens no file and
// asks no terminal.
package report

import (
	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// Options say which part of a State is written, and in which manner. The zero
// Options write no connections, and the states and processes of TCP.
type Options struct {
	// Rows are the connections to write, in this order: indices into
	// State.Snapshot.Sockets.
	Rows []int32
	// Filter is the expression that chose Rows, "" for none. Text lists
	// connections only where there is one.
	Filter string
	// Protocols are those whose states and processes are written, as sums
	// where there are several. None stands for TCP.
	Protocols []source.Proto
	// Overview is what the State is one of: of what else there is, the formats
	// say how it stands. Nil for no other.
	Overview *model.Overview
	// Theme has the colours of Text; the zero Theme has none.
	Theme theme.Theme
	// ASCII keeps Text to ASCII.
	ASCII bool
}

func (o *Options) protocols() []source.Proto {
	if len(o.Protocols) == 0 {
		return []source.Proto{source.TCP}
	}
	return o.Protocols
}

// cleanState is a State with the names in it made fit to be written.
type cleanState struct {
	*model.State
	names []string // of State.Processes, by the same index
}

func newCleanState(st *model.State) *cleanState {
	m := &cleanState{State: st, names: make([]string, len(st.Processes))}
	for i := range st.Processes {
		m.names[i] = text.Sanitize(st.Processes[i].Name)
	}
	return m
}

// owner gives the index of the process that a row's socket belongs to for
// certain, or NoProcess: an inferred owner is not one.
func (m *cleanState) owner(row int32) int32 {
	r := &m.Rows[row]
	if r.Tier < model.OwnerObserved {
		return source.NoProcess
	}
	return r.Process
}

// uid gives the user of a row's socket. The kernel's own word comes first; it
// has none for TIME_WAIT, orphans and connections not accepted yet, where its
// 0 is a filler. For these the user is that of the process that was seen with
// the socket, if any. Windows has no such number.
func (m *cleanState) uid(row int32) (uid uint32, ok bool) {
	if m.Moment.OS == "windows" {
		return 0, false
	}
	if s := &m.Snapshot.Sockets[row]; s.HasOwner() {
		return s.UID, true
	}
	if p := m.owner(row); p != source.NoProcess {
		return m.Processes[p].UID, true
	}
	return 0, false
}

// expires gives the milliseconds until a socket leaves TIME_WAIT. Only the
// time-wait timer has such an end; the others start again and again.
func expires(s *source.Socket) (ms uint32, ok bool) {
	return s.Expires, s.Timer == source.TimerTimeWait
}

// states adds up the sockets by state of the protocols asked for.
func (m *cleanState) states(protocols []source.Proto) model.StateCounts {
	var sum model.StateCounts
	for _, p := range protocols {
		add(&sum, &m.Of(p).States)
	}
	return sum
}

func add(sum, more *model.StateCounts) {
	for i, n := range more {
		sum[i] += n
	}
}
