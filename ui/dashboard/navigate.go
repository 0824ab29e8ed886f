package dashboard

import (
	"slices"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"ephtop/model"
	"ephtop/model/list"
	"ephtop/source"
	"ephtop/ui/dashboard/paint"
)

// marks say what the cursors stand on, so that they stay there when the lines
// change. A cursor that is not held stays at the top, whatever comes there:
// so it is at the start, and after home.
type marks struct {
	held     [paint.NumPanes]bool
	state    source.State
	consumer model.ConsumerKey
	row      list.Mark
	tuple    model.TupleKey
	scope    source.Scope
	pool     source.Tuple // of scope, zero for the namespace itself
	detail   source.Tuple // of the pool whose details are open
}

// refresh brings the view up to date with the reading shown, the choice and the
// size of the terminal, and the cursors with it.
func (m *Model) refresh() {
	v := &m.view
	v.Group, v.Order, v.Proto, v.Folded = m.choice.group, m.choice.orders[m.choice.face], m.choice.proto, m.choice.fold
	if r := m.shown; r != nil {
		v.State, v.List, v.Total, v.Consumers, v.Findings = r.state, r.list, r.total, r.consumers, r.findings()
		v.Destinations = r.destinations
		v.Overview, v.Namespaces, v.Sentence = &r.look.Overview, r.namespaces, r.sentence
		m.offerNamespaces()
		if !m.choice.chosen && m.replay == nil {
			m.focus.Store(r.state.Snapshot.Scope.Netns)
		}
		v.ListStates(&r.states)
	}
	m.refreshStatus()
	if v.PaneHeights()[v.Focus] == 0 {
		m.focusNext(+1)
	}
	m.follow()
	m.fillOverlay()
}

// fillOverlay finds what an open overlay is to show.
func (m *Model) fillOverlay() {
	switch {
	case m.view.Overlay == paint.OverlayDetails:
		m.findDetail()
	case m.view.Overlay == paint.OverlayPool && m.shown != nil:
		m.findPool()
	case m.view.Overlay == paint.OverlayFindings && m.shown != nil:
		m.fillFindings()
	}
}

// follow moves the cursors to where their marks are now. The line under a
// cursor keeps its place on the screen where it can. Where it is gone, the
// cursor stays in place and marks what is there. A list that is not on screen
// is left alone: it is found as it was left.
func (m *Model) follow() {
	heights := m.view.PaneHeights()
	for p := range paint.Pane(paint.NumPanes) {
		if heights[p] == 0 && p != m.view.Focus {
			continue
		}
		c := &m.view.Cursors[p]
		if !m.marks.held[p] {
			*c = paint.Cursor{}
		} else if i := m.find(p); i >= 0 {
			c.Top += i - c.Line
			c.Line = i
		}
		m.clamp(p)
		m.mark(p)
	}
}

// find gives the line that a pane's mark is on, or -1.
func (m *Model) find(p paint.Pane) int {
	v := &m.view
	switch p {
	case paint.PaneStates:
		for i := range v.States {
			if v.States[i].State == m.marks.state {
				return i
			}
		}
	case paint.PaneConsumers:
		for i := range v.Consumers {
			if v.State.ConsumerKey(&v.Consumers[i]) == m.marks.consumer {
				return i
			}
		}
	case paint.PaneConnections:
		if v.State != nil {
			return v.List.Find(&m.marks.row, v.State)
		}
	case paint.PaneDestinations:
		return slices.IndexFunc(v.Destinations, func(i int32) bool { return v.State.TCP.Pressure.Tuples[i].TupleKey == m.marks.tuple })
	case paint.PaneNamespaces:
		return slices.IndexFunc(v.Namespaces, func(n paint.NamespaceLine) bool {
			return n.Scope.Same(&m.marks.scope) && n.Key() == m.marks.pool
		})
	}
	return -1
}

// findDetail looks the connection up whose details are open. Of several with
// its four-tuple, the selected one is meant.
func (m *Model) findDetail() {
	d, st := &m.view.Detail, m.view.State
	if s := m.selectedSocket(); s != nil && s.Tuple() == d.Tuple {
		d.Row = int(m.view.Rows[m.view.Cursors[paint.PaneConnections].Line])
	} else {
		d.Row = slices.IndexFunc(st.Snapshot.Sockets, func(s source.Socket) bool {
			return s.LocalPort == d.Tuple.LocalPort && s.Tuple() == d.Tuple
		})
	}
	d.Use = -1
	if d.Tuple.Proto == source.TCP {
		key := model.TupleKey{Source: d.Tuple.Local, Destination: d.Tuple.Remote, Port: d.Tuple.RemotePort}
		if d.Row >= 0 {
			key = st.Key(&st.Snapshot.Sockets[d.Row])
		}
		d.Use = slices.IndexFunc(st.TCP.Pressure.Tuples, func(t model.TupleUse) bool { return t.TupleKey == key })
		if d.Use < 0 { // on a port of its own, outside of the range
			d.Use = slices.IndexFunc(st.TCP.Pressure.Tuples, func(t model.TupleUse) bool {
				key.Pool = t.Pool
				return t.TupleKey == key
			})
		}
	}
}

// findPool looks the pool up whose details are open, also where it holds too little to
// be listed.
func (m *Model) findPool() {
	n, nats, ways := &m.view.Pool, m.shown.look.Overview.NATs, m.shown.look.Overview.Ways
	scope, key, way := n.Scope, m.marks.detail, n.Way != nil
	n.Pool, n.Way = nil, nil
	for i := range ways {
		if at := (paint.NamespaceLine{Scope: scope, Way: &ways[i]}); way && at.Key() == key {
			*n = at
			return
		}
	}
	for i := range nats {
		for j := range nats[i].Pools {
			at := paint.NamespaceLine{Scope: nats[i].Scope, NAT: &nats[i], Pool: &nats[i].Pools[j]}
			if at.Scope.Same(&scope) && at.Key() == key {
				*n = at
				return
			}
		}
	}
}

// clamp keeps a cursor on a line, and that line in sight.
func (m *Model) clamp(p paint.Pane) {
	c, n := &m.view.Cursors[p], m.view.Lines(p)
	height := max(1, m.view.PaneHeights()[p])
	c.Line = max(0, min(c.Line, n-1))
	c.Top = min(max(c.Top, c.Line-height+1), c.Line)
	c.Top = max(0, min(c.Top, n-height))
}

// mark notes what a cursor stands on.
func (m *Model) mark(p paint.Pane) {
	v := &m.view
	i := v.Cursors[p].Line
	if i >= v.Lines(p) {
		return
	}
	switch p {
	case paint.PaneStates:
		m.marks.state = v.States[i].State
	case paint.PaneConsumers:
		m.marks.consumer = v.State.ConsumerKey(&v.Consumers[i])
	case paint.PaneDestinations:
		m.marks.tuple = v.State.TCP.Pressure.Tuples[v.Destinations[i]].TupleKey
	case paint.PaneNamespaces:
		m.marks.scope, m.marks.pool = v.Namespaces[i].Scope, v.Namespaces[i].Key()
	case paint.PaneConnections:
		m.marks.row = v.List.Mark(v.State, v.Rows[i])
	}
}

// selectedSocket is the socket under the cursor, or nil.
func (m *Model) selectedSocket() *source.Socket {
	v := &m.view
	if i := v.Cursors[paint.PaneConnections].Line; i < len(v.Rows) && v.Rows[i] >= 0 {
		return &v.State.Snapshot.Sockets[v.Rows[i]]
	}
	return nil
}

// move takes a key that moves, and tells whether it was one.
func (m *Model) move(msg tea.KeyMsg) bool {
	if m.view.Overlay == paint.OverlayFindings && len(m.view.Findings) > 0 {
		return m.moveFinding(msg)
	}
	if m.view.Overlay != paint.OverlayNone {
		return m.scroll(msg)
	}
	p := m.view.Focus
	page := max(1, m.view.PaneHeights()[p]-1)
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
		m.moveBy(p, m.view.Lines(p))
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
func (m *Model) moveBy(p paint.Pane, lines int) {
	m.view.Cursors[p].Line += lines
	m.clamp(p)
	m.mark(p)
	m.marks.held[p] = true
}

// focusNext gives the focus to the next pane (+1), or the one before (-1),
// that is on screen.
func (m *Model) focusNext(step int) {
	heights := m.view.PaneHeights()
	for i := 1; i <= paint.NumPanes; i++ {
		p := paint.Pane((int(m.view.Focus) + (paint.NumPanes+step)*i) % paint.NumPanes)
		if heights[p] > 0 {
			m.view.Focus = p
			return
		}
	}
}

// scroll takes a key that moves under an overlay.
func (m *Model) scroll(msg tea.KeyMsg) bool {
	last := m.view.LastScroll()
	at, page := min(m.view.Scroll, last), max(1, m.view.Height/2)
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
	m.view.Scroll = max(0, min(at, last))
	return true
}
