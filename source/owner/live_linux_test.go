package owner

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source"
)

// The environment variables that make the test binary the unprivileged process
// of TestUnprivileged: another user's socket, and where /proc is.
const (
	helperInode = "OWNER_TEST_INODE"
	helperRoot  = "OWNER_TEST_ROOT"
)

func TestMain(m *testing.M) {
	if inode, err := strconv.ParseUint(os.Getenv(helperInode), 10, 32); err == nil {
		if err := helpUnprivileged(uint32(inode)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// helpUnprivileged looks for a socket of its own and for another user's.
func helpUnprivileged(inode uint32) error {
	own, err := openSocket()
	if err != nil {
		return err
	}
	tracker, err := New(os.Getenv(helperRoot))
	if err != nil {
		return err
	}
	mine, err := inodeOf(own)
	if err != nil {
		return err
	}
	sockets := dump(mine, inode)
	processes, report, err := tracker.Assign(context.Background(), sockets, nil)
	if err != nil {
		return err
	}
	if len(processes) != 1 || processes[0].PID != int32(os.Getpid()) || processes[0].UID != nobodyUID {
		return fmt.Errorf("processes %+v, want this one alone", processes)
	}
	if sockets[0].Process != 0 || sockets[1].Process != source.NoProcess {
		return fmt.Errorf("the sockets have processes %d and %d, want 0 and %d", sockets[0].Process, sockets[1].Process, source.NoProcess)
	}
	_, err = fmt.Println(report.Hidden, report.Unowned)
	return err
}

const nobodyUID = 65534

func TestUnprivileged(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to start a process as another user")
	}
	dir, err := os.MkdirTemp("", "owner") // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	helper := filepath.Join(dir, "helper")
	if err := os.WriteFile(helper, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	fd, inode := newSocket(t)
	defer unix.Close(fd)
	users := countUserProcesses(t)
	tests := []struct {
		option             string // of the mount of /proc
		fewest, mostHidden int
	}{
		// This process is hidden from it; kernel threads are not counted.
		{"", 1, users + 5},
		// Listed, but nothing says what is a kernel thread.
		{"hidepid=1", 1, 1 << 22},
		// Not listed.
		{"hidepid=2", 0, 0},
	}
	for _, test := range tests {
		t.Run("proc mounted "+test.option, func(t *testing.T) {
			root := "/proc"
			if test.option != "" {
				root = mountProc(t, dir, test.option)
			}
			hidden, unowned := runUnprivileged(t, helper, root, inode)
			if hidden < test.fewest || hidden > test.mostHidden {
				t.Errorf("%d processes hidden, want %d to %d", hidden, test.fewest, test.mostHidden)
			}
			if unowned != 1 {
				t.Errorf("%d sockets unowned, want 1", unowned)
			}
		})
	}
}

// mountProc mounts a second /proc below dir.
func mountProc(t *testing.T, dir, option string) string {
	t.Helper()
	root := filepath.Join(dir, option)
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("proc", root, "proc", 0, option); err != nil {
		t.Skipf("can't mount proc with %s: %v", option, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(root, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return root
}

func runUnprivileged(t *testing.T, helper, root string, inode uint32) (hidden, unowned int) {
	t.Helper()
	cmd := exec.Command(helper)
	cmd.Dir = "/"
	cmd.Env = []string{fmt.Sprintf("%s=%d", helperInode, inode), helperRoot + "=" + root}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobodyUID, Gid: nobodyUID}}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the unprivileged process: %v", err)
	}
	if _, err := fmt.Sscan(string(out), &hidden, &unowned); err != nil {
		t.Fatalf("read %q: %v", out, err)
	}
	return hidden, unowned
}

// countUserProcesses counts the processes that have a program.
func countUserProcesses(t *testing.T) int {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range all {
		if _, err := os.Readlink(path); err == nil {
			n++
		}
	}
	return n
}

func openSocket() (int, error) {
	return unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
}

func inodeOf(fd int) (uint32, error) {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	return uint32(st.Ino), err
}

func newSocket(t testing.TB) (fd int, inode uint32) {
	t.Helper()
	fd, err := openSocket()
	if err != nil {
		t.Fatal(err)
	}
	if inode, err = inodeOf(fd); err != nil {
		t.Fatal(err)
	}
	return fd, inode
}

func TestOwnSockets(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	inode, err := inodeOf(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	sockets := dump(inode)
	processes, _, err := newTracker(t, "/proc").Assign(context.Background(), sockets, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(processes) != 1 {
		t.Fatalf("%d processes, want this one", len(processes))
	}
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	name := strconv.Itoa(os.Geteuid())
	if me, err := user.LookupId(name); err == nil {
		name = me.Username
	}
	p := processes[0]
	if p.PID != int32(os.Getpid()) || p.Name != strings.TrimSuffix(string(comm), "\n") || p.Start == 0 ||
		p.UID != uint32(os.Geteuid()) || p.User != name || !strings.HasPrefix(p.Command, os.Args[0]) {
		t.Errorf("this process is described as %+v", p)
	}
}

// holder is a process that holds sockets until it is told to end.
type holder struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   *bufio.Reader
}

// startHolder runs a shell command with sockets in its descriptors from 3,
// and closes them here. The command is to end with its standard input.
func startHolder(t testing.TB, command string, sockets ...int) *holder {
	t.Helper()
	cmd := exec.Command("sh", "-c", command)
	for _, fd := range sockets {
		cmd.ExtraFiles = append(cmd.ExtraFiles, os.NewFile(uintptr(fd), "socket"))
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
	h := &holder{cmd, stdin, bufio.NewReader(stdout)}
	t.Cleanup(h.end)
	return h
}

func (h *holder) end() {
	h.stdin.Close()
	h.cmd.Wait() // a second call only says so
}

func TestInheritedSocketOutlivesItsParent(t *testing.T) {
	fd, inode := newSocket(t)
	h := startHolder(t, "sleep 60 >/dev/null </dev/null & echo $!; read end", fd)
	line, err := h.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Kill(child, unix.SIGKILL) })

	tracker := newTracker(t, "/proc")
	parent := h.cmd.Process.Pid
	if got, want := owners(t, tracker, inode)[0], int32(min(parent, child)); got != want {
		t.Fatalf("while both live it belongs to %d, want %d", got, want)
	}
	h.end()
	if got := owners(t, tracker, inode)[0]; got != int32(child) {
		t.Errorf("after the parent's end it belongs to %d, want the child %d", got, child)
	}
}

func TestSocketGivenAway(t *testing.T) {
	fd, inode := newSocket(t)
	tracker := newTracker(t, "/proc")
	if got := owners(t, tracker, inode)[0]; got != int32(os.Getpid()) {
		t.Fatalf("before it belongs to %d, want this process", got)
	}
	h := startHolder(t, "echo ready; read end", fd)
	if _, err := h.out.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if got := owners(t, tracker, inode)[0]; got != int32(h.cmd.Process.Pid) {
		t.Errorf("it belongs to %d, want %d, to which it was given", got, h.cmd.Process.Pid)
	}
}

func TestClosedSocketIsNobodys(t *testing.T) {
	fd, inode := newSocket(t)
	unix.Close(fd)
	pids, report := poll(t, newTracker(t, "/proc"), inode)
	if pids[0] != 0 || report.Unowned != 1 {
		t.Errorf("a closed socket belongs to %d with %d unowned, want 0 and 1", pids[0], report.Unowned)
	}
}

func TestChurnOnLiveDescriptors(t *testing.T) {
	pool := newSocketPool(t, 500)
	tracker := newTracker(t, "/proc")
	for n := range 20 {
		pool.churn(t, 100, int64(n))
		for i, pid := range owners(t, tracker, pool.inodes...) {
			if pid != int32(os.Getpid()) {
				t.Fatalf("poll %d: descriptor %d belongs to %d, want this process", n, pool.fds[i], pid)
			}
		}
	}
}
