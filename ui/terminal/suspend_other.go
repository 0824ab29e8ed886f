//go:build !unix

package terminal

import (
	"errors"

	tea "github.com/charmbracelet/bubbletea"
)

// CanSuspend is false where processes cannot be stopped by the terminal.
const CanSuspend = false

// ttyName is the console, for reading.
const ttyName = "CONIN$"

func stop() error { return errors.ErrUnsupported }

// heed has nothing to heed.
func (*Terminal) heed(*tea.Program) (catch, end func()) { return func() {}, func() {} }

func haveDescriptors() error { return nil }
