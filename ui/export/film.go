package export

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"ephtop/model"
	"ephtop/source/recording"
	"ephtop/ui/dashboard"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/screen"
	"ephtop/ui/session"
)

// Options say what is on the screen. The zero Options are the dashboard as it
// comes up, at 120x40.
type Options struct {
	// Width and Height are the size of the screen in cells; DefaultWidth and
	// DefaultHeight if zero.
	Width, Height int
	// Speed is how fast the recording is played, as the dashboard's: from 1/4 to
	// 16; 1 if zero.
	Speed float64
	// IdleLimit is the longest time from one moment to the next as it is played;
	// an hour if zero. What keys wait is not shortened.
	IdleLimit time.Duration
	// From is the time of the moment to begin at; the first one if zero.
	From time.Time

	// Filter is the filter to begin with, By what the consumers are added up by,
	// Face the list that is shown, Namespace as in [dashboard.Config]. Findings
	// has the overlay of findings open.
	Filter    string
	By        model.Grouping
	Face      paint.Face
	Namespace string
	Findings  bool
	// Keys are pressed meanwhile.
	Keys Keys

	Thresholds model.Thresholds
	// NATPorts is as in [model.Options].
	NATPorts int
	// ASCII has the frames hold nothing but ASCII.
	ASCII bool
}

// The size of a screen that no one has said anything about, and the least one
// that a film is made of.
const (
	DefaultWidth, DefaultHeight = 120, 40
	MinWidth, MinHeight         = 20, 5
)

// MaxLength bounds how long a film plays.
const MaxLength = 1000 * time.Hour

// Frame is what is on the screen from a time on.
type Frame struct {
	// At is the playing time since the first frame, which is at 0. It rises.
	At time.Duration
	// Moment is the time of the moment on screen, Verdict what is read first, and
	// Level the worst one of its namespaces, as the time line has it; in a recording in
	// which that stays well, also of what was found: a leak takes no port that is
	// wanted for long.
	Moment  time.Time
	Level   model.Level
	Verdict string
	// Canvas is the screen, in the roles of package theme, and Before that of the
	// frame before, of no size for the first one. Both are the Film's, until its
	// next Next.
	Canvas, Before *screen.Canvas
}

// Film is the frames of a recording, one after the other.
type Film struct {
	stage  *dashboard.Stage
	typist typist
	// shown is the frame that was given last, next the one that is being looked
	// for; now is the one of them that has what is on the screen.
	shown, next screen.Canvas
	now         *screen.Canvas
}

// Open begins a film of a recording in a file, which the caller closes after
// the Film. It goes through all of the recording once, to know its levels, until
// ctx ends.
func Open(ctx context.Context, p *recording.Player, o Options) (*Film, error) {
	return open(ctx, p, &o, false)
}

// CheckSize says what is wrong with a size of a screen.
func CheckSize(width, height int) error {
	if width < MinWidth || height < MinHeight || width > screen.MaxWidth || height > screen.MaxHeight {
		return fmt.Errorf("a screen of %dx%d: use %dx%d to %dx%d", width, height, MinWidth, MinHeight, screen.MaxWidth, screen.MaxHeight)
	}
	return nil
}

func open(ctx context.Context, p *recording.Player, o *Options, stopped bool) (*Film, error) {
	width, height := cmp.Or(o.Width, DefaultWidth), cmp.Or(o.Height, DefaultHeight)
	if err := CheckSize(width, height); err != nil {
		return nil, err
	}
	cfg := dashboard.Config{
		Replay: p, Speed: o.Speed, Thresholds: o.Thresholds, NATPorts: o.NATPorts, Filter: o.Filter, Namespace: o.Namespace,
		ASCII: o.ASCII,
	}
	stage, err := dashboard.NewStage(ctx, cfg, dashboard.Staging{
		Width: width, Height: height, From: o.From, Stopped: stopped,
		Group: o.By, Face: o.Face, Findings: o.Findings, IdleLimit: o.IdleLimit,
	})
	if err != nil {
		return nil, err
	}
	f := &Film{stage: stage, typist: typist{steps: o.Keys.steps}}
	f.look()
	return f, nil
}

// Still hands use the one frame of o.From, or of the last moment if that is
// zero: the recording stands still while all keys are pressed. The frame and the
// film are not to be kept.
func Still(ctx context.Context, p *recording.Player, o Options, use func(*Film, Frame) error) error {
	if o.From.IsZero() {
		_, o.From = p.Span()
	}
	f, err := open(ctx, p, &o, true)
	if err != nil {
		return err
	}
	defer f.Close()
	for len(f.typist.steps) > 0 {
		at, types, err := f.coming()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		f.advance(at, types)
	}
	still := f.frame()
	still.At, still.Before = 0, new(screen.Canvas)
	return use(f, still)
}

// Size is that of all frames.
func (f *Film) Size() (width, height int) { return f.stage.Size() }

// Next gives the next frame: one that looks different from the one before. At
// the end it gives io.EOF.
func (f *Film) Next() (Frame, error) {
	for {
		at, types, err := f.coming()
		over := err != nil || at > f.stage.Now() // what happens at a time is one frame
		switch {
		case over && f.now == &f.next && !f.next.Equal(&f.shown):
			return f.frame(), nil
		case err != nil:
			return Frame{}, err
		}
		f.advance(at, types)
	}
}

// coming tells when something happens next, and whether that is a key; io.EOF
// where nothing does.
func (f *Film) coming() (at time.Duration, types bool, err error) {
	at, moves, err := f.stage.Next()
	if err != nil {
		return 0, false, err
	}
	if f.stage.Over() {
		return 0, false, io.EOF
	}
	if due, ok := f.typist.next(f.stage.Now(), f.text); ok && (!moves || due <= at) {
		at, types = due, true
	}
	switch {
	case !moves && !types:
		return 0, false, f.typist.end()
	case at > MaxLength:
		return 0, false, fmt.Errorf("it would play for more than %d h: set a speed or an idle limit", MaxLength/time.Hour)
	}
	return at, types, nil
}

// advance has the time go on to what comes, and looks.
func (f *Film) advance(at time.Duration, types bool) {
	if !types {
		f.stage.Step()
	} else {
		f.stage.Pass(at)
		if key := f.typist.do(at); key != nil {
			f.stage.Press(*key)
		}
	}
	f.look()
}

// look paints what is on the screen.
func (f *Film) look() {
	f.stage.Paint(&f.next)
	f.now = &f.next
}

// frame gives what was painted.
func (f *Film) frame() Frame {
	f.shown, f.next = f.next, f.shown
	f.now = &f.shown
	look, verdict := f.stage.Look(), f.stage.Sentence()
	level := look.Overview.Level
	if !slices.ContainsFunc(f.Changes(), func(c model.LevelChange) bool { return c.Level > model.LevelOK }) {
		level = max(level, verdict.Level)
	}
	return Frame{
		At: f.stage.Now(), Moment: look.Moment.Time, Level: level, Verdict: verdict.Text,
		Canvas: &f.shown, Before: &f.next,
	}
}

// text is the screen without spaces at the ends of its lines.
func (f *Film) text() string {
	lines := strings.Split(string(f.now.Append(nil, nil)), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// Length is how long the film plays, once Next has given io.EOF: the last frame
// may stand for a while.
func (f *Film) Length() time.Duration { return f.stage.Now() }

// Look is what the moment of the last frame shows, until the next Next.
func (f *Film) Look() *session.Look { return f.stage.Look() }

// Changes are where in the recording levels begin, the first one at its start.
func (f *Film) Changes() []model.LevelChange { return f.stage.Changes() }

// End is what is wrong with the end of the recording, as [recording.ErrCut],
// once it was played to there; nil for nothing.
func (f *Film) End() error { return f.stage.End() }

// Close ends the film.
func (f *Film) Close() { f.stage.Close() }
