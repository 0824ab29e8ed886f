package model_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/netlab"
)

// holderEnv asks the test binary to be a process that holds sockets: its value
// is how many connections it makes to where, as "3 127.0.0.1:80".
const holderEnv = "EPHTOP_TEST_HOLDER"

// TestHoldConnections is no test but the process that TestKernelOwners starts.
// It says when it holds its connections, and holds them until its input ends.
func TestHoldConnections(t *testing.T) {
	task := os.Getenv(holderEnv)
	if task == "" {
		t.Skip("is run by TestKernelOwners")
	}
	var n, port int
	if _, err := fmt.Sscanf(task, "%d 127.0.0.1:%d", &n, &port); err != nil {
		t.Fatal(err)
	}
	for range n {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			err = unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	fmt.Println("holding")
	io.Copy(io.Discard, os.Stdin)
}

// hold starts a child that makes n connections to 127.0.0.1:port.
func hold(l *lab, n, port int) *netlab.Child {
	l.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHoldConnections$")
	cmd.Env = append(os.Environ(), holderEnv+"="+fmt.Sprintf("%d 127.0.0.1:%d", n, port))
	c := l.Child(l.t, cmd)
	c.Await(l.t, "holding")
	return c
}

// owners counts the clients' sockets, as "port state pid tier".
func owners(st *model.State) map[string]int {
	count := make(map[string]int)
	for i := range st.Snapshot.Sockets {
		s := &st.Snapshot.Sockets[i]
		if !st.Rows[i].Ephemeral {
			continue
		}
		pid := "-"
		if p := st.Process(i); p != nil {
			pid = strconv.Itoa(int(p.PID))
		}
		count[fmt.Sprintf("%d %s %s %s", s.RemotePort, s.State, pid, st.Rows[i].Tier)]++
	}
	return count
}

// Two processes hold connections, and one of them is killed: its TIME_WAIT
// stays with it, though the kernel no longer says whose it is.
func TestKernelOwners(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	listeners := map[int]int{80: l.Listen("127.0.0.1:80"), 81: l.Listen("127.0.0.1:81")}
	killed, lives := hold(l, 7, 80), hold(l, 3, 81)
	var servers []int
	for range 7 {
		servers = append(servers, l.Accept(listeners[80]))
	}
	st := l.look()
	want := map[string]int{
		fmt.Sprintf("80 ESTABLISHED %d observed", killed.Process.Pid): 7,
		fmt.Sprintf("81 ESTABLISHED %d observed", lives.Process.Pid):  3,
	}
	if diff := cmp.Diff(want, owners(st)); diff != "" {
		t.Errorf("owners while both live (-want +got):\n%s", diff)
	}
	name := strings.TrimSpace(readFile(t, fmt.Sprintf("/proc/%d/comm", killed.Process.Pid)))
	checkProcess(t, st, killed, name)

	if err := killed.Process.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	killed.Wait()
	for _, fd := range servers {
		l.CloseSecond(fd)
	}
	// Another makes connections to the same destination meanwhile.
	late := hold(l, 2, 80)
	st = l.look()
	want = map[string]int{
		fmt.Sprintf("80 TIME_WAIT %d observed", killed.Process.Pid):  7,
		fmt.Sprintf("81 ESTABLISHED %d observed", lives.Process.Pid): 3,
		fmt.Sprintf("80 ESTABLISHED %d observed", late.Process.Pid):  2,
	}
	if diff := cmp.Diff(want, owners(st)); diff != "" {
		t.Errorf("owners after kill -9 (-want +got):\n%s", diff)
	}
	checkProcess(t, st, killed, name)
}

// A TIME_WAIT that no poll saw alive is not laid to who is merely alive with its
// destination: those connections were not closed.
func TestKernelBlamesNobodyForBeingThere(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.Sysctl("net.ipv4.tcp_tw_reuse", "0") // after a second, others would take their ports
	listener := l.Listen("127.0.0.1:80")
	if err := l.TimeWait(listener, "127.0.0.1:80", 5); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"80 TIME_WAIT - unknown": 5}
	if diff := cmp.Diff(want, owners(l.look())); diff != "" {
		t.Errorf("owners with nobody seen (-want +got):\n%s", diff)
	}
	idle := hold(l, 3, 80)
	for range 3 {
		l.Accept(listener)
	}
	for range 3 {
		if err := l.TimeWait(listener, "127.0.0.1:80", 10); err != nil {
			t.Fatal(err)
		}
		l.look()
	}
	st := l.look()
	want = map[string]int{
		"80 TIME_WAIT - unknown":                                    35,
		fmt.Sprintf("80 ESTABLISHED %d observed", idle.Process.Pid): 3,
	}
	if diff := cmp.Diff(want, owners(st)); diff != "" {
		t.Errorf("owners with one idle process seen (-want +got):\n%s", diff)
	}
	if worst := st.TCP.Pressure.Worst(); worst.Process != source.NoProcess {
		t.Errorf("38 ports are laid to %+v, who holds 3", st.Processes[worst.Process])
	}
	for _, c := range st.Churn {
		if c.Process != source.NoProcess && c.TimeWait > 0 {
			t.Errorf("churn %+v is laid to who closed nothing", c)
		}
	}
}

// checkProcess wants a process among the consumers with all its ports.
func checkProcess(t *testing.T, st *model.State, h *netlab.Child, name string) {
	t.Helper()
	for _, c := range st.TCP.Consumers[model.ByProcess] {
		if c.Process == source.NoProcess || st.Processes[c.Process].PID != int32(h.Process.Pid) {
			continue
		}
		p := &st.Processes[c.Process]
		if p.Name != name || p.Start == 0 || !strings.Contains(p.Command, "TestHoldConnections") {
			t.Errorf("process %+v, want the name %q, a start time and its command line", p, name)
		}
		if c.Ports != 7 || c.Sockets != 7 {
			t.Errorf("process %d holds %d ports and %d sockets, want 7 and 7", h.Process.Pid, c.Ports, c.Sockets)
		}
		return
	}
	t.Errorf("process %d is not among the consumers", h.Process.Pid)
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A server that does not close what its clients have closed leaks descriptors,
// and none of the ports that connect() picks from.
func TestKernelLeakOnAServersPort(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	listener := l.Listen("127.0.0.1:80")
	l.look()
	const n = 30
	for range n {
		client, err := l.Connect("127.0.0.1:80")
		if err != nil {
			t.Fatal(err)
		}
		l.Accept(listener) // and is never closed
		l.Close(client)
	}
	st := l.look()
	i := slices.IndexFunc(st.Findings, func(f model.Finding) bool { return f.Problem == model.CloseWait })
	if i < 0 {
		t.Fatalf("no finding of a leak: %+v", st.Findings)
	}
	if f := &st.Findings[i]; f.Count != n || f.Outside != n || f.Level != model.LevelWarning {
		t.Errorf("%d, %d of them outside, %v; want all %d outside, a warning", f.Count, f.Outside, f.Level, n)
	}
}
