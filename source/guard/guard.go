// Package guard keeps the fault of one part, and its silence, from being that of
// the whole: Do makes an error of a panic, and Aside waits for what may never
// end no longer than for a while.
//
// It depends on the standard library only.
package guard

import (
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// Panic is an error that was a panic.
type Panic struct {
	Value any
	Where string // file and line of the code that panicked
	Stack []byte // for a log
}

// Error says in one line what went wrong and where.
func (p *Panic) Error() string {
	return fmt.Sprintf("a fault of ephtop itself, please report it: %v (%s)", p.Value, p.Where)
}

// Do calls f, and returns its error, or a *Panic: the one that f panics with, where
// it hands on that of a goroutine.
//
// A goroutine whose function is not called through it ends the whole program when
// it panics, whoever started it, and leaves the terminal as it is then.
func Do(f func() error) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case *Panic:
			err = v
		default:
			err = &Panic{v, where(), debug.Stack()}
		}
	}()
	return f()
}

// where finds the code that panicked, from the function that recovers.
func where() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for panicked, more := false, true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			panicked = true
		case panicked && !strings.HasPrefix(f.Function, "runtime."):
			return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		}
	}
	return "somewhere"
}
