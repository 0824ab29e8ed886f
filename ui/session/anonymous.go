package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/recording"
	"ephtop/source/recording/anonymize"
)

// Copy is a moment as it was.
type Copy struct {
	packed bytes.Buffer
	time   time.Time
}

// NewCopy copies a moment, which may change then.
func NewCopy(m *source.Moment) (*Copy, error) {
	c := &Copy{time: m.Time}
	w, err := recording.NewWriter(&c.packed, recording.Header{})
	if err == nil {
		err = errors.Join(w.Write(m), w.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("copy the moment: %w", err)
	}
	return c, nil
}

// Anonymous says what a moment that was looked at means, with stand-ins for who and
// where. What takes a past is of as much of it as is kept.
func (s *Session) Anonymous(ctx context.Context, c *Copy) (*Look, error) {
	past, err := s.Past()
	if errors.Is(err, ErrNoPast) {
		return anonymous(ctx, nil, s.options, c)
	}
	if err != nil {
		return nil, err
	}
	defer past.Close()
	return anonymous(ctx, past.player, s.options, c)
}

// Anonymous is that of a Session, for a moment of the recording. It does not disturb
// the Tape.
func (t *Tape) Anonymous(ctx context.Context, c *Copy) (*Look, error) {
	again, err := t.player.Again()
	if err != nil {
		return nil, err
	}
	defer again.Close()
	return anonymous(ctx, again, t.options, c)
}

// anonymous goes through a past, nil for none, up to a moment, and then to this.
func anonymous(ctx context.Context, past *recording.Player, o model.Options, c *Copy) (*Look, error) {
	a, err := anonymize.NewAnonymizer()
	if err != nil {
		return nil, err
	}
	l, fleet, at := new(Look), model.NewFleet(o), c.time
	feed := func(p *recording.Player) error {
		l.Moment.Reset()
		if err := p.Poll(ctx, &l.Moment); err != nil {
			return err
		}
		if err := a.Apply(&l.Moment); err != nil {
			return err
		}
		fleet.Update(&l.Moment, &l.Overview)
		return nil
	}
	if past != nil {
		if err := past.Seek(at.Add(-Lead)); err != nil {
			return nil, err
		}
		for {
			if next, more := past.Peek(); !more || !next.Before(at) {
				break
			}
			if err := feed(past); err != nil {
				return nil, err
			}
		}
	}
	last, err := recording.NewPlayer(bytes.NewReader(c.packed.Bytes()), int64(c.packed.Len()))
	if err != nil {
		return nil, err
	}
	defer last.Close()
	return l, feed(last)
}
