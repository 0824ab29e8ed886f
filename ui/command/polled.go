package command

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/guard"
	"ephtop/source/live"
	"ephtop/ui/advice"
	"ephtop/ui/session"
)

// pollTimeout is how long a poll may take of who polls on and on: far more than
// one takes on a busy machine.
const pollTimeout = 30 * time.Second

// polled is what is polled on and on: this host, or a simulated one.
type polled struct {
	demo  string
	seed  uint64
	speed float64 // of a demo; infinite for as fast as it goes
}

// addPolled adds the flags of a command that polls on and on without a screen.
func (a *app) addPolled(cmd *cobra.Command, addSpeed func(*cobra.Command, *float64)) *polled {
	p := &polled{speed: 1}
	a.addTrace(cmd)
	addDemo(cmd, &p.demo, &p.seed)
	addSpeed(cmd, &p.speed)
	return p
}

// validatePolled checks what one flag alone cannot tell.
func (a *app) validatePolled(cmd *cobra.Command, p *polled) error {
	for _, name := range []string{"seed", "speed"} {
		if cmd.Flags().Changed(name) && p.demo == "" {
			return usagef("--%s is for a demo: use it with --demo", name)
		}
	}
	if p.demo == "" {
		return nil
	}
	return a.refuseHostFlags(cmd, "a demo", "netns")
}

// openPolled opens what is polled.
func (a *app) openPolled(log *slog.Logger, p *polled, interval time.Duration) (source.Source, error) {
	if p.demo == "" {
		return a.openSource(log)
	}
	host, err := demo.New(demo.Options{Scenario: p.demo, Seed: p.seed, Start: demoStart(), Step: interval})
	if err != nil {
		return nil, err
	}
	return a.ranged(host), nil
}

// pacer says how far apart polls are. A demo makes its own time, a step a poll.
func (p *polled) pacer(interval time.Duration, share float64) *session.Pacer {
	if p.demo != "" {
		return session.NewPacer(scale(interval, 1/p.speed), 0)
	}
	return session.NewPacer(interval, share)
}

// spell says what is wrong when it begins, and not again before it has been well.
type spell struct {
	out   io.Writer
	wrong bool
}

func (s *spell) say(err error) {
	if err != nil && !s.wrong {
		complain(s.out, err)
	}
	s.wrong = err != nil
}

// unseen says what polls could not see, and what would help: each kind of it once,
// for details such as counts change from poll to poll.
type unseen struct {
	out  io.Writer
	said map[source.LimitCode]bool
}

func (u *unseen) say(m source.Moment) {
	isNew := func(l source.Limit) bool { return !u.said[l.Code] }
	if !slices.ContainsFunc(m.Limits, isNew) {
		return
	}
	for i, sentence := range advice.Limits(&m) {
		if isNew(m.Limits[i]) {
			complain(u.out, errors.New(sentence))
		}
	}
	for _, l := range m.Limits {
		u.said[l.Code] = true
	}
}

// untraced adds to a moment that it is not traced, and why, where that can't be had:
// a moment says so itself where it was insisted upon.
func (a *app) untraced(m source.Moment) source.Moment {
	if state, why := a.tracing.State(); state == source.TraceRefused && a.flags.trace == live.TraceAuto {
		m.Limits = append(slices.Clip(m.Limits), source.Limit{Code: source.LimitUntraced, Detail: why})
	}
	return m
}

// over gives the error of a poll that failed back where none succeeded before, so
// that nothing is to be had; else, or where it was only late, it says it, and
// polls go on.
func (s *spell) over(ctx context.Context, err error, succeeded bool) error {
	if !succeeded && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, guard.ErrLate) {
		return err
	}
	if ctx.Err() == nil {
		s.say(err)
	}
	return nil
}
