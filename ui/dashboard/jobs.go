package dashboard

import (
	"context"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// jobs are the goroutines of commands. Bubble Tea does not wait for them when
// it ends, shut does.
type jobs struct {
	ctx    context.Context
	cancel context.CancelFunc
	// clock is a time that goes as its owner has it go: what waits is told to
	// that owner as a [waitMsg]. Nil for the wall clock.
	clock func() time.Time

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// now is the time by which the screen goes.
func (j *jobs) now() time.Time {
	if j.clock != nil {
		return j.clock()
	}
	return time.Now()
}

// begin registers a goroutine, unless the jobs are shut.
func (j *jobs) begin() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return false
	}
	j.running.Add(1)
	return true
}

// shut cancels what runs and waits for it, at most for patience. It says
// whether all has ended; then nothing uses the source any more.
func (j *jobs) shut(patience time.Duration) bool {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.cancel()
	ended := make(chan struct{})
	go func() {
		j.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-time.After(patience):
		return false
	}
}

// command makes do a command that shut waits for.
func (j *jobs) command(do func(context.Context) tea.Msg) tea.Cmd {
	return func() tea.Msg {
		if !j.begin() {
			return nil
		}
		defer j.running.Done()
		return do(j.ctx)
	}
}

// after sleeps until then, and answers with what msg makes of the time. A
// cancelled ctx ends the sleep without an answer.
func (j *jobs) after(ctx context.Context, then time.Time, msg func(time.Time) tea.Msg) tea.Cmd {
	if j.clock != nil {
		return func() tea.Msg { return waitMsg{ctx, then, msg} }
	}
	return j.command(func(context.Context) tea.Msg {
		timer := time.NewTimer(max(0, time.Until(then)))
		defer timer.Stop()
		select {
		case <-timer.C:
			return msg(time.Now())
		case <-ctx.Done():
			return nil
		}
	})
}
