package netlab

import (
	"bufio"
	"io"
	"os/exec"
	"testing"
)

// Child is a process inside a namespace, and what it reads and says.
type Child struct {
	*exec.Cmd
	In  io.WriteCloser
	Out *bufio.Reader
}

// Child starts a command inside the namespace. It is ended with the test.
func (h *Host) Child(t testing.TB, cmd *exec.Cmd) *Child {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Start(cmd); err != nil {
		t.Fatal(err)
	}
	c := &Child{cmd, in, bufio.NewReader(out)}
	t.Cleanup(c.End)
	return c
}

// Await reads a line, and fails the test if it is another.
func (c *Child) Await(t testing.TB, line string) {
	t.Helper()
	if said, err := c.Out.ReadString('\n'); said != line+"\n" {
		t.Fatalf("%s says %q, %v, want %q", c.Path, said, err, line)
	}
}

// End ends the process as a crash would: the kernel closes what it holds.
func (c *Child) End() {
	_ = c.Process.Kill()
	_ = c.In.Close()
	_ = c.Wait()
}
