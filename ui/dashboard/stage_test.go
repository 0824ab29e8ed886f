package dashboard

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/recording"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/screen"
)

// openStage begins a stage at 120x40, which ends with the test.
func openStage(t *testing.T, data []byte, cfg Config, o Staging) *Stage {
	t.Helper()
	p, err := recording.NewPlayer(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Replay = p
	o.Width, o.Height = 120, 40
	s, err := NewStage(context.Background(), cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		p.Close()
	})
	return s
}

// to has the time go on to at.
func (s *Stage) to(t *testing.T, at time.Duration) {
	t.Helper()
	for {
		next, ok, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok || next > at {
			s.Pass(at)
			return
		}
		s.Step()
	}
}

// text is what is on the screen.
func (s *Stage) text() string {
	var c screen.Canvas
	s.Paint(&c)
	return string(c.Append(nil, nil))
}

// What a stage shows is what somebody sees who looks at the replay, and presses
// the same keys at the same times.
func TestStageShowsWhatAReplayShows(t *testing.T) {
	data := trouble()
	acts := []struct {
		keys string
		wait time.Duration
	}{
		{"", 4 * time.Second}, {"f", 4 * time.Second}, {"f", time.Second}, {"b", time.Second}, {">", 4 * time.Second}, {">", 4 * time.Second},
		{"z", time.Second}, {"space", 2 * time.Second}, {"right", time.Second}, {"shift+right", time.Second}, {"[", time.Second},
		{"space", 4 * time.Second}, {"2", time.Second}, {"/", time.Second}, {"x", time.Second}, {"esc", time.Second}, {"end", time.Second},
		{"home", 4 * time.Second}, {"?", time.Second},
	}
	var want []string
	runReplay(t, data, Config{Speed: 2}, func(h *replayHarness) {
		h.sleep(100 * time.Millisecond) // the keys come between the moments
		for _, act := range acts {
			if act.keys != "" {
				h.press(act.keys)
			}
			h.sleep(act.wait)
			want = append(want, h.m.View())
		}
	})
	s := openStage(t, data, Config{Speed: 2}, Staging{})
	at := 100 * time.Millisecond
	for i, act := range acts {
		s.to(t, at)
		if act.keys != "" {
			s.Press(keyMsg(act.keys))
		}
		at += act.wait
		s.to(t, at)
		if diff := cmp.Diff(strings.Split(want[i], "\n"), strings.Split(s.m.View(), "\n")); diff != "" {
			t.Fatalf("after %q, at %v (-replay +stage):\n%s", act.keys, at, diff)
		}
	}
}

// A stage begins as it is told to.
func TestStaging(t *testing.T) {
	data := trouble()
	first := openStage(t, data, Config{}, Staging{}).Look().Moment.Time
	for _, test := range []struct {
		name  string
		cfg   Config
		o     Staging
		shows []string
	}{
		{"as the dashboard", Config{}, Staging{}, []string{"▶ replay 1×", "by process", "─ Connections ─"}},
		{"a grouping", Config{}, Staging{Group: model.ByUser}, []string{"by user"}},
		{"a face", Config{}, Staging{Face: paint.FaceDestinations, From: first.Add(20 * time.Second)}, []string{"─ Destinations ─", "+/s"}},
		{"findings", Config{}, Staging{Findings: true, From: first.Add(76 * time.Second)}, []string{"─ Findings ─", "most urgent first", "esc closes"}},
		{"a filter", Config{Filter: "state:tw"}, Staging{}, []string{"filter: state:tw", "recorded 20"}},
		{"a moment", Config{}, Staging{From: first.Add(41 * time.Second)}, []string{" 0:40 ", "▶"}},
		{"standing still", Config{}, Staging{From: first.Add(41 * time.Second), Stopped: true}, []string{"‖ replay", "recorded 20"}},
	} {
		s := openStage(t, data, test.cfg, test.o)
		for _, want := range test.shows {
			if text := s.text(); !strings.Contains(text, want) {
				t.Errorf("%s: not %q on the screen:\n%s", test.name, want, text)
			}
		}
		if _, ok, _ := s.Next(); ok == test.o.Stopped {
			t.Errorf("%s: it goes on by itself: %v", test.name, ok)
		}
	}
}

// A gap between moments is played no longer than the idle limit, and what keys
// wait is not shortened.
func TestStageSkipsIdleTime(t *testing.T) {
	src := &fakeSource{}
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	times := []time.Duration{0, time.Second, 1001 * time.Second, 1002 * time.Second}
	data := record(len(times), func(i int, m *source.Moment) error {
		src.fill(m, start.Add(times[i]), some(i))
		return nil
	})
	s := openStage(t, data, Config{}, Staging{IdleLimit: 5 * time.Second})
	at := func(want time.Duration) {
		t.Helper()
		if got, ok, err := s.Next(); !ok || err != nil || got != want {
			t.Fatalf("the next moment comes at %v (%v, %v), want %v", got, ok, err, want)
		}
	}
	at(time.Second)
	s.Step()
	at(6 * time.Second)
	s.Pass(4 * time.Second)
	s.Press(keyMsg("b"))
	at(9 * time.Second)
	s.Step()
	if got := s.Look().Moment.Time.Sub(start); got != times[2] || s.Now() != 9*time.Second {
		t.Errorf("the moment of %v is shown at %v", got, s.Now())
	}
	at(10 * time.Second)
	s.Step()
	if _, ok, _ := s.Next(); ok {
		t.Error("it goes on after the end")
	}
	s.Press(keyMsg("q"))
	if !s.Over() {
		t.Error("q does not end it")
	}
}

// The keys that reach out of the screen do nothing.
func TestStageWritesNoFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	s := openStage(t, trouble(), Config{}, Staging{})
	for _, name := range []string{"E", "r", "ctrl+z", "t", "y"} {
		s.Press(keyMsg(name))
	}
	files, err := os.ReadDir(".")
	if err != nil || len(files) > 0 {
		t.Errorf("there are %v, %v", files, err)
	}
	s.Press(keyMsg("/"))
	if s.Press(keyMsg("E")); !strings.Contains(s.text(), "/ E") {
		t.Errorf("E is not typed into a filter:\n%s", s.text())
	}
}

func TestStageEndsWithItsContext(t *testing.T) {
	data := trouble()
	p, err := recording.NewPlayer(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	s, err := NewStage(ctx, Config{Replay: p}, Staging{Width: 80, Height: 24})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	enough := errors.New("enough")
	cancel(enough)
	if _, _, err := s.Next(); !errors.Is(err, enough) {
		t.Errorf("Next gives %v", err)
	}
	if _, err := NewStage(ctx, Config{Replay: p}, Staging{}); !errors.Is(err, enough) {
		t.Errorf("NewStage gives %v", err)
	}
}

func TestStageRefusesAPipe(t *testing.T) {
	p, err := recording.NewLive(bytes.NewReader(trouble()))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, cfg := range []Config{{Replay: p}, {}} {
		if _, err := NewStage(context.Background(), cfg, Staging{}); err == nil {
			t.Errorf("%+v is staged", cfg)
		}
	}
}

// A recording that was cut is played to where it was, and says so.
func TestStageOfACutRecording(t *testing.T) {
	data := trouble()
	s := openStage(t, data[:len(data)*2/3], Config{Speed: 16}, Staging{})
	s.to(t, time.Minute)
	if err := s.End(); !errors.Is(err, recording.ErrCut) {
		t.Errorf("its end is %v", err)
	}
	if text := s.text(); !strings.Contains(text, "it was cut") {
		t.Errorf("the screen does not say so:\n%s", text)
	}
	if whole := openStage(t, data, Config{}, Staging{}); whole.End() != nil {
		t.Errorf("before its end, that is %v", whole.End())
	}
}
