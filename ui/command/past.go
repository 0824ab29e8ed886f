package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/recording"
	"ephtop/ui/session"
)

const (
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
	at   *instant
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
	addAt(cmd, &p.at, "the moment of the recording or demo: 12:04:31 or 2026-11-22T12:04:31Z")
	return p
}

// addAt adds the flag that names a moment.
func addAt(cmd *cobra.Command, at **instant, usage string) {
	cmd.Flags().Var(&value{kind: "TIME", accepts: instantForms, parse: func(s string) (err error) {
		*at, err = parseInstant(s)
		return err
	}}, "at", usage)
	offer(cmd, "at", cobra.NoFileCompletions)
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
func (a *app) refuseHostFlags(cmd *cobra.Command, what string, more ...string) error {
	for _, name := range append(more, "source", "trace", "for", "probe") {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
			return usagef("--%s is for this host, and this is %s: leave it out", name, what)
		}
	}
	return nil
}

// lookAt goes through a past up to the moment that is asked for, so that what
// takes a past is known.
func (a *app) lookAt(ctx context.Context, p *past) (*session.Watch, error) {
	at, src, err := a.openPast(p)
	if err != nil {
		return nil, err
	}
	s, err := a.session(func(*slog.Logger) (source.Source, error) { return a.ranged(src), nil }, session.Options{})
	if err != nil {
		src.Close()
		return nil, err
	}
	w := s.Watch()
	err = through(ctx, w, at)
	closing(s, &err)
	switch wrong := (*usageError)(nil); {
	case err == nil:
	case errors.As(err, &wrong):
		return nil, err
	case !early(err):
		return nil, fmt.Errorf("%s: %w", p.name(), err)
	default:
		if errors.Is(err, recording.ErrCut) {
			w.Seen().Moment.Limit(source.LimitCut, "")
		}
		complain(a.Stderr, fmt.Errorf("%s: %w", p.name(), err))
	}
	if worst := w.Worst; at == nil && worst.Level > w.Seen().Overview.Level {
		complain(a.Stderr, fmt.Errorf("%s: this is its last moment; it was %s from %s on: --at shows that", p.name(), worst.Level, worst.Time.UTC().Format(time.RFC3339)))
	}
	return w, nil
}

// early reports whether err is an end of a recording of which something is to be told:
// all of its moments that are whole have been read.
func early(err error) bool {
	return errors.Is(err, recording.ErrCut) || errors.Is(err, recording.ErrJoined)
}

// through goes through the moments up to an instant, or to the last one if that
// is nil. The error is one that is early where that is the last one of all.
func through(ctx context.Context, w *session.Watch, at *instant) error {
	var until func(time.Time) time.Time
	if at != nil {
		until = func(first time.Time) time.Time { return at.after(first).to }
	}
	err := w.Through(ctx, until)
	atEnd := errors.Is(err, io.EOF)
	switch {
	case err != nil && !atEnd:
		return err
	case w.First.IsZero():
		return recording.ErrEmpty
	case at != nil && (atEnd || w.Looks == 0):
		if _, outside := at.within(w.First, w.Last); outside != nil {
			return &usageError{outside}
		}
	}
	for _, end := range []error{recording.ErrCut, recording.ErrJoined} {
		if errors.Is(err, end) {
			return end
		}
	}
	return nil
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

// openPast opens a past a while before the instant that is asked for, as far as
// it can be sought. Where none is, that of a demo is given.
func (a *app) openPast(p *past) (*instant, source.Source, error) {
	if p.demo != "" {
		return a.openDemo(p)
	}
	player, err := a.openRecording(p.from)
	if err != nil || player.Live() {
		return p.at, player, err
	}
	at := p.at
	first, end := player.Span()
	if at != nil {
		span, err := at.within(first, end)
		if err != nil {
			player.Close()
			return nil, nil, &usageError{err}
		}
		at, end = at.on(first), span.to
	}
	if err := player.Seek(end.Add(-session.Lead)); err != nil {
		player.Close()
		return nil, nil, fmt.Errorf("%s: %w", p.name(), err)
	}
	return at, player, nil
}

// openDemo begins a demo so long before its moment.
func (a *app) openDemo(p *past) (*instant, source.Source, error) {
	start := demoStart()
	at := &instant{time: start.Add(demoMoment), full: true}
	if p.at != nil {
		if _, err := p.at.within(start, start.Add(demoSpan)); err != nil {
			return nil, nil, &usageError{err}
		}
		at = p.at.on(start)
	}
	host, err := demo.New(demo.Options{Scenario: p.demo, Seed: p.seed, Start: start, Step: a.flags.interval,
		Skip: max(0, at.time.Sub(start)-session.Lead)})
	return at, host, err
}

const stdStream = "-" // standard input or output, in place of a file

// openRecording is openAny, and refuses a recording that is known to be damaged.
func (a *app) openRecording(path string) (*recording.Player, error) {
	player, err := a.openAny(path)
	if err != nil {
		return nil, err
	}
	if err := player.End(); errors.Is(err, recording.ErrDamaged) {
		player.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return player, nil
}

// openAny opens a file or standard input. What cannot be opened is a mistake on
// the command line, and what is no recording is a failure.
func (a *app) openAny(path string) (*recording.Player, error) {
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
	return player, nil
}

// ranged puts the range of --range in place of the source's.
func (a *app) ranged(src source.Source) source.Source {
	if a.flags.portRange == nil {
		return src
	}
	return source.WithRange(src, *a.flags.portRange)
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
		OtherNAT: source.OtherNAT{Status: status},
		Log:      source.SystemLog{Status: status}, Sysctls: source.Sysctls{Status: status},
	}
}
