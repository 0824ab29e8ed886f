package dashboard

import (
	"slices"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"ephtop/model/list"
	"ephtop/ui/dashboard/paint"
)

// pick takes a key while the columns to sort by are on screen. A letter chooses
// and closes them; so does any other key that is none of theirs.
func (m *Model) pick(msg tea.KeyMsg) {
	columns := m.choice.face.Columns()
	at := slices.IndexFunc(columns, func(c paint.SortColumn) bool { return c.Column == m.choice.order().Column })
	step := func(n int) {
		m.sortBy(columns[(at+n+len(columns))%len(columns)].Column)
	}
	switch {
	case key.Matches(msg, m.keys.Sort), key.Matches(msg, m.keys.NextPane), msg.Type == tea.KeyDown:
		step(+1)
	case key.Matches(msg, m.keys.PreviousPane), msg.Type == tea.KeyUp:
		step(-1)
	case key.Matches(msg, m.keys.Reverse):
		m.reverse()
	default:
		m.view.Picking = false
		if i := slices.IndexFunc(columns, func(c paint.SortColumn) bool { return msg.String() == string(c.Key) }); i >= 0 {
			m.sortBy(columns[i].Column)
		}
	}
}

// order is that of the list on screen.
func (c *choice) order() *list.Order { return &c.orders[c.face] }

// sortBy sorts the list on screen by a column.
func (m *Model) sortBy(c list.Column) {
	*m.choice.order() = list.Order{Column: c}
	m.rechoose()
}

// reverse turns the order of the list on screen around.
func (m *Model) reverse() {
	o := m.choice.order()
	o.Reverse = !o.Reverse
	m.rechoose()
}

// toggleFold folds what is in TIME_WAIT, or unfolds it.
func (m *Model) toggleFold() {
	m.choice.fold = !m.choice.fold
	m.view.Notice = "each connection in TIME_WAIT is a row"
	if m.choice.fold {
		m.view.Notice = "TIME_WAIT of one destination and owner is one row"
	}
	m.rechoose()
}
