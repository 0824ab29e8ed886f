package command

import (
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"ephtop/ui/dashboard"
)

func (a *app) showDashboard(cmd *cobra.Command, _ []string) error {
	if !isTerminal(a.Stdout) {
		return usagef(`standard output is no terminal: use "ephtop snapshot" to write to a file or a pipe`)
	}
	if !a.hasKeyboard() {
		return usagef(`no terminal to read keys from: use "ephtop snapshot"`)
	}
	colors, err := a.theme()
	if err != nil {
		return err
	}
	log, err := a.openLog()
	if err != nil {
		return err
	}
	src, err := a.openSource(log)
	if err != nil {
		return err
	}
	return a.Dashboard(cmd.Context(), dashboard.Config{
		Source:     src,
		Interval:   a.flags.interval,
		Thresholds: a.flags.thresholds,
		Filter:     a.flags.filterText,
		Theme:      colors,
		ASCII:      a.flags.ascii,
		Getenv:     a.Getenv,
		Log:        log,
	})
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
