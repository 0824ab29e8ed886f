//go:build amd64 || arm64

package tables

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
	"ephtop/source/sockdiag"
)

// dumper opens sock_diag inside a namespace.
func dumper(t testing.TB, h *netlab.Host) *sockdiag.Dumper {
	t.Helper()
	var d *sockdiag.Dumper
	h.Must(func() (err error) { d, err = sockdiag.Open(); return err })
	t.Cleanup(func() { d.Close() })
	return d
}

// dumped is a dump, and when it was taken.
type dumped struct {
	rows         []source.Socket
	began, ended time.Time
}

func dump(t testing.TB, d *sockdiag.Dumper) dumped {
	t.Helper()
	began := time.Now()
	rows, _, err := d.Dump(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return dumped{rows, began, time.Now()}
}

// dumpTwice is what either of two dumps shows. Where a connection ends in a chain that a
// dump has come halfway through, it leaves out the one that it would have gone on with
// (inet_diag_dump_icsk counts them): of two million rows in churn that were there before
// and after a dump, 91 were not in it.
func dumpTwice(t testing.TB, d *sockdiag.Dumper) dumped {
	t.Helper()
	first, second := dump(t, d), dump(t, d)
	return dumped{append(first.rows, second.rows...), first.began, second.ended}
}

// comparison is a walk between two dumps. Every dump gives a cookie to each
// socket that it shows, and so is the key to both.
type comparison struct {
	t             *testing.T
	before, after map[uint64]source.Socket
	walked        []source.Socket
	bound         bool          // dumps have bound sockets
	within        time.Duration // all three
}

func compare(t *testing.T, before dumped, walked []source.Socket, after dumped) *comparison {
	t.Helper()
	c := &comparison{
		t: t, before: byCookie(before.rows), after: byCookie(after.rows), walked: walked, bound: !olderThan(6, 8),
		within: after.ended.Sub(before.began),
	}
	c.completeness()
	return c
}

func byCookie(sockets []source.Socket) map[uint64]source.Socket {
	m := make(map[uint64]source.Socket, len(sockets))
	for _, s := range sockets {
		m[s.Cookie] = s // a dump of a changing table has some twice
	}
	return m
}

// completeness looks for sockets that are missing, invented, or there twice.
func (c *comparison) completeness() {
	c.t.Helper()
	seen := make(map[uint64]bool, len(c.walked))
	for i := range c.walked {
		s := &c.walked[i]
		if s.Cookie == 0 {
			continue // came after the dump before
		}
		if seen[s.Cookie] {
			c.t.Errorf("twice: %+v", *s)
		}
		seen[s.Cookie] = true
		_, was := c.before[s.Cookie]
		_, is := c.after[s.Cookie]
		if !was && !is && (c.bound || s.Proto != source.TCP || s.State != source.Bound) {
			c.t.Errorf("invented: %+v", *s)
		}
	}
	for cookie, s := range c.before {
		// One that was bound and has connected went from the table that is walked last
		// to one that had been walked.
		if now, is := c.after[cookie]; is && !seen[cookie] && (s.State != source.Bound || now.State == source.Bound) {
			c.t.Errorf("missing: %+v, now %v", s, now.State)
		}
	}
}

// fields compares all that does not pass by itself.
func (c *comparison) fields() {
	c.t.Helper()
	for _, got := range c.walked {
		want, ok := c.before[got.Cookie]
		if !ok {
			if got.Cookie == 0 && (c.bound || got.State != source.Bound) {
				c.t.Errorf("no cookie after a dump: %+v", got)
			}
			continue
		}
		late, ok := c.after[got.Cookie]
		// Where there was time enough, a timer may have fired and been set anew, more
		// than once.
		if fired := want.Timer != source.TimerNone && c.within >= time.Duration(want.Expires)*time.Millisecond; fired {
			want.Timer, want.Retransmits = got.Timer, got.Retransmits
		} else if ok && got.Timer == want.Timer && got.Timer == late.Timer && late.Expires < want.Expires && (got.Expires > want.Expires+20 || got.Expires+20 < late.Expires) {
			c.t.Errorf("%v %v has %d ms left, and the dumps say %d and %d", got.Tuple(), got.State, got.Expires, want.Expires, late.Expires)
		}
		if d := difference(got, want); d != "" && (!ok || difference(got, late) != "") {
			c.t.Errorf("%v %v (-dump +walk):\n%s", got.Tuple(), got.State, d)
		}
	}
}

func difference(got, want source.Socket) string {
	if want.Inode == 0 && olderThan(6, 17) {
		want.UID = got.UID // to 6.16, a dump says 0 for whom it does not know any more
	}
	// What a dump does not tell, and what the tables don't.
	want.Expires, want.Bind, want.Stamps, want.V6Only = got.Expires, got.Bind, got.Stamps, got.V6Only
	return cmp.Diff(want, got)
}

// Every kind of socket comes back as sock_diag shows it, field by field.
func TestAllKindsOfSocket(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "")
	kinds := zoo(t, h)
	d := dumper(t, h)
	each(t, func(t *testing.T, e *Engine) {
		var c *comparison
		for range 3 { // timers change
			before := dump(t, d)
			walked := snapshot(t, walk(t, e, nil), h).Sockets
			c = compare(t, before, walked, dump(t, d))
			c.fields()
		}
		found := make(map[string]int)
		for i := range c.walked {
			found[kindOf(&c.walked[i])]++
		}
		for _, kind := range kinds {
			if found[kind] == 0 {
				t.Errorf("no %s in %v", kind, found)
			}
		}
	})
}

// One namespace alone is the same as one among all.
func TestOneNamespaceAlone(t *testing.T) {
	t.Parallel()
	h, other := netlab.New(t, ""), netlab.New(t, "")
	zoo(t, h)
	other.Listen("127.0.0.1:80")
	each(t, func(t *testing.T, e *Engine) {
		all, alone := walk(t, e, nil), walk(t, e, h)
		if len(alone.Snapshots) != 1 {
			t.Fatalf("%d namespaces", len(alone.Snapshots))
		}
		same := cmp.FilterPath(func(p cmp.Path) bool {
			f := p.Last().String()
			return f == ".Expires" || f == ".Timer" || f == ".Retransmits"
		}, cmp.Ignore())
		if d := cmp.Diff(snapshot(t, all, h), &alone.Snapshots[0], same); d != "" {
			t.Errorf("(-all +alone):\n%s", d)
		}
		var none source.Moment
		if _, err := e.Walk(context.Background(), 12345, &none); err != nil || len(none.Snapshots) != 0 {
			t.Errorf("a namespace that is not there: %v, %d", err, len(none.Snapshots))
		}
	})
}

// The model finds sockets again by their order.
func TestTheOrderIsStable(t *testing.T) {
	t.Parallel()
	quiet, busy := netlab.New(t, ""), netlab.New(t, "")
	quiet.Listen("127.0.0.1:80")
	if _, err := quiet.Fill("127.0.0.1:80", 300); err != nil {
		t.Fatal(err)
	}
	busy.Listen("127.0.0.1:80")
	if _, err := busy.Fill("127.0.0.1:80", 600); err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, e *Engine) {
		cookies := func() (all []uint64) {
			for _, s := range snapshot(t, walk(t, e, nil), quiet).Sockets {
				all = append(all, uint64(s.LocalPort)<<16|uint64(s.RemotePort))
			}
			return all
		}
		first := cookies()
		for range 3 { // straight or aside, by who is the largest
			if again := cookies(); !slices.Equal(first, again) {
				t.Fatal("another order")
			}
		}
	})
}

// While connections come and go as fast as they can, no socket that was there
// all the time is missed, and none is seen twice or invented.
func TestChurn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		buckets string // of a table of its own
	}{{"in the table of all", ""}, {"in a small table of its own", "64"}} {
		t.Run(test.name, func(t *testing.T) {
			h := netlab.New(t, "")
			ownTable(t, h, test.buckets)
			h.Sysctl("net.ipv4.tcp_max_tw_buckets", "4096")
			h.Sysctl("net.ipv4.ip_local_port_range", "20000 60000")
			h.Listen("127.0.0.1:80")
			l := h.Listen("127.0.0.1:81")
			if _, err := h.Fill("127.0.0.1:80", 300); err != nil {
				t.Fatal(err)
			}
			d := dumper(t, h)
			each(t, func(t *testing.T, e *Engine) {
				closes := churn(t, h, l)
				restarts, torn := 0, 0
				for range 12 {
					before := dumpTwice(t, d)
					m := new(source.Moment)
					report, err := e.Walk(context.Background(), 0, m)
					if err != nil {
						t.Fatal(err)
					}
					restarts, torn = restarts+report.Restarts, torn+report.Torn
					compare(t, before, snapshot(t, m, h).Sockets, dumpTwice(t, d))
				}
				t.Logf("%d closes, %d restarts, %d rows torn", closes(), restarts, torn)
			})
		})
	}
}

// ownTable gives the host tables of its own.
func ownTable(t *testing.T, h *netlab.Host, buckets string) {
	if buckets == "" {
		return
	}
	h.Sysctl("net.ipv4.tcp_child_ehash_entries", buckets)
	h.Renew()
}

// churn connects and closes until the test ends, with and without bind(), or
// until the number of closes is asked for.
func churn(t *testing.T, h *netlab.Host, listener int) (closes func() int) {
	var stop atomic.Bool
	done := make(chan int)
	go func() {
		n := 0
		for !stop.Load() {
			h.Do(func() error {
				for range 20 {
					n++
					fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
					if err != nil {
						return err
					}
					if n%4 == 0 {
						unix.Bind(fd, v4(1, 0))
					}
					if err := unix.Connect(fd, v4(1, 81)); err != nil {
						unix.Close(fd)
						return err
					}
					if err := netlab.FinishHere(listener, fd); err != nil {
						return err
					}
				}
				return nil
			})
		}
		done <- n
	}()
	n := -1
	closes = func() int {
		if n < 0 {
			stop.Store(true)
			n = <-done
		}
		return n
	}
	t.Cleanup(func() { closes() })
	return closes
}

func kindOf(s *source.Socket) string {
	family := 4
	if s.Family6 {
		family = 6
	}
	return fmt.Sprintf("%v%d %v %v", s.Proto, family, s.State, s.Timer)
}
