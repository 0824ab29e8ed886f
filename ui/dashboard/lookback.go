package dashboard

import (
	"context"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"ephtop/ui/dashboard/paint"
	"ephtop/ui/session"
)

// pastMsg is what was polled so far. It is the receiver's to close.
type pastMsg struct {
	past *session.Past
	err  error
	now  time.Time
}

// pause holds the view still; polling goes on.
func (m *Model) pause(now time.Time) {
	m.setNow(now)
	m.paused, m.view.PausedSince = true, m.view.Now
	m.offerSeeks()
	m.refreshStatus()
}

// goLive shows the present again.
func (m *Model) goLive() {
	m.leavePast()
	m.paused, m.awaitPast = false, nil
	m.view.Timeline = m.pipe
	m.offerSeeks()
	m.showLatest()
	m.refresh()
}

// leavePast looks back no longer; what is on screen stays.
func (m *Model) leavePast() {
	r := m.replay
	if r == nil {
		return
	}
	r.cancel()
	if !r.running {
		r.close()
	}
	m.replay = nil
}

// offerSeeks has the keys that seek do so where there is something to seek in.
func (m *Model) offerSeeks() {
	m.keys.enableSeeks(m.replay != nil || m.paused)
	m.view.Help = m.keys.groups()
}

// lookOn takes a key that goes on from the end of the past that is there, to what
// was polled since.
func (m *Model) lookOn(msg tea.KeyMsg) tea.Cmd {
	m.leavePast()
	return m.lookBack(msg)
}

// lookBack takes a key that seeks while the view is paused. It and those that
// follow wait until the past is there.
func (m *Model) lookBack(msg tea.KeyMsg) tea.Cmd {
	if key.Matches(msg, m.keys.ToEnd) {
		m.goLive()
		return nil
	}
	if m.shown == nil {
		m.view.Notice = session.ErrNoPast.Error() + " yet"
		return nil
	}
	m.awaitPast = append(m.awaitPast, msg)
	if len(m.awaitPast) > 1 {
		return nil
	}
	return m.jobs.command(func(context.Context) tea.Msg {
		past, err := m.session.Past()
		return pastMsg{past, err, time.Now()}
	})
}

// openPast has the keys that waited seek in the past, from the moment on screen
// on.
func (m *Model) openPast(msg pastMsg) tea.Cmd {
	m.setNow(msg.now)
	waited := m.awaitPast
	m.awaitPast = nil
	switch {
	case msg.err != nil:
		m.view.Notice = msg.err.Error()
		return nil
	case len(waited) == 0 || m.replay != nil: // live again, in the meantime
		msg.past.Close()
		return nil
	}
	p := msg.past
	at := m.shown.look.Moment.Time
	m.replay = &replay{tape: p.Tape, past: p, scanned: true, speed: 1, cancel: func() {}, aim: at, position: at}
	line := &m.view.Timeline
	*line = paint.Timeline{On: true, Back: true, First: p.First, Last: p.Last, Scanned: p.Last, Changes: p.Changes}
	m.refreshTimeline()
	m.refresh()
	var cmds []tea.Cmd
	for _, key := range waited {
		cmd, _ := m.seekKey(key)
		cmds = append(cmds, cmd)
	}
	return tea.Batch(cmds...)
}
