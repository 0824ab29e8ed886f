package fleet

import (
	"context"
	"fmt"
	"time"

	"ephtop/source/fleet"
	"ephtop/source/guard"
	"ephtop/ui/ending"
	"ephtop/ui/terminal"
)

// patience is how long Run waits for the feed that it ends.
const patience = 3 * time.Second

// Run shows the table until the user quits, ctx or a signal ends it (those of
// [ending.Signals]), or the terminal is gone. None of these is an error. Before it
// returns, the terminal is as it was, and what followed the hosts has ended.
func Run(ctx context.Context, cfg Config) error {
	ctx, stop := ending.Told(ctx)
	defer stop()
	t, err := terminal.Open(cfg.In, cfg.Out)
	if err != nil {
		return err
	}
	defer t.Close()
	cfg.Out = t.Out
	m := New(cfg)
	defer func() { t.Say(m.farewell.lines) }()
	defer m.Stop()
	defer m.feed(ctx)()
	if err := t.Show(ctx, m, cfg.Theme.Inks, m.config.Log); err != nil {
		return fmt.Errorf("show the hosts: %w", err)
	}
	return nil
}

// feed runs the feed, and gives what ends it.
func (m *Model) feed(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := guard.Do(func() error { m.config.Feed.Run(ctx, m.Tell); return nil }); err != nil {
			m.config.Log.Error("the feed", "error", err)
			m.Tell(fleet.Report{Fault: err})
		}
	}()
	return func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(patience):
			m.config.Log.Warn("the feed did not heed its context and was left alone")
		}
	}
}

// Stop ends what is open and all that waits.
func (m *Model) Stop() {
	m.work.end()
	if l := m.visit.landed; l != nil {
		if c := l.take(); c != nil {
			_ = c.Close()
		}
	}
	if m.visit.host != nil {
		m.end(m.visit.host)
	}
}
