package dashboard

import (
	"cmp"
	"slices"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"ephtop/ui/dashboard/paint"
	"ephtop/ui/screen"
	"ephtop/ui/terminal"
)

// noticeMsg is the outcome of a command, for the user.
type noticeMsg string

// Update takes one message. It does no I/O: what takes time is in the command
// that it returns.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.KeyMsg:
		cmd = m.typed(msg)
	case tea.WindowSizeMsg:
		m.resized(msg)
	case pollMsg:
		cmd = m.polled(msg)
	case dueMsg:
		cmd = m.due(msg)
	case clockMsg:
		cmd = m.ticked(msg)
	case playedMsg:
		cmd = m.played(msg)
	case playDueMsg:
		cmd = m.playDue(msg)
	case pastMsg:
		cmd = m.openPast(msg)
	case scannedMsg:
		cmd = m.scanned(msg)
	case recordMsg:
		m.recordChanged(msg)
	case reportMsg:
		m.reported(msg)
	case noticeMsg:
		m.view.Notice = string(msg)
	case terminal.ResumedMsg:
		m.resumed(msg)
	}
	m.view.Inside = len(m.steps) > 0
	m.view.Hints = m.keys.footer(&m.view)
	return m, cmd
}

// resized fits the lines to the terminal's size, as far as a canvas goes.
func (m *Model) resized(msg tea.WindowSizeMsg) {
	m.view.Width, m.view.Height = min(msg.Width, screen.MaxWidth), min(msg.Height, screen.MaxHeight)
	m.refresh()
}

// resumed takes the time again: a poll that ran when the process was stopped
// is not to blame for not answering.
func (m *Model) resumed(msg terminal.ResumedMsg) {
	m.setNow(msg.Now)
	m.pollSince = m.view.Now
	if m.replay != nil {
		m.replay.anchor(msg.Now)
	}
	if msg.Err != nil {
		m.view.Notice = msg.Err.Error()
	}
}

// typed takes keys one by one: over a slow line, several that were pressed in
// a row arrive as one message. The text of a filter is taken as a whole.
func (m *Model) typed(msg tea.KeyMsg) tea.Cmd {
	if msg.Type != tea.KeyRunes || msg.Paste {
		return m.pressed(msg)
	}
	m.many = len(msg.Runes) > 1
	defer func() { m.many = false }()
	var cmds []tea.Cmd
	for runes := msg.Runes; len(runes) > 0; {
		n := 1
		if m.view.Filter.Editing {
			n = len(runes)
		}
		cmds = append(cmds, m.pressed(tea.KeyMsg{Type: tea.KeyRunes, Runes: runes[:n], Alt: msg.Alt}))
		runes = runes[n:]
	}
	return tea.Batch(cmds...)
}

// pressed gives a key to whom it is meant for.
func (m *Model) pressed(msg tea.KeyMsg) tea.Cmd {
	m.view.Notice = ""
	switch {
	case msg.Type == tea.KeyCtrlC:
		return tea.Quit
	case key.Matches(msg, m.keys.Suspend):
		return terminal.Suspend(time.Now)
	case key.Matches(msg, m.keys.Redraw):
		return terminal.Redraw
	case m.view.Filter.Editing:
		m.editFilter(msg)
		return nil
	case m.view.Picking:
		m.pick(msg)
		return nil
	case key.Matches(msg, m.keys.Quit) && m.view.Overlay == paint.OverlayNone:
		return tea.Quit
	case key.Matches(msg, m.keys.Help):
		m.toggleOverlay(paint.OverlayHelp)
		return nil
	case key.Matches(msg, m.keys.Findings):
		m.openFindings()
		return nil
	case key.Matches(msg, m.keys.Back), key.Matches(msg, m.keys.Quit):
		return m.back()
	}
	if cmd, ok := m.replayKey(msg); ok {
		return cmd
	}
	if m.move(msg) {
		return nil
	}
	if cmd, ok := m.control(msg); ok {
		return cmd
	}
	switch {
	case (m.view.Overlay == paint.OverlayDetails || m.view.Overlay == paint.OverlayPool) && key.Matches(msg, m.keys.Open):
		m.toggleOverlay(m.view.Overlay)
	case m.view.Overlay == paint.OverlayNone:
		m.choose(msg)
	}
	if name := keyName(msg); name != "" && !m.many && !m.keys.knows(msg) {
		m.view.Notice = name + " does nothing · " + m.keys.Help.Help().Key + " help"
		if name == m.keys.ChangeBefore.Help().Key || name == m.keys.ChangeAfter.Help().Key { // which take a past
			m.view.Notice = name + " looks back while paused · " + m.keys.Pause.Help().Key + " pauses"
		}
	}
	return nil
}

// control takes the keys that mean the same under an overlay, and tells
// whether it was one.
func (m *Model) control(msg tea.KeyMsg) (tea.Cmd, bool) {
	switch {
	case key.Matches(msg, m.keys.Pause):
		return m.togglePause(), true
	case key.Matches(msg, m.keys.SlowDown):
		return m.changeSpeed(-1), true
	case key.Matches(msg, m.keys.SpeedUp):
		return m.changeSpeed(+1), true
	case key.Matches(msg, m.keys.Record):
		return m.toggleRecord(), true
	case msg.String() == "t":
		return m.toggleTrace(), true
	case key.Matches(msg, m.keys.Slower):
		return m.changeInterval(+1), true
	case key.Matches(msg, m.keys.Faster):
		return m.changeInterval(-1), true
	case key.Matches(msg, m.keys.Names):
		m.view.Names = !m.view.Names
	case key.Matches(msg, m.keys.Copy):
		return m.copyTuple(), true
	case key.Matches(msg, m.keys.Report):
		return m.writeReport(), true
	default:
		return nil, false
	}
	return nil, true
}

// togglePause holds the view still, or shows what was polled meanwhile. A
// replay stops altogether.
func (m *Model) togglePause() tea.Cmd {
	switch now := m.jobs.now(); {
	case m.paused:
		m.goLive()
	case m.replay != nil:
		return m.togglePlay(now)
	default:
		m.pause(now)
	}
	return nil
}

// intervals are the steps of + and -.
var intervals = [...]time.Duration{
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute,
}

// step is the next one after present (+1), or the one before (-1), of steps that
// rise; present itself where there is none.
func step[T cmp.Ordered](steps []T, present T, direction int) T {
	i, found := slices.BinarySearch(steps, present)
	switch {
	case direction < 0:
		i--
	case found:
		i++
	}
	if i < 0 || i >= len(steps) {
		return present
	}
	return steps[i]
}

// changeInterval takes the next longer (+1) or shorter (-1) step. It holds at
// once: a poll that is waited for is put off or brought forward.
func (m *Model) changeInterval(direction int) tea.Cmd {
	m.pacer.Ask(step(intervals[:], m.view.Interval, direction))
	m.paced()
	m.view.Notice = "every " + m.view.Interval.String()
	if m.view.Slowed != "" {
		m.view.Notice += ": " + m.view.Slowed
	}
	if m.polling || m.ended {
		return nil
	}
	return m.schedule()
}
