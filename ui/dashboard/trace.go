package dashboard

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source"
	"ephtop/ui/advice"
)

// traceKey turns tracing on and off. The source takes the wish at its next poll,
// and so nothing waits, whatever a poll is doing.
type traceKey struct {
	*source.Tracing      // nil where there is nothing to turn on
	asked           bool // by the key, and nobody has said yet what came of it
}

// traceWait is the longest time from a poll to one that takes a wish.
const traceWait = time.Second

// waits reports whether no poll has taken the last wish yet.
func (k *traceKey) waits() bool { return k.Tracing != nil && k.Pending() }

// toggleTrace has the source trace, or trace no more.
func (m *Model) toggleTrace() tea.Cmd {
	k := &m.tracing
	if k.Tracing == nil {
		m.view.Notice = "t does nothing here: only a host that is looked at can be traced"
		return nil
	}
	m.view.Notice = "tracing ends with the next poll"
	if k.Toggle() {
		m.view.Notice = "tracing begins with the next poll"
	}
	k.asked = true
	if m.polling || m.ended {
		return nil
	}
	return m.schedule()
}

// traceWent takes how tracing stands, and says what came of the key, or that it
// has stopped by itself.
func (m *Model) traceWent() {
	k, now := &m.tracing, &m.view.Tracing
	if k.Tracing == nil {
		return
	}
	before := now.State
	if now.State, now.Why = k.State(); now.State == source.TraceStopped {
		now.Why = advice.TraceStopped(now.Why)
	}
	stopped := now.State == source.TraceStopped && before != source.TraceStopped
	if !stopped && (!k.asked || k.Pending()) {
		return
	}
	k.asked = k.asked && k.Pending()
	switch now.State {
	case source.TraceOn:
		m.view.Notice = "tracing: from now on the kernel tells who closes and what fails"
	case source.TraceOff:
		m.view.Notice = "traced no more; what was told stays"
	case source.TraceRefused:
		m.view.Notice = "cannot trace: " + now.Why
	case source.TraceStopped:
		m.view.Notice = now.Why + "; t starts it again"
	}
}
