//go:build unix

package terminal

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"golang.org/x/sys/unix"
)

// heed has p give the terminal back before somebody else's signal stops the
// process, and take it again when it goes on. It begins once catch is called, with
// the terminal taken and after each [Suspend].
func (t *Terminal) heed(p *tea.Program) (catch, end func()) {
	signals, done := make(chan os.Signal, 4), make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case s := <-signals:
				t.stopped(p, s)
			}
		}
	}()
	catch = func() {
		for _, s := range append(stops, syscall.SIGCONT) {
			if !signal.Ignored(s) {
				signal.Notify(signals, s)
			}
		}
	}
	return catch, func() { signal.Stop(signals); close(done) }
}

// stopped does what a signal asks for.
func (t *Terminal) stopped(p *tea.Program, s os.Signal) {
	switch {
	case !t.foreground() && s != syscall.SIGCONT:
		// The terminal is another's already, and asks for it.
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGSTOP)
	case !t.foreground():
		// Whoever continues us in the background does not give the terminal.
	case s == syscall.SIGCONT:
		p.Send(retake()())
	default:
		p.Send(Suspend(time.Now)())
	}
}

// foreground tells whether the terminal is ours.
func (t *Terminal) foreground() bool {
	f, ok := t.in.(*file)
	if !ok {
		return true
	}
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}
