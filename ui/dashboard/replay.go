package dashboard

import (
	"context"
	"errors"
	"io"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/model"
	"ephtop/model/list"
	"ephtop/source/recording"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/session"
)

// replay is the model's side of playing a recording that can be sought. The
// tape is in the hands of a command while one runs.
type replay struct {
	tape *session.Tape
	scan *session.Scan // nil in a past
	// past is what a live dashboard looks back at; nil for a recording.
	past *session.Past
	// memory is for the lists of the command that runs: a poll may run beside it.
	memory list.Selection

	scanned bool // that scan is done

	running bool
	cancel  context.CancelFunc // ends what runs, or the wait
	// wanted is the goal of a seek that waits for the one before to end.
	wanted *session.Goal
	// aim is where the user wants to be: the position, or while seeking where
	// that leads to.
	aim     time.Time
	seeking bool

	playing bool
	speed   float64
	// within bounds how long a command may feed moments before one is drawn; 0
	// for as long as it takes.
	within time.Duration
	// position is the moment on screen, next the one behind, if more.
	position, next time.Time
	more           bool
	end            error // how the recording ends, if not more
	// At wall, the recording was at the time start: from there on, the two go
	// in step by the speed.
	wall, start time.Time
	number      uint64 // of the wait that counts
}

// playedMsg is where the tape has come to. The reading is the receiver's: it is
// of the Look of the position, if that is another than before.
type playedMsg struct {
	session.Position
	of      *replay
	reading *reading
	now     time.Time
}

// playDueMsg says that it is time for the next moment.
type playDueMsg struct {
	number uint64
	now    time.Time
}

const (
	// frameTime is the least time from one frame of a replay to the next. Where
	// moments come faster, some are not drawn.
	frameTime = 33 * time.Millisecond
	// playFor is the within of a replay that somebody looks at.
	playFor = 100 * time.Millisecond
	// lagging is how far a replay may be late before it takes that for its pace.
	lagging = 250 * time.Millisecond
)

// newReplay prepares to play a file.
func newReplay(p *recording.Player, speed float64, o model.Options) *replay {
	return &replay{
		tape: session.NewTape(p, o), scan: session.NewScan(p, o),
		playing: true, speed: speed, within: playFor, cancel: func() {},
	}
}

// at is where the recording should be now, by the wall clock.
func (r *replay) at(now time.Time) time.Time {
	return r.start.Add(time.Duration(float64(now.Sub(r.wall)) * r.speed))
}

// due is when a time of the recording comes, by the wall clock.
func (r *replay) due(t time.Time) time.Time {
	return r.wall.Add(time.Duration(float64(t.Sub(r.start)) / r.speed))
}

// anchor has the recording go on from its position.
func (r *replay) anchor(now time.Time) { r.wall, r.start = now, r.position }

// beginReplay shows the first moment, plays on, and looks for the levels.
func (m *Model) beginReplay() tea.Cmd {
	return tea.Batch(m.seekTo(m.view.Timeline.First), m.scanOn())
}

// seek goes to another position. It cancels a seek that runs.
func (m *Model) seek(g session.Goal) tea.Cmd {
	r := m.replay
	r.seeking = true
	r.cancel()
	r.number++
	if r.running {
		r.wanted = &g
		m.refreshTimeline()
		return nil
	}
	return m.startTape(g)
}

// seekTo seeks a time.
func (m *Model) seekTo(t time.Time) tea.Cmd {
	m.replay.aim = t
	return m.seek(session.Goal{To: t, Soon: !m.replay.playing})
}

// seekBy seeks a time that is so far from where the user wants to be, and at
// least a moment away.
func (m *Model) seekBy(d time.Duration) tea.Cmd {
	r, line := m.replay, &m.view.Timeline
	r.aim = r.aim.Add(d)
	if r.aim.Before(line.First) {
		r.aim = line.First
	}
	if r.aim.After(line.Last) {
		r.aim = line.Last
	}
	// Moments are not quite evenly apart: the nearest is meant.
	spacing := r.next.Sub(r.position)
	if m.shown != nil && m.shown.state.Elapsed > 0 {
		spacing = m.shown.state.Elapsed
	}
	near := min(max(spacing, 0), d.Abs()) / 2
	return m.seek(session.Goal{To: r.aim.Add(near), Onward: d > 0, Soon: !r.playing})
}

// startTape has a command take the tape to a goal.
func (m *Model) startTape(g session.Goal) tea.Cmd {
	r := m.replay
	ctx, cancel := context.WithCancel(m.jobs.ctx)
	r.running, r.cancel = true, cancel
	m.refreshTimeline()
	spare, c := m.takeSpare(), m.choice
	return m.jobs.command(func(context.Context) tea.Msg {
		started := m.jobs.now()
		msg := playedMsg{Position: r.tape.Go(ctx, g, spare.look), of: r, reading: spare}
		if spare.look = msg.Look; msg.Moved {
			spare.take(&c, &r.memory)
		}
		msg.now = m.jobs.now()
		m.log.Debug("play", "to", g.To, "took", msg.now.Sub(started), "cut short", msg.CutShort, "end", msg.End)
		return msg
	})
}

// played takes what the tape has come to, and has it go on.
func (m *Model) played(msg playedMsg) tea.Cmd {
	r := msg.of
	r.running = false
	r.cancel()
	m.setNow(msg.now)
	if r != m.replay { // looked back at until now
		r.close()
		m.giveBack(msg.reading)
		return nil
	}
	if msg.Moved {
		r.position = msg.Look.Moment.Time
		if r.past != nil && m.latest == nil {
			m.latest, m.shown = m.shown, nil // for goLive
		}
		m.show(msg.reading)
	} else {
		m.giveBack(msg.reading)
	}
	if g := r.wanted; g != nil {
		r.wanted = nil
		return m.startTape(*g)
	}
	r.next, r.more = msg.Next, msg.More
	if r.end = msg.End; r.end != nil {
		r.playing = false
	}
	if r.seeking || msg.now.Sub(r.due(r.next)) > lagging {
		r.anchor(msg.now)
	}
	r.seeking, r.aim = false, r.position
	m.refreshTimeline()
	if msg.Brief && !r.playing {
		return m.startTape(session.Goal{To: r.position})
	}
	return m.waitForNext(msg.now)
}

// waitForNext waits until the next moment is due, if it plays.
func (m *Model) waitForNext(now time.Time) tea.Cmd {
	r := m.replay
	if r.running {
		return nil // whose answer will come here again
	}
	r.cancel()
	if !r.playing || !r.more {
		return nil
	}
	ctx, cancel := context.WithCancel(m.jobs.ctx)
	r.cancel = cancel
	r.number++
	number, due := r.number, r.due(r.next)
	if soonest := now.Add(frameTime); due.Before(soonest) {
		due = soonest
	}
	return m.jobs.after(ctx, due, func(now time.Time) tea.Msg { return playDueMsg{number, now} })
}

// playDue plays what is due, unless the wait was ended in the meantime.
func (m *Model) playDue(msg playDueMsg) tea.Cmd {
	r := m.replay
	if r == nil || msg.number != r.number || r.running || !r.playing {
		return nil
	}
	m.setNow(msg.now)
	return m.startTape(session.Goal{To: r.at(msg.now), Onward: true, Within: m.replay.within})
}

// togglePlay stops the play where it is, or has it go on; at the end, from the
// beginning.
func (m *Model) togglePlay(now time.Time) tea.Cmd {
	r := m.replay
	r.playing = !r.playing
	if r.playing && !r.seeking && r.end != nil {
		return m.seekTo(m.view.Timeline.First)
	}
	r.anchor(now)
	m.refreshTimeline()
	return m.waitForNext(now)
}

// setSpeed has the play go on at another speed.
func (r *replay) setSpeed(speed float64, now time.Time) {
	at := r.at(now)
	if at.Before(r.position) || !r.playing {
		at = r.position
	} else if at.After(r.next) {
		at = r.next
	}
	r.wall, r.start, r.speed = now, at, speed
}

// refreshTimeline brings the view up to date.
func (m *Model) refreshTimeline() {
	r, line := m.replay, &m.view.Timeline
	line.Position, line.Playing, line.Seeking = r.aim, r.playing, r.seeking
	line.Note = ""
	if !r.seeking && r.past == nil {
		line.Note = endNote(r.end)
	}
	m.refreshStatus()
}

// close frees what the replay holds.
func (r *replay) close() {
	if r.scan != nil {
		r.scan.Close()
	}
	if r.past != nil {
		r.past.Close()
	}
}

// endNote says why a recording ends, "" if it just does.
func endNote(err error) string {
	switch {
	case errors.Is(err, recording.ErrCut):
		return "recording ends here: it was cut"
	case errors.Is(err, recording.ErrJoined):
		return "recording ends here: another begins behind it, and is not read"
	case err == nil, errors.Is(err, io.EOF):
		return ""
	}
	return "recording ends here: " + err.Error()
}

// replayStatus is the status of a replay.
func (m *Model) replayStatus() paint.Status {
	switch r := m.replay; {
	case m.shown == nil && r.end == nil:
		return paint.StatusWaiting
	case r.past != nil:
		return paint.StatusPaused
	case r.end != nil && !r.seeking:
		return paint.StatusEnded
	case !r.playing:
		return paint.StatusPaused
	}
	return paint.StatusLive
}
