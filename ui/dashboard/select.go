package dashboard

import (
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"ephtop/model"
	"ephtop/model/filter"
	"ephtop/source"
	"ephtop/ui/dashboard/paint"
)

// choose takes the keys that choose what is shown.
func (m *Model) choose(msg tea.KeyMsg) {
	c := &m.choice
	switch {
	case key.Matches(msg, m.keys.Filter):
		m.openFilter()
	case key.Matches(msg, m.keys.Open):
		m.open()
	case key.Matches(msg, m.keys.Sort):
		m.view.Picking = true
	case key.Matches(msg, m.keys.Reverse):
		m.reverse()
	case key.Matches(msg, m.keys.Fold):
		m.toggleFold()
	case key.Matches(msg, m.keys.Group):
		m.regroup()
	case key.Matches(msg, m.keys.Connections):
		m.showFace(paint.FaceConnections)
	case key.Matches(msg, m.keys.Destinations):
		m.showFace(paint.FaceDestinations)
	case key.Matches(msg, m.keys.Namespaces):
		m.showFace(paint.FaceNamespaces)
	case key.Matches(msg, m.keys.Proto):
		c.proto = (c.proto + 1) % paint.NumProtoChoices
		m.rechoose()
	}
}

// rechoose makes the lists on screen anew. A reading that is being polled was
// asked for with the former choice: its version tells, and showLatest makes
// its lists anew too.
func (m *Model) rechoose() {
	m.choice.version++
	if m.shown != nil {
		m.shown.choose(&m.choice, &m.selection)
	}
	m.refresh()
}

// regroup goes to the next grouping of consumers, from its first line on.
func (m *Model) regroup() {
	m.choice.group = m.view.State.NextGrouping(m.choice.group)
	m.choice.version++
	if m.shown != nil {
		m.shown.group(&m.choice)
		m.shown.version = m.choice.version
	}
	m.marks.held[paint.PaneConsumers] = false
	m.refresh()
}

// back undoes the nearest thing: an overlay, the filter, or the pause. (Editing the
// filter takes the key itself.)
func (m *Model) back() tea.Cmd {
	switch {
	case m.view.Overlay != paint.OverlayNone:
		m.view.Overlay = paint.OverlayNone
	case m.stepBack():
	case m.view.Filter.Text != "":
		m.setFilter(activeFilter{filter.Filter{}, m.choice.proto})
	case m.choice.chosen && m.view.Face == paint.FaceNamespaces:
		m.unchoose("the worst is shown again, whichever that is")
	case m.paused:
		m.goLive()
	default:
		return m.behind
	}
	return nil
}

// toggleOverlay opens an overlay at its first line, or closes it.
func (m *Model) toggleOverlay(o paint.Overlay) {
	if m.view.Overlay == o {
		o = paint.OverlayNone
	}
	m.view.Overlay, m.view.Scroll = o, 0
	m.fillOverlay()
}

// open acts on the line under the cursor.
func (m *Model) open() {
	v := &m.view
	line := v.Cursors[v.Focus].Line
	if line >= v.Lines(v.Focus) {
		return
	}
	switch v.Focus {
	case paint.PaneConnections:
		if f := v.Fold(v.Rows[line]); f != nil {
			m.openFold(f)
			return
		}
		v.Detail.Tuple = m.selectedSocket().Tuple()
		m.toggleOverlay(paint.OverlayDetails)
	case paint.PaneDestinations:
		m.openDestination(&v.State.TCP.Pressure.Tuples[v.Destinations[line]])
	case paint.PaneNamespaces:
		if n := &v.Namespaces[line]; n.IsPool() {
			m.openPool(n)
		} else {
			m.openNamespace(n)
		}
	case paint.PaneStates:
		m.toggleTerms([]string{filter.Quote("state", v.States[line].State.String())})
	case paint.PaneConsumers:
		terms := m.consumerTerms(&v.Consumers[line])
		if terms == nil {
			v.Notice = "no filter can tell these apart"
			return
		}
		m.toggleTerms(terms)
	}
}

// consumerTerms is the filter for the sockets of a consumer, or nil if there
// is none. It says what stays true while sockets and short processes come and go.
func (m *Model) consumerTerms(c *model.Consumer) []string {
	st, g := m.view.State, m.view.Group
	switch {
	case c.Processes > 0:
		return m.foldedTerms(c)
	case c.Tier == model.OwnerUnknown && (g == model.ByProcess || g == model.ByUser):
		return []string{filter.Quote("owner", model.OwnerUnknown.String())}
	case g == model.ByProcess && c.Process != source.NoProcess:
		return []string{filter.Quote("pid", strconv.Itoa(int(st.Processes[c.Process].PID)))}
	case g == model.ByDestination && c.Port != 0:
		return []string{filter.Quote("remote", source.AddrPort(c.Destination, c.Port))}
	case g == model.ByService && c.Port != 0:
		return []string{filter.Quote("rport", strconv.Itoa(int(c.Port)))}
	case g == model.ByUser && c.User != "":
		return []string{filter.Quote("user", c.User)}
	case (g == model.ByContainer || g == model.ByUnit) && c.Name != "":
		return []string{filter.Quote(g.String()+"=", c.Name)}
	}
	return nil
}

// foldedTerms is the filter for all processes of a name but for those that stand
// alone.
func (m *Model) foldedTerms(c *model.Consumer) []string {
	terms := []string{filter.Quote("proc=", c.Name)}
	for i := range m.view.Consumers {
		if o := m.view.Consumers[i].Process; o != source.NoProcess && m.view.State.Processes[o].Name == c.Name {
			terms = append(terms, "!"+filter.Quote("pid", strconv.Itoa(int(m.view.State.Processes[o].PID))))
		}
	}
	return terms
}

// toggleTerms adds terms to the filter, in place of those with the same keys:
// one state instead of another, and not both, which no socket is in. If all
// of them are there, it takes them out.
func (m *Model) toggleTerms(texts []string) {
	wanted, err := filter.Parse(strings.Join(texts, " "))
	if err != nil {
		m.view.Notice = err.Error()
		return
	}
	terms, present := wanted.Terms(), m.choice.filter.Terms()
	missing := func(t filter.Term) bool { return !slices.Contains(present, t) }
	if !slices.ContainsFunc(terms, missing) {
		texts = nil
	}
	if f, err := m.replaced(terms, texts); err != nil {
		m.view.Notice = err.Error()
	} else {
		m.setFilter(activeFilter{f, m.choice.proto})
	}
}

// replaced is the filter in force with texts in place of its terms that say
// something about the same as terms.
func (m *Model) replaced(terms []filter.Term, texts []string) (filter.Filter, error) {
	var kept []string
	for _, t := range m.choice.filter.Terms() {
		if !replaces(terms, t) {
			kept = append(kept, t.Text)
		}
	}
	return filter.Parse(strings.Join(append(kept, texts...), " "))
}

// replaces tells whether one of terms says something about the same as old. What
// says who it is goes together.
func replaces(terms []filter.Term, old filter.Term) bool {
	who := func(t filter.Term) bool { return t.Key == "pid" || t.Key == "proc" || t.Key == "owner" }
	return slices.ContainsFunc(terms, func(t filter.Term) bool {
		return t.Negated == old.Negated && t.Key == old.Key || who(t) && who(old)
	})
}
