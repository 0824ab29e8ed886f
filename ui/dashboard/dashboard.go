// Package dashboard is the interactive screen: one Bubble Tea model. It takes
// keys and polls, and fills in a [paint.View], which paint turns into a frame.
//
// It depends on the packages source and model for what it shows, on
// source/recording to play and write recordings, and on the packages beside it
// under ui for colours, text and boxes. It must not know from which system a
// moment comes, nor what the command line looks like.
package dashboard

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/model"
	"ephtop/model/filter"
	"ephtop/model/list"
	"ephtop/source"
	"ephtop/source/memory"
	"ephtop/source/recording"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/lineedit"
	"ephtop/ui/screen"
	"ephtop/ui/session"
	"ephtop/ui/terminal"
	"ephtop/ui/theme"
)

// Config is what a dashboard is told once.
type Config struct {
	// Source is polled. [Run] closes it. It is not used where there is a Replay.
	Source source.Source
	// Focus is where the source is told the inode number of the namespace that
	// is wanted on screen, so that it looks at it. Nil for one that looks at all.
	Focus *atomic.Uint64
	// Tracing turns the tracing of the source on and off; nil where there is
	// nothing to turn on.
	Tracing *source.Tracing
	// Replay is played in place of polling a Source: a file with a time line,
	// a pipe as it comes. [Run] closes it. Nil for none.
	Replay *recording.Player
	// Stepper is the time of a Source that has one of its own, as a simulated
	// host: the keys < and > then change the speed. It is told the step before
	// each poll (Interval × speed), and never during one. Nil for none.
	Stepper Stepper
	// Speed is how fast a Replay or a Stepper's time goes at first; 1 if zero,
	// and 1/4 to 16 else.
	Speed float64
	// Program is what recordings made with the key r say that they were
	// written by, as "ephtop 1.0.0".
	Program string
	// RecordDir is where the keys r and E write recordings and reports; the
	// current directory if empty.
	RecordDir string
	// Interval is the time from the start of one poll to that of the next; a
	// second if zero. PollShare is how much of it a poll may take, from 0 to 1,
	// before polls are farther apart; 0 bounds nothing.
	Interval  time.Duration
	PollShare float64
	// Timeout is how long one poll may take before it is cancelled and counts
	// as failed; 0 for as long as it likes.
	Timeout time.Duration
	// Thresholds are model.DefaultThresholds if zero.
	Thresholds model.Thresholds
	// NATPorts is as in model.Options.
	NATPorts int
	// Filter is the filter to begin with, as a user types it.
	Filter string
	// Namespace is the one to begin with, as [session.Look.Namespace] knows it;
	// "" for that which the model would have looked at.
	Namespace string

	// Back is done for esc where there is nothing else to go back from, and BackTo
	// says where that leads. Nil for nowhere.
	Back   tea.Cmd
	BackTo string

	Theme theme.Theme
	// ASCII says that the terminal has no more than ASCII.
	ASCII bool

	// In and Out are the terminal. If nil, In is standard input, or the
	// controlling terminal where standard input is none, and Out is standard
	// output.
	In  io.Reader
	Out io.Writer
	// Getenv looks up the environment; os.Getenv if nil.
	Getenv func(string) string
	// Log takes what goes wrong and how long things take; nil for nothing. It
	// must not write to the terminal.
	Log *slog.Logger
}

// Stepper is a source's time, if it is one that the source makes.
type Stepper interface {
	// SetStep sets the time that passes at the source from poll to poll.
	SetStep(time.Duration)
}

// Model is the Bubble Tea model of the dashboard. Make it with [New].
type Model struct {
	view    paint.View
	painter *paint.Painter
	keys    KeyMap

	choice    choice
	selection list.Selection // memory for the lists that a key asks for
	marks     marks

	jobs       jobs
	session    *session.Session
	background list.Selection // memory for the lists of the poll that runs
	stepper    Stepper        // nil for none
	log        *slog.Logger
	// shown is on screen, latest is newer and waits for the end of a pause,
	// spare ones are free. Either of the first two may be nil.
	shown, latest *reading
	spare         []*reading

	paused, ended bool
	// pipe is the time line of a recording that comes through a pipe, in which
	// there is nothing to seek.
	pipe paint.Timeline
	// awaitPast are keys that wait for what was polled so far, to look back.
	awaitPast  []tea.KeyMsg
	polling    bool
	pollSince  time.Time // start of the running poll, by the time on screen
	pollNumber uint64    // of the poll that runs or is waited for
	lastStart  time.Time // start of the last poll that answered
	pacer      *session.Pacer
	cancelWait context.CancelFunc

	// many says that keys came in one piece: a slow line, or no person.
	many   bool
	editor lineedit.Line
	past   pastFilters
	// before is the filter in force when editing began.
	before activeFilter

	findings  findingsCursor
	clipboard terminal.Clipboard
	recording recordKey
	tracing   traceKey
	// farewell are lines for the terminal once it is as it was.
	farewell []string
	// steps are what esc undoes, the last one first.
	steps []stepBack
	// awaited says that a namespace was opened which the source has yet to look
	// at.
	awaited bool
	// wanted is the namespace to begin with, until there was a look; see
	// Config.Namespace.
	wanted string
	focus  *atomic.Uint64
	behind tea.Cmd // see Config.Back; nil for nothing
	replay *replay // nil for the present of a source that is polled
}

// New makes the model. It fails if the filter is not one. Whoever does not
// use [Run] has to call Stop when the program has ended.
func New(cfg Config) (*Model, error) {
	if cfg.Interval <= 0 {
		cfg.Interval = time.Second
	}
	if cfg.Out == nil {
		cfg.Out = os.Stdout
	}
	if cfg.Getenv == nil {
		cfg.Getenv = os.Getenv
	}
	if cfg.Focus == nil {
		cfg.Focus = new(atomic.Uint64)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	parsed, err := filter.Parse(cfg.Filter)
	if err != nil {
		return nil, err
	}
	m := &Model{
		painter:   paint.New(cfg.Theme, cfg.ASCII),
		keys:      DefaultKeyMap(),
		clipboard: terminal.NewClipboard(cfg.Out, cfg.Getenv),
		stepper:   cfg.Stepper,
		log:       cfg.Log,
		wanted:    cfg.Namespace,
		focus:     cfg.Focus,
		behind:    cfg.Back,
		pacer:     session.NewPacer(cfg.Interval, cfg.PollShare),
		tracing:   traceKey{Tracing: cfg.Tracing},
		recording: recordKey{dir: cfg.RecordDir, header: cfg.header()},
	}
	m.keys.BackTo = cfg.BackTo
	if cfg.ASCII {
		m.keys = m.keys.ASCII()
	}
	m.keys = m.keys.suited(&cfg)
	m.jobs.ctx, m.jobs.cancel = context.WithCancel(context.Background())
	m.choice.filter, m.choice.proto = parsed, protoOf(&parsed, paint.ProtoTCP)
	m.choice.fold = true
	m.view = paint.View{Interval: cfg.Interval, Filter: paint.FilterLine{Text: parsed.String()}, Focus: paint.PaneConnections, Help: m.keys.groups()}
	m.adopt(&cfg)
	m.refresh()
	m.view.Hints = m.keys.footer(&m.view)
	return m, nil
}

// header is what recordings begin with.
func (c *Config) header() recording.Header {
	h := recording.Header{Program: c.Program, Anonymized: c.Stepper != nil} // as only a simulated host has one
	if c.Replay != nil {
		h.Anonymized = c.Replay.Header().Anonymized
	}
	return h
}

// adopt sets up what sets the pace: a recording, or a source with a time of
// its own.
func (m *Model) adopt(cfg *Config) {
	m.view.Speed = boundedSpeed(cfg.Speed)
	src, o := cfg.Source, session.Options{Thresholds: cfg.Thresholds, NATPorts: cfg.NATPorts, Timeout: cfg.Timeout, Log: cfg.Log}
	switch p, line := cfg.Replay, &m.view.Timeline; {
	case p == nil:
		if cfg.Stepper == nil {
			m.view.Speed = 0
		}
	case p.Live():
		m.pipe.On, m.pipe.Pipe = true, true
		*line = m.pipe
		m.view.Speed = 0
		src, o.Timeout = session.Piped(p), 0
	default:
		src = p
		line.On = true
		line.First, line.Last = p.Span()
		line.Position = line.First
		m.replay = newReplay(p, m.view.Speed, model.Options{Thresholds: cfg.Thresholds, NATPorts: cfg.NATPorts, Tuples: memory.Tuples(memory.Limit())})
	}
	o.Keep = m.replay == nil
	m.session = session.New(src, o)
}

// Stop cancels a poll that is running and waits for it, at most for patience.
// It tells whether nothing uses the source any more.
// A recording that was being written ends whole.
func (m *Model) Stop(patience time.Duration) bool {
	ended := m.jobs.shut(patience)
	// One that begins or ends just now is known to one of the two only.
	if r := cmp.Or(m.session.Record(nil), m.recording.recorder); r != nil {
		if err := r.Abandon(); err != nil {
			m.log.Warn("end the recording", "error", err)
		}
		m.sayRecorded(r.Progress())
	}
	if ended && m.replay != nil {
		m.replay.close()
	}
	return ended
}

// Init starts the first poll or the replay, and the clock.
func (m *Model) Init() tea.Cmd {
	if m.replay != nil {
		return tea.Batch(m.beginReplay(), m.tick())
	}
	return tea.Batch(m.startPoll(), m.tick())
}

// Paint draws the frame on c; nothing while the terminal has not told its size.
func (m *Model) Paint(c *screen.Canvas) { m.painter.Draw(c, &m.view) }

// View is the frame as text.
func (m *Model) View() string { return m.painter.Frame(&m.view) }
