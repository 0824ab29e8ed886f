package recording_test

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/recording"
)

// BenchmarkOpen measures opening a recording, up to its first moment and up to
// its last one, and then up to one in its middle. Without an index, what it takes
// must grow no faster than the moments do; with one, not even so.
func BenchmarkOpen(b *testing.B) {
	for _, moments := range []int{10_000, 20_000, 40_000, 80_000} {
		b.Run(fmt.Sprintf("moments=%d", moments), func(b *testing.B) {
			benchmarkOpen(b, func(path string) { writeLong(b, path, moments, 300) })
		})
	}
	b.Run("bytes=1G", func(b *testing.B) {
		benchmarkOpen(b, func(path string) { writeLong(b, path, 60_000, 17_000) })
	})
	b.Run("changes=20000", func(b *testing.B) {
		benchmarkOpen(b, func(path string) { writeChanges(b, path, 600, 36_000, 20_000) })
	})
}

// writeLong writes moments that take about so many bytes each.
func writeLong(b *testing.B, path string, moments, size int) {
	b.Helper()
	random := rand.NewChaCha8([32]byte{})
	part := make([]byte, size)
	writeFile(b, path, moments, func(i int, m *source.Moment) {
		random.Read(part)
		m.Time, m.Host = epoch.Add(time.Duration(i)*time.Second), base64.StdEncoding.EncodeToString(part)
	})
}

// writeChanges writes moments in each of which so many sockets change.
func writeChanges(b *testing.B, path string, moments, sockets, changes int) {
	b.Helper()
	h := newHost(1, sockets)
	writeFile(b, path, moments, func(_ int, m *source.Moment) {
		h.second(0, changes)
		h.moment(m)
	})
}

func writeFile(b *testing.B, path string, moments int, next func(i int, m *source.Moment)) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	w := newWriter(b, out)
	var m source.Moment
	for i := range moments {
		next(i, &m)
		if err := w.Write(&m); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		b.Fatal(err)
	}
}

func benchmarkOpen(b *testing.B, write func(path string)) {
	path := filepath.Join(b.TempDir(), "a")
	write(path)
	b.Run("index=true", func(b *testing.B) { openFile(b, path) })
	cutIndex(b, path)
	b.Run("index=false", func(b *testing.B) { openFile(b, path) })
}

// cutIndex takes the index of a recording away.
func cutIndex(b *testing.B, path string) {
	b.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	var end [9]byte
	if _, err := f.ReadAt(end[:], info.Size()-9); err != nil {
		b.Fatal(err)
	}
	if err := f.Truncate(info.Size() - 17 - 8*int64(binary.LittleEndian.Uint32(end[:]))); err != nil {
		b.Fatal(err)
	}
}

func openFile(b *testing.B, path string) {
	b.ReportAllocs()
	var opened, ends, middle time.Duration
	for b.Loop() {
		began := time.Now()
		p, err := recording.OpenFile(path)
		if err != nil {
			b.Fatal(err)
		}
		opened += time.Since(began)
		first, last := p.Span()
		seek(b, p, first)
		seek(b, p, last)
		ends += time.Since(began)
		p.Close()

		began = time.Now()
		if p, err = recording.OpenFile(path); err != nil {
			b.Fatal(err)
		}
		seek(b, p, first.Add(last.Sub(first)/2))
		middle += time.Since(began)
		p.Close()
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB")
	b.ReportMetric(float64(opened.Milliseconds())/float64(b.N), "ms/open")
	b.ReportMetric(float64(ends.Milliseconds())/float64(b.N), "ms/ends")
	b.ReportMetric(float64(middle.Milliseconds())/float64(b.N), "ms/middle")
}

func seek(b *testing.B, p *recording.Player, at time.Time) {
	b.Helper()
	if err := p.Seek(at); err != nil {
		b.Fatal(err)
	}
	var m source.Moment
	if err := p.Poll(b.Context(), &m); err != nil || m.Time.After(at) {
		b.Fatal(err)
	}
}
