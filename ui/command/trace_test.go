//go:build unix

package command

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/creack/pty"

	"ephtop/source"
	"ephtop/source/evidence"
	"ephtop/source/live"
	"ephtop/ui/dashboard"
)

// tracedRun runs on a terminal, and says what was opened. FILE stands for one to
// write.
func tracedRun(t *testing.T, refused error, args []string) (status int, stderr string, opened []live.Options) {
	t.Helper()
	controller, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer controller.Close()
	defer tty.Close()
	args = slices.Clone(args)
	if i := slices.Index(args, "FILE"); i >= 0 {
		args[i] = filepath.Join(t.TempDir(), "x.eph")
	}
	go bytes.NewBuffer(nil).ReadFrom(controller)
	var errOut bytes.Buffer
	status = Run(args, Env{
		Stdin: tty, Stdout: tty, Stderr: &errOut,
		Getenv: func(name string) string { return map[string]string{"TERM": "xterm"}[name] },
		Open: func(o live.Options) (source.Source, error) {
			opened = append(opened, o)
			return &fakeHost{}, refused
		},
		Gather: func(context.Context, evidence.Options) source.Evidence { return healthy() },
		Dashboard: func(_ context.Context, c dashboard.Config) error {
			if (c.Tracing != nil) != live.CanTrace || live.CanTrace && c.Tracing != opened[0].Tracing {
				t.Errorf("the dashboard turns %p on, and the source heeds %p", c.Tracing, opened[0].Tracing)
			}
			return c.Source.Close()
		},
	})
	return status, errOut.String(), opened
}

// What looks for a while traces where it may, unless it is told otherwise; what
// looks once never does.
func TestTraceModes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                                      live.TraceAuto,
		"--trace":                               live.TraceOn,
		"--trace=on":                            live.TraceOn,
		"--trace on":                            live.TraceOn,
		"--trace Off":                           live.TraceOff,
		"--trace --ascii":                       live.TraceOn,
		"--trace=true":                          live.TraceOn,
		"--trace=false":                         live.TraceOff,
		"record --duration 1s FILE":             live.TraceAuto,
		"record --duration 1s --trace FILE":     live.TraceOn,
		"record --duration 1s --trace off FILE": live.TraceOff,
		"record --duration 1s --trace=auto -- FILE": live.TraceAuto,
		"doctor --for 1s":         live.TraceAuto,
		"doctor --for 1s --trace": live.TraceOn,
		"snapshot":                live.TraceOff,
		"check":                   live.TraceOff,
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			if _, stderr, opened := tracedRun(t, nil, strings.Fields(args)); len(opened) != 1 || opened[0].Trace != want {
				t.Errorf("opened with %+v, want %q; %s", opened, want, stderr)
			}
		})
	}
}

// Tracing that was insisted upon and can't be had is a wrong command line.
func TestTraceInVain(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"--trace", "doctor --trace", "record --trace FILE"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			status, stderr, _ := tracedRun(t, fmt.Errorf("%w: it takes root", live.ErrUntraced), strings.Fields(args))
			if want := "ephtop: --trace on: cannot trace: it takes root\n"; status != statusUsage || stderr != want {
				t.Errorf("status %d, %q; want %d, %q", status, stderr, statusUsage, want)
			}
		})
	}
}
