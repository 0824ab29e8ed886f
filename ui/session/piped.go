package session

import (
	"context"
	"time"

	"ephtop/source"
)

// Piped is a recording that comes through a pipe, as a source with the pace of
// whoever sends it; where it has come faster, as out of a file or after the line
// was down, it goes by the times of its moments.
func Piped(recording source.Source) source.Source { return &piped{Source: recording} }

type piped struct {
	source.Source
	// At wall, the moment of the time start was there.
	wall, start time.Time
	last        time.Time
}

// Poll waits for the next moment and for its time.
func (p *piped) Poll(ctx context.Context, m *source.Moment) error {
	began := time.Now()
	if err := p.Source.Poll(ctx, m); err != nil {
		return err
	}
	now := time.Now()
	between := m.Time.Sub(p.last)
	p.last = m.Time
	// One that had to be waited for is as new as it can be.
	if p.start.IsZero() || now.Sub(began) > between/2 {
		p.wall, p.start = now, m.Time
		return nil
	}
	return sleep(ctx, p.wall.Add(m.Time.Sub(p.start)))
}
