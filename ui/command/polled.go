package command

import (
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/ui/session"
)

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
