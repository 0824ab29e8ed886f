package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"ephtop/source"
	"ephtop/source/evidence"
	"ephtop/source/guard"
	"ephtop/source/live"
	"ephtop/ui/dashboard"
	"ephtop/ui/fleet"
	"ephtop/ui/text"
)

// The exit statuses.
const (
	statusOK     = 0
	statusFailed = 1 // something went wrong on the way
	statusUsage  = 2 // the command line is wrong
)

// Env is what the commands work with.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Getenv looks up the environment; os.Getenv if nil.
	Getenv func(string) string
	// Open opens the source of this host's sockets.
	Open func(live.Options) (source.Source, error)
	// Gather asks the host for what doctor wants to know beside its sockets;
	// evidence.Gather if nil.
	Gather func(context.Context, evidence.Options) source.Evidence
	// Dashboard shows a source until the user quits, and closes it.
	Dashboard func(context.Context, dashboard.Config) error
	// Fleet shows many hosts until the user quits.
	Fleet func(context.Context, fleet.Config) error
}

// Run does what the arguments, the program's name not among them, say. What
// goes wrong is said in one line on Env.Stderr. The result is the exit status:
// 0, 1 for a failure, 2 for a wrong command line; check and doctor have an
// answer of their own in it, and 3 for a failure.
func Run(args []string, env Env) int {
	if env.Getenv == nil {
		env.Getenv = os.Getenv
	}
	if env.Gather == nil {
		env.Gather = evidence.Gather
	}
	a := &app{Env: env, flags: defaultFlags()}
	root := a.root()
	root.SetArgs(joinTrace(args))
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	cmd, err := execute(root)
	if fault := (*guard.Panic)(nil); errors.As(err, &fault) && a.log != nil {
		fmt.Fprintf(a.log, "%v\n%s\n", err, fault.Stack)
	}
	err = errors.Join(err, a.closeLog())
	var wrong *usageError
	var status exitStatus
	switch {
	case err == nil:
		return statusOK
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, context.Canceled): // by a signal
		return statusInterrupted
	case isCheck(cmd, args):
		if !gone(err) && unknown(env.Stdout, err) != nil {
			complain(env.Stderr, err)
		}
		return statusUnknown
	case gone(err):
		return statusFailed
	case errors.As(err, &wrong):
		complain(env.Stderr, wrong)
		return statusUsage
	}
	complain(env.Stderr, err)
	if cmd.Name() == "doctor" { // whose 1 is a warning
		return statusUnknown
	}
	return statusFailed
}

// execute does what the command line says. cmd is root where it panics.
func execute(root *cobra.Command) (cmd *cobra.Command, err error) {
	cmd = root
	err = guard.Do(func() (err error) { cmd, err = root.ExecuteContextC(context.Background()); return err })
	return cmd, err
}

// complain writes an error in one line. It may quote what somebody else wrote.
func complain(w io.Writer, err error) {
	line := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
	fmt.Fprintf(w, "ephtop: %s\n", text.Sanitize(line))
}

// usageError is a wrong command line: what is wrong, and what is accepted.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// app is one run of the program.
type app struct {
	Env
	flags flags
	log   *os.File
	// focus is the namespace that the source is to look at in any case.
	focus atomic.Uint64
	// tracing is turned on and off by the dashboard, and done by the source.
	tracing source.Tracing
}

// isTerminal tells whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(f.Fd())
}

// noArguments is for commands that take none.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%q: %s takes no arguments, only flags", args[0], cmd.CommandPath())
	}
	return nil
}

// list writes words as a sentence has them: "a, b or c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
