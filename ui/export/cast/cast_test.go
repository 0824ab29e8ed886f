package cast_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hinshun/vt10x"

	"ephtop/model"
	"ephtop/source/race"
	"ephtop/ui/export"
	"ephtop/ui/export/cast"
	"ephtop/ui/export/internal/filmtest"
)

// written is the cast of a film, and what a strict reader makes of it.
func written(t testing.TB, data []byte, o export.Options, look cast.Options) ([]byte, *recorded) {
	t.Helper()
	var b bytes.Buffer
	if err := cast.Write(&b, filmtest.Open(t, data, o), look); err != nil {
		t.Fatal(err)
	}
	r, err := read(b.Bytes())
	if err != nil {
		t.Fatalf("what was written is no asciicast: %v", err)
	}
	return b.Bytes(), r
}

// A terminal that is written the events shows each frame at its time.
func TestTerminalShowsTheFrames(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine draws all of it: it runs without the race detector")
	}
	t.Parallel()
	data := filmtest.Demo("browsing", 70)
	o := export.Options{Speed: 8, Keys: filmtest.Keys(t, "Sleep 1s\nEnter\nSleep 1s\nEscape\nSleep 5s\nType \"f\"\nSleep 500ms\nType \"fbj/tw\"")}
	_, r := written(t, data, o, cast.Options{})
	terminal := vt10x.New(vt10x.WithSize(r.header.Width, r.header.Height))
	events := r.events
	filmtest.Each(t, filmtest.Open(t, data, o), func(i int, frame export.Frame) {
		for len(events) > 0 && events[0].kind == "m" {
			events = events[1:]
		}
		if len(events) == 0 || events[0].at != frame.At.Round(time.Microsecond) {
			t.Fatalf("no event for frame %d at %v", i, frame.At)
		}
		if _, err := io.WriteString(terminal, events[0].data); err != nil {
			t.Fatal(err)
		}
		events = events[1:]
		if diff := cmp.Diff(lines(filmtest.Text(frame.Canvas)), lines(terminal.String())); diff != "" {
			t.Fatalf("frame %d at %v (-frame +terminal):\n%s", i, frame.At, diff)
		}
		if terminal.CursorVisible() {
			t.Fatalf("frame %d shows a cursor", i)
		}
	})
	if len(events) != 1 {
		t.Fatalf("after the last frame: %v", events)
	}
	before := terminal.String()
	if _, err := io.WriteString(terminal, events[0].data); err != nil {
		t.Fatal(err)
	}
	if terminal.String() != before || !terminal.CursorVisible() {
		t.Errorf("at the end, the cursor is visible: %v; it shows\n%s", terminal.CursorVisible(), terminal)
	}
}

// lines are those of a screen without spaces at their ends.
func lines(text string) []string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := range all {
		all[i] = strings.TrimRight(all[i], " ")
	}
	return all
}

// A marker stands where the level changes, and says what is read first there.
func TestMarkers(t *testing.T) {
	t.Parallel()
	data := filmtest.Named("api", 15)
	_, r := written(t, data, export.Options{}, cast.Options{})
	var got, want []event
	for _, e := range r.events {
		if e.kind == "m" {
			got = append(got, e)
		}
	}
	level := model.LevelOK
	filmtest.Each(t, filmtest.Open(t, data, export.Options{}), func(_ int, frame export.Frame) {
		if frame.Level != level {
			level = frame.Level
			want = append(want, event{frame.At, "m", level.String() + ": " + frame.Verdict})
		}
	})
	if len(want) < 3 {
		t.Fatalf("the level changes %d times", len(want))
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(event{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	_, r := written(t, filmtest.Named("api", 2), export.Options{Width: 80, Height: 24}, cast.Options{Title: `"a" <title>`, Theme: "light"})
	if h := r.header; h.Width != 80 || h.Height != 24 || h.Title != `"a" <title>` || h.Theme.Back != "#ffffff" {
		t.Errorf("%+v %+v", h, *h.Theme)
	}
	if err := cast.Write(io.Discard, filmtest.Open(t, filmtest.Named("api", 2), export.Options{}), cast.Options{Theme: "pink"}); err == nil {
		t.Error("there is a pink cast")
	}
}

// Three minutes of the demo at eight times the speed make about 175 KB.
func TestSize(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine draws all of it: it runs without the race detector")
	}
	t.Parallel()
	b, _ := written(t, filmtest.Demo("no-pool", 180), export.Options{Speed: 8}, cast.Options{})
	if len(b) > 200_000 {
		t.Errorf("it has %d bytes", len(b))
	}
}

// Names in a recording are text, whatever they are.
func TestHostileNames(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine draws all of it: it runs without the race detector")
	}
	t.Parallel()
	for _, name := range []string{"\x1b[2J\x1b]0;x\a", "a\"]\n[0,\"o\",\"", "\u009b31m\u2028", "\xff\xfe", "\u202e数据"} {
		_, r := written(t, filmtest.Named(name, 12), export.Options{}, cast.Options{Title: name})
		for _, e := range r.events {
			if strings.ContainsAny(e.data, "\a\n\r\u009b\u2028") || strings.Contains(e.data, "\x1b]") {
				t.Errorf("%q: an event of %q", name, e.data)
			}
		}
	}
}
