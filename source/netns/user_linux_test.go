package netns

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
)

// asUser makes the test binary a process that prints what it sees through a
// gate, with the pid in the variable in focus.
const asUser = "EPHTOP_TEST_USER"

// tellNamespaces prints a line for each namespace: its kind, how it was seen,
// and how many sockets it has.
func tellNamespaces(pid string) int {
	l := New("")
	g := NewGate(l)
	defer l.Close()
	defer g.Close()
	n, err := l.Resolve(context.Background(), pid)
	if err == nil {
		m := new(source.Moment)
		if err = g.Poll(context.Background(), m, GateOptions{Focus: n.Scope.Netns}); err == nil {
			for i := range m.Snapshots {
				s := &m.Snapshots[i]
				fmt.Println(s.Scope.Kind, "rows", len(s.Sockets), "assumed", s.Settings.Assumed, "focus", s.Scope.Netns == n.Scope.Netns)
			}
			for i := range m.Quiet {
				fmt.Println(m.Quiet[i].Scope.Kind, "bound", m.Quiet[i].Bound, "assumed", m.Quiet[i].Assumed)
			}
			return 0
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// An ordinary user has the list, the bounds, and on focus the sockets, of
// namespaces that only root may enter. The host's is one, though the user's own
// processes tell another number for it than those of others.
func TestUserSeesWhatEveryoneMayRead(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become a user")
	}
	l := newLab(t, "40000 40099", 61)
	self := netlab.ReadableSelf(t)
	cmd := exec.Command(self)
	cmd.Dir, cmd.Stderr = "/", os.Stderr
	cmd.Env = []string{fmt.Sprintf("%s=%d", asUser, l.PID)}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65533, Gid: 65533}}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	hosts, focused := 0, 0
	for _, line := range lines {
		if strings.Contains(line, " bound ") && !strings.HasSuffix(line, "assumed true") {
			t.Errorf("%q, want an assumed range", line)
		}
		switch {
		case strings.HasPrefix(line, "host "):
			hosts++
		case strings.HasSuffix(line, "focus true"):
			focused++
			if !strings.Contains(line, "rows 61 assumed true") {
				t.Errorf("%q in focus, want 61 rows and an assumed range", line)
			}
		}
	}
	if hosts != 1 || focused != 1 {
		t.Errorf("%d hosts and %d in focus, want one of each:\n%s", hosts, focused, out)
	}
}

// Where a namespace may not be entered, its sockets come from files, the range is
// assumed, and both are told.
func TestGateReadsTablesWhereItMayNotEnter(t *testing.T) {
	g := newGate(t)
	l := newLab(t, "40000 40099", 61)
	look(t, g, GateOptions{Warn: 60})
	g.spaces[l.netns].denied = unix.EPERM
	m := look(t, g, GateOptions{Focus: l.netns})
	s := snapshotOf(m, l.netns)
	if s == nil || len(s.Sockets) != 61 || !s.Settings.Assumed || s.BoundListed || !s.Inodes {
		t.Fatalf("snapshot %+v, want 61 sockets and an assumed range", s)
	}
	var assumed string
	for _, limit := range m.Limits {
		if limit.Code == source.LimitRange {
			assumed = limit.Detail
		}
	}
	if want := s.Scope.Name + ": operation not permitted"; assumed != want {
		t.Errorf("the range is assumed for %q, want %q", assumed, want)
	}
}
