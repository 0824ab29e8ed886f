//go:build unix

package command

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/evidence"
	"ephtop/source/live"
)

// TestInterruptEndsTheWatch: what was seen so far is told.
func TestInterruptEndsTheWatch(t *testing.T) {
	host := &pollCounter{before: func(poll int) error {
		if poll == 2 {
			return syscall.Kill(syscall.Getpid(), syscall.SIGINT)
		}
		return nil
	}}
	r, _ := consult(t, host, healthy(), "--for", "10m", "-o", "json")
	var got struct {
		Sample struct{ Polls int }
		Points []any
	}
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatalf("%v: status %d, stderr %q", err, r.status, r.stderr)
	}
	if r.status != 0 || got.Sample.Polls < 2 || len(got.Points) != model.NumTopics {
		t.Errorf("status %d, %d polls, %d points; want 0, 2 or more, %d", r.status, got.Sample.Polls, len(got.Points), model.NumTopics)
	}
}

// interruptedHost is interrupted during its first poll.
type interruptedHost struct{ fakeHost }

func (h *interruptedHost) Poll(ctx context.Context, _ *source.Moment) error {
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGINT); err != nil {
		return err
	}
	<-ctx.Done()
	return errors.Join(errors.New("dump"), ctx.Err())
}

func TestInterruptBeforeAnythingWasSeen(t *testing.T) {
	r, _ := consult(t, &interruptedHost{}, healthy())
	if r.status != 130 || r.stdout != "" || r.stderr != "" {
		t.Errorf("status %d, stdout %q, stderr %q; want 130 and silence", r.status, r.stdout, r.stderr)
	}
}

func TestDoctorShowsItsProgressToAPerson(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		stdout   func(tty *os.File) io.Writer
		progress bool
	}{
		{"both streams are terminals", func(tty *os.File) io.Writer { return tty }, true},
		{"the page goes elsewhere", func(*os.File) io.Writer { return io.Discard }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			controller, tty, err := pty.Open()
			if err != nil {
				t.Skipf("no pseudo-terminal: %v", err)
			}
			defer controller.Close()
			seen := make(chan string)
			go func() {
				all, _ := io.ReadAll(controller) // ends with EIO when the terminal is closed
				seen <- string(all)
			}()
			status := Run([]string{"doctor", "--for", "1s"}, Env{
				Stdin: strings.NewReader(""), Stdout: c.stdout(tty), Stderr: tty,
				Getenv: func(string) string { return "" },
				Open:   func(live.Options) (source.Source, error) { return &fakeHost{}, nil },
				Gather: func(context.Context, evidence.Options) source.Evidence { return healthy() },
			})
			tty.Close()
			got := <-seen
			if status != 0 {
				t.Errorf("status %d: %q", status, got)
			}
			if shown := strings.Contains(got, "\rwatching the ports: 0 of 1 s, 1 poll; ctrl+c ends it"); shown != c.progress {
				t.Errorf("progress is shown: %v, want %v: %q", shown, c.progress, got)
			}
			if _, page, _ := strings.Cut(got, "    \r"); c.progress && !strings.HasPrefix(page, "ephtop  web-01") {
				t.Errorf("the line is not cleared before the page: %q", got)
			}
		})
	}
}
