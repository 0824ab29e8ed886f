//go:build unix

package command

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"ephtop/source"
)

func TestDemoIsShown(t *testing.T) {
	t.Parallel()
	args := strings.Fields("demo --scenario busy --speed 4 --seed 2 --interval 500ms --filter state:tw")
	status, stderr, shown := onTerminal(t, nil, args...)
	if status != 0 || len(shown) != 1 {
		t.Fatalf("status %d, shown %d times, stderr %q", status, len(shown), stderr)
	}
	c := shown[0]
	if c.Replay != nil || c.Stepper == nil || c.Speed != 4 || c.Interval != 500*time.Millisecond || c.Filter != "state:tw" ||
		!strings.HasPrefix(c.Program, "ephtop ") {
		t.Errorf("the dashboard's config is %+v", c)
	}
	var s source.Moment
	if err := c.Source.Poll(t.Context(), &s); err != nil || s.Host != "demo-edge-01" || s.Time.Hour() != 12 {
		t.Errorf("poll: %v, host %s at %v; want that of the scenario, at noon", err, s.Host, s.Time)
	}
}

func TestRecordingIsShown(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if status, stderr := runOn(&fakeHost{}, &bytes.Buffer{}, "record", file, "--duration", "1s"); status != 0 {
		t.Fatalf("status %d, stderr %q", status, stderr)
	}
	status, stderr, shown := onTerminal(t, nil, "replay", "--speed", "0.5", file)
	if status != 0 || len(shown) != 1 {
		t.Fatalf("status %d, shown %d times, stderr %q", status, len(shown), stderr)
	}
	if c := shown[0]; c.Replay == nil || c.Replay.Live() || c.Stepper != nil || c.Speed != 0.5 {
		t.Errorf("the dashboard's config is %+v", c)
	}
}

func TestWhatCannotBeShown(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		file   string
		status int
		want   string
	}{
		{"no file", file + "s", 2, "ephtop: open " + file + "s: no such file or directory: use a recording that can be read, or - for standard input\n"},
		{"no recording", file, 1, "ephtop: " + file + ": this is not a recording of ephtop\n"},
		{"a keyboard", "-", 2, "ephtop: standard input is a terminal: pipe a recording into it, as in ssh HOST ephtop record - | ephtop replay -\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, stderr, shown := onTerminal(t, nil, "replay", c.file)
			if status != c.status || stderr != c.want || len(shown) > 0 {
				t.Errorf("status %d, shown %d times, stderr %q; want %d, never, %q", status, len(shown), stderr, c.status, c.want)
			}
		})
	}
}

func TestRecordingToATerminalIsRefused(t *testing.T) {
	t.Parallel()
	status, stderr, _ := onTerminal(t, nil, "record", "-")
	if want := "ephtop: standard output is a terminal: use a file or a pipe\n"; status != 2 || stderr != want {
		t.Errorf("status %d, stderr %q; want 2, %q", status, stderr, want)
	}
}

func TestRecordingToTheNameOfATerminalIsRefused(t *testing.T) {
	t.Parallel()
	controller, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer controller.Close()
	defer tty.Close()
	status, stderr := runOn(&fakeHost{}, &bytes.Buffer{}, "record", tty.Name())
	if want := "ephtop: " + tty.Name() + " is a terminal: use a file or a pipe\n"; status != 2 || stderr != want {
		t.Errorf("status %d, stderr %q; want 2, %q", status, stderr, want)
	}
}

func TestRecordTellsAPersonHowMuch(t *testing.T) {
	t.Parallel()
	controller, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer controller.Close()
	seen := make(chan string)
	go func() { seen <- readAll(controller) }()
	file := filepath.Join(t.TempDir(), "file")
	status := Run([]string{"record", file, "--demo", "leak", "--duration", "1s"}, Env{
		Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: tty, Getenv: func(string) string { return "" },
	})
	tty.Close()
	got := <-seen
	// A second goes by between the two, and on a busy machine before the first.
	want := regexp.MustCompile(`\rrecording: 1 moment in [01]s; ctrl\+c ends it.*\r` + regexp.QuoteMeta(file) + `: [12] moments? in 1s, `)
	if status != 0 || !want.MatchString(got) {
		t.Errorf("status %d, told %q, want %s", status, got, want)
	}
}

// readAll reads a pseudo-terminal until it is closed, which is an error there.
func readAll(f *os.File) string {
	var all bytes.Buffer
	_, _ = all.ReadFrom(f)
	return all.String()
}
