package command

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

// watch polls a source several times through one fleet, so that what takes a
// past is known: closes, lives and growth.
type watch struct {
	source source.Source
	fleet  *model.Fleet
	log    *slog.Logger
	// frames take turns, so that the last state outlives a poll that fails.
	frames [2]struct {
		moment   source.Moment
		overview model.Overview
	}
	start  time.Time
	sample advice.Sample
}

// newWatch opens the source. Whoever asked for it closes watch.source.
func (a *app) newWatch() (*watch, error) {
	log, err := a.openLog()
	if err != nil {
		return nil, err
	}
	src, err := a.openSource(log)
	if err != nil {
		return nil, err
	}
	return &watch{source: src, fleet: model.NewFleet(model.Options{Thresholds: a.flags.thresholds}), log: log}, nil
}

// state is that of the last poll that succeeded.
func (w *watch) state() *model.State { return w.frames[(w.sample.Polls+1)%2].overview.States[0] }

func (w *watch) poll(ctx context.Context) error {
	now := time.Now()
	frame := &w.frames[w.sample.Polls%2]
	if err := w.source.Poll(ctx, &frame.moment); err != nil {
		return fmt.Errorf("read the sockets: %w", err)
	}
	w.fleet.Update(&frame.moment, &frame.overview)
	if w.sample.Polls == 0 {
		w.start = now
	}
	w.sample.Polls++
	w.sample.Span = now.Sub(w.start)
	w.log.Debug("poll", "source", frame.moment.Source, "took", frame.moment.Took, "sockets", len(frame.moment.Room),
		"events", len(frame.moment.Events), "limits", frame.moment.Limits)
	return nil
}

// until polls at an interval for so long after the first poll, the last time
// at the end. It ends early, and without an error, when the context does.
func (w *watch) until(ctx context.Context, length, interval time.Duration, show func(elapsed time.Duration, polls int)) error {
	end := w.start.Add(length)
	for next := w.start; next.Before(end); {
		next = next.Add(interval)
		if next.After(end) {
			next = end
		}
		show(w.sample.Span, w.sample.Polls)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(next)):
		}
		if err := w.poll(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		// A poll that took longer than the interval is not made up for.
		if late := time.Now(); late.After(next.Add(interval)) {
			next = late
		}
	}
	return nil
}
