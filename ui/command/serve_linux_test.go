package command_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// served is a program that serves a simulated host.
type served struct {
	*testing.T
	cmd    *exec.Cmd
	stderr *bufio.Reader
}

func serving(t *testing.T, args ...string) *served {
	t.Helper()
	cmd := program(t, append([]string{"serve", "--demo", "leak", "--speed", "16", "--interval", "200ms"}, args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	watchdog := time.AfterFunc(deadline, func() { cmd.Process.Kill() })
	t.Cleanup(func() { watchdog.Stop() })
	return &served{t, cmd, bufio.NewReader(stderr)}
}

// line is the next one on standard error.
func (s *served) line() string {
	s.Helper()
	line, err := s.stderr.ReadString('\n')
	if err != nil {
		s.Fatalf("standard error ends: %q, %v", line, err)
	}
	return strings.TrimSpace(line)
}

// url is where it serves.
func (s *served) url() string {
	s.Helper()
	line := s.line()
	url, ok := strings.CutPrefix(line, "ephtop: serving ")
	if !ok {
		s.Fatalf("standard error: %q", line)
	}
	return url
}

func (s *served) signal(sig os.Signal) {
	s.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.Fatalf("it has ended by itself: %v", err)
	}
}

// wantEnd wants it to end with status 0, and no more words.
func (s *served) wantEnd() {
	s.Helper()
	rest, _ := io.ReadAll(s.stderr)
	if err := s.cmd.Wait(); err != nil || len(rest) > 0 {
		s.Errorf("it ends with %v and %q", err, rest)
	}
}

func TestServeEnds(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			run := serving(t, "--web.listen-address", "127.0.0.1:0")
			c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(run.url(), "http://"), "/metrics"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close() // it never asks for anything
			run.signal(s)
			run.wantEnd()
		})
	}
}

// SIGHUP has the web config read again. One that does not parse is said in a line,
// and the one before stays in force.
func TestServeReadsItsConfigAgain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "web.yml")
	config := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config("http_server_config:\n  headers:\n    X-Frame-Options: deny\n")
	run := serving(t, "--web.listen-address", "127.0.0.1:0", "--web.config.file", file)
	url := run.url()
	frames := func() string {
		t.Helper()
		answer, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return fmt.Sprint(answer.StatusCode, " ", answer.Header.Get("X-Frame-Options"))
	}
	if got := frames(); got != "200 deny" {
		t.Errorf("at first: %s", got)
	}
	config("http_server_config: [")
	run.signal(syscall.SIGHUP)
	if line := run.line(); !strings.HasPrefix(line, "ephtop: web config "+file+": yaml: ") || !strings.HasSuffix(line, ": the one before stays in force") {
		t.Errorf("standard error: %q", line)
	}
	if got := frames(); got != "200 deny" {
		t.Errorf("after one that does not parse: %s", got)
	}
	config("http_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n")
	run.signal(syscall.SIGHUP)
	for end := time.Now().Add(deadline); frames() != "200 sameorigin" && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
	}
	if got := frames(); got != "200 sameorigin" {
		t.Errorf("after a good one: %s", got)
	}
	run.signal(syscall.SIGTERM)
	run.wantEnd()
}

// What cannot be listened on is said in a line.
func TestServeWhereItCannot(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	busy := l.Addr().String()
	for _, test := range []struct {
		address, want string
		unprivileged  bool
	}{
		{busy, "listen tcp " + busy + ": bind: address already in use", false},
		{"127.0.0.1:81", "listen tcp 127.0.0.1:81: bind: permission denied", true},
		{"192.0.2.1:10768", "listen tcp 192.0.2.1:10768: bind: cannot assign requested address", false},
	} {
		t.Run(test.address, func(t *testing.T) {
			t.Parallel()
			cmd := program(t, "serve", "--demo", "leak", "--web.listen-address", test.address)
			if test.unprivileged && os.Geteuid() == 0 {
				setpriv, err := exec.LookPath("setpriv")
				if err != nil {
					t.Skip("needs setpriv (util-linux)")
				}
				cmd.Path, cmd.Args = setpriv, append([]string{setpriv, "--bounding-set=-net_bind_service", cmd.Path}, cmd.Args[1:]...)
			}
			watchdog := time.AfterFunc(deadline, func() { cmd.Process.Kill() })
			defer watchdog.Stop()
			out, err := cmd.CombinedOutput()
			want := "ephtop: " + test.want + ": use another --web.listen-address\n"
			if cmd.ProcessState.ExitCode() != 1 || string(out) != want {
				t.Errorf("%v, %q; want status 1, %q", err, out, want)
			}
		})
	}
}

// A text file whose directory is gone is said in one line, however often it is
// tried, and is there when the directory is. Nobody listens then.
func TestServeToAFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "gone")
	file := filepath.Join(dir, "ephtop.prom")
	run := serving(t, "--textfile", file)
	if got, want := run.line(), "ephtop: writing "+file; got != want {
		t.Errorf("standard error: %q, want %q", got, want)
	}
	if got, want := run.line(), "ephtop: write "+file+": no such file or directory"; got != want {
		t.Errorf("standard error: %q, want %q", got, want)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var page []byte
	for end := time.Now().Add(deadline); len(page) == 0 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		page, _ = os.ReadFile(file)
	}
	if text := string(page); !strings.Contains(text, "\nephtop_level ") || strings.Contains(text, "\nprocess_") {
		t.Errorf("the file holds %q", text)
	}
	run.signal(syscall.SIGTERM)
	run.wantEnd()
}
