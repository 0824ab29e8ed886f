//go:build !unix

package dashboard

import (
	"errors"
	"io"
)

// canSuspend is false where processes cannot be stopped by the terminal.
const canSuspend = false

// ttyName is the console, for reading.
const ttyName = "CONIN$"

// stopSelf stands for what this system cannot do; no key is bound to it.
type stopSelf struct{}

func (stopSelf) Run() error { return errors.ErrUnsupported }

func (stopSelf) SetStdin(io.Reader)  {}
func (stopSelf) SetStdout(io.Writer) {}
func (stopSelf) SetStderr(io.Writer) {}
