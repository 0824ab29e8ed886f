package session

import (
	"context"
	"time"

	"ephtop/model"
)

// Watch looks several times, so that what takes a past is known: closes, lives
// and growth. What the last look saw stays whole while the next one is taken,
// and where that fails.
type Watch struct {
	session    *Session
	last, next *Look

	// Looks counts those that succeeded. First and Last are when the first and
	// the last one began: by the wall clock, or by that of the past.
	Looks       int
	First, Last time.Time
	// Worst is when the highest level of all that Through went through began.
	Worst model.LevelChange
}

// Watch begins a watch.
func (s *Session) Watch() *Watch {
	return &Watch{session: s, last: new(Look), next: new(Look)}
}

// Seen returns what the last look saw.
func (w *Watch) Seen() *Look { return w.last }

// Look looks once more.
func (w *Watch) Look(ctx context.Context) error {
	now := time.Now()
	if err := w.session.Look(ctx, w.next); err != nil {
		return err
	}
	w.took(now)
	return nil
}

func (w *Watch) took(at time.Time) {
	if w.Looks == 0 {
		w.First = at
	}
	w.Last = at
	w.Looks++
	w.last, w.next = w.next, w.last
}

// Through goes through a past, up to the last moment that is not after a time
// which until gives for that of the first one; to the end if until is nil.
// Where there is no such moment, Looks stays 0, and First is the time of the
// first one.
//
// The error is nil where more moments follow. At the end it is that of the
// source: io.EOF, or what errors.Is takes for it.
func (w *Watch) Through(ctx context.Context, until func(first time.Time) time.Time) error {
	var end time.Time
	for {
		m := &w.next.Moment
		if err := w.session.Poll(ctx, m); err != nil {
			return err
		}
		if w.Looks == 0 {
			w.First, w.Last = m.Time, m.Time
			if until != nil {
				end = until(m.Time)
			}
		}
		if until != nil && m.Time.After(end) {
			return nil
		}
		w.session.fleet.Update(m, &w.next.Overview)
		if l := w.next.Overview.Level; l > w.Worst.Level {
			w.Worst = model.LevelChange{Time: m.Time, Level: l}
		}
		w.took(m.Time)
	}
}
