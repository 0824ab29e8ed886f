package recording_test

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"ephtop/source"
	"ephtop/source/recording"
)

// BenchmarkOpen measures opening a recording, up to its first moment and up to
// its last one. What it takes must grow as the moments do.
func BenchmarkOpen(b *testing.B) {
	for _, moments := range []int{10_000, 20_000, 40_000, 80_000} {
		b.Run(fmt.Sprintf("moments=%d", moments), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "a")
			benchmarkOpen(b, path, writeLong(b, path, moments, 300))
		})
	}
	b.Run("bytes=1G", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "a")
		benchmarkOpen(b, path, writeLong(b, path, 60_000, 17_000))
	})
}

// writeLong writes moments that take about so many bytes each.
func writeLong(b *testing.B, path string, moments, size int) int64 {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	random := make([]byte, size*3)
	rand.Read(random)
	text := base64.StdEncoding.EncodeToString(random) // 4 bytes for 3, of which zstd makes 3
	out := bufio.NewWriter(f)
	enc, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(1<<14))
	if err != nil {
		b.Fatal(err)
	}
	fmt.Fprintln(enc, header)
	for i := range moments {
		full := ""
		if i%recording.FullEvery == 0 {
			enc.Close()
			enc.Reset(out)
			full = `,"full":true`
		}
		from := i * 37 % (2 * size)
		fmt.Fprintf(enc, `{"n":%d,"t":%d%s,"scopes":0,"x":"%s"}`+"\n", i, i, full, text[from:from+size*4/3])
		enc.Flush()
	}
	fmt.Fprintf(enc, `{"end":true,"moments":%d}`+"\n", moments)
	enc.Close()
	if err := out.Flush(); err != nil {
		b.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

func benchmarkOpen(b *testing.B, path string, size int64) {
	b.ReportAllocs()
	for b.Loop() {
		p, err := recording.OpenFile(path)
		if err != nil {
			b.Fatal(err)
		}
		var m source.Moment
		if err := p.Poll(b.Context(), &m); err != nil {
			b.Fatal(err)
		}
		_, last := p.Span()
		if err := p.Seek(last); err != nil {
			b.Fatal(err)
		}
		if err := p.Poll(b.Context(), &m); err != nil || !m.Time.Equal(last) {
			b.Fatal(err)
		}
		p.Close()
	}
	b.ReportMetric(float64(size)/1e6, "MB")
}
