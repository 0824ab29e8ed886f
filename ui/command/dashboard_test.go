//go:build unix

package command

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/live"
	"ephtop/ui/dashboard"
)

// onTerminal runs with standard input and output on a pseudo-terminal.
func onTerminal(t *testing.T, env map[string]string, args ...string) (status int, stderr string, shown []dashboard.Config) {
	t.Helper()
	controller, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer controller.Close()
	defer tty.Close()
	var errors bytes.Buffer
	status = Run(args, Env{
		Stdin: tty, Stdout: tty, Stderr: &errors,
		Getenv: func(name string) string {
			if value, ok := env[name]; ok || name != "TERM" {
				return value
			}
			return "xterm"
		},
		Open: func(live.Options) (source.Source, error) { return &fakeHost{}, nil },
		Dashboard: func(_ context.Context, c dashboard.Config) error {
			shown = append(shown, c)
			if c.Replay != nil {
				return c.Replay.Close()
			}
			return c.Source.Close()
		},
	})
	return status, errors.String(), shown
}

func TestDemoTakesItsScenarioAsAnArgument(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"demo leak", "demo --scenario leak", "demo LEAK --speed 2"} {
		status, stderr, shown := onTerminal(t, map[string]string{"TERM": "xterm"}, strings.Fields(args)...)
		if status != 0 || len(shown) != 1 {
			t.Fatalf("%s: status %d, shown %d times, stderr %q", args, status, len(shown), stderr)
		}
		var m source.Moment
		if err := shown[0].Source.Poll(t.Context(), &m); err != nil || m.Host != "demo-reports-01" {
			t.Errorf("%s shows %s: %v", args, m.Host, err)
		}
	}
}

// A terminal that can draw nothing gets a line that says what works there.
func TestATerminalThatCanDrawNothing(t *testing.T) {
	t.Parallel()
	for _, term := range []string{"dumb", ""} {
		for args, want := range map[string]string{
			"":          `use "ephtop snapshot" for one look`,
			"demo leak": `use "ephtop snapshot --demo SCENARIO" for one look`,
		} {
			status, stderr, shown := onTerminal(t, map[string]string{"TERM": term}, strings.Fields(args)...)
			if status != 2 || len(shown) != 0 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, want) {
				t.Errorf("TERM=%s ephtop %s: status %d, shown %d times, stderr %q", term, args, status, len(shown), stderr)
			}
		}
	}
}

func TestDashboardIsToldTheFlags(t *testing.T) {
	t.Parallel()
	args := strings.Fields("--interval 250ms --warn 50 --critical 70 --filter state:tw --ascii --theme nord --nat 64")
	status, stderr, shown := onTerminal(t, map[string]string{"TERM": "xterm-256color"}, args...)
	if status != 0 || len(shown) != 1 {
		t.Fatalf("status %d, shown %d times, stderr %q", status, len(shown), stderr)
	}
	type told struct {
		Interval   time.Duration
		Thresholds model.Thresholds
		NATPorts   int
		Filter     string
		ASCII      bool
		Theme      string
		Color      bool
	}
	c := shown[0]
	got := told{c.Interval, c.Thresholds, c.NATPorts, c.Filter, c.ASCII, c.Theme.Name, c.Theme.Inks != nil}
	want := told{250 * time.Millisecond, model.Thresholds{Warning: 50, Critical: 70}, 64, "state:tw", true, "nord", true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the dashboard's config (-want +got):\n%s", diff)
	}
}

func TestDashboardHasNoColorWhereNoneIsWanted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		env  map[string]string
		args []string
		want bool
	}{
		{"a colour terminal", map[string]string{"TERM": "xterm"}, nil, true},
		{"NO_COLOR", map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, nil, false},
		{"NO_COLOR that is empty", map[string]string{"TERM": "xterm", "NO_COLOR": ""}, nil, true},
		{"--color never", map[string]string{"TERM": "xterm"}, []string{"--color", "never"}, false},
		{"--color always", map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, []string{"--color", "always"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, stderr, shown := onTerminal(t, c.env, c.args...)
			if status != 0 || len(shown) != 1 {
				t.Fatalf("status %d, shown %d times, stderr %q", status, len(shown), stderr)
			}
			if got := shown[0].Theme.Inks != nil; got != c.want {
				t.Errorf("colours are %v, want %v", got, c.want)
			}
		})
	}
}

func TestLogToTheTerminalIsRefused(t *testing.T) {
	t.Parallel()
	controller, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer controller.Close()
	defer tty.Close()
	r := runWith(t, &fakeHost{}, "snapshot", "--log", tty.Name())
	want := "ephtop: --log: \"" + tty.Name() + "\" is a terminal: use a file, the log never goes to the screen\n"
	if r.status != 2 || r.stderr != want {
		t.Errorf("status %d, stderr %q; want 2, %q", r.status, r.stderr, want)
	}
}

func TestNoKeyboard(t *testing.T) {
	controller, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer controller.Close()
	defer tty.Close()
	if f, err := os.Open("/dev/tty"); err == nil {
		f.Close()
		t.Skip("this process has a controlling terminal")
	}
	var stderr bytes.Buffer
	status := Run(nil, Env{Stdin: strings.NewReader(""), Stdout: tty, Stderr: &stderr})
	if want := "ephtop: no terminal to read keys from: use \"ephtop snapshot\"\n"; status != 2 || stderr.String() != want {
		t.Errorf("status %d, stderr %q; want 2, %q", status, stderr.String(), want)
	}
}
