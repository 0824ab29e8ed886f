package session

import (
	"cmp"
	"context"
	"time"

	"ephtop/model"
	"ephtop/source/recording"
)

// Tape is a recording and the fleet that has seen it up to a moment, just as
// the fleet of the live run had.
type Tape struct {
	player  *recording.Player
	options model.Options
	spare   *Look

	fleet *model.Fleet // nil if it has to start anew
	fed   time.Time    // the last moment that the fleet has seen
	brief bool         // that the fleet has seen less than it takes
	// sockets is the most that a moment had, and spacing the time before the
	// last one: they tell what it costs to feed a fleet.
	sockets int
	spacing time.Duration
}

// NewTape makes a Tape of a recording that can be sought.
func NewTape(p *recording.Player, o model.Options) *Tape {
	return &Tape{player: p, options: o, spare: new(Look)}
}

// thorough is how many rows of sockets, over all moments, a seek may read so
// that the fleet sees the recording from its start on: about a second's
// work. Where there are more, it sees what it takes to be right about all but
// ages of more than model.HistorySpan and the sum of the connects that failed.
const thorough = 4_000_000

// Lead is how much of a past a fleet must see before a moment, at least: what the
// history spans, and before that a TIME_WAIT, for the owners of the first ones.
const Lead = model.HistorySpan + time.Minute

// prompt is the same for a goal that is to be reached soon, and briefLead what is
// seen there of a larger recording's past: a TIME_WAIT.
const (
	prompt    = 500_000
	briefLead = time.Minute + 5*time.Second
)

// Goal is where a tape is to go.
type Goal struct {
	// To is the position: the last moment that is not after it.
	To time.Time
	// Onward asks for one moment more, at least, whatever To is.
	Onward bool
	// Soon asks for a glance in a moment rather than all of it in a while.
	Soon bool
	// Within bounds the time that it may take, if more than one moment is to
	// be fed; 0 for as long as it takes.
	Within time.Duration
}

// Position is where a tape has come to.
type Position struct {
	// Moved says that Look is another moment than before. It is undefined else.
	Moved bool
	Look  *Look
	// Next is the time of the moment behind, if there is one.
	Next time.Time
	More bool
	// End says how the recording ends, if there is none.
	End error
	// Brief says that the fleet has seen less of the past than it takes: what
	// is shown lacks some of its history, until the tape goes there again with a
	// goal that is not Soon.
	Brief bool
	// CutShort says that the goal was given up for another one.
	CutShort bool
}

// Go goes to a goal, or until ctx ends. It takes l, and gives this or another
// Look back with the Position. Calls must not overlap.
func (t *Tape) Go(ctx context.Context, g Goal, l *Look) Position {
	started := time.Now()
	late := func() bool { return g.Within > 0 && time.Since(started) > g.Within }
	at := Position{Look: l}
	fresh, err := t.begin(g)
	for err == nil {
		if at.Next, at.More = t.player.Peek(); !at.More {
			// Why there is no moment, Poll knows.
			err = t.player.Poll(context.Background(), &t.spare.Moment)
			break
		}
		if at.Next.After(g.To) && !t.fed.IsZero() && (at.Moved || !g.Onward) {
			break
		}
		if at.CutShort = ctx.Err() != nil; at.CutShort || at.Moved && late() {
			break
		}
		// What is read may turn out to be damaged: not over the last good one.
		if err = t.player.Poll(context.Background(), &t.spare.Moment); err != nil {
			at.More = false
			break
		}
		t.feed(t.spare)
		at.Look, t.spare, at.Moved = t.spare, at.Look, true
	}
	at.End = err
	if fresh && at.CutShort {
		// Half of the past is no past: what was shown before stays on screen.
		t.fleet, at.Moved = nil, false
	}
	at.Brief = t.brief
	return at
}

// begin has the tape go on from where it is, if that leads to the goal, or
// from far enough before it, with a fresh fleet.
func (t *Tape) begin(g Goal) (fresh bool, err error) {
	all := t.from(g.To, thorough, Lead)
	from := all
	if g.Soon {
		if soon := t.from(g.To, prompt, briefLead); soon.After(all) {
			from = soon
		}
	}
	onward := t.fleet != nil && !t.fed.Before(from) && (g.Onward || !t.fed.After(g.To))
	if onward && (g.Soon || !t.brief) {
		return false, nil
	}
	t.fleet, t.fed, t.brief = model.NewFleet(t.options), time.Time{}, from.After(all)
	return true, t.player.Seek(from)
}

// from is the time from which a fresh fleet must be fed for a position: so long
// before where there are more rows of sockets before it, else the start.
func (t *Tape) from(position time.Time, rows int64, lead time.Duration) time.Time {
	first, _ := t.player.Span()
	moments := int64(position.Sub(first) / cmp.Or(t.spacing, time.Second))
	if lately := position.Add(-lead); moments*int64(t.sockets) > rows && lately.After(first) {
		return lately
	}
	return first
}

// feed shows the fleet a moment.
func (t *Tape) feed(l *Look) {
	t.fleet.Update(&l.Moment, &l.Overview)
	t.fed, t.sockets = l.Moment.Time, max(t.sockets, len(l.Moment.Room))
	if d := l.State().Elapsed; d > 0 {
		t.spacing = d
	}
}
