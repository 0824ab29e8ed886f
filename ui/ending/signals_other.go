//go:build !unix

package ending

import (
	"os"
	"syscall"
)

// Signals are those that ask the program to end.
func Signals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} }

// by ends the program as one that a signal ended.
func by(os.Signal) { os.Exit(1) }
