//go:build unix && !linux

package terminal

import "os"

// stops are none: Go does not give back what it takes of them, and so they stop
// the process as they always do.
var stops []os.Signal

func byDefault(do func() error) error { return do() }
