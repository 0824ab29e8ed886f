package recording_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/recording"
)

// TestAMomentIsReadableAtOnce writes and reads in turn through a pipe: each
// poll must answer before the next moment is written.
func TestAMomentIsReadableAtOnce(t *testing.T) {
	t.Parallel()
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	w := newWriter(t, to)
	var p *recording.Player
	for i, s := range moments(7, 60, 10, 130) {
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
		if p == nil {
			if p, err = recording.NewLive(from); err != nil {
				t.Fatal(err)
			}
			defer p.Close()
		}
		var got source.Moment
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		err := p.Poll(ctx, &got)
		if cancel(); err != nil {
			t.Fatalf("moment %d: %v", i, err)
		}
		if d := differ(s, &got); d != "" {
			t.Fatalf("moment %d: %s", i, d)
		}
		if _, last := p.Span(); !last.Equal(s.Time) {
			t.Errorf("moment %d: the end is at %v, want %v", i, last, s.Time)
		}
	}
	if !p.Live() || p.End() != nil {
		t.Errorf("live %v, end %v", p.Live(), p.End())
	}
	if err := p.Seek(epoch); !errors.Is(err, recording.ErrLive) {
		t.Errorf("seek: %v", err)
	}
	if err := errors.Join(w.Close(), to.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.Poll(t.Context(), new(source.Moment)); err != io.EOF {
			t.Errorf("at the end: %v", err)
		}
	}
}

// TestAPollOfAPipeCanBeCancelled polls where nothing comes any more.
func TestAPollOfAPipeCanBeCancelled(t *testing.T) {
	t.Parallel()
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	w := newWriter(t, to)
	if err := w.Write(&source.Moment{Time: epoch}); err != nil {
		t.Fatal(err)
	}
	p, err := recording.NewLive(from)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var s source.Moment
	if err := p.Poll(context.Background(), &s); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := p.Poll(ctx, &s); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	// What comes later is not lost.
	if err := w.Write(&source.Moment{Time: epoch.Add(time.Second), Host: "later"}); err != nil {
		t.Fatal(err)
	}
	if err := p.Poll(context.Background(), &s); err != nil || s.Host != "later" {
		t.Errorf("host %q, error %v", s.Host, err)
	}
}

func TestALiveRecordingThatBreaksOff(t *testing.T) {
	t.Parallel()
	written := moments(2, 40, 4, 5)
	recorded := body(record(t, written))
	p, err := recording.NewLive(bytes.NewReader(recorded[:len(recorded)-20]))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var s source.Moment
	for range written {
		if err := p.Poll(context.Background(), &s); err != nil {
			t.Fatal(err)
		}
	}
	err = p.Poll(context.Background(), &s)
	if !errors.Is(err, recording.ErrCut) || !errors.Is(err, io.EOF) {
		t.Errorf("error %v", err)
	}
}
