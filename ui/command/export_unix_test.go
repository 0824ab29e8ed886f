//go:build unix

package command

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// Who looks on sees how far an export is, and the line is gone when it is there.
func TestExportShowsItsProgressToAPerson(t *testing.T) {
	t.Parallel()
	path := recordSecrets(t, "leak")
	out := filepath.Join(t.TempDir(), "trouble.csv")
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
	status := Run([]string{"export", path, out}, Env{Stdin: strings.NewReader(""), Stdout: tty, Stderr: tty, Getenv: func(string) string { return "" }})
	tty.Close()
	got := <-seen
	if status != 0 || !strings.Contains(got, "\rexporting: 0 %, 1 moment; ctrl+c ends it") || !strings.Contains(got, "  \rreplaced: 1 host, ") {
		t.Errorf("status %d: %q", status, got)
	}
}

// An export that is told to end leaves nothing, and what was there stays.
func TestInterruptEndsAnExport(t *testing.T) {
	data, err := os.ReadFile(recordSecrets(t, "leak"))
	if err != nil {
		t.Fatal(err)
	}
	for _, force := range []bool{false, true} {
		dir := t.TempDir()
		out := filepath.Join(dir, "trouble.json")
		args := []string{"export", "-", out}
		if force {
			args = append(args, "--force")
			if err := os.WriteFile(out, []byte("before"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		in, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan int)
		var stderr bytes.Buffer
		go func() {
			ended <- Run(args, Env{Stdin: in, Stdout: io.Discard, Stderr: &stderr, Getenv: func(string) string { return "" }})
		}()
		if _, err := writer.Write(data[:len(data)/2]); err != nil {
			t.Fatal(err)
		}
		for !isThere(t, dir, ".trouble.json.*") { // it has begun
			time.Sleep(time.Millisecond)
		}
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		status := <-ended
		writer.Close()
		in.Close()
		if status != 130 || stderr.Len() > 0 {
			t.Errorf("status %d, %q; want 130 and silence", status, &stderr)
		}
		switch page, err := os.ReadFile(out); {
		case force && string(page) != "before":
			t.Errorf("it holds %q, %v", page, err)
		case !force && !errors.Is(err, fs.ErrNotExist):
			t.Errorf("%v, %d bytes", err, len(page))
		}
		if isThere(t, dir, ".*") {
			t.Error("something is left")
		}
	}
}

func isThere(t *testing.T, dir, pattern string) bool {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return len(found) > 0
}
