package dashboard

import (
	"cmp"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"ephtop/model/filter"
	"ephtop/ui/dashboard/paint"
)

// activeFilter is a filter in force, with the protocol that goes with it.
type activeFilter struct {
	filter filter.Filter
	proto  paint.ProtoChoice
}

// maxPast bounds the filters that are remembered.
const maxPast = 50

// pastFilters holds the filters that were kept in this session, oldest first.
type pastFilters struct {
	texts []string
	at    int    // the one that is in the line; len(texts) for what was typed
	typed string // what was typed before going back
}

// add puts a filter last.
func (p *pastFilters) add(text string) {
	if text == "" {
		return
	}
	p.texts = slices.DeleteFunc(p.texts, func(t string) bool { return t == text })
	p.texts = append(p.texts, text)
	p.texts = p.texts[max(0, len(p.texts)-maxPast):]
}

// step goes to an earlier (-1) or later (+1) filter, and tells whether there
// is one. present is what stands in the line.
func (p *pastFilters) step(direction int, present string) (string, bool) {
	to := p.at + direction
	if to < 0 || to > len(p.texts) {
		return "", false
	}
	if p.at == len(p.texts) {
		p.typed = present
	}
	p.at = to
	if to == len(p.texts) {
		return p.typed, true
	}
	return p.texts[to], true
}

// openFilter begins to edit the filter in force.
func (m *Model) openFilter() {
	m.before = activeFilter{m.choice.filter, m.choice.proto}
	m.editor.Set(m.view.Filter.Text)
	m.past.at = len(m.past.texts)
	m.view.Filter.Editing = true
	m.showInput()
}

// editFilter takes a key while the filter is edited. What is typed holds at
// once; where it is wrong, or only begun, the last good filter stays.
func (m *Model) editFilter(msg tea.KeyMsg) {
	line := &m.view.Filter
	switch {
	case msg.Paste:
		m.editor.Press(msg)
	case key.Matches(msg, m.keys.Back):
		m.closeFilter()
		m.setFilter(m.before)
		return
	case key.Matches(msg, m.keys.Keep):
		if line.Held {
			m.takeInput()
		}
		if line.Err == nil { // else there is something to mend
			m.closeFilter()
			m.past.add(line.Text)
		}
		return
	case key.Matches(msg, m.keys.Earlier):
		m.recall(-1)
	case key.Matches(msg, m.keys.Later):
		m.recall(+1)
	case key.Matches(msg, m.keys.Complete):
		m.complete()
	default:
		m.editor.Press(msg)
	}
	typed := line.Input
	m.showInput()
	if line.Input != typed {
		m.applyInput()
	}
}

func (m *Model) recall(direction int) {
	if text, ok := m.past.step(direction, m.editor.Text()); ok {
		m.editor.Set(text)
	}
}

// showInput mirrors the editor in the view.
func (m *Model) showInput() {
	line := &m.view.Filter
	line.Input, line.Pos = m.editor.Text(), m.editor.Offset()
	line.Next = line.Next[:0]
	c := filter.Complete(line.Input[:line.Pos], m.names)
	for _, candidate := range c.Candidates {
		if !strings.EqualFold(candidate.Text, line.Input[c.From:line.Pos]) { // else it stands there
			line.Next = append(line.Next, candidate.Text)
		}
	}
}

// complete goes on with the word before the cursor as far as there is one way.
func (m *Model) complete() {
	before := m.view.Filter.Input[:m.view.Filter.Pos]
	m.editor.ReplaceBefore(filter.Complete(before, m.names).Text)
}

// maxNames bounds the names that are looked through at a key press.
const maxNames = 2000

// names gives the names on screen that the values of a key can be, sorted.
func (m *Model) names(key string) []string {
	if m.shown == nil {
		return nil
	}
	st, o := m.shown.state, &m.shown.look.Overview
	var all []string
	switch key {
	case "proc":
		for i := range st.Processes {
			all = append(all, st.Processes[i].Name)
		}
	case "user":
		for i := range st.Processes {
			all = append(all, st.Processes[i].User)
		}
	case "container":
		for i := range st.Cgroups {
			all = append(all, st.Cgroups[i].Container)
		}
	case "unit":
		for i := range st.Cgroups {
			all = append(all, st.Cgroups[i].Unit)
		}
	case "ns":
		for _, other := range o.States {
			scope := &other.Snapshot.Scope
			all = append(all, cmp.Or(scope.Name, scope.Kind.String()))
		}
		for i := range o.Quiet {
			all = append(all, o.Quiet[i].Scope.Name)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), maxNames)]
}

// closeFilter ends the editing.
func (m *Model) closeFilter() {
	m.view.Filter = paint.FilterLine{Text: m.view.Filter.Text}
}

// applyInput puts what is typed in force if it is a filter. Of the beginning of
// a term it waits for the rest.
func (m *Model) applyInput() {
	line := &m.view.Filter
	line.Err, line.Held = nil, filter.Unfinished(line.Input, line.Pos)
	if !line.Held {
		m.takeInput()
	}
}

// takeInput puts what is typed in force, or says what is wrong with it.
func (m *Model) takeInput() {
	f, err := filter.Parse(m.view.Filter.Input)
	m.view.Filter.Err = err
	if err == nil {
		m.setFilter(activeFilter{f, protoOf(&f, m.before.proto)})
	}
}

// protoOf is the protocol to show with a filter: the one that it names, or
// else the one that was shown.
func protoOf(f *filter.Filter, shown paint.ProtoChoice) paint.ProtoChoice {
	if !f.HasProto() {
		return shown
	}
	switch tcp, udp := f.Protos(); {
	case tcp && udp:
		return paint.ProtoBoth
	case udp:
		return paint.ProtoUDP
	case tcp:
		return paint.ProtoTCP
	}
	return shown
}

// setFilter puts a filter in force.
func (m *Model) setFilter(a activeFilter) {
	m.choice.filter, m.choice.proto = a.filter, a.proto
	m.view.Filter.Text = a.filter.String()
	m.rechoose()
}
