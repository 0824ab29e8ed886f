package dashboard

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/ui/dashboard/paint"
	"ephtop/ui/session"
	"ephtop/ui/text"
)

// pollMsg is the answer of a poll. The reading is the receiver's.
type pollMsg struct {
	reading        *reading
	err            error
	started, ended time.Time
}

// dueMsg says that the next poll is due. Only the one whose number is the
// model's counts.
type dueMsg struct {
	number uint64
	now    time.Time
}

// clockMsg comes each second.
type clockMsg time.Time

// startPoll polls into a spare reading.
func (m *Model) startPoll() tea.Cmd {
	m.polling = true
	m.pollSince = m.view.Now
	m.pollNumber++
	r, c, step := m.takeSpare(), m.choice, time.Duration(float64(m.view.Interval)*m.view.Speed)
	return m.jobs.command(func(ctx context.Context) tea.Msg {
		msg := pollMsg{reading: r, started: time.Now()}
		if m.stepper != nil {
			m.stepper.SetStep(step)
		}
		if msg.err = m.session.Look(ctx, r.look); msg.err == nil {
			r.take(&c, &m.background)
		}
		msg.ended = time.Now()
		m.log.Debug("reading", "took", msg.ended.Sub(msg.started), "rows", len(r.list.Rows))
		return msg
	})
}

// takeSpare gives a reading that nothing shows.
func (m *Model) takeSpare() *reading {
	if n := len(m.spare); n > 0 {
		r := m.spare[n-1]
		m.spare = m.spare[:n-1]
		return r
	}
	return &reading{look: new(session.Look)}
}

// giveBack makes r, which may be nil, a spare one.
func (m *Model) giveBack(r *reading) {
	if r != nil {
		m.spare = append(m.spare, r)
	}
}

// polled takes the answer of a poll and has the next one scheduled.
func (m *Model) polled(msg pollMsg) tea.Cmd {
	m.polling = false
	m.lastStart = msg.started
	m.setNow(msg.ended)
	m.pacer.Took(msg.ended.Sub(msg.started))
	m.recordWent()
	m.traceWent()
	switch {
	case errors.Is(msg.err, io.EOF), msg.err != nil && m.pipe.On:
		m.giveBack(msg.reading)
		m.ended, m.view.Err = true, nil
		m.pipe.Note = endNote(msg.err)
		if m.replay == nil {
			m.view.Timeline = m.pipe
		}
		m.refreshStatus()
		return nil
	case msg.err != nil:
		m.giveBack(msg.reading)
		m.failed(msg.err, msg.started)
	default:
		m.view.Err, m.view.ErrSince = nil, time.Time{}
		m.giveBack(m.latest)
		m.latest = msg.reading
		if m.pipe.On { // whoever sends it sets the pace
			if between := msg.reading.state.Elapsed; between > 0 {
				m.view.Interval = between
			}
			m.lastStart = m.lastStart.Add(-m.view.Interval)
		}
		if !m.paused || m.shown == nil {
			m.showLatest()
		}
	}
	m.paced()
	m.refreshStatus()
	return m.schedule()
}

// paced takes how far apart polls are, and why, where that is farther than was
// asked for.
func (m *Model) paced() {
	if m.pipe.On {
		return
	}
	m.view.Interval, m.view.Slowed = m.pacer.Interval(), ""
	if !m.pacer.Slowed() {
		return
	}
	sockets := 0
	if r := cmp.Or(m.latest, m.shown); r != nil {
		sockets = len(r.look.Moment.Room)
	}
	m.view.Slowed = slowedBy(sockets, m.pacer.Cost())
}

// manySockets are so many that a poll takes long for them alone.
const manySockets = 20_000

// slowedBy says in a few words why polls are far apart.
func slowedBy(sockets int, cost time.Duration) string {
	if sockets >= manySockets {
		return text.Count(sockets) + " sockets"
	}
	return "a poll takes " + cost.Round(10*time.Millisecond).String()
}

// failed notes an error. It holds since the first poll that failed in a row.
func (m *Model) failed(err error, since time.Time) {
	if m.view.Err == nil {
		m.view.ErrSince = since
	}
	m.view.Err = err
}

// schedule has the next poll start one interval after the start of the last
// one, or at once if that is past; sooner where it is to turn tracing on or off.
func (m *Model) schedule() tea.Cmd {
	if m.cancelWait != nil {
		m.cancelWait()
	}
	ctx, cancel := context.WithCancel(m.jobs.ctx)
	m.cancelWait = cancel
	m.pollNumber++
	number := m.pollNumber
	wait := m.view.Interval
	if m.tracing.waits() {
		wait = min(wait, traceWait)
	}
	return m.jobs.after(ctx, m.lastStart.Add(wait), func(now time.Time) tea.Msg {
		return dueMsg{number, now}
	})
}

// due starts a poll, unless it was put off in the meantime.
func (m *Model) due(msg dueMsg) tea.Cmd {
	if msg.number != m.pollNumber || m.polling || m.ended {
		return nil
	}
	m.setNow(msg.now)
	return m.startPoll()
}

// overdue is how long a poll may last, beyond the interval, before the screen
// says that the source does not answer.
const overdue = 5 * time.Second

// ticked takes the time, and notices a poll that does not answer.
func (m *Model) ticked(msg clockMsg) tea.Cmd {
	m.setNow(time.Time(msg))
	if m.polling && m.pollSince.IsZero() {
		m.pollSince = m.view.Now
	}
	if m.polling && m.view.Err == nil && m.view.Now.Sub(m.pollSince) > overdue+m.view.Interval {
		m.failed(errNoAnswer, m.pollSince)
	}
	m.refreshStatus()
	return m.tick()
}

// tick answers at the next full second of the wall clock.
func (m *Model) tick() tea.Cmd {
	now := m.view.Now
	next := now.Truncate(time.Second).Add(time.Second)
	// Truncate drops the monotonic clock, which holds when the wall clock is set.
	return m.jobs.after(m.jobs.ctx, now.Add(next.Sub(now)), func(now time.Time) tea.Msg {
		return clockMsg(now)
	})
}

// errNoAnswer is shown while a poll lasts for too long.
var errNoAnswer = errors.New("the poll does not answer")

// setNow takes the time that a message brings. Messages of different commands
// may overtake each other; the time on screen does not go back.
func (m *Model) setNow(now time.Time) {
	if now.After(m.view.Now) {
		m.view.Now = now
	}
}

// showLatest puts the latest reading on screen, if there is a newer one.
func (m *Model) showLatest() {
	if m.latest == nil {
		return
	}
	r := m.latest
	m.latest = nil
	m.show(r)
}

// show puts a reading on screen.
func (m *Model) show(r *reading) {
	m.giveBack(m.shown)
	m.shown = r
	m.beginWith()
	if m.shown.version != m.choice.version {
		m.shown.choose(&m.choice, &m.selection)
	}
	m.refresh()
	m.followChosen()
}

// refreshStatus says how fresh the data on screen is.
func (m *Model) refreshStatus() {
	v := &m.view
	switch {
	case m.replay != nil:
		v.Status = m.replayStatus()
		if m.replay.past != nil && m.latest != nil {
			v.Timeline.Ago = m.latest.look.Moment.Time.Sub(m.replay.aim)
		}
	case m.paused:
		v.Status = paint.StatusPaused
	case m.ended:
		v.Status = paint.StatusEnded
	case v.Err != nil:
		v.Status = paint.StatusStale
	case m.shown == nil:
		v.Status = paint.StatusWaiting
	default:
		v.Status = paint.StatusLive
	}
}
