package spawn

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is, where it is asked to be, a program that starts another one, tells
// its number, and waits to be killed.
func TestMain(m *testing.M) {
	if os.Getenv("SPAWN_CHILD") == "" {
		os.Exit(m.Run())
	}
	s := NewStarter()
	cmd := exec.CommandContext(context.Background(), "sh", "-c", "echo $$; exec sleep 600")
	cmd.Stdout = os.Stdout
	if err := s.Start(cmd); err != nil {
		os.Exit(1)
	}
	select {}
}

// What was started ends when its starter is killed, which can't do anything about
// it any more.
func TestWhatWasStartedDiesWithUs(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	us := exec.Command(self)
	us.Env = append(os.Environ(), "SPAWN_CHILD=1")
	out, err := us.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := us.Start(); err != nil {
		t.Fatal(err)
	}
	pid, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	us.Process.Kill()
	us.Wait()
	wantGone(t, strings.TrimSpace(pid))
}

// A command has a group of its own, which ends with its context: a wrapper's child
// too.
func TestStart(t *testing.T) {
	t.Parallel()
	s := NewStarter()
	defer s.Close()
	if err := s.Start(exec.CommandContext(t.Context(), "/nothing/of/this/name")); err == nil {
		t.Error("what is not there was started")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "sh", "-c", "sleep 600 & echo $!; wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if group, err := syscall.Getpgid(cmd.Process.Pid); err != nil || group != cmd.Process.Pid {
		t.Errorf("its group is %d, %v; want %d", group, err, cmd.Process.Pid)
	}
	child, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := cmd.Wait(); err == nil {
		t.Error("it ended by itself")
	}
	wantGone(t, strings.TrimSpace(child))
}

// What has ended by itself leaves nobody behind, who could hold up whoever waits
// for the last words of it too.
func TestWait(t *testing.T) {
	t.Parallel()
	s := NewStarter()
	defer s.Close()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "sleep 600 & echo $!; exit 3")
	var said strings.Builder
	cmd.Stdout = &said
	if err := s.Start(cmd); err != nil {
		t.Fatal(err)
	}
	var status *exec.ExitError
	if err := Wait(cmd); !errors.As(err, &status) || status.ExitCode() != 3 {
		t.Errorf("%v, want exit status 3", err)
	}
	wantGone(t, strings.TrimSpace(said.String()))
}

func wantGone(t *testing.T, pid string) {
	t.Helper()
	for range 2000 { // what was killed may still be on its way out, or wait for init to reap it
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%s goes on", pid)
}
