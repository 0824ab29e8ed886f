package netlab

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// holderVariable tells a test binary that it is to be a Holder.
const holderVariable = "EPHTOP_NETLAB_HOLDER"

// Holder is a process of its own that holds both ends of TCP connections,
// inside the namespace.
type Holder struct {
	PID int
	t   interface{ Fatalf(string, ...any) }
	in  io.WriteCloser
	out *bufio.Reader
}

// Main is to be called first by the TestMain of a test that uses Hold: in a
// holder's process it does not return.
func Main() {
	if addr := os.Getenv(holderVariable); addr != "" {
		if err := holdConnections(addr, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "holder:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// Hold starts a process that listens on an address and holds n connections to
// it, so 2n+1 sockets. It ends with the test.
func (h *Host) Hold(addr string, n int) *Holder {
	h.t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), holderVariable+"="+addr)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.Start(cmd); err != nil {
		h.t.Fatal(err)
	}
	p := &Holder{PID: cmd.Process.Pid, t: h.t, in: in, out: bufio.NewReader(out)}
	h.t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	p.Begin(n)
	p.End()
	return p
}

// Begin has the process close its oldest connections, as many as there are up
// to n, without leaving a TIME_WAIT, and open n new ones.
func (p *Holder) Begin(n int) {
	if _, err := fmt.Fprintln(p.in, n); err != nil {
		p.t.Fatalf("holder %d: %v", p.PID, err)
	}
}

// End waits for what Begin began.
func (p *Holder) End() {
	if line, err := p.out.ReadString('\n'); err != nil || line != "done\n" {
		p.t.Fatalf("holder %d says %q, %v", p.PID, line, err)
	}
}

// holdConnections is the holder's side: each line is a number for Begin.
func holdConnections(addr string, in io.Reader, out io.Writer) error {
	listener, err := openHere(addr, unix.SOCK_STREAM, bindTo(addr), listen(128))
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	var held [][2]int
	for lines := bufio.NewScanner(in); lines.Scan(); {
		n, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
		if err != nil {
			return err
		}
		for range min(n, len(held)) {
			resetBoth(held[0])
			held = held[1:]
		}
		for range n {
			pair, err := connectBoth(listener, addr)
			if err != nil {
				return err
			}
			held = append(held, pair)
		}
		fmt.Fprintln(out, "done")
	}
	return nil
}

func connectBoth(listener int, to string) ([2]int, error) {
	client, err := ConnectHere(to)
	if err != nil {
		return [2]int{}, fmt.Errorf("connect: %w", err)
	}
	server, _, err := unix.Accept(listener)
	return [2]int{client, server}, err
}

// resetBoth closes both ends with a reset.
func resetBoth(pair [2]int) {
	for _, fd := range pair {
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		unix.Close(fd)
	}
}

// ReadableSelf copies this program to where every user may run it, and returns
// the path.
func ReadableSelf(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "self") // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "self")
	for _, err := range []error{os.Chmod(dir, 0o755), os.WriteFile(path, binary, 0o755)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return path
}
