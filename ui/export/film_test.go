package export_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/race"
	"ephtop/source/recording"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/export"
	"ephtop/ui/export/cast"
	"ephtop/ui/export/internal/filmtest"
	"ephtop/ui/export/svg"
	"ephtop/ui/screen"
)

// shot is a frame that was kept.
type shot struct {
	at     time.Duration
	moment time.Duration // since the start
	level  model.Level
	text   string
}

func (s *shot) has(words string) bool { return strings.Contains(s.text, words) }

// levelAt is the level of the time line at a time since the start.
func levelAt(changes []model.LevelChange, at time.Duration) (level model.Level) {
	for _, c := range changes {
		if c.Time.Sub(filmtest.Start) <= at {
			level = c.Level
		}
	}
	return level
}

// shots are the frames of a film, to its end.
func shots(t testing.TB, data []byte, o export.Options) []shot {
	t.Helper()
	var all []shot
	filmtest.Each(t, filmtest.Open(t, data, o), func(_ int, f export.Frame) {
		all = append(all, shot{f.At, f.Moment.Sub(filmtest.Start), f.Level, filmtest.Text(f.Canvas)})
	})
	return all
}

// The frames of a recording are the same on every run.
func TestFilmIsTheSameAgain(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine draws all of it: it runs without the race detector")
	}
	t.Parallel()
	data := filmtest.Demo("browsing", 40)
	o := export.Options{Speed: 8, Keys: filmtest.Keys(t, "Sleep 1s\nType \"f\"")}
	first, again := shots(t, data, o), shots(t, data, o)
	if len(first) != len(again) {
		t.Fatalf("%d frames, then %d", len(first), len(again))
	}
	for i := range first {
		if a, b := &first[i], &again[i]; *a != *b {
			t.Fatalf("frame %d is another one: at %v\n%s\nthen at %v\n%s", i, a.at, a.text, b.at, b.text)
		}
	}
}

// Frames come at the times of their moments, by the speed, and each looks
// different from the one before.
func TestFilmGoesBySpeed(t *testing.T) {
	t.Parallel()
	all := shots(t, filmtest.Named("api", 20), export.Options{Speed: 4})
	for i := range 20 {
		if want := time.Duration(i) * time.Second / 4; all[i].at != want || all[i].moment != 4*want {
			t.Errorf("frame %d is at %v and of %v, want %v", i, all[i].at, all[i].moment, want)
		}
		if i > 0 && all[i].text == all[i-1].text {
			t.Errorf("frame %d is as the one before", i)
		}
	}
	if end := all[len(all)-1]; !end.has("■ end") || len(all) > 21 {
		t.Errorf("after %d frames, it ends with\n%s", len(all), end.text)
	}
}

// A film begins at a moment, with what is wanted on the screen.
func TestFilmBegins(t *testing.T) {
	t.Parallel()
	data := filmtest.Named("api", 15)
	for _, test := range []struct {
		name  string
		o     export.Options
		shows string
	}{
		{"at the start", export.Options{}, "12:00:00"},
		{"at a moment", export.Options{From: filmtest.Start.Add(9 * time.Second)}, "12:00:09"},
		{"between two", export.Options{From: filmtest.Start.Add(9900 * time.Millisecond)}, "12:00:09"},
		{"with findings", export.Options{Findings: true}, "─ Findings ─"},
		{"by user", export.Options{By: model.ByUser}, "by user"},
		{"with destinations", export.Options{Face: paint.FaceDestinations}, "─ Destinations ─"},
		{"with a filter", export.Options{Filter: "rport:5432"}, "filter: rport:5432"},
		{"with a key", export.Options{Keys: filmtest.Keys(t, `Type "?"`)}, "─ Help ─"},
		{"with a caption", export.Options{}, " recorded 2026-11-22 12:00:00 to 12:00:14 UTC "},
		{"in ASCII", export.Options{ASCII: true}, "+- Ephemeral ports -"},
	} {
		film := filmtest.Open(t, data, test.o)
		frame, err := film.Next()
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if text := filmtest.Text(frame.Canvas); !strings.Contains(text, test.shows) || strings.Contains(text, "q quit") || frame.At != 0 {
			t.Errorf("%s: at %v, not %q on the screen:\n%s", test.name, frame.At, test.shows, text)
		}
	}
}

func TestFilmRefuses(t *testing.T) {
	t.Parallel()
	p := filmtest.Player(t, filmtest.Named("api", 2))
	for name, o := range map[string]export.Options{
		"a size": {Width: 5}, "too large a size": {Width: screen.MaxWidth + 1}, "a filter": {Filter: "state:nope"},
	} {
		if _, err := export.Open(t.Context(), p, o); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := export.Open(ctx, p, export.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A still is one moment, at which the recording stands while the keys are
// pressed; the last one by itself.
func TestStill(t *testing.T) {
	t.Parallel()
	data := filmtest.Named("api", 15)
	for _, test := range []struct {
		name  string
		o     export.Options
		shows []string
	}{
		{"the last moment", export.Options{}, []string{"12:00:14", "100 %"}},
		{"a moment", export.Options{From: filmtest.Start.Add(5 * time.Second)}, []string{"12:00:05", "‖ replay", " 50 %"}},
		{"with keys", export.Options{From: filmtest.Start.Add(5 * time.Second), Keys: filmtest.Keys(t, "Sleep 9s\nType \"b\"\nRight")},
			[]string{"12:00:06", "by destination"}},
	} {
		err := export.Still(t.Context(), filmtest.Player(t, data), test.o, func(f *export.Film, frame export.Frame) error {
			for _, want := range test.shows {
				if text := filmtest.Text(frame.Canvas); !strings.Contains(text, want) {
					t.Errorf("%s: not %q on the screen:\n%s", test.name, want, text)
				}
			}
			if got := f.Look().Moment.Time; !got.Equal(frame.Moment) || frame.At != 0 {
				t.Errorf("%s: a frame at %v, of %v, with the look of %v", test.name, frame.At, frame.Moment, got)
			}
			return io.ErrClosedPipe
		})
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: it gives %v", test.name, err)
		}
	}
}

// The levels are known from the first frame on.
func TestChanges(t *testing.T) {
	t.Parallel()
	f := filmtest.Open(t, filmtest.Named("api", 15), export.Options{})
	var levels []string
	for _, c := range f.Changes() {
		levels = append(levels, c.Level.String())
	}
	if got := strings.Join(levels, " "); got != "ok warning critical exhausted" {
		t.Errorf("the levels are %s", got)
	}
}

// A finding changes the level of a frame, though no port is wanted yet.
func TestFindingsHaveTheirLevel(t *testing.T) {
	t.Parallel()
	all := shots(t, filmtest.Demo("leak", 25), export.Options{Speed: 16})
	if first, last := all[0], all[len(all)-1]; first.level != model.LevelOK || last.level != model.LevelWarning || !last.has("CLOSE_WAIT") {
		t.Errorf("from %v to %v:\n%s", first.level, last.level, last.text)
	}
}

// A film of a recording that was cut goes up to there.
func TestFilmOfACutRecording(t *testing.T) {
	t.Parallel()
	data := filmtest.Demo("browsing", 130)
	f := filmtest.Open(t, data[:len(data)/2], export.Options{Speed: 16})
	if err := f.End(); err != nil {
		t.Errorf("before its end: %v", err)
	}
	n := 0
	filmtest.Each(t, f, func(int, export.Frame) { n++ })
	if err := f.End(); !errors.Is(err, recording.ErrCut) || n < 10 {
		t.Errorf("after %d frames: %v", n, err)
	}
}

// Gaps of any length make no film without end.
func TestLongGaps(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine draws all of it: it runs without the race detector")
	}
	t.Parallel()
	data := filmtest.Record(50, func(i int, m *source.Moment) {
		m.Time = filmtest.Start.AddDate(5*i, 0, 0)
		m.Add(source.Scope{}).Settings.Range = source.PortRange{Low: 40000, High: 40001}
	})
	all := shots(t, data, export.Options{IdleLimit: time.Second})
	if len(all) < 50 {
		t.Fatalf("%d frames", len(all))
	}
	for i := range 50 {
		if want := time.Duration(i) * time.Second; all[i].at > want {
			t.Errorf("frame %d is at %v", i, all[i].at)
		}
	}
	slow := filmtest.Open(t, data, export.Options{Speed: 0.25, Keys: filmtest.Keys(t, strings.Repeat("Sleep 1h\n", 1001))})
	for {
		if _, err := slow.Next(); err != nil {
			if !strings.Contains(err.Error(), "1000 h") {
				t.Errorf("it ends with %v", err)
			}
			return
		}
	}
}

// FuzzRecording has any recording make a film that can be written, or an error.
func FuzzRecording(f *testing.F) {
	for _, data := range [][]byte{filmtest.Named("a\x1b[31m</text>", 4), filmtest.Demo("browsing", 2)} {
		lines, err := unpack(data)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(lines[:min(len(lines), 6000)])
	}
	pack, err := zstd.NewWriter(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		data := pack.EncodeAll(lines, nil)
		p, err := recording.NewPlayer(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		defer p.Close()
		for _, write := range []func(io.Writer, *export.Film) error{
			func(w io.Writer, f *export.Film) error { return cast.Write(w, f, cast.Options{}) },
			func(w io.Writer, f *export.Film) error { return svg.Write(w, f, svg.Options{}) },
		} {
			film, err := export.Open(t.Context(), p, export.Options{Width: 80, Height: 24, Findings: true})
			if err == nil {
				err = write(io.Discard, film)
				film.Close()
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of several lines: %q", err)
			}
		}
	})
}

func unpack(data []byte) ([]byte, error) {
	d, err := zstd.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return io.ReadAll(d)
}

// What a page calls a chapter begins where the time line on its screen has a mark.
func TestLevelsAreThoseOfTheTimeLine(t *testing.T) {
	t.Parallel()
	if race.Enabled {
		t.Skip("one goroutine draws all of it: it runs without the race detector")
	}
	f := filmtest.Open(t, filmtest.Demo("no-pool", 110), export.Options{Speed: 8})
	worst := model.LevelOK
	filmtest.Each(t, f, func(_ int, frame export.Frame) {
		worst = max(worst, frame.Level)
		if at := frame.Moment.Sub(filmtest.Start); frame.Level != levelAt(f.Changes(), at) {
			t.Errorf("at %v: %v, and on the time line %v", at, frame.Level, levelAt(f.Changes(), at))
		}
	})
	if worst != model.LevelExhausted {
		t.Errorf("the worst is %v", worst)
	}
}
