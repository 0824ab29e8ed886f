package fleet

import (
	"context"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/ui/dashboard"
	"ephtop/ui/text"
)

// visit is the host that is open, or is being opened. Number counts them: what is
// still told of an earlier one is dropped.
type visit struct {
	number int
	name   string
	since  time.Time
	cancel context.CancelFunc // of the opening
	host   *dashboard.Model   // nil while there is none
	landed *landing
}

// landing is a host that was opened and that the model has yet to take: if it never
// does, who ends the program closes it.
type landing struct {
	mu     sync.Mutex
	config *dashboard.Config
}

func (l *landing) put(c *dashboard.Config) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.config = c
}

func (l *landing) take() *dashboard.Config {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.config
	l.config = nil
	return c
}

// openedMsg says that a host can be shown, or why it can't.
type openedMsg struct {
	number int
	landed *landing
	err    error
}

// insideMsg is a message for the dashboard of a visit.
type insideMsg struct {
	number int
	msg    tea.Msg
}

// backMsg leads back from a visit.
type backMsg struct{}

// farewell are lines for the terminal once it is as it was.
type farewell struct {
	mu    sync.Mutex
	lines []string
}

func (f *farewell) say(lines []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines = append(f.lines, lines...)
}

func (v *visit) opening() bool { return v.cancel != nil }

// open opens the host under the cursor.
func (m *Model) open() tea.Cmd {
	f := &m.fleet
	if f.Cursor.Line >= len(f.Rows) {
		return nil
	}
	m.giveUp()
	v := &m.visit
	v.number++
	v.name, v.since, v.landed = f.Rows[f.Cursor.Line].Name, m.view.Now, new(landing)
	m.held = v.name
	m.sayOpening()
	number, name, landed := v.number, v.name, v.landed
	ctx, cancel := context.WithCancel(m.work.ctx)
	v.cancel = cancel
	return m.work.command(func(context.Context) tea.Msg {
		c, err := m.config.Open(ctx, name)
		switch {
		case err == nil && ctx.Err() != nil:
			_ = c.Close() // nobody wants it any more
			return nil
		case err == nil:
			landed.put(&c)
		}
		return openedMsg{number, landed, err}
	})
}

func (m *Model) sayOpening() {
	m.view.Notice = "opening " + text.Sanitize(m.visit.name)
	if d := m.view.Now.Sub(m.visit.since); d >= time.Second {
		m.view.Notice += " for " + text.Duration(d)
	}
	m.view.Notice += " · " + m.keys.Back.Help().Key + " gives up"
}

// giveUp ends an opening, and reports whether there was one.
func (m *Model) giveUp() bool {
	v := &m.visit
	if !v.opening() {
		return false
	}
	v.cancel()
	v.cancel, m.view.Notice = nil, ""
	v.number++
	return true
}

// opened shows a host that was opened, if it is still wanted.
func (m *Model) opened(msg openedMsg) tea.Cmd {
	v := &m.visit
	c := msg.landed.take()
	if msg.number != v.number || !v.opening() {
		if c == nil {
			return nil
		}
		return m.work.command(func(context.Context) tea.Msg { _ = c.Close(); return nil })
	}
	v.cancel()
	v.cancel, m.view.Notice = nil, ""
	if msg.err == nil {
		c.Back, c.BackTo = func() tea.Msg { return backMsg{} }, "back to the hosts"
		v.host, msg.err = dashboard.New(*c)
	}
	if msg.err != nil {
		m.view.Notice = text.Sanitize(v.name) + ": " + msg.err.Error()
		return nil
	}
	_, sized := v.host.Update(tea.WindowSizeMsg{Width: m.view.Width, Height: m.view.Height})
	return within(v.number, tea.Batch(sized, v.host.Init()))
}

// pass gives a message to the dashboard that is open, if one is.
func (m *Model) pass(msg tea.Msg) tea.Cmd {
	if m.visit.host == nil {
		return nil
	}
	_, cmd := m.visit.host.Update(msg)
	return within(m.visit.number, cmd)
}

// inside takes what a command of a visit has come to.
func (m *Model) inside(msg insideMsg) tea.Cmd {
	if msg.number != m.visit.number || m.visit.host == nil {
		return nil
	}
	if msg.msg == (backMsg{}) {
		return m.leaveHost()
	}
	return m.pass(msg.msg)
}

// leaveHost goes back to the table. The host is let go beside that: it may take a
// while.
func (m *Model) leaveHost() tea.Cmd {
	host := m.visit.host
	m.visit.host = nil
	m.visit.number++
	m.refresh()
	return m.work.command(func(context.Context) tea.Msg {
		m.end(host)
		return nil
	})
}

// end lets a host go.
func (m *Model) end(host *dashboard.Model) {
	lines, err := host.End(m.config.Log)
	if err != nil {
		m.config.Log.Warn("close a host", "error", err)
	}
	m.farewell.say(lines)
}

// within has what a dashboard's command comes to find its way to that dashboard,
// and to no later one.
func within(number int, cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() tea.Msg {
		switch msg := cmd().(type) {
		case nil:
			return nil
		case tea.QuitMsg:
			return msg
		case tea.BatchMsg:
			for i := range msg {
				msg[i] = within(number, msg[i])
			}
			return msg
		default:
			return insideMsg{number, msg}
		}
	}
}
