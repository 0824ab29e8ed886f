//go:build !unix

package terminal

import "errors"

// CanSuspend is false where processes cannot be stopped by the terminal.
const CanSuspend = false

// ttyName is the console, for reading.
const ttyName = "CONIN$"

func stop() error { return errors.ErrUnsupported }
