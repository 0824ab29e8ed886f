// Package ending is how the program ends in order whatever happens: by the
// signals that ask it to, and by a panic in any goroutine of ui, which its owner
// hands on as an error. Then the terminal is as it was, nothing is traced any
// more, and a recording is whole.
package ending

import (
	"fmt"
	"runtime/debug"
)

// Panic is the error that a panic is made into.
type Panic struct {
	Value any
	Stack []byte
}

func (p *Panic) Error() string {
	return fmt.Sprintf("a mistake in ephtop itself: %v (--log FILE takes where)", p.Value)
}

// Recover, deferred, makes err what the function panicked with. A goroutine whose
// owner hands the error on by another panic is told of as it was.
func Recover(err *error) {
	v := recover()
	if v == nil {
		return
	}
	p, ok := v.(*Panic)
	if !ok {
		p = &Panic{v, debug.Stack()}
	}
	*err = p
}
