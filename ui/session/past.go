package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/guard"
	"ephtop/source/recording"
)

const (
	// A Session that keeps its past holds so much of it, and less where that
	// takes more bytes.
	pastLength = 10 * time.Minute
	pastBytes  = 32 << 20
	// Each socket takes so much of that: a host of hundreds of thousands has no
	// memory to spare, and the look itself takes most of what there is.
	pastRow   = 120
	pastLeast = 8 << 20
	// A moment is kept about each second, even where polls come faster, and
	// less often where keeping one takes more than one part in so many of the
	// time: on a host of 36,000 sockets, of which 2,000 are replaced a second,
	// every other second. A machine that has no time for it makes it take longer,
	// so there is a bound, which grows with the sockets.
	keepEvery   = 900 * time.Millisecond
	keepShare   = 100
	keepAtLeast = 5 * time.Second
	keepSockets = 150_000 // for which the bound is that much longer
	// The first moment is passed over where it takes long to keep: a better source
	// takes over from it (package live), and nothing of it would save work then.
	keepFirst = 50_000 // sockets
	// Events are packed until a moment is kept, and so many have one kept. Those
	// that come while something is written wait as they are, up to a bound.
	keepEvents  = recording.FreeEvents / 2
	mostWaiting = 1 << 15
)

// keeper keeps what was polled lately, beside the polls: one goroutine at a time
// writes a moment. But for past, its methods must not overlap.
type keeper struct {
	ring *recording.Ring
	mu   sync.Mutex // of ring, sockets, levels and err
	// sockets are those of the last moment.
	sockets int
	// levels are where they change in what the ring holds, the first one at its
	// beginning or before.
	levels []model.LevelChange
	err    error // why nothing is kept for now, and there is no ring

	writing *source.Moment // until done
	done    chan struct{}
	// begun says that there was a moment.
	begun bool
	// next is when a moment is kept again, cost what one takes, noted how many
	// events wait for it in the ring, and panicked what went wrong. They belong to
	// the goroutine until done.
	next     time.Time
	cost     time.Duration
	noted    int
	panicked error
	// waiting are the events of moments that came while it wrote, and lost is how
	// many events were lost since the last moment that was kept.
	waiting []source.Event
	lost    int
}

func newKeeper() *keeper {
	k := &keeper{done: make(chan struct{})}
	close(k.done)
	k.ring, k.err = recording.NewRing(pastLength, pastBytes)
	return k
}

// keep has a moment kept. It must not change before release.
func (k *keeper) keep(m *source.Moment, l model.Level) {
	now := time.Now()
	select {
	case <-k.done:
		if k.panicked != nil {
			panic(k.panicked) // as it would without a goroutine
		}
	default:
		k.wait(m)
		return
	}
	first := !k.begun
	if k.begun = true; first && len(m.Room) > keepFirst {
		k.wait(m)
		return
	}
	kept := *m
	if len(k.waiting) > 0 {
		kept.Events = append(k.waiting, m.Events...)
		k.waiting = nil
	}
	n := min(len(kept.Events), recording.FreeEvents-k.noted)
	k.lost += m.LostEvents + len(kept.Events) - n
	kept.Events = kept.Events[:n]
	whole := !now.Before(k.next) || k.noted+n >= keepEvents
	if whole {
		kept.LostEvents, k.lost = k.lost, 0
	}
	k.writing, k.done = m, make(chan struct{})
	go func() {
		defer close(k.done)
		k.panicked = guard.Do(func() error { k.record(&kept, l, whole); return nil })
		if whole {
			k.cost += (time.Since(now) - k.cost) / 16 // evens out full moments
			most := keepAtLeast * time.Duration(1+len(m.Room)/keepSockets)
			k.next = now.Add(min(max(keepEvery, keepShare*k.cost), most))
		}
	}()
}

// wait has the events of a moment wait for the next one.
func (k *keeper) wait(m *source.Moment) {
	n := min(len(m.Events), mostWaiting-len(k.waiting))
	k.waiting, k.lost = append(k.waiting, m.Events[:n]...), k.lost+m.LostEvents+len(m.Events)-n
}

// record records a moment, the whole of it or only what happened.
func (k *keeper) record(m *source.Moment, l model.Level, whole bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil && whole { // as after a moment that was too large
		k.ring, k.err = recording.NewRing(pastLength, pastBytes)
	}
	switch {
	case k.err != nil:
	case whole:
		k.err = k.write(m, l)
	default:
		k.err = k.ring.Note(m.Events)
	}
	if k.err != nil {
		k.ring, k.levels, k.noted = nil, nil, 0
		return
	}
	k.noted = k.ring.Noted()
}

func (k *keeper) write(m *source.Moment, l model.Level) error {
	k.ring.Within(max(pastBytes-pastRow*len(m.Room), pastLeast))
	if err := k.ring.Write(m); err != nil {
		return err
	}
	k.sockets = len(m.Room)
	if n := len(k.levels); n == 0 || k.levels[n-1].Level != l {
		k.levels = append(k.levels, model.LevelChange{Time: m.Time, Level: l})
	}
	for len(k.levels) > 1 && !k.levels[1].Time.After(k.ring.First()) {
		k.levels = slices.Delete(k.levels, 0, 1)
	}
	return nil
}

// release waits until m may change.
func (k *keeper) release(ctx context.Context, m *source.Moment) error {
	if m != k.writing {
		return nil
	}
	select {
	case <-k.done:
		k.writing = nil
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Past is what was polled up to a time. Close it, once its Tape is not used any
// more.
type Past struct {
	Tape *Tape
	// First and Last are the times of its ends.
	First, Last time.Time
	// Changes are where levels begin, the first one at the start.
	Changes []model.LevelChange

	player *recording.Player
}

// Close frees what the past holds.
func (p *Past) Close() { _ = p.player.Close() } // of memory, which does not fail

// ErrNoPast says that nothing was kept of what was polled, or nothing yet.
var ErrNoPast = errors.New("nothing was kept to look back at")

// Past gives what was kept of the polls so far. It may be called at any time
// and from any goroutine.
func (s *Session) Past() (*Past, error) {
	if s.keeper == nil {
		return nil, ErrNoPast
	}
	return s.keeper.past(s.options)
}

func (k *keeper) past(o model.Options) (*Past, error) {
	k.mu.Lock()
	changes, err := slices.Clone(k.levels), k.err
	if err != nil || len(changes) == 0 {
		k.mu.Unlock()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoPast, err)
		}
		return nil, fmt.Errorf("%w yet", ErrNoPast)
	}
	file, size := k.ring.Copy()
	sockets := k.sockets
	k.mu.Unlock()
	player, err := recording.NewPlayer(file, size)
	if err != nil {
		return nil, fmt.Errorf("look back: %w", err)
	}
	p := &Past{Tape: NewTape(player, o), player: player}
	p.Tape.sockets = sockets
	p.First, p.Last = player.Span()
	changes[0].Time = p.First
	p.Changes = changes
	return p, nil
}
