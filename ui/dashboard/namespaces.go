package dashboard

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"ephtop/model"
	"ephtop/model/filter"
	"ephtop/model/list"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/text"
)

// listNamespaces makes the list of the namespaces that pass the filter: those
// whose name holds its text, and those with a socket that passes; and of the pools
// of ports that they translate to.
func (r *reading) listNamespaces(c *choice) {
	o := &r.look.Overview
	r.namespaces = r.namespaces[:0]
	all := c.face != paint.FaceNamespaces || len(c.filter.Terms()) == 0 // to look at all sockets is dear
	add := func(n paint.NamespaceLine) {
		if all || nameHas(&n.Scope, c.filter.String()) || n.State != nil && anyMatches(&c.filter, n.State) ||
			n.IsPool() && poolMatches(&c.filter, o, &n) {
			r.namespaces = append(r.namespaces, n)
		}
	}
	for _, st := range o.States {
		add(paint.NamespaceLine{Scope: st.Snapshot.Scope, State: st})
	}
	if pools := paint.NATLines(o); len(pools) > 0 {
		for i := range pools {
			add(pools[i])
		}
		slices.SortStableFunc(r.namespaces, func(a, b paint.NamespaceLine) int {
			return cmp.Or(cmp.Compare(b.Level(), a.Level()), cmp.Compare(b.Percent(), a.Percent()))
		})
	}
	looked := len(r.namespaces)
	for i := range o.Quiet {
		q := &o.Quiet[i]
		add(paint.NamespaceLine{Scope: q.Scope, Brief: q})
	}
	slices.SortStableFunc(r.namespaces[looked:], func(a, b paint.NamespaceLine) int {
		return cmp.Compare(model.Percent(b.Brief.Bound, b.Brief.Usable), model.Percent(a.Brief.Bound, a.Brief.Usable))
	})
	sortNamespaces(r.namespaces, c.orders[paint.FaceNamespaces])
}

// sortNamespaces sorts a list that stands worst first.
func sortNamespaces(lines []paint.NamespaceLine, o list.Order) {
	if o.Column == list.ColumnWorst {
		if o.Reverse {
			slices.Reverse(lines)
		}
		return
	}
	slices.SortStableFunc(lines, func(a, b paint.NamespaceLine) int {
		n := compareNamespaces(&a, &b, o.Column)
		if o.Descending() {
			return -n
		}
		return n
	})
}

// compareNamespaces compares what a column shows. What is only known to be at
// most so much is below what is known.
func compareNamespaces(a, b *paint.NamespaceLine, c list.Column) int {
	seen := func(n *paint.NamespaceLine) int {
		if n.State == nil && !n.IsPool() {
			return 0
		}
		return 1
	}
	switch c {
	case list.ColumnKind:
		return cmp.Compare(kindOf(a), kindOf(b))
	case list.ColumnUsed:
		return cmp.Or(cmp.Compare(seen(a), seen(b)), cmp.Compare(a.Percent(), b.Percent()))
	case list.ColumnLevel:
		return cmp.Or(cmp.Compare(a.Level(), b.Level()), cmp.Compare(seen(a), seen(b)))
	case list.ColumnSockets:
		return cmp.Or(cmp.Compare(seen(a), seen(b)), cmp.Compare(a.Sockets(), b.Sockets()))
	}
	return cmp.Compare(lineName(a), lineName(b))
}

// kindOf is the kind of a line, and lineName what it is called.
func kindOf(n *paint.NamespaceLine) string {
	switch {
	case n.Way != nil:
		return "nat"
	case n.Pool != nil:
		return "snat"
	}
	return n.Scope.Kind.String()
}

func lineName(n *paint.NamespaceLine) string {
	if n.IsPool() {
		return n.Name()
	}
	return advice.Namespace(&n.Scope)
}

func nameHas(s *source.Scope, words string) bool {
	return strings.Contains(strings.ToLower(advice.Namespace(s)), strings.ToLower(words))
}

func anyMatches(f *filter.Filter, st *model.State) bool {
	for i := range st.Rows {
		if f.Match(st, i) {
			return true
		}
	}
	return false
}

// poolMatches reports whether a connection of a pool passes the filter: as it leaves,
// or as one of those who hold its ports has it.
func poolMatches(f *filter.Filter, o *model.Overview, n *paint.NamespaceLine) bool {
	if strings.Contains(strings.ToLower(n.Name()), strings.ToLower(f.String())) {
		return true
	}
	passes := func(scope source.Scope, local source.Addr, process int32, tier model.Tier) bool {
		to := n.Key()
		socket := source.Socket{Proto: to.Proto, State: source.Established, Local: local, Remote: to.Remote, RemotePort: to.RemotePort, Process: process}
		st := model.State{
			Moment: o.Moment, Snapshot: &source.Snapshot{Scope: scope, Sockets: []source.Socket{socket}}, Processes: o.Processes,
			Cgroups: o.Cgroups, Rows: []model.Row{{Process: process, Tier: tier}},
		}
		return f.Match(&st, 0)
	}
	if p := n.Way; p != nil {
		return passes(o.States[p.State].Snapshot.Scope, source.Addr{}, p.Process, p.Tier)
	}
	if passes(n.Scope, n.Pool.Address, source.NoProcess, model.OwnerUnknown) {
		return true
	}
	return slices.ContainsFunc(n.Pool.Holders, func(h model.NATHolder) bool {
		scope := n.Scope
		if h.State >= 0 {
			scope = o.States[h.State].Snapshot.Scope
		}
		return passes(scope, h.Client, h.Process, h.Tier) || passes(scope, n.Pool.Address, h.Process, h.Tier)
	})
}

// stepBack is what esc undoes: a face that was left through a line of its, with
// the filter before and that which the line set, and all cursors.
type stepBack struct {
	face          paint.Face
	before, after activeFilter
	fold          bool
	marks         marks
	cursors       [paint.NumPanes]paint.Cursor
}

// showFace turns to a list, and gives it the focus.
func (m *Model) showFace(f paint.Face) {
	if f == paint.FaceNamespaces {
		if !m.third() {
			m.view.Notice = "there is only one network namespace, and no pool of SNAT or NAT"
			return
		}
		m.steps = nil
	}
	m.turnFace(f)
}

func (m *Model) turnFace(f paint.Face) {
	m.view.Face, m.view.Focus = f, f.Pane()
	if f != m.choice.face {
		m.choice.face = f
		m.rechoose()
		return
	}
	m.refresh()
}

// several reports whether there is more than one namespace.
func (m *Model) several() bool {
	return m.shown != nil && len(m.shown.look.Overview.States)+len(m.shown.look.Overview.Quiet) > 1
}

// third reports whether the third face has something to choose from.
func (m *Model) third() bool {
	return m.several() || m.shown != nil && paint.HasNATLines(&m.shown.look.Overview)
}

// openPool opens the details of the pool under the cursor.
func (m *Model) openPool(n *paint.NamespaceLine) {
	m.view.Pool, m.marks.detail = *n, n.Key()
	m.toggleOverlay(paint.OverlayPool)
}

// openNamespace shows all of the namespace under the cursor.
func (m *Model) openNamespace(n *paint.NamespaceLine) {
	m.choice.scope, m.choice.chosen = n.Scope, true
	m.focus.Store(n.Scope.Netns)
	if m.awaited = n.State == nil; m.awaited {
		m.view.Notice = advice.Namespace(&n.Scope) + " was not looked at: at most " + text.Plural(n.Brief.Bound, "port", "ports") +
			" used. It is from the next poll on, if it can be"
		return
	}
	m.leave(activeFilter{m.choice.filter, m.choice.proto})
	m.forgetPlaces()
	m.rechoose()
}

// openDestination lists the connections to the destination under the cursor.
func (m *Model) openDestination(t *model.TupleUse) {
	m.narrow(m.choice.fold, filter.Quote("remote", source.AddrPort(t.Destination, t.Port)))
}

// openFold lists the connections of a fold, each in a row.
func (m *Model) openFold(f *list.Fold) {
	st := m.view.State
	s := &st.Snapshot.Sockets[f.Socket]
	local, remote := s.Local.String(), source.AddrPort(s.Remote, s.RemotePort)
	if f.AtRemote {
		local, remote = source.AddrPort(s.Local, s.LocalPort), s.Remote.String()
	}
	owner := filter.Quote("owner", model.OwnerUnknown.String())
	if p := st.Process(int(f.Socket)); p != nil {
		owner = filter.Quote("pid", strconv.Itoa(int(p.PID)))
	}
	m.narrow(false, filter.Quote("local", local), filter.Quote("remote", remote), filter.Quote("state", source.TimeWait.String()), owner)
}

// narrow lists the connections that pass terms too, from where esc leads back.
func (m *Model) narrow(fold bool, texts ...string) {
	terms, err := filter.Parse(strings.Join(texts, " "))
	if err != nil {
		m.view.Notice = err.Error()
		return
	}
	f, err := m.replaced(terms.Terms(), texts)
	if err != nil {
		m.view.Notice = err.Error()
		return
	}
	after := activeFilter{f, m.choice.proto}
	if after.proto == paint.ProtoUDP {
		after.proto = paint.ProtoTCP
	}
	m.leave(after)
	m.choice.fold, m.marks.held[paint.PaneConnections] = fold, false
	m.setFilter(after)
}

// leave goes from a face to the connections, from where esc leads back.
func (m *Model) leave(after activeFilter) {
	m.steps = append(m.steps, stepBack{
		m.view.Face, activeFilter{m.choice.filter, m.choice.proto}, after, m.choice.fold, m.marks, m.view.Cursors,
	})
	m.turnFace(paint.FaceConnections)
}

// forgetPlaces puts the cursors of what a namespace holds to the top.
func (m *Model) forgetPlaces() {
	for p := range paint.Pane(paint.NumPanes) {
		m.marks.held[p] = m.marks.held[p] && p == paint.PaneNamespaces
	}
}

// stepBack undoes the last enter, or what was filtered since. It tells whether
// there was one.
func (m *Model) stepBack() bool {
	last := len(m.steps) - 1
	if last < 0 {
		return false
	}
	s := m.steps[last]
	if m.choice.filter.String() != s.after.filter.String() {
		m.setFilter(s.after)
		return true
	}
	m.steps = m.steps[:last]
	m.view.Face, m.choice.face, m.view.Focus = s.face, s.face, s.face.Pane()
	m.choice.fold, m.marks, m.view.Cursors = s.fold, s.marks, s.cursors
	m.setFilter(s.before)
	return true
}

// unchoose lets the model say again which namespace is shown.
func (m *Model) unchoose(why string) {
	m.choice.chosen = false
	m.view.Notice = why
	m.forgetPlaces()
	m.rechoose()
}

// beginWith chooses the namespace that was asked for before there was a look.
func (m *Model) beginWith() {
	if m.wanted == "" {
		return
	}
	if st := m.shown.look.Namespace(m.wanted); st != nil {
		m.choice.scope, m.choice.chosen = st.Snapshot.Scope, true
		m.choice.version++
	} else {
		m.view.Notice = "there is no namespace " + m.wanted
	}
	m.wanted = ""
}

// offerNamespaces has help and footer name the key of the namespaces where there
// are some to choose from.
func (m *Model) offerNamespaces() {
	if third := m.third(); third != m.keys.Several {
		m.keys.Several = third
		m.view.Help = m.keys.groups()
	}
}

// followChosen shows the chosen namespace if it was waited for, and says that
// it is gone, if it is.
func (m *Model) followChosen() {
	if m.awaited && !m.shown.waits {
		m.awaited = false
		if m.choice.chosen && !m.shown.gone && m.view.Face == paint.FaceNamespaces {
			m.view.Notice = ""
			m.leave(activeFilter{m.choice.filter, m.choice.proto})
		}
	}
	if m.shown.gone && m.choice.chosen {
		if m.view.Timeline.Back {
			m.view.Notice = advice.Namespace(&m.choice.scope) + " was not there: this is " + advice.Namespace(&m.shown.state.Snapshot.Scope)
			return
		}
		m.steps = nil
		m.unchoose(advice.Namespace(&m.choice.scope) + " has ended: this is " + advice.Namespace(&m.shown.state.Snapshot.Scope))
	}
}
