package dashboard

import (
	"cmp"
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/recording"
)

// tape is a recording and the fleet that has seen it up to the moment on
// screen, just as the fleet of the live run had. It belongs to the command
// that runs; the model starts at most one at a time.
type tape struct {
	player  *recording.Player
	options model.Options

	fleet *model.Fleet // nil if it has to start anew
	fed   time.Time    // the last moment that the fleet has seen
	// sockets is the most that a moment had, and spacing the time before the
	// last one: they tell what it costs to feed a fleet.
	sockets int
	spacing time.Duration
}

// thorough is how many rows of sockets, over all moments, a seek may read so
// that the fleet sees the recording from its start on: about a second's
// work. Where there are more, it sees what it takes to be right about all but
// ages of more than model.HistorySpan and the sum of the connects that failed.
const thorough = 4_000_000

// lead is what a fleet sees before the target of a seek, at least: the
// history, and before that a TIME_WAIT, for the owners of the first ones.
const lead = model.HistorySpan + time.Minute

// goal is where a tape is to go.
type goal struct {
	// to is the position: the last moment that is not after it.
	to time.Time
	// onward asks for one moment more, at least, whatever to is.
	onward bool
	// within bounds the time that it may take, if more than one moment is to
	// be fed; 0 for as long as it takes.
	within time.Duration
}

// playedMsg is where a tape has come to. The readings are the receiver's.
type playedMsg struct {
	// moved says that reading is another moment than before.
	moved          bool
	reading, spare *reading
	// next is the time of the moment behind, if there is one.
	next time.Time
	more bool
	// end says how the recording ends, if there is none.
	end error
	// cutShort says that the goal was given up for another one.
	cutShort bool
	now      time.Time
}

// goTo is a command that takes the tape to a goal, by means of two readings.
func (p *poller) goTo(ctx context.Context, t *tape, g goal, readings [2]*reading, c choice) tea.Cmd {
	return p.command(func(context.Context) tea.Msg {
		started := p.now()
		msg := t.run(ctx, g, readings, func() bool { return g.within > 0 && p.now().Sub(started) > g.within })
		if msg.moved {
			msg.reading.advise()
			msg.reading.choose(&c, &p.selection)
		}
		msg.now = p.now()
		p.log.Debug("play", "to", g.to, "took", msg.now.Sub(started), "cut short", msg.cutShort, "end", msg.end)
		return msg
	})
}

// run feeds the fleet up to the goal. late says that it is time to stop.
func (t *tape) run(ctx context.Context, g goal, readings [2]*reading, late func() bool) playedMsg {
	msg := playedMsg{reading: readings[0], spare: readings[1]}
	fresh, err := t.begin(g)
	for err == nil {
		if msg.next, msg.more = t.player.Peek(); !msg.more {
			// Why there is no moment, Poll knows.
			err = t.player.Poll(context.Background(), new(source.Moment))
			break
		}
		if msg.next.After(g.to) && !t.fed.IsZero() && (msg.moved || !g.onward) {
			break
		}
		if msg.cutShort = ctx.Err() != nil; msg.cutShort || msg.moved && late() {
			break
		}
		// What is read may turn out to be damaged: not over the last good one.
		if err = t.player.Poll(context.Background(), &msg.spare.moment); err != nil {
			msg.more = false
			break
		}
		t.feed(msg.spare)
		msg.reading, msg.spare, msg.moved = msg.spare, msg.reading, true
	}
	msg.end = err
	if fresh && msg.cutShort {
		// Half of the past is no past: what was shown before stays on screen.
		t.fleet, msg.moved = nil, false
	}
	return msg
}

// begin has the tape go on from where it is, if that leads to the goal, or
// from far enough before it, with a fresh fleet.
func (t *tape) begin(g goal) (fresh bool, err error) {
	from := t.from(g.to)
	if t.fleet != nil && !t.fed.Before(from) && (g.onward || !t.fed.After(g.to)) {
		return false, nil
	}
	t.fleet, t.fed = model.NewFleet(t.options), time.Time{}
	return true, t.player.Seek(from)
}

// from is the time from which a fresh fleet must be fed for a position.
func (t *tape) from(position time.Time) time.Time {
	first, _ := t.player.Span()
	moments := int64(position.Sub(first) / cmp.Or(t.spacing, time.Second))
	if lately := position.Add(-lead); moments*int64(t.sockets) > thorough && lately.After(first) {
		return lately
	}
	return first
}

// feed shows the fleet a moment.
func (t *tape) feed(r *reading) {
	r.update(t.fleet)
	t.fed, t.sockets = r.moment.Time, max(t.sockets, len(r.moment.Room))
	if r.state.Elapsed > 0 {
		t.spacing = r.state.Elapsed
	}
}
