package command_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"ephtop/source/live"
	"ephtop/source/memory"
	"ephtop/source/netlab"
)

// These tests run the whole program on a terminal and look at it as a person
// does. What the screen shows is asked of tmux (terminal_screen), and what goes
// over the line is read from a pseudo-terminal (terminal_pty).

// The test binary is the program where this is set. It may be told to be
// refused netlink, as in a sandbox, or to be another program, for ephtop to
// look at.
const (
	asProgram = "EPHTOP_TEST_PROGRAM"
	noNetlink = "without netlink"
	churning  = "churn"
	asItIs    = "all namespaces"
	panicking = "a source that panics"
)

// deadline is how long anything may take before it counts as never. Nothing
// here is about speed: a machine that has ten times as much to do as processors
// took more than a minute.
const deadline = 3 * time.Minute

// beHelper makes the test binary what its environment asks for, and returns
// where that is nothing.
func beHelper() {
	netlab.Main()
	switch os.Getenv(asProgram) {
	case "":
		return
	case asItIs:
		memory.Collect()
		memory.Bound("/")
		os.Exit(runWith(os.Args[1:], live.Open))
	case panicking:
		os.Exit(runMistaken())
	case noNetlink:
		if err := refuseNetlink(); err != nil {
			fmt.Fprintf(os.Stderr, "refuse netlink: %v\n", err)
			os.Exit(125)
		}
	case churning:
		if err := churn(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case acting:
		if err := beActor(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(run(os.Args[1:]))
}

// refuseNetlink makes socket(AF_NETLINK) and bpf() fail with EPERM for the rest
// of this process's life (seccomp(2)).
func refuseNetlink() error {
	const numberAt, firstArgumentAt = 0, 16 // in struct seccomp_data, on little-endian machines
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	skipUnless := func(value uint32, skip uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: skip, K: value}
	}
	answer := func(value uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: value}
	}
	filter := []unix.SockFilter{
		load(numberAt), skipUnless(unix.SYS_BPF, 1), answer(unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)),
		skipUnless(unix.SYS_SOCKET, 3),
		load(firstArgumentAt), skipUnless(unix.AF_NETLINK, 1),
		answer(unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)),
		answer(unix.SECCOMP_RET_ALLOW),
	}
	return installFilter(filter)
}

// installFilter puts a filter on the system calls of all threads.
func installFilter(filter []unix.SockFilter) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(filter)
	if errno != 0 {
		return errno
	}
	return nil
}

// environ is the environment of the program: this one's, less what would make
// it behave as under a test or in somebody's session, and with more.
func environ(more ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "CI", "NO_COLOR", "COLORTERM", "TERM", "TMUX", "TMUX_PANE", "STY", "LANG", "LC_ALL", "ENV", "PS1":
			continue
		}
		env = append(env, v)
	}
	// The race detector would have each program wait a second at its end.
	env = append(env, "LC_ALL=C.UTF-8", "TERM=xterm-256color", "GORACE=atexit_sleep_ms=0")
	return append(env, more...)
}

// program is the program as a command.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(executable(t), args...)
	cmd.Env = environ(asProgram + "=1")
	return cmd
}

func executable(t testing.TB) string {
	t.Helper()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// processName is the name that the kernel gives to this process, and so to
// the program.
func processName(t *testing.T) string {
	t.Helper()
	name, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(name))
}

// questions match what a terminal would answer: colours (OSC 4, 10, 11, 12 with
// a question mark), the position of the cursor and other reports of status (CSI
// n), what it is (CSI c and CSI > q, DECRQM), its size (CSI t), its keyboard
// (CSI ? u), its capabilities (DCS + q, DCS $ q), and ENQ.
var questions = regexp.MustCompile(`\x1b\](?:4;\d+|1[0-9]);\?|\x1b\[[<=>?]?[0-9;]*[nct]|\x1b\[>[0-9;]*q|` +
	`\x1b\[\??[0-9;]*\$p|\x1b\[\?u|\x1bP[+$]q|\x1bZ|\x05`)

// This one runs what main.go makes: which packages it imports, and in which
// order they come to life, decides what the terminal is asked.
func TestFrameOnATerminalThatAnswersNothing(t *testing.T) {
	t.Parallel()
	s := startOnPty(t, built(t))
	s.waitFor("ephtop")
	s.waitFor("● live")
	s.write("?") // the help, and back
	s.waitFor("Help")
	s.write("qq") // the help first
	s.wantExit(0)
	if found := questions.FindAll(s.output(), -1); found != nil {
		t.Errorf("the program asks the terminal %q", found)
	}
}

// built is the program as a user builds it.
func built(t *testing.T) *exec.Cmd {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs go to build the program")
	}
	file := filepath.Join(t.TempDir(), "ephtop")
	build := exec.Command("go", "build", "-o", file, "ephtop")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	cmd := exec.Command(file)
	cmd.Env = environ()
	return cmd
}

// The other way round: a question would have been seen.
func TestQuestionsAreRecognised(t *testing.T) {
	t.Parallel()
	for _, q := range []string{
		"\x1b]11;?\x1b\\", "\x1b]10;?\a", "\x1b]4;1;?\a", "\x1b[6n", "\x1b[?6n", "\x1b[5n", "\x1b[c", "\x1b[>c", "\x1b[0c",
		"\x1b[=c", "\x1bZ", "\x1b[>0q", "\x1b[?2026$p", "\x1b[?u", "\x1bP+q544e\x1b\\", "\x1b[18t", "\x05",
	} {
		if !questions.MatchString("text" + q + "text") {
			t.Errorf("%q is not taken for a question", q)
		}
	}
	for _, no := range []string{"\x1b[?25h", "\x1b[2K", "\x1b[38;5;12m", "\x1b[?1049h", "\x1b[10;1H", "\x1b]52;c;Zm9v\a", "\x1b]2;ephtop\a"} {
		if questions.MatchString(no) {
			t.Errorf("%q is taken for a question", no)
		}
	}
}

// wantNoProcess waits until a process is gone, or is left for its parent to
// collect.
func wantNoProcess(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return
		}
		if i := bytes.LastIndexByte(stat, ')'); bytes.HasPrefix(stat[i+1:], []byte(" Z")) {
			return
		}
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	t.Fatal("the program goes on without a terminal")
}
