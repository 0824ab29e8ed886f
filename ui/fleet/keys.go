package fleet

import (
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source/fleet"
	"ephtop/ui/dashboard"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/terminal"
)

// groups is what the help overlay shows.
func groups(k *dashboard.KeyMap) []paint.HelpGroup {
	return []paint.HelpGroup{
		{Title: "Move", Keys: []paint.Hint{hint(k.Up, "up"), hint(k.Down, "down"), hint(k.PageUp, "page up"), hint(k.PageDown, "page down"),
			hint(k.Top, "the worst, and stay there"), hint(k.End, "last")}},
		{Title: "Hosts", Keys: []paint.Hint{hint(k.Open, "the dashboard of the host, over ssh"), hint(k.Back, "back from it; give up opening it; clear the filter"),
			hint(k.Filter, "filter"), hint(k.Sort, "sort by the next column"), hint(k.Reverse, "reverse the order")}},
		{Title: "Control", Keys: []paint.Hint{hint(k.Help, "help"), hint(k.Redraw, "draw the screen anew"), hint(k.Suspend, "suspend"), {Key: "q/ctrl+c", Does: "quit"}}},
	}
}

// Keys returns what the keys of the table do, in groups.
func Keys() []paint.HelpGroup {
	k := dashboard.DefaultKeyMap()
	return groups(&k)
}

func hint(b key.Binding, does string) paint.Hint { return paint.Hint{Key: b.Help().Key, Does: does} }

// footer is what the last line shows, most important first, and last of all how to
// get away.
func footer(k *dashboard.KeyMap, v *paint.View) []paint.Hint {
	switch {
	case v.Filter.Editing:
		return []paint.Hint{hint(k.Keep, "keep"), hint(k.Back, "undo")}
	case v.Overlay != paint.OverlayNone:
		return []paint.Hint{hint(k.Up, "up"), hint(k.Down, "down"), hint(k.Back, "close")}
	}
	hints := []paint.Hint{hint(k.Open, "open"), hint(k.Filter, "filter"), hint(k.Sort, "sort"), hint(k.Reverse, "reverse"), hint(k.Help, "help"), hint(k.Quit, "quit")}
	if v.Filter.Text != "" {
		hints = append([]paint.Hint{hint(k.Back, "clear filter")}, hints...)
	}
	return hints
}

// typed takes keys one by one: over a slow line, several that were pressed in a row
// arrive as one message.
func (m *Model) typed(msg tea.KeyMsg) tea.Cmd {
	if msg.Type != tea.KeyRunes || msg.Paste || m.view.Filter.Editing || m.visit.host != nil {
		return m.pressed(msg)
	}
	var cmds []tea.Cmd
	for i, r := range msg.Runes {
		one := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: msg.Alt}
		if m.view.Filter.Editing {
			one.Runes = msg.Runes[i:]
		}
		cmds = append(cmds, m.pressed(one))
		if len(one.Runes) > 1 {
			break
		}
	}
	return tea.Batch(cmds...)
}

// pressed gives a key to whom it is meant for.
func (m *Model) pressed(msg tea.KeyMsg) tea.Cmd {
	k := &m.keys
	switch {
	case key.Matches(msg, k.Suspend):
		return terminal.Suspend(time.Now)
	case key.Matches(msg, k.Redraw):
		return terminal.Redraw
	case m.visit.host != nil:
		return m.pass(msg)
	}
	m.view.Notice = ""
	if m.visit.opening() {
		m.sayOpening()
	}
	switch {
	case msg.Type == tea.KeyCtrlC:
		return tea.Quit
	case m.view.Filter.Editing:
		m.editFilter(msg)
		return nil
	case m.view.Overlay != paint.OverlayNone:
		m.overlaid(msg)
		return nil
	case key.Matches(msg, k.Quit):
		return tea.Quit
	case key.Matches(msg, k.Open):
		return m.open()
	}
	m.control(msg)
	return nil
}

func (m *Model) control(msg tea.KeyMsg) {
	k := &m.keys
	page := max(1, m.view.FleetHeight()-1)
	switch {
	case key.Matches(msg, k.Up):
		m.moveBy(-1)
	case key.Matches(msg, k.Down):
		m.moveBy(+1)
	case key.Matches(msg, k.PageUp):
		m.moveBy(-page)
	case key.Matches(msg, k.PageDown):
		m.moveBy(+page)
	case key.Matches(msg, k.Top):
		m.held = ""
		m.follow()
	case key.Matches(msg, k.End):
		m.moveBy(len(m.fleet.Rows))
	case key.Matches(msg, k.Help):
		m.view.Overlay, m.view.Scroll = paint.OverlayHelp, 0
	case key.Matches(msg, k.Filter):
		m.openFilter()
	case key.Matches(msg, k.Sort):
		m.nextColumn()
	case key.Matches(msg, k.Reverse):
		m.fleet.Order.Reverse = !m.fleet.Order.Reverse
		m.choose()
	case key.Matches(msg, k.Back):
		m.back()
	default:
		if msg.Type == tea.KeyRunes && len(msg.Runes) == 1 && !msg.Alt {
			m.view.Notice = msg.String() + " does nothing · " + k.Help.Help().Key + " help"
		}
	}
}

// back gives up what is being opened, or clears the filter.
func (m *Model) back() {
	if !m.giveUp() && m.view.Filter.Text != "" {
		m.setFilter("")
	}
}

// moveBy moves the cursor by so many lines, and holds what is there.
func (m *Model) moveBy(lines int) {
	m.fleet.Cursor.Line += lines
	m.clamp()
	if c := m.fleet.Cursor; c.Line < len(m.fleet.Rows) {
		m.held = m.fleet.Rows[c.Line].Name
	}
}

// nextColumn sorts by the next column that there is anything to sort by.
func (m *Model) nextColumn() {
	c := fleet.Column((int(m.fleet.Order.Column) + 1) % fleet.NumColumns)
	if c == fleet.ColumnExhausted && !m.fleet.Day {
		c++
	}
	m.fleet.Order = fleet.Order{Column: c}
	m.choose()
}

// overlaid takes a key while the help is open.
func (m *Model) overlaid(msg tea.KeyMsg) {
	v, k := &m.view, &m.keys
	last := v.LastScroll()
	at, page := min(v.Scroll, last), max(1, v.Height/2)
	switch {
	case key.Matches(msg, k.Up):
		at--
	case key.Matches(msg, k.Down):
		at++
	case key.Matches(msg, k.PageUp):
		at -= page
	case key.Matches(msg, k.PageDown):
		at += page
	case key.Matches(msg, k.Top):
		at = 0
	case key.Matches(msg, k.End):
		at = last
	case key.Matches(msg, k.Help), key.Matches(msg, k.Back), key.Matches(msg, k.Quit):
		v.Overlay = paint.OverlayNone
	}
	v.Scroll = max(0, min(at, last))
}

// openFilter begins to edit the filter in force.
func (m *Model) openFilter() {
	m.before = m.view.Filter.Text
	m.editor.Set(m.before)
	m.view.Filter.Editing = true
	m.showInput()
}

// editFilter takes a key while the filter is edited. What is typed holds at once.
func (m *Model) editFilter(msg tea.KeyMsg) {
	switch {
	case !msg.Paste && key.Matches(msg, m.keys.Keep):
		m.closeFilter()
		return
	case !msg.Paste && key.Matches(msg, m.keys.Back):
		m.closeFilter()
		m.setFilter(m.before)
		return
	}
	m.editor.Press(msg)
	m.setFilter(m.editor.Text())
	m.showInput()
}

func (m *Model) showInput() {
	m.view.Filter.Input, m.view.Filter.Pos = m.editor.Text(), m.editor.Offset()
}

func (m *Model) closeFilter() { m.view.Filter = paint.FilterLine{Text: m.view.Filter.Text} }

// setFilter puts a filter in force.
func (m *Model) setFilter(text string) {
	m.view.Filter.Text, m.filter = text, fleet.ParseWords(text)
	m.choose()
}
