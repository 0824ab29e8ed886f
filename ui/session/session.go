// Package session is the one loop behind the dashboard, the reports and the
// recordings. It polls a source or plays a recording, has a [model.Fleet] say
// what each moment means, and records it:
//
//	Session   polls at somebody else's pace; a Recorder may listen
//	Past      what a Session has polled lately, to look back
//	Flight    records trouble, with what was before it
//	Watch     goes through moments and keeps the last one: for a report
//	Tape      goes to and fro in a recording or a Past
//	Scan      finds the levels of a whole recording
//
// It knows no terminal, and does not put anything into words.
package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/guard"
	"ephtop/source/memory"
)

// Look is a moment and what it means. Its memory is used again when it is
// handed out again.
type Look struct {
	Moment   source.Moment
	Overview model.Overview
}

// State returns the namespace that is worst off.
func (l *Look) State() *model.State { return l.Overview.States[0] }

// Options are what a Session is told once.
type Options struct {
	// Thresholds are model.DefaultThresholds if zero.
	Thresholds model.Thresholds
	// NATPorts is as in model.Options.
	NATPorts int
	// Timeout is how long one poll may take before it is cancelled and counts
	// as failed; 0 for as long as it likes.
	Timeout time.Duration
	// Once says that there will be only one Look, which takes less memory.
	Once bool
	// Keep has what was looked at lately kept, for Past.
	Keep bool
	// Log takes what goes wrong and how long things take; nil for nothing.
	Log *slog.Logger
}

// Session polls a source, and remembers for the model what takes a past. But
// for Record and Past, its methods must not overlap.
type Session struct {
	source   source.Source
	options  model.Options
	fleet    *model.Fleet
	keeper   *keeper // nil for none
	timeout  time.Duration
	log      *slog.Logger
	recorder atomic.Pointer[Recorder]
	out      outstanding
}

// New makes a Session, which closes src with Close.
func New(src source.Source, o Options) *Session {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Session{source: src, options: model.Options{Thresholds: o.Thresholds, Once: o.Once, NATPorts: o.NATPorts, Tuples: memory.Tuples(memory.Limit())}, timeout: o.Timeout, log: o.Log}
	s.fleet = model.NewFleet(s.options)
	if o.Keep {
		s.keeper = newKeeper()
	}
	return s
}

// Poll makes m the present moment, and records it if there is a Recorder. The
// error is the source's only: what became of the recording, the Recorder says,
// and one that has failed is let go.
func (s *Session) Poll(ctx context.Context, m *source.Moment) error {
	if s.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.timeout)
		defer cancel()
	}
	if s.keeper != nil {
		if err := s.keeper.release(ctx, m); err != nil {
			return err
		}
	}
	m.Reset()
	if err := s.out.poll(ctx, s.source, m); err != nil {
		if s.timeout > 0 && errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
			err = fmt.Errorf("no answer within %v: %w", s.timeout, err)
		}
		if fault := new(guard.Panic); errors.As(err, &fault) {
			s.log.Error("poll", "error", err, "stack", string(fault.Stack))
		}
		s.log.Debug("poll", "error", err)
		return err
	}
	s.log.Debug("poll", "source", m.Source, "took", m.Took, "sockets", len(m.Room), "events", len(m.Events), "limits", m.Limits)
	if r := s.recorder.Load(); r != nil {
		if err := r.Add(m); err != nil {
			s.recorder.CompareAndSwap(r, nil)
			s.log.Warn("record", "error", err)
		}
	}
	return nil
}

// Look is Poll, and says what the moment means. After an error the content of
// l is undefined. Where the past is kept, the moment must not be changed before
// the next Poll that is given it.
func (s *Session) Look(ctx context.Context, l *Look) error {
	if err := s.Poll(ctx, &l.Moment); err != nil {
		return err
	}
	began := time.Now()
	s.fleet.Update(&l.Moment, &l.Overview)
	s.log.Debug("model", "took", time.Since(began))
	if s.keeper != nil {
		s.keeper.keep(&l.Moment, l.Overview.Level)
	}
	return nil
}

// Record has r record the polls that end from now on, and returns the
// Recorder before. Either may be nil.
func (s *Session) Record(r *Recorder) (before *Recorder) { return s.recorder.Swap(r) }

// Close closes the source, or as much as can be where a poll of it does not
// return. It leaves a Recorder alone.
func (s *Session) Close() error {
	if s.keeper != nil {
		<-s.keeper.done
	}
	if err := s.out.close(s.source); err != nil {
		return fmt.Errorf("close the source: %w", err)
	}
	return nil
}
