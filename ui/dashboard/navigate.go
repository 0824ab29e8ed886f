package dashboard

import (
	"slices"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"ephtop/model"
	"ephtop/model/list"
	"ephtop/source"
)

// marks say what the cursors stand on, so that they stay there when the lines
// change. A cursor that is not held stays at the top, whatever comes there:
// so it is at the start, and after home.
type marks struct {
	held     [numPanes]bool
	state    source.State
	consumer consumerKey
	socket   list.Mark
}

// refresh brings the view up to date with the frame shown, the choice and the
// size of the terminal, and the cursors with it.
func (m *Model) refresh() {
	v := &m.view
	v.group, v.order, v.proto = m.choice.group, m.choice.order, m.choice.proto
	if f := m.shown; f != nil {
		v.state, v.rows, v.total, v.consumers, v.findings = f.state, f.rows, f.total, f.consumers, f.findings
		v.states = stateLines(v.states, &f.states, v.paneHeights()[paneStates])
	}
	m.refreshStatus()
	v.hints = m.keys.footer(v)
	if v.paneHeights()[v.focus] == 0 {
		m.focusNext(+1)
	}
	m.follow()
	if v.overlay == overlayDetails {
		m.findDetail()
	}
}

// follow moves the cursors to where their marks are now. The line under a
// cursor keeps its place on the screen where it can. Where it is gone, the
// cursor stays in place and marks what is there.
func (m *Model) follow() {
	for p := range pane(numPanes) {
		c := &m.view.cursors[p]
		if !m.marks.held[p] {
			*c = cursor{}
		} else if i := m.find(p); i >= 0 {
			c.top += i - c.line
			c.line = i
		}
		m.clamp(p)
		m.mark(p)
	}
}

// find gives the line that a pane's mark is on, or -1.
func (m *Model) find(p pane) int {
	v := &m.view
	switch p {
	case paneStates:
		for i := range v.states {
			if v.states[i].state == m.marks.state {
				return i
			}
		}
	case paneConsumers:
		for i := range v.consumers {
			if keyOf(&v.consumers[i], v.state) == m.marks.consumer {
				return i
			}
		}
	case paneConnections:
		if v.state != nil {
			return m.marks.socket.Find(v.state, v.rows)
		}
	}
	return -1
}

// findDetail looks the connection up whose details are open. Of several with
// its four-tuple, the selected one is meant.
func (m *Model) findDetail() {
	d, st := &m.view.detail, m.view.state
	if s := m.selectedSocket(); s != nil && s.Tuple() == d.tuple {
		d.row = int(m.view.rows[m.view.cursors[paneConnections].line])
	} else {
		d.row = slices.IndexFunc(st.Snapshot.Sockets, func(s source.Socket) bool {
			return s.LocalPort == d.tuple.LocalPort && s.Tuple() == d.tuple
		})
	}
	d.use = -1
	if d.tuple.Proto == source.TCP {
		key := model.TupleKey{Source: d.tuple.Local, Destination: d.tuple.Remote, Port: d.tuple.RemotePort}
		d.use = slices.IndexFunc(st.TCP.Pressure.Tuples, func(t model.TupleUse) bool { return t.TupleKey == key })
	}
}

// clamp keeps a cursor on a line, and that line in sight.
func (m *Model) clamp(p pane) {
	c, n := &m.view.cursors[p], m.view.lines(p)
	height := max(1, m.view.paneHeights()[p])
	c.line = max(0, min(c.line, n-1))
	c.top = min(max(c.top, c.line-height+1), c.line)
	c.top = max(0, min(c.top, n-height))
}

// mark notes what a cursor stands on.
func (m *Model) mark(p pane) {
	v := &m.view
	i := v.cursors[p].line
	if i >= v.lines(p) {
		return
	}
	switch p {
	case paneStates:
		m.marks.state = v.states[i].state
	case paneConsumers:
		m.marks.consumer = keyOf(&v.consumers[i], v.state)
	case paneConnections:
		m.marks.socket = list.MarkOf(&v.state.Snapshot.Sockets[v.rows[i]])
	}
}

// selectedSocket is the socket under the cursor, or nil.
func (m *Model) selectedSocket() *source.Socket {
	v := &m.view
	if i := v.cursors[paneConnections].line; i < len(v.rows) {
		return &v.state.Snapshot.Sockets[v.rows[i]]
	}
	return nil
}

// move takes a key that moves, and tells whether it was one.
func (m *Model) move(msg tea.KeyMsg) bool {
	if m.view.overlay != overlayNone {
		return m.scroll(msg)
	}
	p := m.view.focus
	page := max(1, m.view.paneHeights()[p]-1)
	switch {
	case key.Matches(msg, m.keys.Up):
		m.moveBy(p, -1)
	case key.Matches(msg, m.keys.Down):
		m.moveBy(p, +1)
	case key.Matches(msg, m.keys.PageUp):
		m.moveBy(p, -page)
	case key.Matches(msg, m.keys.PageDown):
		m.moveBy(p, +page)
	case key.Matches(msg, m.keys.Top):
		m.marks.held[p] = false
		m.follow()
	case key.Matches(msg, m.keys.End):
		m.moveBy(p, m.view.lines(p))
	case key.Matches(msg, m.keys.NextPane), key.Matches(msg, m.keys.Right):
		m.focusNext(+1)
	case key.Matches(msg, m.keys.PreviousPane), key.Matches(msg, m.keys.Left):
		m.focusNext(-1)
	default:
		return false
	}
	return true
}

// moveBy moves a pane's cursor by so many lines and holds what is there.
func (m *Model) moveBy(p pane, lines int) {
	m.view.cursors[p].line += lines
	m.clamp(p)
	m.mark(p)
	m.marks.held[p] = true
}

// focusNext gives the focus to the next pane (+1), or the one before (-1),
// that is on screen.
func (m *Model) focusNext(step int) {
	heights := m.view.paneHeights()
	for i := 1; i <= numPanes; i++ {
		p := pane((int(m.view.focus) + (numPanes+step)*i) % numPanes)
		if heights[p] > 0 {
			m.view.focus = p
			return
		}
	}
}

// scroll takes a key that moves under an overlay.
func (m *Model) scroll(msg tea.KeyMsg) bool {
	last := m.view.overlayLines() - 1
	at, page := min(m.view.scroll, last), max(1, m.view.height/2)
	switch {
	case key.Matches(msg, m.keys.Up):
		at--
	case key.Matches(msg, m.keys.Down):
		at++
	case key.Matches(msg, m.keys.PageUp):
		at -= page
	case key.Matches(msg, m.keys.PageDown):
		at += page
	case key.Matches(msg, m.keys.Top):
		at = 0
	case key.Matches(msg, m.keys.End):
		at = last
	default:
		return false
	}
	m.view.scroll = max(0, min(at, last))
	return true
}
