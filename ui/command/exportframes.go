package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/recording"
	"ephtop/ui/export"
	"ephtop/ui/export/cast"
	"ephtop/ui/export/page"
	"ephtop/ui/export/svg"
)

// frameFlags are those of addFrames.
var frameFlags = [...]string{"size", "speed", "idle-limit", "by", "findings", "keys"}

// addFrames adds the flags of what shows the screen.
func addFrames(cmd *cobra.Command, o *export.Options) {
	o.Width, o.Height, o.Speed = export.DefaultWidth, export.DefaultHeight, 1
	accepts := fmt.Sprintf("columns and rows from %dx%d, as in 120x40", export.MinWidth, export.MinHeight)
	cmd.Flags().Var(&value{text: fmt.Sprintf("%dx%d", o.Width, o.Height), kind: "WxH", accepts: accepts, parse: func(s string) error {
		var rest string
		if n, _ := fmt.Sscanf(s+" .", "%dx%d %s", &o.Width, &o.Height, &rest); n != 3 || rest != "." {
			return fmt.Errorf("bad size %q: use %s", s, accepts)
		}
		return export.CheckSize(o.Width, o.Height)
	}}, "size", "of the screen, in columns and rows")
	offer(cmd, "size", cobra.FixedCompletions([]string{"80x24", "120x40", "160x50"}, cobra.ShellCompDirectiveNoFileComp))
	addSpeed(cmd, &o.Speed)
	cmd.Flags().Var(&value{kind: "TIME", accepts: "a time such as 2s", parse: func(s string) (err error) {
		if o.IdleLimit, err = time.ParseDuration(s); err != nil || o.IdleLimit <= 0 {
			return fmt.Errorf("bad time %q: use one above 0, as in 2s", s)
		}
		return nil
	}}, "idle-limit", "the longest wait for the next moment, as in 2s")
	offer(cmd, "idle-limit", cobra.FixedCompletions([]string{"1s", "2s"}, cobra.ShellCompDirectiveNoFileComp))
	var groupings []string
	for g := range model.Grouping(model.NumGroupings) {
		groupings = append(groupings, g.String())
	}
	cmd.Flags().Var(choice("GROUPING", groupings[0], groupings, func(s string) { o.By = model.Grouping(slices.Index(groupings, s)) }),
		"by", "who uses the ports, by "+list(groupings))
	offer(cmd, "by", cobra.FixedCompletions(groupings, cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().BoolVar(&o.Findings, "findings", false, "show the findings, as the key f does")
	cmd.Flags().Var(&value{kind: "FILE", accepts: "a file of keys", parse: func(s string) (err error) {
		o.Keys, err = readKeys(s)
		return err
	}}, "keys", "press these keys: the lines Type, Enter, Sleep … of a tape of VHS")
}

// readKeys reads a script of keys.
func readKeys(path string) (export.Keys, error) {
	f, err := os.Open(path)
	if err != nil {
		return export.Keys{}, fmt.Errorf("%w: use a file that can be read", err)
	}
	defer f.Close()
	script, err := io.ReadAll(io.LimitReader(f, export.MaxKeysSize+1))
	if err != nil {
		return export.Keys{}, err
	}
	return export.ParseKeys(string(script))
}

// filmOptions say what is on the screen.
func (e *exported) filmOptions() export.Options {
	o := e.frames
	o.Filter, o.Namespace, o.ASCII = e.flags.filterText, e.begun(), e.flags.ascii
	o.Thresholds, o.NATPorts = e.flags.thresholds, e.flags.natPorts
	return o
}

// film has write write the frames.
func (e *exported) film(ctx context.Context, write func(*export.Film) error) error {
	o, err := e.begin(ctx)
	if err != nil {
		return err
	}
	f, err := export.Open(ctx, e.player, o)
	if err != nil {
		return noFrames(err)
	}
	defer f.Close()
	return cmp.Or(write(f), e.ended(f))
}

// begin goes to where frames begin, so that who comes before has the stand-ins that
// other formats give them.
func (e *exported) begin(ctx context.Context) (export.Options, error) {
	o := e.filmOptions()
	if e.player.Live() {
		return o, usagef("what shows the screen is made of a file, and this comes through a pipe: save it first, and name that")
	}
	o.From = e.only.since
	if e.at != nil {
		span, err := e.at.within(e.player.Span())
		if err != nil {
			return o, &usageError{err}
		}
		o.From = span.to
	}
	if e.only.there && e.anonymizer != nil && e.only.inode != 0 {
		o.Namespace = e.only.word()
	}
	if o.From.IsZero() {
		return o, nil
	}
	var m source.Moment
	for e.anonymizer != nil {
		if next, more := e.player.Peek(); !more || next.After(o.From) {
			break
		}
		if err := e.player.Poll(ctx, &m); err != nil {
			return o, err
		}
	}
	return o, nil
}

// ended says what is wrong with how a film ended. That the recording was
// cut or damaged there, or goes on as another, is to be told.
func (e *exported) ended(f *export.Film) error {
	if err := f.End(); err != nil && !e.ends(err) {
		return err
	}
	if end := e.player.End(); early(end) {
		e.ends(end) // even if the film ended before
	}
	return nil
}

// noFrames is the error of a recording that has no frame.
func noFrames(err error) error {
	if errors.Is(err, io.EOF) {
		return recording.ErrEmpty
	}
	return err
}

// titleOf is what an export is called, by when it begins. It names nobody.
func titleOf(f *export.Film) string {
	return "ephtop, " + f.Look().Moment.Time.UTC().Format("2006-01-02 15:04:05 UTC")
}

func (e *exported) cast(ctx context.Context) error {
	return e.film(ctx, func(f *export.Film) error {
		return cast.Write(e.dest, f, cast.Options{Theme: e.colors, Title: titleOf(f)})
	})
}

func (e *exported) html(ctx context.Context) error {
	return e.film(ctx, func(f *export.Film) error {
		return page.Write(e.dest, f, page.Options{Theme: e.colors, Title: titleOf(f), Speed: e.frames.Speed})
	})
}

// svg writes a picture: a still one of a moment that is asked for, else a film.
func (e *exported) svg(ctx context.Context) error {
	look := func(f *export.Film) svg.Options { return svg.Options{Theme: e.colors, Title: titleOf(f)} }
	if e.at == nil {
		return e.film(ctx, func(f *export.Film) error { return svg.Write(e.dest, f, look(f)) })
	}
	o, err := e.begin(ctx)
	if err != nil {
		return err
	}
	return noFrames(export.Still(ctx, e.player, o, func(f *export.Film, frame export.Frame) error {
		err := svg.Still(e.dest, frame.Canvas, look(f))
		if _, last := e.player.Span(); err != nil || f.End() == nil && frame.Moment.Before(last) {
			return err // what was cut is behind it
		}
		return e.ended(f)
	}))
}
