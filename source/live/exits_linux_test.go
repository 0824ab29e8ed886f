package live

import (
	"context"
	"os/exec"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/procfs"
)

// namer is a source whose moments name processes.
type namer struct {
	holders []source.Process
	closers []source.Event
}

func (n *namer) Poll(_ context.Context, m *source.Moment) error {
	m.Reset()
	m.Processes = append(m.Processes, n.holders...)
	m.Events = append(m.Events, n.closers...)
	return nil
}

func (*namer) Close() error { return nil }

// startIdle starts a process that does nothing until it is killed.
func startIdle(t *testing.T) (*exec.Cmd, source.Process) {
	t.Helper()
	c := exec.Command("sleep", "60")
	if err := c.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	r := procfs.Reader{Root: "/proc"}
	dir, s, err := r.Open(int32(c.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(dir)
	return c, source.Process{PID: int32(c.Process.Pid), Start: s.Start}
}

func TestMomentsSayWhoEnded(t *testing.T) {
	t.Parallel()
	c, p := startIdle(t)
	src := &namer{holders: []source.Process{p}}
	e := watchExits(src)
	m := new(source.Moment)
	poll := func(what string, want ...source.ProcessKey) {
		t.Helper()
		if err := e.Poll(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(m.Exited, want) {
			t.Errorf("%s: %v have ended, want %v", what, m.Exited, want)
		}
	}
	poll("it holds a socket")
	src.holders = nil
	poll("it is idle")
	poll("it is idle still")
	// Nobody waits for it yet: it has ended all the same.
	src.holders = []source.Process{p}
	poll("it holds a socket again")
	src.holders = nil
	c.Process.Kill()
	if err := unix.Waitid(unix.P_PID, c.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	poll("it was killed", p.Key())
	poll("that is said once")
}

func TestWhoIsNamedByAnEventAloneMayHaveEnded(t *testing.T) {
	t.Parallel()
	c, p := startIdle(t)
	c.Process.Kill()
	c.Wait()
	_, other := startIdle(t)
	reused := other
	reused.Start-- // who had the number before
	src := &namer{closers: []source.Event{{Process: p}, {Process: reused}, {Process: other}, {Process: source.Process{PID: p.PID}}}}
	m := new(source.Moment)
	if err := watchExits(src).Poll(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(m.Exited, func(a, b source.ProcessKey) int { return int(a.PID - b.PID) })
	want := []source.ProcessKey{p.Key(), reused.Key()}
	slices.SortFunc(want, func(a, b source.ProcessKey) int { return int(a.PID - b.PID) })
	if !slices.Equal(m.Exited, want) {
		t.Errorf("%v have ended, want %v", m.Exited, want)
	}
}
