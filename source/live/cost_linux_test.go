package live

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/netlab"
)

var costSpan = flag.Duration("cost", 0, "how long TestTraceCost measures each of its figures, as in 10s; 0 skips it")

// asClient makes the test binary a client, with its server, of so many connections
// a second, or of as many as it can for 0. For each byte that it reads, it says
// how many it has closed, and how many microseconds of a processor that took.
const asClient = "EPHTOP_TEST_CLIENT"

func beClient(rate string) int {
	l, err := net.Listen("tcp", "0.0.0.0:900")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	var each int
	fmt.Sscan(rate, &each)
	asked := make(chan bool)
	go func() {
		for b := make([]byte, 1); ; {
			if _, err := os.Stdin.Read(b); err != nil {
				os.Exit(0)
			}
			asked <- true
		}
	}()
	start := time.Now()
	for closes := 0; ; closes++ {
		select {
		case <-asked:
			fmt.Println(closes, processorTime(unix.RUSAGE_SELF).Microseconds())
		default:
		}
		if each > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(closes) * time.Second / time.Duration(each))))
		}
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.%d:900", 2+closes%8))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		conn.Close()
	}
}

func processorTime(who int) time.Duration {
	var used unix.Rusage
	unix.Getrusage(who, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// startClient starts a process of beClient.
func startClient(t *testing.T, h *netlab.Host, rate int) *netlab.Child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", asClient, rate))
	cmd.Stderr = os.Stderr
	return h.Child(t, cmd)
}

// ask asks a client how many connections it closed, and how much of a processor
// that took.
func ask(t *testing.T, c *netlab.Child) (closes int, took time.Duration) {
	c.In.Write([]byte{1})
	us := 0
	if _, err := fmt.Fscanln(c.Out, &closes, &us); err != nil {
		t.Fatal(err)
	}
	return closes, time.Duration(us) * time.Microsecond
}

// TestTraceCost says what tracing costs: the clients, and us. With and without
// take turns, so that the ratios hold while the machine's speed drifts.
func TestTraceCost(t *testing.T) {
	if *costSpan == 0 {
		t.Skip("takes long: run it with -args -cost 10s")
	}
	for _, kind := range []string{Tables, Sockdiag} {
		for _, rate := range []int{300, 2000, 0} {
			t.Run(fmt.Sprintf("%s/%d", kind, rate), func(t *testing.T) { measureTraceCost(t, kind, rate) })
		}
	}
}

// share is what was measured with tracing, or without.
type share struct {
	closes, told, lost int
	client, ours, span time.Duration
	budgeted           time.Duration
}

func measureTraceCost(t *testing.T, kind string, rate int) {
	const turns = 8
	h := netlab.New(t, "")
	c := startClient(t, h, rate)
	tracing := new(source.Tracing)
	src := openInside(t, h, Options{Kind: kind, Netns: OwnNetns, Tracing: tracing})
	fleet := model.NewFleet(model.Options{})
	var m source.Moment
	var o model.Overview
	look := func() {
		h.Must(func() error { return src.Poll(context.Background(), &m) })
		fleet.Update(&m, &o)
		time.Sleep(time.Until(m.Time.Add(time.Second)))
	}
	look()
	spent := func() time.Duration { // as the budget has it
		if t := src.(*abandoner).Source.(*exits).Source.(*traced).teller; t != nil {
			return t.Spent()
		}
		return 0
	}
	var with [2]share // without, and with
	for turn := range 2 * turns {
		tracing.Want(turn%2 == 1)
		look()
		s := &with[turn%2]
		closes, took := ask(t, c)
		ours, paid, start := processorTime(unix.RUSAGE_SELF), spent(), time.Now()
		for time.Since(start) < *costSpan/turns {
			look()
			s.told += len(m.Events)
			s.lost += m.LostEvents
		}
		s.budgeted += spent() - paid
		s.ours += processorTime(unix.RUSAGE_SELF) - ours
		s.span += time.Since(start)
		more, until := ask(t, c)
		s.closes += more - closes
		s.client += until - took
		if state, why := tracing.State(); (state == source.TraceOn) != (turn%2 == 1) {
			t.Logf("tracing stands at %d: %s", state, why)
		}
	}
	for i, s := range with {
		t.Logf("%-7s %6.0f closes/s, %5.1f µs of a processor each; we take %5.2f ms/s, %5.2f by the budget; %d told, %d lost",
			[]string{"without", "with"}[i], float64(s.closes)/s.span.Seconds(), float64(s.client.Microseconds())/float64(s.closes),
			float64(s.ours.Microseconds())/1000/s.span.Seconds(), float64(s.budgeted.Microseconds())/1000/s.span.Seconds(), s.told, s.lost)
	}
	per := func(s *share) float64 { return float64(s.client) / float64(s.closes) }
	t.Logf("ratio   client %.3f, throughput %.3f, ours %.2f", per(&with[1])/per(&with[0]),
		float64(with[1].closes)*float64(with[0].span)/float64(with[0].closes)/float64(with[1].span),
		float64(with[1].ours)*float64(with[0].span)/float64(with[0].ours)/float64(with[1].span))
	if with[0].told != 0 || with[1].told+with[1].lost == 0 {
		t.Errorf("%d events without tracing, %d with", with[0].told, with[1].told)
	}
}
