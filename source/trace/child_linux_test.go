package trace

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source/netlab"
)

// childMode is the environment variable that makes this test binary a program
// for tests to trace, and says which.
const childMode = "EPHTOP_TRACE_CHILD"

func TestMain(m *testing.M) {
	if mode := os.Getenv(childMode); mode != "" {
		if err := children[mode](os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// children are the programs. Each writes what it did to stdout, a line each.
var children = map[string]func(args []string) error{
	"churn":        churn,
	"thread":       closeInThread,
	"hold":         hold,
	"connect":      connectMany,
	"unprivileged": openUnprivileged,
	"descriptors":  openWithout,
	"trace":        traceUntilKilled,
	"mounts":       compareMounts,
}

// underWay is how many connections churn has at most.
const underWay = 100

// churn makes connections to args[0], args[1] in all and args[2] a second,
// closes each after 5 ms, prints their local ports, and waits to be let go.
func churn(args []string) error {
	n, err1 := strconv.Atoi(args[1])
	rate, err2 := strconv.Atoi(args[2])
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout) // written at the end, not to disturb who measures
	type result struct {
		port int
		err  error
	}
	results := make(chan result)
	collect := func() error {
		r := <-results
		fmt.Fprintln(out, r.port)
		return r.err
	}
	begin := time.Now()
	for i := range n {
		time.Sleep(time.Until(begin.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		go func() {
			fd, port, err := dial(args[0])
			if err == nil {
				time.Sleep(5 * time.Millisecond)
				err = unix.Close(fd)
			}
			results <- result{port, err}
		}()
		if i >= underWay {
			if err := collect(); err != nil {
				return err
			}
		}
	}
	for range min(n, underWay) {
		if err := collect(); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// closeInThread closes a connection in a thread that is not the first, prints
// the ids of both, and waits to be let go.
func closeInThread(args []string) error {
	return onOwnThread(func() error {
		fd, _, err := dial(args[0])
		if err != nil {
			return err
		}
		unix.Close(fd)
		fmt.Println(os.Getpid(), unix.Gettid())
		_, err = io.Copy(io.Discard, os.Stdin)
		return err
	})
}

// hold makes args[1] connections and keeps them until it is killed.
func hold(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	for range n {
		if _, _, err := dial(args[0]); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	select {}
}

// connectMany calls connect to args[0] args[1] times and prints each answer.
// With a third argument it binds to that address first, and leaves the port to
// connect.
func connectMany(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	for range n {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		if len(args) > 2 {
			if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
				return err
			}
			if err := unix.Bind(fd, sockaddr(args[2])); err != nil {
				return err
			}
		}
		err = unix.Connect(fd, sockaddr(args[0]))
		unix.Close(fd)
		fmt.Println(err)
	}
	return nil
}

// openUnprivileged gives root up and prints what Open says then.
func openUnprivileged([]string) error {
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
		return err
	}
	_, err := Open()
	fmt.Println(err)
	return nil
}

// traceUntilKilled opens a tracer and prints the name of its instance.
func traceUntilKilled([]string) error {
	t, err := Open()
	if err != nil {
		return err
	}
	fmt.Println(t.reader.name)
	select {}
}

// compareMounts opens tracers where mounts are shared, as they are on most
// hosts, and prints what changes among those of the main thread.
func compareMounts([]string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return err
	}
	before, err := tracefsMounts("self")
	if err != nil {
		return err
	}
	for range 10 { // a goroutine may be on the main thread, or not
		t, err := Open()
		if err != nil {
			return err
		}
		after, err := tracefsMounts("self")
		if err != nil {
			return err
		}
		if after != before {
			fmt.Printf("with a tracer:\n%sbefore:\n%s", after, before)
		}
		if err := t.Close(); err != nil {
			return err
		}
	}
	return nil
}

// tracefsMounts are the lines of tracefs among the mounts that a task of /proc
// has: a tracer mounts nothing else, and others mount what they like meanwhile.
func tracefsMounts(task string) (string, error) {
	all, err := os.ReadFile("/proc/" + task + "/mountinfo")
	var mounts strings.Builder
	for line := range strings.Lines(string(all)) {
		if strings.Contains(line, " - tracefs ") {
			mounts.WriteString(line)
		}
	}
	return mounts.String(), err
}

// dial connects and gives the descriptor and the local port.
func dial(to string) (fd, port int, err error) {
	domain := unix.AF_INET
	if netip.MustParseAddrPort(to).Addr().Is6() {
		domain = unix.AF_INET6
	}
	if fd, err = unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, 0, err
	}
	if err := unix.Connect(fd, sockaddr(to)); err != nil {
		return -1, 0, err
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return -1, 0, err
	}
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		port = a.Port
	case *unix.SockaddrInet6:
		port = a.Port
	}
	return fd, port, nil
}

func sockaddr(addr string) unix.Sockaddr {
	ap := netip.MustParseAddrPort(addr)
	if ap.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(ap.Port()), Addr: ap.Addr().As16()}
}

// child is a running program of children.
type child struct {
	t     testing.TB
	cmd   *exec.Cmd
	lines *bufio.Scanner
	stdin io.WriteCloser
}

// startChild starts a program, in the host's network namespace or a lab's. It
// ends with the test.
func startChild(t testing.TB, h *netlab.Host, mode string, args ...string) *child {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), childMode+"="+mode)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS} // what it mounts is its own
	out, err1 := cmd.StdoutPipe()
	in, err2 := cmd.StdinPipe()
	start := cmd.Start
	if h != nil {
		start = func() error { return h.Start(cmd) }
	}
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if err := start(); err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: cmd, lines: bufio.NewScanner(out), stdin: in}
	t.Cleanup(c.kill)
	return c
}

func (c *child) pid() int32 { return int32(c.cmd.Process.Pid) }

// line waits for the next line.
func (c *child) line() string {
	c.t.Helper()
	if !c.lines.Scan() {
		c.t.Fatalf("the child said no more: %v", c.lines.Err())
	}
	return c.lines.Text()
}

// rest lets the child go, waits for its end and gives what it said until then.
func (c *child) rest() []string {
	c.t.Helper()
	c.stdin.Close()
	var lines []string
	for c.lines.Scan() {
		lines = append(lines, c.lines.Text())
	}
	if err := c.cmd.Wait(); err != nil {
		c.t.Fatalf("%s: %v", strings.Join(c.cmd.Args, " "), err)
	}
	return lines
}

func (c *child) kill() {
	c.stdin.Close()
	if c.cmd.ProcessState == nil {
		c.cmd.Process.Kill()
		c.cmd.Wait() // reports the kill
	}
}

// serve accepts connections in a lab and closes each when the client has, so
// that the client's side goes to TIME_WAIT.
func serve(t testing.TB, h *netlab.Host, addr string) {
	t.Helper()
	var l net.Listener
	h.Must(func() (err error) { l, err = net.Listen("tcp", addr); return err })
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(io.Discard, c)
				c.Close()
			}()
		}
	}()
	t.Cleanup(func() { l.Close(); <-served })
}
