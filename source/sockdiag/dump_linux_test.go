package sockdiag

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
	"ephtop/source/netlink"
)

// open opens a Dumper inside the host's namespace.
func open(t testing.TB, h *netlab.Host) *Dumper {
	t.Helper()
	var d *Dumper
	h.Must(func() (err error) { d, err = Open(); return err })
	t.Cleanup(func() { d.Close() })
	return d
}

func dump(t testing.TB, d *Dumper) []source.Socket {
	t.Helper()
	rows, report, err := d.Dump(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if report.Interrupted {
		t.Log("the kernel calls the dump inconsistent")
	}
	return rows
}

// kind is what ss tells of a socket: its protocol, family and state.
type kind struct {
	proto  source.Proto
	family int
	state  source.State
}

// kinds counts the picked sockets.
func kinds(sockets []source.Socket, pick func(*source.Socket) bool) map[kind]int {
	count := make(map[kind]int)
	for i := range sockets {
		s := &sockets[i]
		if !pick(s) {
			continue
		}
		family := 4
		if s.Family6 {
			family = 6
		}
		count[kind{s.Proto, family, s.State}]++
	}
	return count
}

func all(*source.Socket) bool { return true }

// ssKinds counts the sockets that ss lists, but for the lines that mention
// without.
func ssKinds(t *testing.T, h *netlab.Host, without string) map[kind]int {
	t.Helper()
	if _, err := exec.LookPath("ss"); err != nil {
		t.Skip("needs ss of iproute2")
	}
	count := make(map[kind]int)
	for _, proto := range []source.Proto{source.TCP, source.UDP} {
		for _, family := range []int{4, 6} {
			out := h.Output("ss", fmt.Sprintf("-H%dna%c", family, proto.String()[0]))
			for line := range strings.Lines(out) {
				if without != "" && strings.Contains(line, without) {
					continue
				}
				state, err := source.ParseState(strings.Fields(line)[0])
				if err != nil {
					t.Fatalf("ss says %q: %v", line, err)
				}
				count[kind{proto, family, state}]++
			}
		}
	}
	return count
}

// mix opens sockets in many states and returns how many of each there are.
func mix(t *testing.T, h *netlab.Host) map[kind]int {
	t.Helper()
	h.Sysctl("net.ipv4.tcp_tw_reuse", "0")
	must := func(fd int, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	listener, listener6 := h.Listen("127.0.0.1:80"), h.Listen("[::1]:80")
	for range 5 {
		must(h.Connect("127.0.0.1:80"))
		h.Accept(listener)
	}
	for range 4 {
		must(h.Connect("[::1]:80"))
		h.Accept(listener6)
	}
	for range 3 { // closed by the client only: an orphan, so a timewait minisock
		client := must(h.Connect("127.0.0.1:80"))
		h.Accept(listener)
		h.Close(client)
	}
	for range 3 { // not accepted; the server's side is IPv4
		must(h.Connect("[::ffff:127.0.0.1]:80"))
	}
	for range 2 { // closed by the server only
		must(h.Connect("[::1]:80"))
		if err := unix.Shutdown(h.Accept(listener6), unix.SHUT_WR); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.TimeWait(listener6, "[::1]:80", 6); err != nil {
		t.Fatal(err)
	}
	h.ListenBacklog("127.0.0.1:82", 0) // one connection waits, the rest in vain
	must(h.Connect("127.0.0.1:82"))
	for range 2 {
		must(h.ConnectPending("127.0.0.1:82"))
	}
	for range 7 {
		must(h.Bind("127.0.0.1:0"))
	}
	for range 3 {
		must(h.BindUDP("127.0.0.1:0"))
		must(h.ConnectUDP("127.0.0.1:53"))
	}
	must(h.BindUDP("[::]:0"))
	must(h.ConnectUDP("[::1]:53"))
	tcp, udp := source.TCP, source.UDP
	return map[kind]int{
		{tcp, 4, source.Listen}:      2,
		{tcp, 6, source.Listen}:      1,
		{tcp, 4, source.Established}: 5 + 5 + 3 + 2,
		{tcp, 6, source.Established}: 4 + 4 + 3, // the mapped ones included
		{tcp, 4, source.CloseWait}:   3,
		{tcp, 4, source.FinWait2}:    3,
		{tcp, 6, source.CloseWait}:   2,
		{tcp, 6, source.FinWait2}:    2,
		{tcp, 6, source.TimeWait}:    6,
		{tcp, 4, source.SynSent}:     2,
		{tcp, 4, source.Bound}:       7,
		{udp, 4, source.Bound}:       3,
		{udp, 4, source.Established}: 3,
		{udp, 6, source.Bound}:       1,
		{udp, 6, source.Established}: 1,
	}
}

// settle waits until every FIN is acknowledged, which TCP may delay.
func settle(t *testing.T, d *Dumper) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		under := kinds(dump(t, d), func(s *source.Socket) bool { return s.State == source.FinWait1 })
		if len(under) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still under way: %v", under)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// boundTCP is what ss does not list, and kernels before 6.8 do not.
var boundTCP = kind{source.TCP, 4, source.Bound}

func TestDumpAgreesWithSS(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "40000 40999")
	want := mix(t, h)
	d := open(t, h)
	settle(t, d)
	got := kinds(dump(t, d), all)
	if got[boundTCP] == 0 {
		t.Log("this kernel does not list bound and unconnected TCP sockets (6.8 does)")
		delete(want, boundTCP)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sockets in the dump (-want +got):\n%s", diff)
	}
	delete(got, boundTCP)
	if diff := cmp.Diff(ssKinds(t, h, ""), got); diff != "" {
		t.Errorf("sockets (-ss +dump):\n%s", diff)
	}
}

// Sockets that stay are listed right while others come and go.
func TestDumpUnderChurn(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "40000 40999")
	h.Sysctl("net.ipv4.tcp_max_tw_buckets", "100") // bounds what the churn leaves
	want := mix(t, h)
	d := open(t, h)
	settle(t, d)
	first := make(map[uint64]bool) // by cookie; who is about to connect is bound, to nobody yet
	stays := func(s *source.Socket) bool {
		return s.LocalPort != 81 && s.RemotePort != 81 && (s.State != source.Bound || s.Proto != source.TCP || first[s.Cookie])
	}
	sockets := dump(t, d)
	for i := range sockets {
		first[sockets[i].Cookie] = true
	}
	before := kinds(sockets, stays)
	if before[boundTCP] == 0 {
		delete(want, boundTCP)
	}
	stop := churn(t, h, "127.0.0.1:81")
	defer stop()
	moved := false
	for range 50 {
		sockets := dump(t, d)
		if diff := cmp.Diff(want, kinds(sockets, stays)); diff != "" {
			t.Fatalf("sockets that stay (-want +got):\n%s", diff)
		}
		moved = moved || len(kinds(sockets, func(s *source.Socket) bool { return !stays(s) })) > 1
	}
	if !moved {
		t.Error("the dumps saw nothing of what came and went")
	}
	delete(want, boundTCP)
	if diff := cmp.Diff(ssKinds(t, h, ":81 "), want); diff != "" {
		t.Errorf("sockets that stay (-ss +dump):\n%s", diff)
	}
}

// churn opens and closes connections to an address until stop is called.
func churn(t *testing.T, h *netlab.Host, to string) (stop func()) {
	listener := h.Listen(to)
	quit := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			select {
			case <-quit:
				return
			default:
			}
			if err := h.TimeWait(listener, to, 20); err != nil {
				t.Errorf("churn: %v", err)
				return
			}
		}
	})
	return func() { close(quit); wait.Wait() }
}

// A dump stays in the namespace in which its socket was opened.
func TestDumpStaysInItsNamespace(t *testing.T) {
	t.Parallel()
	here, there := netlab.New(t, ""), netlab.New(t, "")
	here.Listen("127.0.0.1:80")
	there.Listen("127.0.0.1:81")
	d := open(t, here)
	var rows []source.Socket
	there.Must(func() (err error) { rows, _, err = d.Dump(context.Background(), nil); return err })
	if diff := cmp.Diff([]uint16{80}, localPorts(rows)); diff != "" {
		t.Errorf("local ports (-want +got):\n%s", diff)
	}
}

// A TIME_WAIT keeps the cookie of its connection once a dump has asked for it.
func TestCookieOutlivesTheConnection(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "")
	listener := h.Listen("127.0.0.1:80")
	client, err := h.Connect("127.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	server := h.Accept(listener)
	d := open(t, h)
	find := func(state source.State) uint64 {
		for _, s := range dump(t, d) {
			if s.RemotePort == 80 && s.State == state {
				return s.Cookie
			}
		}
		return 0
	}
	alive := find(source.Established)
	h.Close(client)
	h.CloseSecond(server)
	if left := find(source.TimeWait); alive == 0 || left != alive {
		t.Errorf("cookie %x alive and %x in TIME_WAIT, want one that is not 0", alive, left)
	}
}

// floor receives the dump that r asks for and throws it away: what no program
// can beat.
func floor(d *Dumper, r request, buf []byte) error {
	d.seq++
	d.out = r.append(d.out[:0], d.seq, allStates)
	if err := d.conn.Send(d.out); err != nil {
		return err
	}
	for {
		n, err := d.conn.Receive(context.Background(), buf)
		if err != nil {
			return err
		}
		if binary.NativeEndian.Uint16(buf[4:]) == netlink.Done || n < rowLen {
			return nil
		}
	}
}

// BenchmarkDump measures a dump beside the raw receive loop, in turns, so that
// both see the same machine. Time and allocations are the dump's; x-floor is
// its time as a multiple of the loop's.
func BenchmarkDump(b *testing.B) {
	for _, n := range []int{300, 20000} {
		b.Run(fmt.Sprintf("sockets=%d", n), func(b *testing.B) {
			h := netlab.New(b, "1024 65535")
			h.Sysctl("net.ipv4.tcp_max_tw_buckets", "300000")
			h.Sysctl("net.ipv4.tcp_tw_reuse", "0")
			if err := h.TimeWait(h.Listen("127.0.0.1:80"), "127.0.0.1:80", n); err != nil {
				b.Fatal(err)
			}
			benchmarkDump(b, open(b, h))
		})
	}
}

func benchmarkDump(b *testing.B, d *Dumper) {
	b.ReportAllocs()
	rows, _, err := d.Dump(context.Background(), nil)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, netlink.BufferSize)
	var bare, full time.Duration
	for b.Loop() {
		b.StopTimer()
		start := time.Now()
		for _, r := range requests {
			if err := floor(d, r, buf); err != nil {
				b.Fatal(err)
			}
		}
		bare += time.Since(start)
		b.StartTimer()
		start = time.Now()
		if rows, _, err = d.Dump(context.Background(), rows[:0]); err != nil {
			b.Fatal(err)
		}
		full += time.Since(start)
	}
	b.ReportMetric(float64(full)/float64(bare), "x-floor")
	b.ReportMetric(float64(bare.Nanoseconds())/float64(b.N), "floor-ns/op")
	b.ReportMetric(float64(len(rows)), "sockets")
}

func TestReceiveEndsWithItsContext(t *testing.T) {
	t.Parallel()
	conn, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Millisecond, cancel)
	// Nothing was asked, so nothing is answered.
	if n, err := conn.Receive(ctx, make([]byte, netlink.BufferSize)); !errors.Is(err, context.Canceled) {
		t.Errorf("received %d bytes, %v; want it cancelled", n, err)
	}
}

// A dumper that is used anew lists the namespace of the thread it is called on,
// and leaves out bound sockets where it is told to.
func TestDumpsOfOneNamespaceAfterTheOther(t *testing.T) {
	d := New()
	defer d.Close()
	for _, test := range []struct {
		port    string
		noBound bool
	}{{"7301", false}, {"7302", true}} {
		h := netlab.New(t, "")
		h.Listen("127.0.0.1:" + test.port)
		if _, err := h.Bind("127.0.0.1:7300"); err != nil {
			t.Fatal(err)
		}
		var sockets []source.Socket
		d.NoBound = test.noBound
		h.Must(func() (err error) {
			sockets, _, err = d.Dump(context.Background(), nil)
			d.Close()
			return err
		})
		listeners, bound := 0, 0
		for i := range sockets {
			switch s := &sockets[i]; {
			case s.State == source.Listen && strconv.Itoa(int(s.LocalPort)) == test.port:
				listeners++
			case s.State == source.Bound && s.LocalPort == 7300:
				bound++
			}
		}
		if listeners != 1 || test.noBound && bound != 0 {
			t.Errorf("port %s: %d listeners and %d bound sockets, want one listener", test.port, listeners, bound)
		}
		if !test.noBound && bound == 0 {
			t.Log("this kernel lists no bound sockets")
		}
	}
}
