package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/recording"
)

const (
	// lookBack is how much of a past is gone through before the moment that is
	// asked for: what the model's history spans, and before that a TIME_WAIT,
	// for the owners of the first ones.
	lookBack = model.HistorySpan + time.Minute
	// demoMoment is the moment of a demo that is shown if none is asked for: by
	// then, each scenario is in its trouble. demoSpan is where demos end.
	demoMoment = 80 * time.Second
	demoSpan   = time.Hour
)

// past says from where snapshot, check and doctor take their moment, if not
// from this host.
type past struct {
	from string
	demo string
	seed uint64
	at   *moment
}

func (p *past) wanted() bool { return p.from != "" || p.demo != "" }

// addPast adds the flags.
func (a *app) addPast(cmd *cobra.Command) *past {
	p := new(past)
	cmd.Flags().Var(&value{kind: "FILE", accepts: "a recording, or - for standard input", parse: func(s string) error {
		if s == "" {
			return errors.New(`bad file "": use a recording, or - for standard input`)
		}
		p.from = s
		return nil
	}}, "from", "look at a recording, not at this host: its last moment; - is standard input")
	addDemo(cmd, &p.demo, &p.seed)
	cmd.Flags().Var(&value{kind: "TIME", accepts: momentForms, parse: func(s string) error {
		at, err := parseMoment(s)
		p.at = at
		return err
	}}, "at", "the moment of the recording or demo: 12:04:31 or 2026-11-22T12:04:31Z")
	offer(cmd, "at", cobra.NoFileCompletions)
	return p
}

// addDemo adds the flags of a simulated host to a command that can do without.
func addDemo(cmd *cobra.Command, scenario *string, seed *uint64) {
	cmd.Flags().Var(choice("SCENARIO", "", scenarioNames(), func(s string) { *scenario = s }),
		"demo", "take a simulated host, not this one: "+list(scenarioNames()))
	offer(cmd, "demo", completeScenario)
	addSeed(cmd, seed)
}

// validatePast checks what one flag alone cannot tell.
func (a *app) validatePast(cmd *cobra.Command, p *past) error {
	switch {
	case p.from != "" && p.demo != "":
		return usagef("--from and --demo: use one of them")
	case p.at != nil && !p.wanted():
		return usagef("--at is for a recording or a demo: use it with --from or --demo")
	case cmd.Flags().Changed("seed") && p.demo == "":
		return usagef("--seed is for a demo: use it with --demo")
	case p.from != "":
		return a.refuseHostFlags(cmd, "a recording")
	case p.demo != "":
		return a.refuseHostFlags(cmd, "a demo")
	}
	return nil
}

// refuseHostFlags refuses the flags that are for this host.
func (a *app) refuseHostFlags(cmd *cobra.Command, what string) error {
	for _, name := range []string{"source", "trace", "for"} {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
			return usagef("--%s is for this host, and this is %s: leave it out", name, what)
		}
	}
	return nil
}

// lookAt goes through a past up to the moment that is asked for, so that the
// fleet knows what it needs of the time before.
func (a *app) lookAt(ctx context.Context, p *past) (w *watch, err error) {
	log, err := a.openLog()
	if err != nil {
		return nil, err
	}
	src, span, err := a.openPast(p)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closed := src.Close(); err == nil && closed != nil {
			err = fmt.Errorf("close the source: %w", closed)
		}
	}()
	w = &watch{source: a.ranged(src), fleet: model.NewFleet(model.Options{Thresholds: a.flags.thresholds}), log: log}
	err = w.through(ctx, span)
	if outside := (*outsideError)(nil); errors.As(err, &outside) {
		return nil, &usageError{err}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name(), err)
	}
	return w, nil
}

func (p *past) name() string {
	switch {
	case p.demo != "":
		return "demo " + p.demo
	case p.from == stdStream:
		return "standard input"
	}
	return p.from
}

// openPast opens a past a while before the moment that is asked for, as far as
// it can be sought.
func (a *app) openPast(p *past) (source.Source, *moment, error) {
	if p.demo != "" {
		host, at, err := a.openDemo(p)
		return host, at, err
	}
	player, err := a.openRecording(p.from)
	if err != nil {
		return nil, nil, err
	}
	if player.Live() {
		return player, p.at, nil
	}
	first, last := player.Span()
	end := last
	if p.at != nil {
		span, err := p.at.within(first, last)
		if err != nil {
			player.Close()
			return nil, nil, &usageError{err}
		}
		end = span.to
	}
	if err := player.Seek(end.Add(-lookBack)); err != nil {
		player.Close()
		return nil, nil, fmt.Errorf("%s: %w", p.name(), err)
	}
	return player, p.at.on(first), nil
}

// openDemo begins a demo so long before its moment.
func (a *app) openDemo(p *past) (source.Source, *moment, error) {
	start := demoStart()
	at := &moment{time: start.Add(demoMoment), full: true}
	if p.at != nil {
		span, err := p.at.within(start, start.Add(demoSpan))
		if err != nil {
			return nil, nil, &usageError{err}
		}
		at = &moment{text: p.at.text, time: span.from, full: true, exact: p.at.exact}
	}
	host, err := demo.New(demo.Options{Scenario: p.demo, Seed: p.seed, Start: start, Step: a.flags.interval,
		Skip: max(0, at.time.Sub(start)-lookBack)})
	return host, at, err
}

const stdStream = "-" // standard input or output, in place of a file

// openRecording opens a file or standard input. What cannot be opened is a
// mistake on the command line, and what is no good recording is a failure.
func (a *app) openRecording(path string) (*recording.Player, error) {
	var player *recording.Player
	var err error
	if path == stdStream {
		if isTerminal(a.Stdin) {
			return nil, usagef("standard input is a terminal: pipe a recording into it, as in ssh HOST ephtop record - | ephtop replay -")
		}
		if player, err = recording.NewLive(a.Stdin); err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		return player, nil
	}
	if player, err = recording.OpenFile(path); err != nil {
		if wrong := (*fs.PathError)(nil); errors.As(err, &wrong) {
			return nil, usagef("%w: use a recording that can be read, or - for standard input", err)
		}
		return nil, err
	}
	if err := player.End(); errors.Is(err, recording.ErrDamaged) {
		player.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return player, nil
}

// ranged puts the range of --range in place of the source's.
func (a *app) ranged(src source.Source) source.Source {
	if a.flags.portRange == nil {
		return src
	}
	return source.WithRange(src, *a.flags.portRange)
}

// through goes through the moments up to the one at a time, or to the last one
// if at is nil.
func (w *watch) through(ctx context.Context, at *moment) error {
	var span *timeSpan
	var first, last time.Time
	for {
		frame := &w.frames[w.sample.Polls%2]
		err := w.source.Poll(ctx, &frame.moment)
		if errors.Is(err, io.EOF) {
			return w.ended(at, first, last, err)
		}
		if err != nil {
			return err
		}
		now := frame.moment.Time
		if w.sample.Polls == 0 {
			first = now
			if at != nil {
				resolved := at.after(now)
				span = &resolved
			}
		}
		if span != nil && now.After(span.to) {
			if w.sample.Polls == 0 {
				return &outsideError{at, now, now}
			}
			return nil
		}
		last = now
		w.fleet.Update(&frame.moment, &frame.overview)
		w.sample.Polls++
		w.sample.Span = now.Sub(first)
	}
}

// ended says what the end of a past means.
func (w *watch) ended(at *moment, first, last time.Time, err error) error {
	if w.sample.Polls == 0 {
		return recording.ErrEmpty
	}
	if at != nil {
		_, err := at.within(first, last)
		return err
	}
	if errors.Is(err, recording.ErrCut) {
		w.state().Moment.Limit(source.LimitCut, "")
	}
	return nil
}

// noEvidence is what is known of a host that is not this one.
func noEvidence(p *past, at time.Time) source.Evidence {
	reason := "a recording has none of it"
	if p.demo != "" {
		reason = "a simulated host has none"
	}
	status := source.Status{Outcome: source.OutcomeNotThere, Reason: reason}
	return source.Evidence{
		Time: at, Firewall: source.Firewall{Status: status}, Conntrack: source.Conntrack{Status: status},
		Log: source.SystemLog{Status: status}, Sysctls: source.Sysctls{Status: status},
	}
}
