package guard

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// Aside does beside the caller what may never end: what reads a file waits for a
// server, for the program behind a file system, or for a lock that a stuck
// process holds. The zero value is ready; it is not safe for concurrent use.
type Aside struct {
	// Patience is how long Do waits; a second if zero, so that a busy machine is
	// not taken for one that does not answer.
	Patience time.Duration

	late []task
}

// task is what Do waited for in vain.
type task struct {
	name  string
	ended chan error
}

// ErrLate says that something has not ended yet.
var ErrLate = errors.New("no answer in time")

// most is how many tasks may be late: each keeps a thread.
const most = 4

// Do runs f in a goroutine of its own and waits for it for a while. Its error is
// that of a panic, or ErrLate; then f goes on by itself, so that nothing may be
// used which it writes to. Until it has ended, none of its name is begun again.
func (a *Aside) Do(name string, f func()) error {
	a.tidy()
	if len(a.late) == most || slices.ContainsFunc(a.late, func(t task) bool { return t.name == name }) {
		return ErrLate
	}
	ended := make(chan error, 1)
	go func() { ended <- Do(func() error { f(); return nil }) }()
	timer := time.NewTimer(cmp.Or(a.Patience, time.Second))
	defer timer.Stop()
	select {
	case err := <-ended:
		return err
	case <-timer.C:
		a.late = append(a.late, task{name, ended})
		return ErrLate
	}
}

// Late names what does not answer, "" for nothing.
func (a *Aside) Late() string {
	a.tidy()
	if len(a.late) == 0 {
		return ""
	}
	return a.late[0].name
}

// tidy forgets what has ended after all.
func (a *Aside) tidy() {
	a.late = slices.DeleteFunc(a.late, func(t task) bool { return len(t.ended) > 0 })
}
