package session

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/recording"
)

// recorded is a recording of so many moments, a second apart.
func recorded(t *testing.T, moments int) *recording.Player {
	t.Helper()
	var b bytes.Buffer
	w, err := recording.NewWriter(&b, recording.Header{})
	if err != nil {
		t.Fatal(err)
	}
	h := &host{}
	var m source.Moment
	for range moments {
		if err := errors.Join(h.Poll(t.Context(), &m), w.Write(&m)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := recording.NewPlayer(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestTape(t *testing.T) {
	t.Parallel()
	tape := NewTape(recorded(t, 500), model.Options{})
	l := new(Look)
	for _, step := range []struct {
		goal    Goal
		want    time.Duration // since the start
		history int
	}{
		{Goal{To: start}, 0, 1},
		{Goal{To: start.Add(100500 * time.Millisecond)}, 100 * time.Second, 101},
		{Goal{To: start, Onward: true}, 101 * time.Second, 102},
		{Goal{To: start.Add(10 * time.Second)}, 10 * time.Second, 11},
		{Goal{To: start.Add(time.Hour)}, 499 * time.Second, 301},
	} {
		at := tape.Go(t.Context(), step.goal, l)
		l = at.Look
		if got := l.Moment.Time.Sub(start); !at.Moved || got != step.want || len(l.State().History) != step.history {
			t.Errorf("%+v leads to %v with %d samples, want %v with %d", step.goal, got, len(l.State().History), step.want, step.history)
		}
		if at.More != (at.End == nil) || at.More && !at.Next.Equal(l.Moment.Time.Add(time.Second)) {
			t.Errorf("%+v: more %v at %v, end %v", step.goal, at.More, at.Next, at.End)
		}
	}
	if at := tape.Go(t.Context(), Goal{To: start.Add(time.Hour)}, l); at.Moved || at.End != io.EOF {
		t.Errorf("at the end: moved %v, %v", at.Moved, at.End)
	}
}

// In a recording of a large host, the fleet sees no more than it takes: what
// the history spans.
func TestTapeOfALargeHost(t *testing.T) {
	t.Parallel()
	tape := NewTape(recorded(t, 500), model.Options{})
	tape.sockets = thorough
	at := tape.Go(t.Context(), Goal{To: start.Add(499 * time.Second)}, new(Look))
	if got := at.Look.Moment.Time.Sub(start); got != 499*time.Second || len(at.Look.State().History) != 301 {
		t.Errorf("at %v with %d samples of history, want those of 5 min", got, len(at.Look.State().History))
	}
	if from := tape.from(start.Add(499*time.Second), thorough, Lead); from.Before(start.Add(499*time.Second - Lead)) {
		t.Errorf("it was fed from %v on", from)
	}
}

func TestTapeThatIsCalledBack(t *testing.T) {
	t.Parallel()
	tape := NewTape(recorded(t, 500), model.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	at := tape.Go(ctx, Goal{To: start.Add(time.Minute)}, new(Look))
	if !at.CutShort || at.Moved {
		t.Errorf("cut short %v, moved %v", at.CutShort, at.Moved)
	}
	if at := tape.Go(t.Context(), Goal{To: start.Add(time.Minute)}, at.Look); at.Look.Moment.Time.Sub(start) != time.Minute || len(at.Look.State().History) != 61 {
		t.Errorf("then it is at %v", at.Look.Moment.Time)
	}
}

func TestScan(t *testing.T) {
	t.Parallel()
	scan := NewScan(recorded(t, 100), model.Options{Thresholds: model.Thresholds{Warning: 5, Critical: 90}})
	var changes []model.LevelChange
	for {
		part, err := scan.Next(t.Context(), time.Hour)
		changes = append(changes, part.Changes...)
		if part.Done {
			if err != io.EOF || !part.UpTo.Equal(start.Add(99*time.Second)) {
				t.Errorf("it ends with %v at %v", err, part.UpTo)
			}
			break
		}
	}
	if len(changes) != 1 || changes[0] != (model.LevelChange{Time: changes[0].Time, Level: model.LevelWarning}) || !changes[0].Time.Equal(start) {
		t.Errorf("changes %v, want a warning from the start on", changes)
	}
}

// Of a recording of a large host there is a glance first, which has seen the
// last minute, and then the whole of what it takes.
func TestTapeThatIsToBeSoon(t *testing.T) {
	t.Parallel()
	tape := NewTape(recorded(t, 500), model.Options{})
	tape.sockets = thorough
	l := new(Look)
	for _, step := range []struct {
		goal    Goal
		brief   bool
		history int // samples
	}{
		{Goal{To: start.Add(450 * time.Second), Soon: true}, true, 66},
		{Goal{To: start.Add(450 * time.Second)}, false, 301},
		{Goal{Onward: true, Soon: true}, false, 301},
		{Goal{To: start.Add(400 * time.Second), Soon: true}, true, 66},
		{Goal{Onward: true, Soon: true}, true, 67},
		{Goal{To: start.Add(10 * time.Second), Soon: true}, false, 11},
	} {
		at := tape.Go(t.Context(), step.goal, l)
		l = at.Look
		if n := len(l.State().History); !at.Moved || at.Brief != step.brief || n != step.history {
			t.Errorf("%+v: moved %v, brief %v, %d samples of history; want %v, %d", step.goal, at.Moved, at.Brief, n, step.brief, step.history)
		}
	}
}
