package model_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/live"
	"ephtop/source/netlab"
)

// churnEnv asks the test binary to be a server that closes second ("serve
// ADDRESS"), or a client of short connections ("churn N ADDRESS").
const churnEnv = "EPHTOP_TEST_CHURN"

// TestChurnConnections is no test but the processes that TestKernelTraced
// starts.
func TestChurnConnections(t *testing.T) {
	task := os.Getenv(churnEnv)
	if task == "" {
		t.Skip("is run by TestKernelTraced")
	}
	var n int
	var addr string
	if _, err := fmt.Sscanf(task, "churn %d %s", &n, &addr); err == nil {
		fmt.Println("ready")
		io.ReadFull(os.Stdin, make([]byte, 1))
		for range n {
			churnOnce(t, addr)
		}
		return
	}
	fmt.Sscanf(task, "serve %s", &addr)
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready")
	go serveUntilClosed(l)
	io.Copy(io.Discard, os.Stdin)
}

// churnOnce makes a connection that lives 5 ms.
func churnOnce(t *testing.T, addr string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Millisecond)
	conn.Close()
}

func serveUntilClosed(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			io.Copy(io.Discard, conn)
			conn.Close()
		}()
	}
}

func startChild(t *testing.T, h *netlab.Host, task string) *netlab.Child {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChurnConnections$")
	cmd.Env = append(os.Environ(), churnEnv+"="+task)
	c := h.Child(t, cmd)
	c.Await(t, "ready")
	return c
}

// tracedLab polls a namespace with tracing on.
type tracedLab struct {
	*netlab.Host
	t     *testing.T
	src   source.Source
	fleet *model.Fleet
	o     model.Overview
	snap  source.Moment
	st    *model.State
	lost  int // events that there was no room for: whole hosts are traced, and other tests run
}

func newTracedLab(t *testing.T, kind, portRange string) *tracedLab {
	l := &tracedLab{Host: netlab.New(t, portRange), t: t, fleet: model.NewFleet(model.Options{})}
	l.Sysctl("net.ipv4.tcp_rfc1337", "1") // as in newLabIn
	l.src = openInside(t, l.Host, live.Options{Kind: kind, Netns: live.OwnNetns, Trace: live.TraceAuto})
	l.look()
	if !l.snap.Traced {
		t.Skipf("cannot trace here: %v", l.snap.Limits)
	}
	return l
}

func (l *tracedLab) look() *model.State {
	l.t.Helper()
	l.Must(func() error { return l.src.Poll(context.Background(), &l.snap) })
	for _, limit := range l.snap.Limits {
		if limit.Code == source.LimitTraceStopped {
			l.t.Skipf("this machine is too slow: tracing ended itself for its cost: %s", limit.Detail)
		}
	}
	l.lost += l.snap.LostEvents
	l.fleet.Update(&l.snap, &l.o)
	l.st = l.o.States[0]
	return l.st
}

// Two processes make connections of 5 ms to one destination, of which polls
// see next to nothing: the kernel tells whose each TIME_WAIT is.
func TestKernelTraced(t *testing.T) {
	t.Run(live.Tables, func(t *testing.T) { traceOwners(t, live.Tables, 100) })
	t.Run(live.Sockdiag, func(t *testing.T) { traceOwners(t, live.Sockdiag, 95) })
}

// traceOwners wants the owner of so many percent.
func traceOwners(t *testing.T, kind string, percent int) {
	const each = 200
	l := newTracedLab(t, kind, "")
	l.Sysctl("net.ipv4.tcp_tw_reuse", "0") // so that each connection leaves one that stays
	startChild(t, l.Host, "serve 127.0.0.1:80")
	one := startChild(t, l.Host, fmt.Sprintf("churn %d 127.0.0.1:80", each))
	two := startChild(t, l.Host, fmt.Sprintf("churn %d 127.0.0.1:80", each))
	one.In.Write([]byte{1})
	two.In.Write([]byte{1})
	ended := make(chan error, 2)
	for _, c := range []*netlab.Child{one, two} {
		go func() { ended <- c.Wait() }()
	}
	for left := 2; left > 0; {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("a child: %v", err)
			}
			left--
		case <-time.After(200 * time.Millisecond):
			l.look()
		}
	}
	var traced map[int32]int
	var waiting, known int
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) { // an event may come before its TIME_WAIT is in a dump
		l.look()
		traced, waiting, known = l.ofTimeWait()
		if waiting >= 2*each*9/10 && known >= waiting*percent/100 || time.Now().After(deadline) {
			break
		}
	}
	// Now and then the kernel ends a connection without a TIME_WAIT.
	if waiting < 2*each*9/10 {
		t.Fatalf("%d in TIME_WAIT, want %d; states %v", waiting, 2*each, l.st.TCP.States)
	}
	right := 0
	for _, c := range []*netlab.Child{one, two} {
		n := traced[int32(c.Process.Pid)]
		if n > each {
			t.Errorf("%d TIME_WAIT are laid to process %d, which had %d", n, c.Process.Pid, each)
		}
		right += n
		delete(traced, int32(c.Process.Pid))
	}
	if right < waiting*percent/100-l.lost {
		t.Errorf("%d of %d TIME_WAIT are laid to their process, want at least %d %%; %d events were lost", right, waiting, percent, l.lost)
	}
	for pid, n := range traced {
		t.Errorf("%d TIME_WAIT are laid to process %d, which had none", n, pid)
	}
	top := l.st.TCP.Consumers[model.ByProcess][0]
	if top.Process == source.NoProcess || top.Tier != model.OwnerObserved {
		t.Errorf("the largest consumer is %+v, want one of the two", top)
	}
}

// ofTimeWait counts the TIME_WAIT, and those whose process is known: of each, and
// of all.
func (l *tracedLab) ofTimeWait() (by map[int32]int, waiting, known int) {
	by = make(map[int32]int)
	for i := range l.st.Rows {
		if l.snap.Snapshots[0].Sockets[i].State != source.TimeWait {
			continue
		}
		waiting++
		if p := l.st.Process(i); p != nil && l.st.Rows[i].Tier >= model.OwnerObserved {
			by[p.PID]++
			known++
		}
	}
	return by, waiting, known
}

// Each connect() that fails for want of a port is counted, with its process
// and destination; a refused one is not.
func TestKernelFailuresAreCounted(t *testing.T) {
	for _, kind := range []string{live.Tables, live.Sockdiag} {
		t.Run(kind, func(t *testing.T) { countFailures(t, kind) })
	}
}

func countFailures(t *testing.T, kind string) {
	l := newTracedLab(t, kind, "40000 40019")
	l.Listen("127.0.0.1:80")
	if n, err := l.Fill("127.0.0.1:80", 100); n != 20 {
		t.Fatalf("%d connects, then %v; want 20", n, err)
	}
	failed := 0
	for range 30 {
		if _, err := l.Connect("127.0.0.1:80"); err != nil {
			failed++
		}
	}
	for range 10 {
		if _, err := l.Connect("127.0.0.1:81"); err == nil {
			t.Fatal("nobody listens on port 81, and it is connected")
		}
	}
	failed++ // the one that ended Fill
	for deadline := time.Now().Add(time.Minute); l.look().Failures.Count < failed && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	f := l.st.Failures
	if f.Count != failed || len(f.By) != 1 || f.By[0].Count != failed {
		t.Fatalf("failures %+v, want %d in one group", f, failed)
	}
	if by := f.By[0]; by.Process.PID != int32(os.Getpid()) || source.AddrPort(by.Destination, by.Port) != "127.0.0.1:80" {
		t.Errorf("laid to %+v, want this process and 127.0.0.1:80", by)
	}
	if l.st.Level != model.LevelExhausted || l.st.Findings[0].Problem != model.ConnectsFail {
		t.Errorf("level %v, findings %+v; want exhausted, and the failures first", l.st.Level, l.st.Findings)
	}
}

// Processes that live for a moment fail in another namespace, towards the
// four-tuples of ours, and the same four-tuples are closed there: neither is told
// of ours.
func TestKernelOtherNamespacesStayThere(t *testing.T) {
	for _, kind := range []string{live.Tables, live.Sockdiag} {
		t.Run(kind, func(t *testing.T) { keepApart(t, kind) })
	}
}

func keepApart(t *testing.T, kind string) {
	const each = 20
	l := newTracedLab(t, kind, "40000 40099")
	there := netlab.New(t, "40000 40009")
	for _, h := range []*netlab.Host{l.Host, there} {
		h.Sysctl("net.ipv4.tcp_tw_reuse", "0")
	}
	startChild(t, l.Host, "serve 127.0.0.1:80")
	startChild(t, there, "serve 127.0.0.1:80")
	one := startChild(t, l.Host, fmt.Sprintf("churn %d 127.0.0.1:80", each))
	one.In.Write([]byte{1})
	if err := one.Wait(); err != nil {
		t.Fatal(err)
	}
	strangers := make(map[int32]bool)
	for range 10 + some(50) { // of which the last fifty find no port
		other := startChild(t, there, "churn 1 127.0.0.1:80")
		strangers[int32(other.Process.Pid)] = true
		other.In.Write([]byte{1})
		other.Wait()
	}
	for range 3 {
		l.look()
		time.Sleep(200 * time.Millisecond)
	}
	if f := &l.st.Failures; f.Count != 0 || l.st.Level != model.LevelOK {
		t.Errorf("%d failures, level %v; want none, for they were in the other namespace", f.Count, l.st.Level)
	}
	for i := range l.st.Rows {
		if p := l.st.Process(i); p != nil && strangers[p.PID] {
			t.Errorf("%v is laid to process %d of the other namespace", l.snap.Snapshots[0].Sockets[i].Tuple(), p.PID)
		}
	}
}
