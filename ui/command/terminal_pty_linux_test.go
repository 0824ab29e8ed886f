package command_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// ptySession is a command whose terminal is a pseudo-terminal of 80x24 that
// answers nothing.
type ptySession struct {
	*testing.T
	master, tty *os.File
	cmd         *exec.Cmd
	before      unix.Termios
	exited      chan error

	mu   sync.Mutex
	out  []byte
	read chan struct{} // closed when nothing more can come
}

// startOnPty starts a command as the leader of a session on a new terminal.
func startOnPty(t *testing.T, cmd *exec.Cmd) *ptySession {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	s := &ptySession{T: t, master: master, tty: tty, cmd: cmd, exited: make(chan error, 1), read: make(chan struct{})}
	t.Cleanup(func() { master.Close(); tty.Close() })
	if err := pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	s.before = s.termios()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	go func() { s.exited <- cmd.Wait() }()
	go s.readAll()
	return s
}

func (s *ptySession) readAll() {
	defer close(s.read)
	buf := make([]byte, 32<<10)
	for {
		n, err := s.master.Read(buf)
		s.mu.Lock()
		s.out = append(s.out, buf[:n]...)
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// output is what was written to the terminal so far.
func (s *ptySession) output() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.out)
}

func (s *ptySession) write(keys string) {
	s.Helper()
	if _, err := io.WriteString(s.master, keys); err != nil {
		s.Fatal(err)
	}
}

func (s *ptySession) termios() unix.Termios {
	s.Helper()
	state, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
	if err != nil {
		s.Fatal(err)
	}
	return *state
}

// waitFor waits until text was written to the terminal.
func (s *ptySession) waitFor(text string) { s.Helper(); s.waitForNth(text, 1) }

// waitForNth waits until text was written so many times.
func (s *ptySession) waitForNth(text string, n int) {
	s.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if bytes.Count(s.output(), []byte(text)) >= n {
			return
		}
	}
	s.Fatalf("the terminal never got %q %d times:\n%q", text, n, s.output())
}

// writeUntil writes keys again and again until a text was written to the terminal.
func (s *ptySession) writeUntil(keys, text string) {
	s.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if bytes.Contains(s.output(), []byte(text)) {
			return
		}
		s.write(keys)
	}
	s.Fatalf("the terminal never got %q:\n%q", text, s.output())
}

// wantExit waits for the command to end, and for all that it wrote.
func (s *ptySession) wantExit(status int) {
	s.Helper()
	select {
	case <-s.exited:
	case <-time.After(deadline):
		s.Fatalf("the program does not end:\n%q", s.output())
	}
	if got := s.cmd.ProcessState; got.ExitCode() != status {
		s.Errorf("the program ends with %v, want exit status %d", got, status)
	}
}

// wantRestored checks that the terminal is as it was, after the end.
func (s *ptySession) wantRestored() {
	s.Helper()
	s.wantSane()
	s.tty.Close() // the last one that holds it: the reader meets its end
	<-s.read
	wantModesLeft(s.T, s.output())
}

// wantSane checks the modes of the line: echo, whole lines, signals by keys.
func (s *ptySession) wantSane() {
	s.Helper()
	if after := s.termios(); after != s.before {
		s.Errorf("the modes of the terminal are %+v, were %+v", after, s.before)
	}
}

var privateModes = regexp.MustCompile(`\x1b\[\?([0-9;]+)([hl])`)

// wantModesLeft checks what a program switched on and off in the terminal's
// emulator (DECSET, DECRST): the alternate screen was used and is left, the
// cursor was hidden and is shown, and nothing else is left on.
func wantModesLeft(t *testing.T, out []byte) {
	t.Helper()
	on, touched := make(map[string]bool), make(map[string]bool)
	for _, m := range privateModes.FindAllSubmatch(out, -1) {
		for mode := range strings.SplitSeq(string(m[1]), ";") {
			now := string(m[2]) == "h"
			touched[mode] = touched[mode] || now != (mode == "25")
			on[mode] = now
		}
	}
	if !touched["1049"] || !touched["25"] {
		t.Errorf("the alternate screen was used: %v, the cursor was hidden: %v, want both", touched["1049"], touched["25"])
	}
	for mode, now := range on {
		if now != (mode == "25") {
			t.Errorf("mode ?%s of the terminal is left %v", mode, now)
		}
	}
}

func TestTheEndLeavesTheTerminalAsItWas(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		end  func(*ptySession) error
	}{
		{"q", func(s *ptySession) error { s.write("q"); return nil }},
		{"ctrl+c", func(s *ptySession) error { s.write("\x03"); return nil }},
		{"SIGINT", func(s *ptySession) error { return s.cmd.Process.Signal(syscall.SIGINT) }},
		{"SIGTERM", func(s *ptySession) error { return s.cmd.Process.Signal(syscall.SIGTERM) }},
		{"SIGHUP", func(s *ptySession) error { return s.cmd.Process.Signal(syscall.SIGHUP) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := startOnPty(t, program(t))
			s.waitFor("● live")
			if s.termios() == s.before {
				t.Error("the dashboard did not change the modes of the terminal, so nothing is shown here")
			}
			if err := test.end(s); err != nil {
				t.Fatal(err)
			}
			s.wantExit(0)
			s.wantRestored()
		})
	}
}

// The terminal goes away, as with a window that is closed or a line that
// drops.
func TestTheEndOfTheTerminalIsTheEndOfTheProgram(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, shell string }{
		{"SIGHUP ends it", `exec "$0"`},
		{"SIGHUP is ignored, as under nohup", `trap "" HUP; exec "$0"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cmd := program(t)
			cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", test.shell, executable(t)}
			s := startOnPty(t, cmd)
			s.waitFor("● live")
			s.tty.Close()
			s.master.Close()
			s.wantExit(0)
		})
	}
}

// dash leaves the modes of a terminal to the programs, so what is seen at its
// prompt is what the program left.
func TestCtrlZGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("dash")
	if err != nil {
		t.Skip("needs dash: a shell that does not touch the modes of its terminal")
	}
	const prompt = "ready> "
	cmd := exec.Command(shell, "-i")
	cmd.Env = environ(asProgram+"=1", "PS1="+prompt, "EPHTOP="+executable(t))
	s := startOnPty(t, cmd)
	s.waitForNth(prompt, 1)
	s.wantSane()

	s.write("\"$EPHTOP\"\n")
	s.waitFor("● live")
	s.write("\x1a")
	s.waitForNth(prompt, 2)
	s.wantSane()
	wantModesLeft(t, s.output())

	frames := bytes.Count(s.output(), []byte("● live"))
	s.write("fg\n")
	s.waitForNth("● live", frames+1)
	if s.termios() == s.before {
		t.Error("the dashboard goes on without keys of its own")
	}
	s.write("q")
	s.waitForNth(prompt, 3)
	s.wantSane()
	s.write("exit $?\n")
	s.wantExit(0)
	s.wantRestored()
}
