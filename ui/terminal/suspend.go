package terminal

import (
	"io"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// ResumedMsg comes when the process goes on after [Suspend], or when it could
// not stop, or after somebody else had stopped it.
type ResumedMsg struct {
	Err error
	Now time.Time
}

// Suspend is a command that gives the terminal back to the shell until the
// process goes on, at a time that now tells.
func Suspend(now func() time.Time) tea.Cmd { return pause(&paused{stop: stop}, now) }

// retake is a command that takes the terminal again from who had it meanwhile.
func retake() tea.Cmd { return pause(&paused{stop: func() error { return nil }}, time.Now) }

// lostMsg says that the terminal could not be taken again.
type lostMsg struct{ err error }

func pause(p *paused, now func() time.Time) tea.Cmd {
	return tea.Exec(p, func(err error) tea.Msg {
		if err != nil {
			return lostMsg{err}
		}
		return ResumedMsg{p.err, now()}
	})
}

// paused stops the process group as a terminal does for ctrl+z, and returns
// when it goes on. It is a [tea.ExecCommand], so that Bubble Tea gives the
// terminal back before and takes it again after: an error of Run would hide one
// of that.
type paused struct {
	stop func() error
	err  error
}

func (p *paused) Run() error { p.err = p.stop(); return nil }

func (*paused) SetStdin(io.Reader)  {}
func (*paused) SetStdout(io.Writer) {}
func (*paused) SetStderr(io.Writer) {}
