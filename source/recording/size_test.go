package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/recording"
)

// counter counts what is written.
type counter struct{ bytes int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	return len(p), nil
}

// loads are the hosts whose recordings are measured.
var loads = []struct{ sockets, changes, most int }{
	{sockets: 700, changes: 50, most: 3000},
	{sockets: 36000, changes: 500, most: 30000},
}

// TestSizeOfARecording measures two minutes, which hold two full moments.
func TestSizeOfARecording(t *testing.T) {
	t.Parallel()
	for _, load := range loads {
		t.Run(fmt.Sprintf("%d sockets, %d changes a second", load.sockets, load.changes), func(t *testing.T) {
			t.Parallel()
			h := newHost(1, load.sockets)
			var out counter
			w := newWriter(t, &out)
			var m source.Moment
			for range 120 {
				h.step(load.changes)
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
		b.Run(fmt.Sprintf("sockets=%d", load.sockets), func(b *testing.B) {
			b.ReportAllocs()
			h := newHost(1, load.sockets)
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
				h.step(load.changes)
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
		b.Run(fmt.Sprintf("sockets=%d", load.sockets), func(b *testing.B) {
			b.ReportAllocs()
			h := newHost(1, load.sockets)
			var out bytes.Buffer
			w := newWriter(b, &out)
			var m source.Moment
			for range 120 {
				h.step(load.changes)
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
