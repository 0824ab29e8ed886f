// Package terminal shows a Bubble Tea model on a terminal: cell by cell, until
// it quits or the terminal is gone, and leaves the terminal as it was. It also
// stops the process for the shell, and writes to the terminal's clipboard.
package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"

	"ephtop/ui/screen"
	_ "ephtop/ui/terminal/guard" // keeps Bubble Tea from questioning the terminal
)

// patience is how long Show waits for each step of ending the program.
const patience = 2 * time.Second

// Terminal is where a program reads its keys and is shown.
type Terminal struct {
	// Out takes one Write after the other, whoever they come from.
	Out io.Writer

	stuck     bool        // it takes no output
	alternate atomic.Bool // the alternate screen is shown
	in        io.Reader
	lost      func(error) // is called when the terminal is gone
	close     func() error
}

// Open takes a terminal into use. If nil, in is standard input, or the
// controlling terminal where standard input is none (it may be a recording),
// and out is standard output.
func Open(in io.Reader, out io.Writer) (*Terminal, error) {
	if err := haveDescriptors(); err != nil {
		return nil, fmt.Errorf("take the terminal: %w", err)
	}
	t := &Terminal{lost: func(error) {}, close: func() error { return nil }}
	if in == nil {
		in = os.Stdin
		if !term.IsTerminal(os.Stdin.Fd()) {
			f, err := os.Open(ttyName)
			if err != nil {
				return nil, fmt.Errorf("read keys from the terminal: %w", err)
			}
			in, t.close = f, f.Close
		}
	}
	if out == nil {
		out = os.Stdout
	}
	t.in, t.Out = t.watchIn(in), t.watchOut(out)
	return t, nil
}

// Close closes what Open has opened.
func (t *Terminal) Close() error { return t.close() }

// Show shows m until it quits, ctx ends it, or the terminal is gone. None of
// these is an error. inks are what the styles of its canvas look like.
//
// ctx makes the program quit rather than be killed (as [tea.WithContext] would
// have it), because only then Bubble Tea waits for the reader of keys before it
// closes what that one reads.
func (t *Terminal) Show(ctx context.Context, m Model, inks []screen.Ink, log *slog.Logger) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t.lost = cancel
	restore := t.modes()
	presenter := &presenter{Model: m, out: t.Out, inks: inks, fail: func(err error) { cancel(failure{err}) }}
	// The presenter draws; Bubble Tea's renderer has nothing to do but to wake
	// up, which at its usual 60 times a second costs more than polling does.
	p := tea.NewProgram(presenter, tea.WithoutSignalHandler(), tea.WithAltScreen(),
		tea.WithInput(t.in), tea.WithOutput(t.Out), tea.WithFilter(hideSize), tea.WithFPS(1))
	var end func()
	presenter.ready, end = t.heed(p)
	defer end()
	ended := make(chan error, 1)
	go func() {
		_, err := p.Run()
		ended <- err
	}()
	ran := func(err error) error {
		if err != nil {
			// Out of descriptors, Run returns with the terminal as it had set it.
			t.leave()
			restore()
		}
		return shown(ctx, err)
	}
	select {
	case err := <-ended:
		return ran(err)
	case <-ctx.Done():
	}
	log.Info("asked to end", "cause", context.Cause(ctx))
	go p.Quit() // returns at the latest when p has ended
	for range 2 {
		select {
		case err := <-ended:
			return ran(err)
		case <-time.After(patience):
			p.Kill()
		}
	}
	// A terminal that takes no output (ctrl+s, a dead line) holds the program
	// in a write for ever. All that can be done for it is done here.
	log.Warn("the terminal takes no output and was left")
	t.stuck = true
	restore()
	return shown(ctx, nil)
}

// leave leaves the alternate screen, if it is shown, and undoes what else was
// set there.
func (t *Terminal) leave() {
	if t.alternate.Load() {
		_, _ = io.WriteString(t.Out, ansi.ResetModeBracketedPaste+ansi.ResetModeAltScreenSaveCursor+ansi.ShowCursor)
	}
}

// Say writes lines to the terminal after Show, if it is one. A terminal that is
// gone does not matter.
func (t *Terminal) Say(lines []string) {
	f, ok := t.Out.(*file)
	if !ok || t.stuck || len(lines) == 0 || !term.IsTerminal(f.Fd()) {
		return
	}
	_, _ = io.WriteString(f, strings.Join(lines, "\n")+"\n")
}

// failure is a cause to end which is an error.
type failure struct{ error }

// shown says what the end of the program means.
func shown(ctx context.Context, err error) error {
	if why, ok := context.Cause(ctx).(failure); ok {
		return why.error
	}
	if err == nil || ctx.Err() != nil && !errors.Is(err, tea.ErrProgramPanic) {
		return nil
	}
	return err
}

// modes notes the modes of the terminal, and gives what sets them again.
func (t *Terminal) modes() (restore func()) {
	f, ok := t.in.(*file)
	if !ok {
		return func() {}
	}
	before, err := term.GetState(f.Fd())
	if err != nil {
		return func() {}
	}
	return func() { _ = term.Restore(f.Fd(), before) }
}
