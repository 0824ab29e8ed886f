package dashboard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/term"
)

// patience is how long Run waits for a poll that it cancelled, and for each
// step of ending the program.
const patience = 2 * time.Second

// Run shows the dashboard until the user quits, ctx or a signal ends it
// (SIGINT, SIGTERM, SIGHUP), or the terminal is gone. None of these is an
// error. Before it returns, the terminal is as it was, no poll runs any more,
// and the source is closed; a source that does not heed its context is left
// alone after two seconds.
func Run(ctx context.Context, cfg Config) (err error) {
	ctx, stop := signal.NotifyContext(ctx, signals()...)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	if cfg.Out == nil {
		cfg.Out = os.Stdout
	}
	if cfg.In == nil {
		in, done, err := openIn()
		if err != nil {
			return errors.Join(err, cfg.close())
		}
		defer done()
		cfg.In = in
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Out = watchOut(cfg.Out, cancel)
	m, err := New(cfg)
	if err != nil {
		return errors.Join(err, cfg.close())
	}
	defer func() { err = errors.Join(err, m.close(cfg.Log)) }()
	return m.show(ctx, watchIn(cfg.In, cancel), cfg.Out, cfg.Log)
}

// show runs the program on the terminal. Signals and ctx make it quit rather
// than be killed (as [tea.WithContext] would have it), because only then Bubble
// Tea waits for the reader of keys before it closes what that one reads.
func (m *Model) show(ctx context.Context, in io.Reader, out io.Writer, log *slog.Logger) error {
	restore := modes(in)
	// The presenter draws; Bubble Tea's renderer has nothing to do but to wake
	// up, which at its usual 60 times a second costs more than polling does.
	p := tea.NewProgram(&presenter{Model: m, out: out}, tea.WithoutSignalHandler(), tea.WithAltScreen(),
		tea.WithInput(in), tea.WithOutput(out), tea.WithFilter(hideSize), tea.WithFPS(1))
	ended := make(chan error, 1)
	go func() {
		_, err := p.Run()
		ended <- err
	}()
	select {
	case err := <-ended:
		return shown(ctx, err)
	case <-ctx.Done():
	}
	log.Info("asked to end", "cause", context.Cause(ctx))
	go p.Quit() // returns at the latest when p has ended
	for range 2 {
		select {
		case err := <-ended:
			return shown(ctx, err)
		case <-time.After(patience):
			p.Kill()
		}
	}
	// A terminal that takes no output (ctrl+s, a dead line) holds the program
	// in a write for ever. All that can be done for it is done here.
	log.Warn("the terminal takes no output and was left")
	restore()
	return nil
}

// shown says what the end of the program means.
func shown(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil && !errors.Is(err, tea.ErrProgramPanic) {
		return nil
	}
	return fmt.Errorf("show the dashboard: %w", err)
}

// modes notes the modes of the terminal, and gives what sets them again.
func modes(in io.Reader) (restore func()) {
	t, ok := in.(*terminalIn)
	if !ok {
		return func() {}
	}
	before, err := term.GetState(t.Fd())
	if err != nil {
		return func() {}
	}
	return func() { _ = term.Restore(t.Fd(), before) }
}

// close closes what would have been shown.
func (c *Config) close() error {
	if c.Replay != nil {
		return c.Replay.Close()
	}
	return c.Source.Close()
}

// close ends polling and closes the source.
func (m *Model) close(log *slog.Logger) error {
	if !m.Stop(patience) {
		log.Warn("the source did not heed its context and was left open")
		return nil
	}
	if err := m.poller.source.Close(); err != nil {
		return fmt.Errorf("close the source: %w", err)
	}
	return nil
}

// signals are those that end the dashboard. SIGHUP is not among them where
// it is ignored, as under nohup(1).
func signals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}
