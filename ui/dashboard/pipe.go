package dashboard

import (
	"context"
	"time"

	"ephtop/source"
	"ephtop/source/recording"
)

// piped is a recording that comes through a pipe, as a source. Whoever sends it
// sets the pace; where it has come faster, as out of a file or after the line
// was down, it goes by the times of its moments.
type piped struct {
	*recording.Player
	now func() time.Time
	// At wall, the moment of the time start was there.
	wall, start time.Time
	last        time.Time
}

// Poll waits for the next moment and for its time.
func (p *piped) Poll(ctx context.Context, s *source.Moment) error {
	began := p.now()
	if err := p.Player.Poll(ctx, s); err != nil {
		return err
	}
	now := p.now()
	between := s.Time.Sub(p.last)
	p.last = s.Time
	// One that had to be waited for is as new as it can be.
	if p.start.IsZero() || now.Sub(began) > between/2 {
		p.wall, p.start = now, s.Time
		return nil
	}
	timer := time.NewTimer(p.wall.Add(s.Time.Sub(p.start)).Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
