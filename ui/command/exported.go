package command

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/recording"
	"ephtop/source/recording/anonymize"
	"ephtop/ui/advice"
	"ephtop/ui/report"
	"ephtop/ui/session"
	"ephtop/ui/text"
)

// exported is a recording on its way to another form.
type exported struct {
	*app
	*exportOptions
	player     *recording.Player
	out        destination
	dest       *bufio.Writer         // of out
	anonymizer *anonymize.Anonymizer // nil where nothing is replaced
	progress   *progress
	read       int       // moments, each once
	latest     time.Time // of them
	said       time.Time
	broken     error // ErrCut, ErrJoined or ErrDamaged, where it is of what was before
	only       onlyOf
	notes      []string // to be said once the file is there
}

// destination is where it goes, and remembers what was wrong with that.
type destination struct {
	io.Writer
	err error
}

func (d *destination) Write(p []byte) (n int, err error) {
	n, err = d.Writer.Write(p)
	d.err = cmp.Or(d.err, err)
	return n, err
}

func newExported(a *app, o *exportOptions, p *recording.Player, out io.Writer) *exported {
	e := &exported{app: a, exportOptions: o, player: p, out: destination{Writer: out}, progress: a.recordProgress(o.path)}
	e.dest = bufio.NewWriterSize(&e.out, 64<<10)
	if !o.asIs && !p.Header().Anonymized {
		e.anonymizer = anonymize.NewRepeatable()
		e.anonymizer.Keep(o.keep)
	}
	p.Change(e.pass)
	return e
}

// pass has each moment that is read go on without who and where, so in UTC: the
// zone of who exports says where that is.
func (e *exported) pass(m *source.Moment) error {
	m.Time = m.Time.UTC()
	if e.read == 0 || m.Time.After(e.latest) {
		e.read, e.latest = e.read+1, m.Time
	}
	if time.Since(e.said) >= sayEvery {
		e.said = time.Now()
		share := ""
		if first, last := e.player.Span(); !e.player.Live() && last.After(first) {
			share = fmt.Sprintf("%d %%, ", int(100*m.Time.Sub(first)/last.Sub(first)))
		}
		e.progress.say("exporting: %s%s; ctrl+c ends it", share, text.Plural(e.read, "moment", "moments"))
	}
	if e.anonymizer == nil {
		return nil
	}
	if e.only.asked {
		e.only.note(m, e.flags.netns)
	}
	if err := e.anonymizer.Apply(m); err != nil {
		return fmt.Errorf("make the recording anonymous: %w", err)
	}
	return nil
}

// write writes the whole of it.
func (e *exported) write(ctx context.Context) error {
	err := e.findNamespace(ctx)
	if err == nil {
		err = e.checkFilter(ctx)
	}
	if err == nil {
		err = e.format.write(e, ctx)
	}
	e.progress.clear()
	if err == nil {
		err = e.dest.Flush()
	}
	wrong := (*usageError)(nil)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return exitStatus(statusInterrupted)
	case e.out.err != nil:
		return fmt.Errorf("write the export: %w", e.out.err)
	case errors.As(err, &wrong):
		return err
	}
	return fmt.Errorf("%s: %w", inputName(e.in), err)
}

// tell says what is to be known of what was written. What was there before the
// recording is damaged has been written, and that was not all.
func (e *exported) tell() error {
	var status error
	whole := text.Plural(e.read, "whole moment", "whole moments")
	switch {
	case errors.Is(e.broken, recording.ErrCut):
		complain(e.Stderr, fmt.Errorf("%s was cut: this is of its %s", inputName(e.in), whole))
	case errors.Is(e.broken, recording.ErrJoined):
		complain(e.Stderr, fmt.Errorf("%s: %w", inputName(e.in), e.broken))
	case e.broken != nil:
		complain(e.Stderr, fmt.Errorf("%s: %w: this is of what was before, %s", inputName(e.in), e.broken, whole))
		status = exitStatus(statusFailed)
	}
	for _, note := range e.notes {
		fmt.Fprintln(e.Stderr, text.Sanitize(note))
	}
	switch {
	case e.anonymizer != nil:
		e.tellReplaced(e.anonymizer.Tally())
	case e.asIs:
		fmt.Fprintln(e.Stderr, "kept: all, by --as-is")
	default:
		fmt.Fprintln(e.Stderr, "kept: all, for the recording is anonymous, or of a demo")
	}
	return status
}

// ends says whether err is an end of the recording before which something was
// read, and is the end of the export then.
func (e *exported) ends(err error) bool {
	if e.read == 0 || !early(err) && !errors.Is(err, recording.ErrDamaged) {
		return false
	}
	e.broken = err
	return true
}

// momentFunc takes a moment, and the namespace of it that is spoken of. Where it
// keeps them, they stay what they are until it keeps others.
type momentFunc func(l *session.Look, st *model.State) (keeps bool, err error)

// moments goes through the moments that are to be exported: the one of --at, or all.
func (e *exported) moments(ctx context.Context, each momentFunc) (err error) {
	s, err := e.session(func(*slog.Logger) (source.Source, error) { return kept{e.player}, nil }, session.Options{})
	if err != nil {
		return err
	}
	defer closing(s, &err)
	if e.at != nil {
		err = e.one(ctx, s, each)
	} else {
		err = e.all(ctx, s, each)
	}
	if e.at != nil && errors.Is(err, recording.ErrDamaged) || !e.ends(err) {
		return err
	}
	return nil
}

// kept is a player that somebody else closes.
type kept struct{ *recording.Player }

func (kept) Close() error { return nil }

func (e *exported) one(ctx context.Context, s *session.Session, each momentFunc) error {
	w := s.Watch()
	err := through(ctx, w, e.at)
	if err != nil && !early(err) {
		return err
	}
	if w.Looks == 0 {
		return err
	}
	st, wrong := e.chosen(w.Seen())
	if wrong == nil {
		_, wrong = each(w.Seen(), st)
	}
	if wrong != nil {
		return wrong
	}
	return err
}

// all leaves out the moments that have nothing of the namespace of --netns.
func (e *exported) all(ctx context.Context, s *session.Session, each momentFunc) error {
	l, spare := new(session.Look), new(session.Look)
	var absent error
	told := 0
	for {
		err := s.Look(ctx, l)
		switch {
		case errors.Is(err, io.EOF) && e.read == 0:
			return recording.ErrEmpty
		case err != nil && told == 0 && absent != nil:
			return absent // of no namespace that was asked for
		case errors.Is(err, io.EOF) && !early(err):
			return nil
		case err != nil:
			return err
		}
		st, err := e.chosen(l)
		if err != nil {
			absent = err
			continue
		}
		told++
		keeps, err := each(l, st)
		if err != nil {
			return err
		}
		if keeps {
			l, spare = spare, l
		}
	}
}

func (e *exported) json(ctx context.Context) error {
	return e.moments(ctx, func(l *session.Look, st *model.State) (bool, error) {
		o, err := e.figureOptions(l, st)
		if err != nil {
			return false, err
		}
		return false, report.JSONLine(e.dest, st, o)
	})
}

func (e *exported) csv(ctx context.Context) error {
	series := report.NewSeries(e.dest)
	return e.moments(ctx, func(l *session.Look, st *model.State) (bool, error) {
		o, err := e.figureOptions(l, st)
		if err != nil {
			return false, err
		}
		return false, series.Add(st, o)
	})
}

// figureOptions choose the connections that pass the filter; without one, none.
func (e *exported) figureOptions(l *session.Look, st *model.State) (report.Options, error) {
	if e.flags.filterText == "" {
		return report.Options{Overview: &l.Overview}, nil
	}
	o, err := e.reportOptions(st)
	o.Overview = &l.Overview
	return o, err
}

// markdown writes the report of one moment: where none is asked for, of the worst.
func (e *exported) markdown(ctx context.Context) error {
	var worst trouble
	var look *session.Look
	var shown *model.State
	err := e.moments(ctx, func(l *session.Look, st *model.State) (keeps bool, err error) {
		now := troubleOf(&l.Overview, st)
		if look != nil && now.less(worst) {
			return false, nil
		}
		worst, look, shown = now, l, st
		return true, nil
	})
	if err != nil {
		return err
	}
	if e.at == nil {
		e.notes = append(e.notes, fmt.Sprintf("reported: %s, %s, the worst moment; --at takes another", worst.time.UTC().Format(time.RFC3339), worst.level))
	}
	return report.Markdown(e.dest, shown, report.Options{Overview: &look.Overview})
}

// trouble is how bad a moment is. Of two that are as bad, the later one is to be
// shown: more is known of what was before it.
type trouble struct {
	time    time.Time
	level   model.Level
	percent float64 // of the ports that fail first, in whole ones
}

func troubleOf(o *model.Overview, st *model.State) trouble {
	p, _ := st.Worse()
	head := p.Headline()
	return trouble{st.Moment.Time, advice.SentenceOf(o, st).Level, math.Floor(head.Percent())}
}

func (t trouble) less(other trouble) bool {
	return cmp.Or(cmp.Compare(t.level, other.level), cmp.Compare(t.percent, other.percent)) < 0
}
