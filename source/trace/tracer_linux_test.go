package trace

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
	"ephtop/source/sockdiag"
)

// port is where the tests listen. The kernel tells of the whole host, and keeps
// what it can't place: events of other ports are somebody else's.
const port = 7391

func addr(host string) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// openIn opens a tracer for a lab. It skips the test where the kernel or a
// sandbox has no tracing for root.
func openIn(t testing.TB, h *netlab.Host) *Tracer {
	t.Helper()
	var tr *Tracer
	err := h.Do(func() (err error) { tr, err = Open(); return err })
	for _, missing := range []error{unix.EPERM, unix.EACCES, unix.ENODEV} {
		if errors.Is(err, missing) {
			t.Skip(err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

func drain(t *testing.T, tr *Tracer, events []source.Event) (_ []source.Event, lost int) {
	t.Helper()
	more, lost, err := tr.Drain(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range more {
		if e.Tuple.RemotePort == port && e.Tuple.Remote.IsLoopback() {
			events = append(events, e)
		}
	}
	return events, lost
}

// await drains until there are n events, or there were none for so long that none
// will come. Events of all the host are lost where it does more than there is room
// for: without those that are missing then, a test can tell nothing.
func await(t *testing.T, tr *Tracer, n int) []source.Event {
	t.Helper()
	events, lost := drain(t, tr, nil)
	for end := time.Now().Add(patience); len(events) < n && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		before, more := len(events), 0
		if events, more = drain(t, tr, events); len(events) > before {
			end = time.Now().Add(patience)
		}
		lost += more
	}
	if len(events) < n && lost > 0 {
		t.Skipf("%d events of %d, and %d of this host were lost", len(events), n, lost)
	}
	return events
}

// patience is how long what happens may take on a host that is busy.
const patience = time.Minute

// timeWaits are the connections to port in TIME_WAIT, once the peer has closed
// all of them as well: until then they are in FIN_WAIT2, and on a machine that
// is busy that was so of 127 of 400 when their client had ended.
func timeWaits(t *testing.T, h *netlab.Host) map[source.Tuple]bool {
	t.Helper()
	tuples := make(map[source.Tuple]bool)
	for end := time.Now().Add(patience / 2); ; time.Sleep(10 * time.Millisecond) {
		open := 0
		for _, s := range dump(t, h) {
			switch {
			case s.RemotePort != port:
			case s.State == source.TimeWait:
				tuples[s.Tuple()] = true
			default:
				open++
			}
		}
		if open == 0 || time.Now().After(end) {
			return tuples
		}
	}
}

func dump(t *testing.T, h *netlab.Host) (sockets []source.Socket) {
	t.Helper()
	h.Must(func() error {
		d, err := sockdiag.Open()
		if err != nil {
			return err
		}
		defer d.Close()
		sockets, _, err = d.Dump(t.Context(), nil)
		return err
	})
	return sockets
}

// Two processes close connections that live 5 ms, 200 a second together, to
// one destination: nearly every TIME_WAIT is traced to its process, and none
// to the other.
func TestOwnersOfTimeWait(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1"} {
		t.Run(address, func(t *testing.T) { // one after the other: of what namespace a process was that has ended, nobody knows
			h := netlab.New(t, "")
			h.Sysctl("net.ipv4.tcp_tw_reuse", "0") // or a port is used twice
			h.Sysctl("net.ipv4.tcp_rfc1337", "1")  // or an ACK that comes late ends a TIME_WAIT
			serve(t, h, addr(strings.TrimPrefix(address, "::ffff:")))
			tr := openIn(t, h)
			began := time.Now()
			children := []*child{
				startChild(t, h, "churn", addr(address), "200", "100"), startChild(t, h, "churn", addr(address), "200", "100"),
			}
			closer := make(map[string]int32) // by local port
			for _, c := range children {
				for range 200 {
					closer[c.line()] = c.pid()
				}
			}
			events := await(t, tr, 400)
			ended := time.Now()
			traced := make(map[source.Tuple]source.Event)
			for _, e := range events {
				if want := closer[strconv.Itoa(int(e.Tuple.LocalPort))]; e.Kind != source.Closed || e.Process.PID != want {
					t.Errorf("%v %v is traced to %+v, and was closed by %d", e.Kind, e.Tuple, e.Process, want)
				}
				if e.Process.Start == 0 || e.Process.Name == "" || e.Process.Command == "" || e.Process.User == "" {
					t.Errorf("little is known of the process: %+v", e.Process)
				}
				if e.Time.Before(began) || e.Time.After(ended) {
					t.Errorf("event of %v, not from %v to %v", e.Time, began, ended)
				}
				traced[e.Tuple] = e
			}
			tuples := timeWaits(t, h)
			if len(tuples) < 390 {
				t.Fatalf("%d TIME_WAIT: the test is wrong", len(tuples))
			}
			found := 0
			for tuple := range tuples {
				if _, ok := traced[tuple]; ok {
					found++
				}
			}
			if found*100 < len(tuples)*95 {
				t.Errorf("%d of %d TIME_WAIT are traced, want 95 %%", found, len(tuples))
			}
			t.Logf("%d of %d TIME_WAIT are traced", found, len(tuples))
		})
	}
}

// A connect that finds no port is one event; one that is refused is none.
func TestFailedConnects(t *testing.T) {
	full, refused := addr("127.0.0.1"), addr("127.0.0.2")
	h := netlab.New(t, "40000 40019")
	h.Listen(full)
	if n, err := h.Fill(full, 100); n != 20 || !errors.Is(err, unix.EADDRNOTAVAIL) {
		t.Fatalf("filled %d ports: %v", n, err)
	}
	for _, test := range []struct {
		name   string
		args   []string
		answer error
		events int
	}{
		{"no port", []string{full, "30"}, unix.EADDRNOTAVAIL, 30},
		{"bound to an address, no port", []string{full, "30", "127.0.0.1:0"}, unix.EADDRNOTAVAIL, 30},
		{"refused by the peer", []string{refused, "20"}, unix.ECONNREFUSED, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr := openIn(t, h)
			c := startChild(t, h, "connect", test.args...)
			for _, line := range c.rest() {
				if line != test.answer.Error() {
					t.Fatalf("connect: %s, want %v", line, test.answer)
				}
			}
			events := await(t, tr, test.events)
			if len(events) != test.events {
				t.Errorf("%d events, want %d", len(events), test.events)
			}
			loopback := source.Addr4([4]byte{127, 0, 0, 1})
			want := source.Tuple{Local: loopback, Remote: loopback, RemotePort: port, Proto: source.TCP}
			for _, e := range events {
				if e.Kind != source.ConnectFailed || e.Tuple != want {
					t.Errorf("%v %v, want connect failed %v", e.Kind, e.Tuple, want)
				}
				if e.Process.Start != 0 && e.Process.PID != c.pid() {
					t.Errorf("traced to %+v, not to %d", e.Process, c.pid())
				}
			}
		})
	}
}

// The kernel names the thread; the event names the process.
func TestThread(t *testing.T) {
	h := netlab.New(t, "")
	serve(t, h, addr("127.0.0.1"))
	tr := openIn(t, h)
	c := startChild(t, h, "thread", addr("127.0.0.1"))
	var pid, tid int32
	if _, err := fmt.Sscan(c.line(), &pid, &tid); err != nil {
		t.Fatal(err)
	}
	if pid == tid {
		t.Fatal("the child closed in its first thread: the test is wrong")
	}
	events := await(t, tr, 1)
	if len(events) != 1 || events[0].Process.PID != pid || events[0].Process.Name != "exe" {
		t.Errorf("events %+v, want one of process %d", events, pid)
	}
}

// Connections that a process has open when it is killed are closed by the
// kernel in its name. What can't be known of it any more is left out.
func TestKilled(t *testing.T) {
	const n = 50
	h := netlab.New(t, "")
	serve(t, h, addr("127.0.0.1"))
	tr := openIn(t, h)
	c := startChild(t, h, "hold", addr("127.0.0.1"), strconv.Itoa(n))
	c.line()
	c.kill()
	events := await(t, tr, n)
	if len(events) != n {
		t.Errorf("%d events, want %d", len(events), n)
	}
	for _, e := range events {
		if e.Process.Start != 0 && e.Process.PID != c.pid() {
			t.Errorf("traced to %+v, not to %d", e.Process, c.pid())
		}
		if e.Process.Name != "exe" && e.Process.Name != "" {
			t.Errorf("name %q, want exe, or none if the kernel forgot it", e.Process.Name)
		}
	}
}

// Another network namespace has the same tuples.
func TestOtherNamespace(t *testing.T) {
	ours, other := netlab.New(t, ""), netlab.New(t, "")
	serve(t, ours, addr("127.0.0.1"))
	serve(t, other, addr("127.0.0.1"))
	tr := openIn(t, ours)
	elsewhere := openIn(t, other)
	a := startChild(t, other, "thread", addr("127.0.0.1"))
	a.line()
	b := startChild(t, ours, "thread", addr("127.0.0.1"))
	b.line()
	for _, test := range []struct {
		name string
		tr   *Tracer
		h    *netlab.Host
		want *child
		told []source.Event
	}{{"ours", tr, ours, b, await(t, tr, 1)}, {"the other", elsewhere, other, a, await(t, elsewhere, 1)}} {
		var st unix.Stat_t
		if err := unix.Stat(test.h.Path(), &st); err != nil {
			t.Fatal(err)
		}
		events, _ := drain(t, test.tr, test.told) // by now, both have happened
		if len(events) != 1 || events[0].Process.PID != test.want.pid() || events[0].Netns != st.Ino {
			t.Errorf("%s: %+v, want one event of process %d in namespace %d", test.name, events, test.want.pid(), st.Ino)
		}
	}
}

// Every close is an event or is counted as lost. What others on the host do takes
// of the little room too: then it is tried again.
func TestLost(t *testing.T) {
	const n = 2000
	h := netlab.New(t, "")
	l := h.Listen(addr("127.0.0.1"))
	tr := openIn(t, h)
	if err := write(tr.reader.dir, "buffer_size_kb", "8"); err != nil {
		t.Fatal(err)
	}
	for rounds, tries := 0, 0; rounds < 2; tries++ {
		if tries == 20 {
			t.Skip("others on the host leave no room for an event")
		}
		tr.mu.Lock() // nobody reads meanwhile
		err := h.TimeWait(l, addr("127.0.0.1"), n)
		tr.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		events, lost := drain(t, tr, nil)
		if all := len(events) + lost; lost == 0 || len(events) > n || all < n {
			t.Fatalf("%d events and %d lost, want %d together", len(events), lost, n)
		}
		if len(events) > 0 {
			rounds++
		}
	}
}

// Events that nobody drains are counted as lost in the end.
func TestPendingIsBounded(t *testing.T) {
	h := netlab.New(t, "")
	l := h.Listen(addr("127.0.0.1"))
	tr := openIn(t, h)
	tr.mu.Lock()
	tr.pending = make([]source.Event, maxPending-10)
	err := h.TimeWait(l, addr("127.0.0.1"), 30)
	tr.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	events, lost, err := tr.Drain(nil)
	if len(events) != maxPending || lost < 20 || err != nil {
		t.Errorf("%d events, %d lost, %v; want %d, 20 or more, nil", len(events), lost, err, maxPending)
	}
}

func TestClosed(t *testing.T) {
	h := netlab.New(t, "")
	tr := openIn(t, h)
	for range 2 {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := tr.Drain(nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Drain after Close: %v, want os.ErrClosed", err)
	}
}

func TestNeedsRoot(t *testing.T) {
	netlab.New(t, "") // skips where the child could not give anything up
	lines := startChild(t, nil, "unprivileged").rest()
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "it takes root: run ephtop with sudo") {
		t.Errorf("Open says %q", lines)
	}
}
