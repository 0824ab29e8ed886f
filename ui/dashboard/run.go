package dashboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"ephtop/ui/ending"
	"ephtop/ui/terminal"
)

// patience is how long Run waits for a poll that it cancelled.
const patience = 2 * time.Second

// Run shows the dashboard until the user quits, ctx or a signal ends it (those
// of [ending.Signals]), or the terminal is gone. None of these is an error. Before it returns, the terminal is as it was, no poll runs any more,
// and the source is closed; a source that does not heed its context is left
// alone after two seconds.
func Run(ctx context.Context, cfg Config) (err error) {
	ctx, stop := ending.Told(ctx)
	defer stop()
	t, err := terminal.Open(cfg.In, cfg.Out)
	if err != nil {
		return errors.Join(err, cfg.Close())
	}
	defer t.Close()
	cfg.Out = t.Out
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	m, err := New(cfg)
	if err != nil {
		return errors.Join(err, cfg.Close())
	}
	defer func() {
		farewell, ended := m.End(cfg.Log)
		err = errors.Join(err, ended)
		t.Say(farewell)
	}()
	if err := t.Show(ctx, m, cfg.Theme.Inks, cfg.Log); err != nil {
		return fmt.Errorf("show the dashboard: %w", err)
	}
	return nil
}

// Close closes what would have been shown.
func (c *Config) Close() error {
	if c.Replay != nil {
		return c.Replay.Close()
	}
	return c.Source.Close()
}

// End ends polling and closes the source, for who does not use [Run]. It gives
// lines for the terminal once that is as it was.
func (m *Model) End(log *slog.Logger) (farewell []string, err error) {
	if !m.Stop(patience) {
		log.Warn("the source did not heed its context and was left open")
		return m.farewell, nil
	}
	err = m.session.Close()
	return m.farewell, err
}
