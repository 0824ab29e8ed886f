package session

import (
	"context"
	"time"
)

// Pace calls do at once, and then an interval after it was due before. What took
// longer than the interval is not made up for. Where length is not 0, it calls
// do so long after the first time, and never again.
//
// It ends with the first error of do, and early, without an error, when ctx
// does: also where do fails for that.
func Pace(ctx context.Context, interval, length time.Duration, do func() error) error {
	start := time.Now()
	for due := start; ; {
		if err := do(); err != nil && ctx.Err() == nil {
			return err
		}
		end := start.Add(length)
		if length > 0 && !due.Before(end) {
			return nil
		}
		due = due.Add(interval)
		if now := time.Now(); due.Before(now) {
			due = now
		}
		if length > 0 && due.After(end) {
			due = end
		}
		if sleep(ctx, due) != nil {
			return nil
		}
	}
}

// sleep waits until then. Its error is that of ctx, which ends it early.
func sleep(ctx context.Context, then time.Time) error {
	timer := time.NewTimer(time.Until(then))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
