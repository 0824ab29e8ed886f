//go:build unix

package dashboard

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
	"github.com/creack/pty"

	"ephtop/source"
	"ephtop/ui/screen"
)

// terminalHarness is a pseudo-terminal that a dashboard runs on.
type terminalHarness struct {
	*testing.T
	master, tty *os.File
	before      *term.State
	src         source.Source
	dir         string // of reports

	mu     sync.Mutex
	output bytes.Buffer
	result chan error
}

// runOnTerminal starts a dashboard at 80x24 and waits for its first rows.
func runOnTerminal(ctx context.Context, t *testing.T, src source.Source) *terminalHarness {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	h := &terminalHarness{T: t, master: master, tty: tty, src: src, dir: t.TempDir(), result: make(chan error, 1)}
	t.Cleanup(func() { master.Close(); tty.Close() })
	if err := pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	if h.before, err = term.GetState(tty.Fd()); err != nil {
		t.Fatal(err)
	}
	go h.read()
	go func() {
		h.result <- Run(ctx, Config{Source: src, In: tty, Out: tty, RecordDir: h.dir, Getenv: func(string) string { return "" }})
	}()
	h.waitFor("10.0.9.2:5432")
	return h
}

func (h *terminalHarness) read() {
	buf := make([]byte, 4096)
	for {
		n, err := h.master.Read(buf)
		h.mu.Lock()
		h.output.Write(buf[:n])
		h.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (h *terminalHarness) text() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.output.String()
}

// deadline is how long anything may take before it counts as never.
const deadline = time.Minute

// waitFor waits until the text was written to the terminal.
func (h *terminalHarness) waitFor(text string) {
	h.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(h.text(), text) {
			return
		}
	}
	h.Fatalf("the terminal never showed %q:\n%q", text, h.text())
}

// end waits for the dashboard to return.
func (h *terminalHarness) end() {
	h.Helper()
	select {
	case err := <-h.result:
		if err != nil {
			h.Errorf("Run: %v", err)
		}
	case <-time.After(deadline):
		h.Fatal("the dashboard does not end")
	}
}

// wantRestored checks that the terminal is as it was.
func (h *terminalHarness) wantRestored() {
	h.Helper()
	h.waitFor("\x1b[?1049l") // the alternate screen is left
	h.waitFor("\x1b[?25h")   // the cursor is shown
	h.waitFor("\x1b[?2004l") // pasting is as before
	after, err := term.GetState(h.tty.Fd())
	if err != nil {
		h.Fatal(err)
	}
	if *after != *h.before {
		h.Errorf("the modes of the terminal are %+v, were %+v", after, h.before)
	}
}

func TestRunEnds(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(h *terminalHarness, cancel func())
	}{
		{"by q", func(h *terminalHarness, _ func()) { io.WriteString(h.master, "q") }},
		{"by ctrl+c", func(h *terminalHarness, _ func()) { io.WriteString(h.master, "\x03") }},
		{"by its context", func(_ *terminalHarness, cancel func()) { cancel() }},
		{"by SIGTERM", func(*terminalHarness, func()) { syscall.Kill(os.Getpid(), syscall.SIGTERM) }},
		{"by SIGHUP", func(*terminalHarness, func()) { syscall.Kill(os.Getpid(), syscall.SIGHUP) }},
		{"by SIGINT", func(*terminalHarness, func()) { syscall.Kill(os.Getpid(), syscall.SIGINT) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "by SIGHUP" && signal.Ignored(syscall.SIGHUP) {
				t.Skip("SIGHUP is ignored here, as under nohup, and the dashboard leaves it so")
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			src := &fakeSource{sockets: some(3)}
			h := runOnTerminal(ctx, t, src)
			test.end(h, cancel)
			h.end()
			h.wantRestored()
			if !src.closed.Load() {
				t.Error("the source was not closed")
			}
		})
	}
}

func TestRunEndsWhenTheTerminalIsGone(t *testing.T) {
	t.Parallel()
	src := &fakeSource{sockets: some(3)}
	h := runOnTerminal(context.Background(), t, src)
	h.master.Close()
	h.end()
	if !src.closed.Load() {
		t.Error("the source was not closed")
	}
}

func TestRunEndsWithItsInput(t *testing.T) {
	t.Parallel()
	src := &fakeSource{sockets: some(3)}
	var out bytes.Buffer
	if err := Run(context.Background(), Config{Source: src, In: strings.NewReader(""), Out: &out}); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestRunEndsWhenItsOutputFails(t *testing.T) {
	t.Parallel()
	src := &fakeSource{sockets: some(3)}
	in, typist := io.Pipe()
	defer typist.Close()
	if err := Run(context.Background(), Config{Source: src, In: in, Out: brokenWriter{}}); err != nil {
		t.Errorf("Run: %v", err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, syscall.EIO }

// Nothing reads what the dashboard writes, so that it is held in a write: the
// state of a terminal after ctrl+s, or at the end of a dead line.
func TestRunEndsOnATerminalThatTakesNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	// Neither is closed: the program that was left still holds the terminal.
	defer runtime.KeepAlive(master)
	if err := pty.Setsize(master, &pty.Winsize{Rows: 200, Cols: 500}); err != nil {
		t.Fatal(err)
	}
	before, err := term.GetState(tty.Fd())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	src := &fakeSource{sockets: some(300)}
	result := make(chan error, 1)
	go func() { result <- Run(ctx, Config{Source: src, In: tty, Out: tty, Interval: 100 * time.Millisecond}) }()
	time.Sleep(time.Second)
	cancel()
	select {
	case err := <-result:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(deadline):
		t.Fatal("the dashboard does not end")
	}
	after, err := term.GetState(tty.Fd())
	if err != nil {
		t.Fatal(err)
	}
	if *after != *before {
		t.Error("the modes of the terminal were not restored")
	}
}

func TestRunQuitsDuringAPoll(t *testing.T) {
	t.Parallel()
	src := &fakeSource{sockets: some(3)}
	h := runOnTerminal(context.Background(), t, src)
	src.set(func(s *fakeSource) { s.hangs = true })
	for n := src.polls(); src.polls() == n; {
		time.Sleep(10 * time.Millisecond)
	}
	io.WriteString(h.master, "q")
	h.end()
	if !src.closed.Load() {
		t.Error("the source was not closed")
	}
}

// deafSource heeds no context once it is deaf.
type deafSource struct {
	fakeSource
	wake chan struct{}
}

func (s *deafSource) Poll(ctx context.Context, snap *source.Moment) error {
	if s.polls() > 0 {
		s.set(func(f *fakeSource) { f.starts = append(f.starts, time.Now()) })
		<-s.wake
		return errFake
	}
	return s.fakeSource.Poll(ctx, snap)
}

func TestRunLeavesADeafSourceAlone(t *testing.T) {
	t.Parallel()
	src := &deafSource{fakeSource: fakeSource{sockets: some(3)}, wake: make(chan struct{})}
	defer close(src.wake)
	h := runOnTerminal(context.Background(), t, src)
	for src.polls() < 2 {
		time.Sleep(10 * time.Millisecond)
	}
	io.WriteString(h.master, "q")
	h.end()
	h.wantRestored()
	if src.closed.Load() {
		t.Error("the source was closed under a poll")
	}
}

func TestRunSaysWhatItCannotDo(t *testing.T) {
	t.Parallel()
	src := &fakeSource{}
	err := Run(context.Background(), Config{Source: src, In: strings.NewReader(""), Out: io.Discard, Filter: "stat:x"})
	if err == nil || !strings.Contains(err.Error(), "stat") {
		t.Errorf("a wrong filter gives %v", err)
	}
	if !src.closed.Load() {
		t.Error("the source was not closed")
	}
	err = Run(context.Background(), Config{Source: failingClose{}, In: strings.NewReader(""), Out: io.Discard})
	if !errors.Is(err, errFake) {
		t.Errorf("a failing Close gives %v", err)
	}
}

type failingClose struct{}

func (failingClose) Poll(context.Context, *source.Moment) error { return io.EOF }
func (failingClose) Close() error                               { return errFake }

func TestCopyOnATerminal(t *testing.T) {
	t.Parallel()
	h := runOnTerminal(context.Background(), t, &fakeSource{sockets: some(1)})
	io.WriteString(h.master, "y")
	h.waitFor("\x1b]52;c;dGNwIDEwLjAuMC45OjQwMDAxIDEwLjAuOS4yOjU0MzI=\x07")
	h.waitFor("copied")
	io.WriteString(h.master, "q")
	h.end()
}

// Where a report is stands on the terminal when the dashboard has left it.
func TestReportOnATerminal(t *testing.T) {
	t.Parallel()
	h := runOnTerminal(context.Background(), t, &fakeSource{sockets: some(1)})
	io.WriteString(h.master, "E")
	h.waitFor("anonymous report in /")
	io.WriteString(h.master, "q")
	h.end()
	_, after, _ := strings.Cut(h.text(), "\x1b[?1049l")
	for end := time.Now().Add(deadline); !strings.Contains(after, "\n") && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		_, after, _ = strings.Cut(h.text(), "\x1b[?1049l")
	}
	if !strings.Contains(after, "anonymous report in "+h.dir+"/ephtop-host-1-") || !strings.Contains(after, ".md\r\n") {
		t.Errorf("after the end: %q", after)
	}
}

func TestPasteOnATerminal(t *testing.T) {
	t.Parallel()
	h := runOnTerminal(context.Background(), t, &fakeSource{sockets: some(3)})
	io.WriteString(h.master, "/\x1b[200~lport:40003\nq\x1b[201~")
	h.waitFor("lport:40003 q")
	io.WriteString(h.master, "\x03")
	h.end()
}

// A terminal may call itself as large as it likes.
func TestAHugeTerminal(t *testing.T) {
	t.Parallel()
	frame := ""
	run(t, some(3), func(h *harness) {
		h.send(tea.WindowSizeMsg{Width: 65535, Height: 65535})
		frame = h.m.View()
	})
	lines := strings.Split(frame, "\n")
	if len(lines) != screen.MaxHeight || ansi.StringWidth(lines[0]) != screen.MaxWidth || !strings.Contains(frame, "10.0.9.2:5432") {
		t.Errorf("a frame of %d lines, the first one %d wide", len(lines), ansi.StringWidth(lines[0]))
	}
}
