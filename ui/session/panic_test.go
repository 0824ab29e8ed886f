package session

import (
	"context"
	"errors"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/guard"
)

// still is a source of empty moments.
type still struct{}

func (still) Poll(_ context.Context, m *source.Moment) error {
	m.Time = time.Now()
	m.Add(source.Scope{})
	return nil
}

func (still) Close() error { return nil }

// What the goroutine panics with that keeps the past, its owner panics with.
func TestAPanicOfTheKeeperIsItsOwners(t *testing.T) {
	t.Parallel()
	s := New(still{}, Options{Keep: true})
	s.keeper.ring = nil // a mistake
	look := func() error {
		return guard.Do(func() error { return s.Look(t.Context(), new(Look)) })
	}
	if err := look(); err != nil {
		t.Fatal(err)
	}
	<-s.keeper.done
	p := (*guard.Panic)(nil)
	if err := look(); !errors.As(err, &p) {
		t.Errorf("error %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}
