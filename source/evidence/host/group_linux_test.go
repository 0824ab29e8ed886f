package host

import (
	"context"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A wrapper script's child must not outlive the deadline of the wrapper.
func TestTheDeadlineKillsWhatACommandStarted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	file := t.TempDir() + "/pid"
	go cancelWhenWritten(ctx, cancel, file)
	_, err := (&Host{Root: "/"}).Run(ctx, 1000, "sh", "-c", "sleep 600 & echo $! >"+file+"; wait")
	if err == nil {
		t.Error("no error")
	}
	wantGone(t, file)
}

// Nor must the child of a command that has ended by itself.
func TestTheEndKillsWhatACommandStarted(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/pid"
	if _, err := (&Host{Root: "/"}).Run(t.Context(), 1000, "sh", "-c", "sleep 600 & echo $! >"+file); err != nil {
		t.Error(err)
	}
	wantGone(t, file)
}

func wantGone(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(pid, syscall.SIGKILL)
	for range 12_000 { // what was killed may still be on its way out, or wait for init to reap it
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("the command's child still runs")
}

// cancelWhenWritten cancels a command that has written a line to a file.
func cancelWhenWritten(ctx context.Context, cancel context.CancelFunc, file string) {
	for ; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		if data, _ := os.ReadFile(file); strings.HasSuffix(string(data), "\n") {
			cancel()
		}
	}
}
