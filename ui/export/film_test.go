package export_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/recording"
	"ephtop/ui/export"
	"ephtop/ui/screen"
)

// start is when the simulated host begins.
var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// record records a simulated host for so many seconds.
func record(scenario string, moments int) []byte {
	h, err := demo.New(demo.Options{Scenario: scenario, Seed: 1, Step: time.Second})
	if err != nil {
		panic(err)
	}
	var b bytes.Buffer
	var m source.Moment
	w, err := recording.NewWriter(&b, recording.Header{Program: "test", Start: start})
	if err != nil {
		panic(err)
	}
	for range moments {
		if err := errors.Join(h.Poll(context.Background(), &m), w.Write(&m)); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// story is the whole demo: the ports run out, and come back.
var story = sync.OnceValue(func() []byte { return record("no-pool", 200) })

// shot is a frame that was kept.
type shot struct {
	export.Frame
	text string
}

func player(t testing.TB, data []byte) *recording.Player {
	t.Helper()
	p, err := recording.NewPlayer(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// shots plays a film to its end, or to an error.
func shots(t testing.TB, data []byte, o export.Options) ([]shot, error) {
	t.Helper()
	f, err := export.Open(context.Background(), player(t, data), o)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []shot
	for {
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, shot{frame, text(frame.Canvas)})
	}
}

func text(c *screen.Canvas) string { return string(c.Append(nil, nil)) }

func keys(t testing.TB, script string) export.Keys {
	t.Helper()
	k, err := export.ParseKeys(script)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// The frames of a recording are the same on every run.
func TestFilmIsTheSameAgain(t *testing.T) {
	t.Parallel()
	data := record("no-pool", 40)
	o := export.Options{Speed: 8, Keys: keys(t, "Sleep 1s\nType \"f\"")}
	first, err := shots(t, data, o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := shots(t, data, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != len(again) {
		t.Fatalf("%d frames, then %d", len(first), len(again))
	}
	for i := range first {
		if a, b := &first[i], &again[i]; a.At != b.At || a.text != b.text {
			t.Fatalf("frame %d is another one: at %v\n%s\nthen at %v\n%s", i, a.At, a.text, b.At, b.text)
		}
	}
}

// Frames come at the times of their moments, by the speed.
func TestFilmGoesBySpeed(t *testing.T) {
	t.Parallel()
	all, err := shots(t, record("browsing", 20), export.Options{Speed: 4})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range all[:20] {
		if want := time.Duration(i) * time.Second / 4; s.At != want {
			t.Errorf("frame %d is at %v, want %v", i, s.At, want)
		}
		if got := s.Moment.Sub(start); got != time.Duration(i)*time.Second {
			t.Errorf("frame %d shows the moment of %v", i, got)
		}
	}
}
