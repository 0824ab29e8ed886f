package dashboard

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"ephtop/model"
	"ephtop/ui/advice"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/screen"
	"ephtop/ui/session"
)

// Stage plays a recording without a terminal: the same Model, in a time of its
// own, which stands still while the Model works. So what it shows depends on
// the recording and on the keys alone, however fast the machine is.
//
// The caller looks, with [Stage.Paint], and has the time go on: by [Stage.Step]
// to what happens by itself, by [Stage.Pass] to a key. All times are playing
// times, since the first moment was on the screen.
type Stage struct {
	ctx   context.Context
	unbid func() bool // ends the watch over ctx
	m     *Model
	idle  time.Duration
	// now is the time by the stage's clock, played how much of that somebody sits
	// through.
	now    time.Time
	played time.Duration
	waits  []waitMsg
	quit   bool
	// caption stands in place of the keys.
	caption []paint.Hint
}

// Staging is how a Stage begins.
type Staging struct {
	Width, Height int
	// From is the moment to begin at; the first one if zero.
	From time.Time
	// Stopped says that the replay stands still until a key has it go on.
	Stopped bool
	// Group is what the consumers are added up by, Face the list to begin with.
	// Findings has the overlay of findings open.
	Group    model.Grouping
	Face     paint.Face
	Findings bool
	// IdleLimit is the longest time from one moment to the next, as it is played;
	// an hour if zero.
	IdleLimit time.Duration
}

// waitMsg is a wait for a time of the Stage's clock, unless ctx ends before.
type waitMsg struct {
	ctx  context.Context
	then time.Time
	msg  func(time.Time) tea.Msg
}

// NewStage begins to play cfg.Replay, a file, which it does not close. What
// cfg says of the terminal is not used. Levels of the whole recording are looked
// for first, which takes as long as to go through it.
func NewStage(ctx context.Context, cfg Config, o Staging) (*Stage, error) {
	if cfg.Replay == nil || cfg.Replay.Live() {
		return nil, errors.New("only a recording in a file can be staged")
	}
	cfg.Out, cfg.Getenv = io.Discard, func(string) string { return "" }
	m, err := New(cfg)
	if err != nil {
		return nil, err
	}
	s := &Stage{ctx: ctx, m: m, idle: o.IdleLimit, unbid: context.AfterFunc(ctx, m.jobs.cancel)}
	if s.idle <= 0 {
		s.idle = time.Hour
	}
	first, last := cfg.Replay.Span()
	s.now, s.caption = first, captionOf(first, last)
	m.jobs.clock = func() time.Time { return s.now }
	m.replay.within = 0
	m.replay.playing = !o.Stopped
	s.begin(o)
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case m.shown == nil:
		err = m.replay.end
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// begin shows the first moment.
func (s *Stage) begin(o Staging) {
	m := s.m
	m.choice.group = o.Group
	s.take(tea.WindowSizeMsg{Width: o.Width, Height: o.Height})
	from := o.From
	if from.IsZero() {
		from = m.view.Timeline.First
	}
	s.do(m.scanOn()) // first, and the memory that it takes is free again
	s.do(m.seekTo(from))
	if m.shown == nil {
		return
	}
	if o.Face != m.view.Face {
		m.showFace(o.Face)
	}
	if o.Findings {
		m.openFindings()
	}
	m.view.Hints = m.keys.footer(&m.view)
}

// do does a command, and all that comes of it.
func (s *Stage) do(cmd tea.Cmd) {
	for todo := []tea.Cmd{cmd}; len(todo) > 0; {
		next := todo[0]
		todo = todo[1:]
		if next == nil {
			continue
		}
		switch msg := next().(type) {
		case nil:
		case tea.BatchMsg:
			todo = append(todo, msg...)
		case tea.QuitMsg:
			s.quit = true
		case waitMsg:
			s.waits = append(s.waits, msg)
		default:
			_, cmd := s.m.Update(msg)
			todo = append(todo, cmd)
		}
	}
}

// take gives the Model a message, and does what it asks for.
func (s *Stage) take(msg tea.Msg) {
	_, cmd := s.m.Update(msg)
	s.do(cmd)
}

// Now is the playing time.
func (s *Stage) Now() time.Duration { return s.played }

// Next is when something happens by itself; false for never. It gives an error
// where the context has ended.
func (s *Stage) Next() (at time.Duration, ok bool, err error) {
	if s.ctx.Err() != nil {
		return 0, false, context.Cause(s.ctx)
	}
	w := s.next()
	if w == nil || s.quit {
		return 0, false, nil
	}
	return s.played + min(s.until(w), s.idle), true, nil
}

// next is the wait that ends first.
func (s *Stage) next() *waitMsg {
	s.waits = slices.DeleteFunc(s.waits, func(w waitMsg) bool { return w.ctx.Err() != nil })
	var first *waitMsg
	for i := range s.waits {
		if w := &s.waits[i]; first == nil || w.then.Before(first.then) {
			first = w
		}
	}
	return first
}

// until is how long a wait lasts yet.
func (s *Stage) until(w *waitMsg) time.Duration { return max(0, w.then.Sub(s.now)) }

// Step has the time go on to Next.
func (s *Stage) Step() {
	w := s.next()
	if w == nil || s.quit {
		return
	}
	over, wait := *w, s.until(w)
	s.now = s.now.Add(wait)
	s.played += min(wait, s.idle)
	s.waits = slices.DeleteFunc(s.waits, func(w waitMsg) bool { return w.ctx == over.ctx })
	s.take(over.msg(s.now))
}

// Pass has the time go on to at, which is not after Next.
func (s *Stage) Pass(at time.Duration) {
	wait := max(0, at-s.played)
	s.now = s.now.Add(wait)
	s.played += wait
}

// Press presses a key. Those that reach out of the screen do nothing: no file is
// written.
func (s *Stage) Press(msg tea.KeyMsg) {
	reaches := key.Matches(msg, s.m.keys.Report, s.m.keys.Suspend)
	if s.quit || reaches && !s.m.view.Filter.Editing {
		return
	}
	s.take(msg)
}

// Over reports whether a key has ended it.
func (s *Stage) Over() bool { return s.quit }

// Size is that of the screen.
func (s *Stage) Size() (width, height int) { return s.m.view.Width, s.m.view.Height }

// Paint draws what is on the screen. Its last line has a caption in place of
// the keys, which do nothing for who only looks on.
func (s *Stage) Paint(c *screen.Canvas) {
	keys := s.m.view.Hints
	s.m.view.Hints = s.caption
	s.m.Paint(c)
	s.m.view.Hints = keys
}

// captionOf says what is looked at: when it was, and what shows it.
func captionOf(first, last time.Time) []paint.Hint {
	first, last = first.UTC(), last.UTC()
	until := "15:04:05"
	if first.Format(time.DateOnly) != last.Format(time.DateOnly) {
		until = time.DateTime
	}
	return []paint.Hint{
		{Key: "recorded", Does: first.Format(time.DateTime) + " to " + last.Format(until) + " UTC"},
		{Key: "ephtop", Does: "top for ephemeral ports"},
	}
}

// Look is what the moment on the screen shows, until the time goes on.
func (s *Stage) Look() *session.Look { return s.m.shown.look }

// Sentence is what is read first on the screen.
func (s *Stage) Sentence() advice.Sentence { return s.m.shown.sentence }

// Changes are where levels begin, the first one at the start of the recording.
func (s *Stage) Changes() []model.LevelChange { return s.m.view.Timeline.Changes }

// End is how the recording ends, where that is not as it should: nil before
// its end.
func (s *Stage) End() error {
	if err := s.m.replay.end; endNote(err) != "" {
		return err
	}
	return nil
}

// Close frees what the Stage holds.
func (s *Stage) Close() {
	s.unbid()
	s.m.Stop(patience)
}
