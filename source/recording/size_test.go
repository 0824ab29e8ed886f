package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/race"
	"ephtop/source/recording"
)

// counter counts what is written.
type counter struct{ bytes int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	return len(p), nil
}

// loads are the hosts whose recordings are measured. Beside the sockets of the
// host there may be other namespaces with as many sockets each, and ports that
// are blocked, of which some change each second.
var loads = []struct {
	name                      string
	sockets, changes          int
	namespaces, each, blocked int
	quiet                     int // namespaces of which only the sockets are counted
	most                      int // bytes a second
}{
	{name: "sockets=700", sockets: 700, changes: 50, most: 1000},
	{name: "sockets=36000", sockets: 36000, changes: 500, most: 20000},
	{name: "blocked=20000", sockets: 700, changes: 50, blocked: 20000, most: 4000},
	{name: "namespaces=300", sockets: 700, changes: 50, namespaces: 300, each: 20, most: 12000},
	{name: "quiet=300", sockets: 700, changes: 50, quiet: 300, most: 4000},
}

// crowded is a host with all that a load says.
type crowded struct {
	*host
	others  []*host
	blocked [1 << 16]bool
	quiet   []source.Brief
}

func newCrowded(sockets, namespaces, each, blocked, quiet int) *crowded {
	c := &crowded{host: newHost(1, sockets)}
	for i := range namespaces {
		c.others = append(c.others, newHost(uint64(2+i), each))
	}
	for range blocked {
		c.block(false)
	}
	for i := range quiet {
		c.quiet = append(c.quiet, source.Brief{Scope: scopeOf(i), Bound: 20, Usable: 28221})
	}
	return c
}

// block changes a port that is blocked, or one that is not.
func (c *crowded) block(is bool) {
	for {
		if p := 32768 + c.rand.IntN(28232); c.blocked[p] == is {
			c.blocked[p] = !is
			return
		}
	}
}

// step lets a second pass, in which each of the others makes one change.
func (c *crowded) step(changes, blocked int) {
	c.host.step(changes)
	for _, o := range c.others {
		o.step(1)
	}
	for range blocked / 2 {
		c.block(false)
		c.block(true)
	}
}

func (c *crowded) moment(m *source.Moment) {
	c.host.moment(m)
	for i, o := range c.others {
		from := len(m.Room)
		m.Room = append(m.Room, o.sockets...)
		s := m.Add(scopeOf(i))
		s.Settings, s.Inodes, s.Sockets = settings(), true, m.Room[from:]
	}
	for i := range c.quiet {
		c.quiet[i].Bound = 15 + c.rand.IntN(10)
	}
	m.Quiet = append(m.Quiet, c.quiet...)
	s := &m.Snapshots[0]
	for p, is := range c.blocked {
		if is {
			s.BlockedKnown, s.Blocked = true, append(s.Blocked, uint16(p))
		}
	}
}

func scopeOf(pod int) source.Scope {
	return source.Scope{
		Host: "db1.example.org", Netns: 4026532000 + uint64(pod), Cookie: 4100 + uint64(pod),
		Name: fmt.Sprint("shop/api-", pod), Kind: source.ScopePod, PID: int32(9000 + pod),
	}
}

// TestSizeOfARecording measures two minutes, which hold two full moments.
func TestSizeOfARecording(t *testing.T) {
	t.Parallel()
	for _, load := range loads {
		t.Run(load.name, func(t *testing.T) {
			t.Parallel()
			if race.Enabled && load.sockets+load.namespaces*load.each > 5000 {
				t.Skip("one goroutine writes all of it: fewer sockets tell the race detector as much")
			}
			h := newCrowded(load.sockets, load.namespaces, load.each, load.blocked, load.quiet)
			var out counter
			w := newWriter(t, &out)
			var m source.Moment
			for range 120 {
				h.step(load.changes, load.blocked/40)
				h.moment(&m)
				if err := w.Write(&m); err != nil {
					t.Fatal(err)
				}
			}
			if perSecond := out.bytes / 120; perSecond > int64(load.most) {
				t.Errorf("%d bytes a second, want at most %d", perSecond, load.most)
			} else {
				t.Logf("%d bytes a second", perSecond)
			}
		})
	}
}

func newWriter(t testing.TB, out io.Writer) *recording.Writer {
	t.Helper()
	w, err := recording.NewWriter(out, recording.Header{Program: "ephtop test"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// BenchmarkWrite measures a moment, full ones included in their share. The
// first one is left out.
func BenchmarkWrite(b *testing.B) {
	for _, load := range loads {
		b.Run(load.name, func(b *testing.B) {
			b.ReportAllocs()
			h := newCrowded(load.sockets, load.namespaces, load.each, load.blocked, load.quiet)
			var out counter
			w := newWriter(b, &out)
			var m source.Moment
			h.moment(&m)
			if err := w.Write(&m); err != nil {
				b.Fatal(err)
			}
			out.bytes = 0
			var longest time.Duration
			for b.Loop() {
				b.StopTimer()
				h.step(load.changes, load.blocked/40)
				h.moment(&m)
				b.StartTimer()
				begin := time.Now()
				if err := w.Write(&m); err != nil {
					b.Fatal(err)
				}
				longest = max(longest, time.Since(begin))
			}
			b.ReportMetric(float64(out.bytes)/float64(b.N), "bytes/s")
			b.ReportMetric(float64(longest.Microseconds())/1000, "ms/longest")
		})
	}
}

// BenchmarkNext measures reading a moment.
func BenchmarkNext(b *testing.B) {
	for _, load := range loads {
		b.Run(load.name, func(b *testing.B) {
			b.ReportAllocs()
			h := newCrowded(load.sockets, load.namespaces, load.each, load.blocked, load.quiet)
			var out bytes.Buffer
			w := newWriter(b, &out)
			var m source.Moment
			for range 120 {
				h.step(load.changes, load.blocked/40)
				h.moment(&m)
				if err := w.Write(&m); err != nil {
					b.Fatal(err)
				}
			}
			r := open(b, out.Bytes())
			for b.Loop() {
				err := r.Next(&m)
				if errors.Is(err, io.EOF) {
					b.StopTimer()
					r = open(b, out.Bytes())
					b.StartTimer()
				} else if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func open(t testing.TB, recorded []byte) *recording.Reader {
	t.Helper()
	r, err := recording.Open(bytes.NewReader(recorded))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}
