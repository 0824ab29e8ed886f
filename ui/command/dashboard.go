package command

import (
	"context"
	"log/slog"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"ephtop/source/live"
	"ephtop/ui/dashboard"
	"ephtop/ui/theme"
)

func (a *app) showDashboard(cmd *cobra.Command, _ []string) error {
	return a.showOn(cmd.Context(), `"ephtop snapshot"`, func(log *slog.Logger) (dashboard.Config, error) {
		src, err := a.openSource(log)
		c := dashboard.Config{Source: src, PollShare: a.flags.share, Focus: &a.focus}
		if live.CanTrace {
			c.Tracing = &a.tracing
		}
		return c, err
	})
}

// showOn shows the dashboard on what open opens, once it is known that there
// is a terminal to show it on. The flags add to what open says, and instead
// names what does without a terminal.
func (a *app) showOn(ctx context.Context, instead string, open func(*slog.Logger) (dashboard.Config, error)) error {
	if err := a.wantTerminal(instead); err != nil {
		return err
	}
	colors, err := a.theme()
	if err != nil {
		return err
	}
	log, err := a.openLog()
	if err != nil {
		return err
	}
	c, err := open(log)
	if err != nil {
		return err
	}
	a.flagged(&c, colors, log)
	return a.Dashboard(ctx, c)
}

// flagged adds what the flags say.
func (a *app) flagged(c *dashboard.Config, colors theme.Theme, log *slog.Logger) {
	c.Interval = a.flags.interval
	c.Thresholds, c.NATPorts = a.flags.thresholds, a.flags.natPorts
	c.Filter = a.flags.filterText
	c.Theme, c.ASCII = colors, a.flags.ascii
	c.Program = program()
	c.Getenv, c.Log = a.Getenv, log
}

// wantTerminal refuses what is no terminal to show anything on, and names what does
// without.
func (a *app) wantTerminal(instead string) error {
	if !isTerminal(a.Stdout) {
		return usagef("standard output is no terminal: use %s to write to a file or a pipe", instead)
	}
	if term := a.Getenv("TERM"); (term == "" || term == "dumb") && runtime.GOOS != "windows" {
		return usagef("the terminal can't show a dashboard (TERM=%s): use %s for one look, or name the terminal, as in TERM=xterm", term, instead)
	}
	if !a.hasKeyboard() {
		return usagef("no terminal to read keys from: use %s", instead)
	}
	return nil
}

// hasKeyboard tells whether keys can be read: where standard input is no
// terminal, the dashboard reads the controlling one (tty(4)).
func (a *app) hasKeyboard() bool {
	if isTerminal(a.Stdin) || runtime.GOOS == "windows" {
		return true
	}
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	return tty.Close() == nil
}
