package terminal

import (
	"io"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// ResumedMsg comes when the process goes on after [Suspend], or when it could
// not stop.
type ResumedMsg struct {
	Err error
	Now time.Time
}

// Suspend is a command that gives the terminal back to the shell until the
// process goes on, at a time that now tells.
func Suspend(now func() time.Time) tea.Cmd {
	return tea.Exec(stopSelf{}, func(err error) tea.Msg { return ResumedMsg{err, now()} })
}

// stopSelf stops the process group as a terminal does for ctrl+z, and returns
// when it goes on. It is a [tea.ExecCommand], so that Bubble Tea gives the
// terminal back before and takes it again after.
type stopSelf struct{}

func (stopSelf) Run() error { return stop() }

func (stopSelf) SetStdin(io.Reader)  {}
func (stopSelf) SetStdout(io.Writer) {}
func (stopSelf) SetStderr(io.Writer) {}
