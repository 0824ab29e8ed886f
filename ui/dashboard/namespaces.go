package dashboard

import (
	"cmp"
	"slices"
	"strings"

	"ephtop/model"
	"ephtop/model/filter"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/text"
)

// listNamespaces makes the list of the namespaces that pass the filter: those
// whose name holds its text, and those with a socket that passes.
func (r *reading) listNamespaces(c *choice) {
	o := &r.look.Overview
	r.namespaces = r.namespaces[:0]
	all := !c.listed || len(c.filter.Terms()) == 0 // to look at all sockets is dear
	add := func(n paint.NamespaceLine) {
		if all || nameHas(&n.Scope, c.filter.String()) || n.State != nil && anyMatches(&c.filter, n.State) {
			r.namespaces = append(r.namespaces, n)
		}
	}
	for _, st := range o.States {
		add(paint.NamespaceLine{Scope: st.Snapshot.Scope, State: st})
	}
	looked := len(r.namespaces)
	for i := range o.Quiet {
		q := &o.Quiet[i]
		add(paint.NamespaceLine{Scope: q.Scope, Brief: q})
	}
	slices.SortStableFunc(r.namespaces[looked:], func(a, b paint.NamespaceLine) int {
		return cmp.Compare(model.Percent(b.Brief.Bound, b.Brief.Usable), model.Percent(a.Brief.Bound, a.Brief.Usable))
	})
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

// stepBack is what esc undoes: a face that was left through a line of its, with
// the filter before and that which the line set.
type stepBack struct {
	face          paint.Face
	before, after activeFilter
}

// showFace turns to a list, and gives it the focus.
func (m *Model) showFace(f paint.Face) {
	if f == paint.FaceNamespaces {
		if !m.several() {
			m.view.Notice = "there is only one network namespace"
			return
		}
		m.steps = nil
	}
	m.turnFace(f)
}

func (m *Model) turnFace(f paint.Face) {
	m.view.Face, m.view.Focus = f, f.Pane()
	if listed := f == paint.FaceNamespaces; listed != m.choice.listed {
		m.choice.listed = listed
		m.rechoose()
		return
	}
	m.refresh()
}

// several reports whether there is more than one namespace.
func (m *Model) several() bool {
	return m.shown != nil && len(m.shown.look.Overview.States)+len(m.shown.look.Overview.Quiet) > 1
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
	terms := []string{filter.Quote("remote", source.AddrPort(t.Destination, t.Port))}
	f, err := filter.Parse(strings.Join(terms, " "))
	if err != nil {
		m.view.Notice = err.Error()
		return
	}
	after := activeFilter{f, m.choice.proto}
	if after.proto == paint.ProtoUDP {
		after.proto = paint.ProtoTCP
	}
	m.leave(after)
	m.setFilter(after)
}

// leave goes from a face to the connections, from where esc leads back.
func (m *Model) leave(after activeFilter) {
	m.steps = append(m.steps, stepBack{m.view.Face, activeFilter{m.choice.filter, m.choice.proto}, after})
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
	m.turnFace(s.face)
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

// offerNamespaces has help and footer name the keys of the faces where there
// are namespaces to choose from.
func (m *Model) offerNamespaces() {
	if several := m.several(); several != m.keys.Faces.Enabled() {
		m.keys.Faces.SetEnabled(several)
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
		m.steps = nil
		m.unchoose(advice.Namespace(&m.choice.scope) + " has ended: this is " + advice.Namespace(&m.shown.state.Snapshot.Scope))
	}
}
