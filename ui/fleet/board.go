package fleet

import (
	"context"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source/fleet"
)

// board is the table as feeds write it, and the model reads it.
type board struct {
	now  func() time.Time
	news chan struct{} // holds one if there is any

	mu    sync.Mutex
	table fleet.Table
}

func newBoard(patience time.Duration, now func() time.Time) *board {
	return &board{now: now, news: make(chan struct{}, 1), table: fleet.Table{Patience: patience}}
}

func (b *board) tell(r fleet.Report) {
	b.mu.Lock()
	b.table.Take(r, b.now())
	b.mu.Unlock()
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// read reads the rows, why there are no others, and whether anything was told yet.
func (b *board) read(rows *[]fleet.Row, now time.Time) (fault fleet.Fault, lack error, told bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*rows = b.table.Rows((*rows)[:0], now)
	return b.table.Fault(), b.table.Lack(), b.table.Told()
}

// work is the commands that wait. Bubble Tea does not wait for them when it ends,
// end does.
type work struct {
	ctx    context.Context
	cancel context.CancelFunc
	*group
}

type group struct {
	mu       sync.Mutex
	ended    bool
	commands sync.WaitGroup
}

func newWork() work {
	ctx, cancel := context.WithCancel(context.Background())
	return work{ctx, cancel, new(group)}
}

// command makes a command of do, unless all has ended.
func (w work) command(do func(context.Context) tea.Msg) tea.Cmd {
	return func() tea.Msg {
		w.mu.Lock()
		if w.ended {
			w.mu.Unlock()
			return nil
		}
		w.commands.Add(1)
		w.mu.Unlock()
		defer w.commands.Done()
		return do(w.ctx)
	}
}

// end cancels what runs and waits for it.
func (w work) end() {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.cancel()
	w.commands.Wait()
}

// pause waits, and reports whether ctx lasted.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// listen waits for news, and a while for more.
func (m *Model) listen() tea.Cmd {
	return m.work.command(func(ctx context.Context) tea.Msg {
		select {
		case <-m.board.news:
		case <-ctx.Done():
			return nil
		}
		if !pause(ctx, leastBetween) {
			return nil
		}
		return newsMsg{}
	})
}

func (m *Model) tick() tea.Cmd {
	return m.work.command(func(ctx context.Context) tea.Msg {
		if !pause(ctx, time.Second) {
			return nil
		}
		return clockMsg{}
	})
}
