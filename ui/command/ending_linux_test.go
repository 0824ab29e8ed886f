package command_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/live"
	"ephtop/source/recording"
	"ephtop/ui/command"
	"ephtop/ui/dashboard"
)

// recorded is a recording of a simulated host.
func recorded(t *testing.T, path string) string {
	t.Helper()
	if out, err := program(t, "record", "--demo", "leak", "--speed", "max", "--duration", "20s", path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// Whatever a command waits for, a signal ends it.
func TestSignalsEndWhatWaits(t *testing.T) {
	t.Parallel()
	whole := recorded(t, filepath.Join(t.TempDir(), "whole"))
	const silent, full = "a standard input that says nothing", "a standard output that nobody reads"
	for _, test := range []struct{ args, waits string }{
		{"record FIFO", ""},
		{"record --demo leak FIFO", ""},
		{"record --demo leak --interval 100ms -", full},
		{"anonymize FIFO out", ""},
		{"anonymize - out", silent},
		{"anonymize WHOLE FIFO", ""},
		{"anonymize WHOLE -", full},
		{"export FIFO out.md", ""},
		{"export - out.json", silent},
		{"export WHOLE FIFO --as csv", ""},
		{"export WHOLE - --as cast", full},
		{"snapshot --from FIFO", ""},
		{"snapshot --from -", silent},
		{"snapshot -o json --from WHOLE", full},
		{"check --from FIFO", ""},
		{"check --from -", silent},
		{"check --from WHOLE", full},
		{"doctor --from FIFO", ""},
		{"doctor --from -", silent},
		{"doctor --from WHOLE", full},
		{"watch --demo leak --interval 100ms", full},
		{"man", full},
		{"completion bash", full},
		{"help", full},
	} {
		for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
			t.Run(test.args+" "+s.String(), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				if err := unix.Mkfifo(filepath.Join(dir, "FIFO"), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := program(t, strings.Fields(strings.ReplaceAll(test.args, "WHOLE", whole))...)
				cmd.Dir = dir
				in, out := pipe(t), pipe(t)
				if test.waits == silent {
					cmd.Stdin = in[0]
				}
				if test.waits == full {
					fillPipe(t, out[1])
					cmd.Stdout = out[1]
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				exited := make(chan error, 1)
				go func() { exited <- cmd.Wait() }()
				defer cmd.Process.Kill()
				waitUntilItWaits(t, cmd.Process.Pid)
				if err := cmd.Process.Signal(s); err != nil {
					t.Fatalf("it has ended by itself: %v", err)
				}
				select {
				case <-exited:
				case <-time.After(deadline):
					t.Error("it goes on")
				}
				if left, err := os.ReadDir(dir); len(left) != 1 {
					t.Errorf("left behind: %q, %v", left, err)
				}
			})
		}
	}
}

func pipe(t *testing.T) [2]*os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return [2]*os.File{r, w}
}

// fillPipe fills a pipe until it takes no more, and has it block, as a shell's does.
func fillPipe(t *testing.T, w *os.File) {
	t.Helper()
	fd := int(w.Fd())
	err := unix.SetNonblock(fd, true)
	for err == nil {
		_, err = unix.Write(fd, make([]byte, 4096))
	}
	if !errors.Is(err, unix.EAGAIN) {
		t.Fatalf("fill a pipe: %v", err)
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
}

// waitUntilItWaits waits until a thread of a process is in a system call that
// opens, reads or writes what is not ready.
func waitUntilItWaits(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		calls, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
		for _, call := range calls {
			text, _ := os.ReadFile(call)
			number, _, _ := strings.Cut(string(text), " ")
			for _, waits := range []int{unix.SYS_OPENAT, unix.SYS_READ, unix.SYS_WRITE} {
				if number == fmt.Sprint(waits) {
					return
				}
			}
		}
	}
	t.Fatal("it never waits")
}

// A signal that a program can take from outside either ends the dashboard in
// order or does nothing to it.
func TestOtherSignals(t *testing.T) {
	t.Parallel()
	for s := syscall.Signal(1); s < 32; s++ {
		switch s {
		case syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGCONT, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU:
			continue
		}
		t.Run(unix.SignalName(s), func(t *testing.T) {
			t.Parallel()
			p := startOnPty(t, program(t, "demo", "browsing", "--speed", "1"))
			p.waitFor("● live")
			ends := false
			switch s {
			case syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT,
				syscall.SIGBUS, syscall.SIGFPE, syscall.SIGSEGV, syscall.SIGSYS, syscall.SIGSTKFLT:
				ends = true
			}
			if err := p.cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			if !ends {
				p.write("?") // it lives, and takes keys
				p.waitFor("Help")
				p.write("qq")
			}
			p.wantExit(0)
			p.wantRestored()
		})
	}
}

// Whoever else stops the dashboard, the shell gets its terminal, and the dashboard
// draws itself again when it goes on.
func TestStopsFromOutside(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("dash")
	if err != nil {
		t.Skip("needs dash: a shell that does not touch the modes of its terminal")
	}
	for _, stop := range []syscall.Signal{syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGSTOP} {
		t.Run(unix.SignalName(stop), func(t *testing.T) {
			t.Parallel()
			const prompt = "ready> "
			cmd := exec.Command(shell, "-i")
			cmd.Env = environ(asProgram+"=1", "PS1="+prompt, "EPHTOP="+executable(t))
			s := startOnPty(t, cmd)
			s.waitForNth(prompt, 1)
			s.write("\"$EPHTOP\" demo\n")
			s.waitFor("● live")
			group, err := unix.IoctlGetInt(int(s.master.Fd()), unix.TIOCGPGRP)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(group, stop); err != nil {
				t.Fatal(err)
			}
			s.waitForNth(prompt, 2)
			if stop != syscall.SIGSTOP { // which can't be taken
				s.wantSane()
				wantModesLeft(t, s.output())
			}
			frames := bytes.Count(s.output(), []byte("● live"))
			s.write("fg\n")
			s.waitForNth("● live", frames+1)
			s.write("?")
			s.waitForNth("Help", 1)
			if s.termios() == s.before {
				t.Error("the dashboard goes on without keys of its own")
			}
			s.write("qq")
			s.waitForNth(prompt, 3)
			s.wantSane()
			s.write("exit $?\n")
			s.wantExit(0)
			s.wantRestored()
		})
	}
}

// However few descriptors there are, the terminal is as it was at the end. With
// fewer than these, Go's runtime ends the program before it has begun: a library
// opens a file when it is loaded, and to wait for files takes two descriptors.
func TestOutOfDescriptors(t *testing.T) {
	t.Parallel()
	for n := 8; n <= 20; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			cmd := program(t, "demo")
			cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0" demo`, n), executable(t)}
			s := startOnPty(t, cmd)
			for end := time.Now().Add(deadline); len(s.exited) == 0 && !bytes.Contains(s.output(), []byte("● live")); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("neither an error nor a screen:\n%q", s.output())
				}
			}
			s.write("q")
			select {
			case <-s.exited:
			case <-time.After(deadline):
				t.Fatalf("the program does not end:\n%q", s.output())
			}
			s.wantSane()
			if bytes.Contains(s.output(), []byte("\x1b[?1049h")) {
				s.wantRestored()
			} else if s.cmd.ProcessState.ExitCode() == 0 {
				t.Errorf("it ends well without a screen: %q", s.output())
			}
			if bytes.Contains(s.output(), []byte("goroutine ")) {
				t.Errorf("a page of stacks: %q", s.output())
			}
		})
	}
}

// mistaken is a source that panics where there is a file, and leaves another one
// where it is closed.
type mistaken struct {
	source.Source
	dir   string
	never bool
}

func (m *mistaken) Poll(ctx context.Context, to *source.Moment) error {
	if !m.never {
		panicOnce(m.dir)
	}
	return m.Source.Poll(ctx, to)
}

func panicOnce(dir string) {
	if os.Remove(filepath.Join(dir, "panic")) == nil {
		panic("on purpose")
	}
}

// mistakenLog panics as mistaken does.
type mistakenLog struct {
	slog.Handler
	dir string
}

func (m *mistakenLog) Handle(ctx context.Context, r slog.Record) error {
	panicOnce(m.dir)
	return m.Handler.Handle(ctx, r)
}

// runMistaken is the program on a mistaken source, or with a mistake of its own
// where it shows the dashboard.
func runMistaken() int {
	dir := os.Getenv("EPHTOP_TEST_DIR")
	return command.Run(os.Args[1:], command.Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Open: func(live.Options) (source.Source, error) {
			host, err := demo.New(demo.Options{Scenario: "leak", Start: time.Now()})
			return &mistaken{host, dir, false}, err
		},
		Dashboard: func(ctx context.Context, c dashboard.Config) error {
			c.Source.(*mistaken).never = true
			c.Log = slog.New(&mistakenLog{c.Log.Handler(), dir})
			return dashboard.Run(ctx, c)
		},
	})
}

func (m *mistaken) Close() error {
	return errors.Join(os.WriteFile(filepath.Join(m.dir, "closed"), nil, 0o600), m.Source.Close())
}

// A mistake of ours does not cost the terminal, nor the recording.
func TestAPanicEndsTheProgramInOrder(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"record", "ephtop-1.eph"}, {"doctor", "--for", "10m"}, {"snapshot"}, {"check"}} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cmd := program(t, append(args, "--log", "log")...)
			cmd.Dir, cmd.Env = dir, environ(asProgram+"="+panicking, "EPHTOP_TEST_DIR="+dir)
			begin := func() {
				if err := os.WriteFile(filepath.Join(dir, "panic"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if len(args) == 1 {
				begin()
			}
			s := startOnPty(t, cmd)
			switch {
			case args == nil:
				s.waitFor("● live")
				s.write("r")
				s.waitFor("recording to")
				waitForMoments(t, dir)
				begin()
			case args[0] == "record": // which goes on, and says so at the end
				waitForMoments(t, dir)
				begin()
				waitForMoments(t, dir)
				if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
			case args[0] == "doctor":
				s.waitFor("2 polls")
				begin()
			}
			status := 1
			if len(args) > 0 && (args[0] == "check" || args[0] == "doctor") {
				status = 3
			}
			s.wantExit(status)
			s.wantSane()
			s.tty.Close()
			<-s.read
			if args == nil {
				wantModesLeft(t, s.output())
			}
			out := string(s.output())
			if !strings.Contains(out, "a fault of ephtop itself") || strings.Contains(out, "goroutine ") {
				t.Errorf("it says %q", out)
			}
			if log, _ := os.ReadFile(filepath.Join(dir, "log")); !bytes.Contains(log, []byte("command_test.panicOnce")) {
				t.Errorf("the log has no stack: %s", log)
			}
			if _, err := os.Stat(filepath.Join(dir, "closed")); err != nil {
				t.Errorf("the source was left open: %v", err)
			}
			files, _ := filepath.Glob(filepath.Join(dir, "*.eph"))
			if want := args == nil || args[0] == "record"; want != (len(files) == 1) {
				t.Fatalf("recordings: %q", files)
			}
			for _, file := range files {
				wantWhole(t, file)
			}
		})
	}
}

// waitForMoments waits until two moments were added to a recording.
func waitForMoments(t *testing.T, dir string) {
	t.Helper()
	sizes := map[int64]bool{}
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if files, _ := filepath.Glob(filepath.Join(dir, "*.eph")); len(files) == 1 {
			if info, err := os.Stat(files[0]); err == nil && info.Size() > 0 {
				sizes[info.Size()] = true
			}
		}
		if len(sizes) == 3 {
			return
		}
	}
	t.Fatal("nothing is recorded")
}

// wantWhole checks that a recording has moments and an end.
func wantWhole(t *testing.T, path string) {
	t.Helper()
	p, err := recording.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var m source.Moment
	n := 0
	for ; err == nil; n++ {
		err = p.Poll(t.Context(), &m)
	}
	if n < 2 || errors.Is(err, recording.ErrCut) || !errors.Is(err, io.EOF) {
		t.Errorf("%d moments, then %v", n-1, err)
	}
}

// No name of a file reaches the terminal as it is.
func TestNamesOfFilesReachNoTerminal(t *testing.T) {
	t.Parallel()
	const evil = "x\x1b]52;c;eA==\x07\u202e.eph"
	dir := t.TempDir()
	recorded(t, filepath.Join(dir, evil))
	if err := os.WriteFile(filepath.Join(dir, "no"+evil), []byte("no recording"), 0o600); err != nil {
		t.Fatal(err)
	}
	absent := "absent/" + evil
	for _, args := range [][]string{
		{"record", evil}, {"record", "--demo", "leak", "--speed", "max", "--force", evil}, {"record", "--demo", "leak", absent},
		{"anonymize", evil, evil}, {"anonymize", evil, "copy" + evil}, {"anonymize", absent, "b"}, {"anonymize", "no" + evil, "b"}, {"anonymize", evil, absent},
		{"export", evil, evil}, {"export", evil, evil + ".md"}, {"export", evil, evil + ".svg"}, {"export", evil, "b.md", "--keys", absent}, {"export", absent, "b.md"},
		{"export", "no" + evil, "b.md"}, {"export", evil, absent + ".md"}, {"export", evil, "b.md", "--as", evil}, {"export", evil, "b.md", "--at", evil},
		{"replay", absent}, {"replay", "no" + evil}, {"replay", evil, "b"},
		{"snapshot", "--from", absent}, {"snapshot", "--from", "no" + evil}, {"snapshot", "--from", evil, "--at", evil}, {"snapshot", "--from", evil},
		{"snapshot", "--netns", evil}, {"snapshot", "--filter", evil}, {"snapshot", "-o", evil}, {"snapshot", "--theme", evil},
		{"check", "--from", absent}, {"check", "--from", "no" + evil}, {"check", "--from", evil}, {"check", "--on", evil}, {"check", evil},
		{"doctor", "--from", absent}, {"doctor", "--from", "no" + evil}, {"doctor", "--from", evil}, {"doctor", "--for", evil},
		{"--log", absent}, {"--interval", evil}, {"--" + evil}, {"-" + evil}, {evil}, {"help", evil}, {"man", evil}, {"completion", evil}, {"version", evil},
		{"demo", evil}, {"demo", "--scenario", evil}, {"demo", "--seed", evil},
	} {
		t.Run(fmt.Sprintf("%q", args), func(t *testing.T) {
			t.Parallel()
			cmd := program(t, args...)
			cmd.Dir = dir
			s := startOnPty(t, cmd)
			select {
			case <-s.exited:
			case <-time.After(deadline):
				t.Fatalf("it does not end: %q", s.output())
			}
			s.tty.Close()
			<-s.read
			if out := s.output(); bytes.Contains(out, []byte("\x1b]")) || bytes.ContainsAny(out, "\x07\u202e") {
				t.Errorf("it writes %q", out)
			}
		})
	}
}
