package session

import (
	"context"
	"slices"
	"time"
)

// The shares of an interval that a poll may take: of one that nobody asked for,
// and of one that somebody did. A host in trouble must not be burdened by what
// looks at it.
const (
	OwnShare   = 0.1
	AskedShare = 0.5
)

// mostSlowed is the longest interval that a Pacer makes of a shorter one. One
// who looks at a host in trouble can't wait longer.
const mostSlowed = time.Minute

// Pacer says how far apart polls are: as far as was asked for, and farther
// while polls take too much of the time.
type Pacer struct {
	asked    time.Duration
	share    float64
	took     []time.Duration // by the last polls, at most three
	interval time.Duration
	most     time.Duration
}

// NewPacer makes a Pacer for polls that are an interval apart as long as they
// take no more than a share of it, from 0 to 1; 0 bounds nothing.
func NewPacer(asked time.Duration, share float64) *Pacer {
	return &Pacer{asked: asked, share: share, interval: asked, most: mostSlowed}
}

// AtMost has polls be no farther apart than that, whatever they take, where no more
// was asked for. It returns p.
func (p *Pacer) AtMost(most time.Duration) *Pacer {
	p.most = most
	return p
}

// Interval is the time from the start of one poll to that of the next.
func (p *Pacer) Interval() time.Duration { return p.interval }

// Slowed reports whether polls are farther apart than was asked for.
func (p *Pacer) Slowed() bool { return p.interval > p.asked }

// Cost is what a poll takes: the median of the last three.
func (p *Pacer) Cost() time.Duration {
	if len(p.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(p.took))
	return sorted[(len(sorted)-1)/2]
}

// Took notes how long a poll took, and sets the interval to the next one. It
// gets shorter again when that leaves some room, so that it does not waver.
//
// The first polls find out what later ones know, and one may be held up by
// chance: so it takes three to be sure.
func (p *Pacer) Took(d time.Duration) {
	if p.took = append(p.took, d); len(p.took) > 3 {
		p.took = p.took[1:]
	}
	share := p.share
	if len(p.took) < 3 {
		share = max(share, AskedShare)
	}
	if p.share == 0 {
		return
	}
	need := float64(p.Cost()) / share
	if least := p.atLeast(need); least > p.interval {
		p.interval = least
	} else if roomy := p.atLeast(1.25 * need); roomy < p.interval {
		p.interval = roomy
	}
}

// Ask has polls be an interval apart from now on that somebody asked for.
func (p *Pacer) Ask(interval time.Duration) {
	if p.asked = interval; p.share > 0 {
		p.share = AskedShare
	}
	p.interval = interval
	if p.share > 0 {
		p.interval = p.atLeast(float64(p.Cost()) / p.share)
	}
}

// atLeast is an interval of a round number that is not below need, if it can
// be.
func (p *Pacer) atLeast(need float64) time.Duration {
	round := 5 * time.Second
	switch d := time.Duration(need); {
	case d <= p.asked:
		return p.asked
	case d <= time.Second:
		round = 100 * time.Millisecond
	case d <= 10*time.Second:
		round = time.Second
	}
	up := (time.Duration(need) + round - 1).Truncate(round)
	return max(p.asked, min(up, p.most))
}

// Run calls do at once, and then an interval after it was due before. What took
// longer than the interval is not made up for. Where length is not 0, it calls
// do so long after the first time, and never again.
//
// It ends with the first error of do, and early, without an error, when ctx
// does: also where do fails for that.
func (p *Pacer) Run(ctx context.Context, length time.Duration, do func() error) error {
	start := time.Now()
	for due := start; ; {
		began := time.Now()
		if err := do(); err != nil && ctx.Err() == nil {
			return err
		}
		now := time.Now()
		p.Took(now.Sub(began))
		end := start.Add(length)
		if length > 0 && !due.Before(end) {
			return nil
		}
		due = due.Add(p.interval)
		if due.Before(now) {
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
