package recording_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"ephtop/source"
	"ephtop/source/recording"
)

func newPlayer(t *testing.T, recorded []byte) *recording.Player {
	t.Helper()
	p, err := recording.NewPlayer(bytes.NewReader(recorded), int64(len(recorded)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// repack compresses a recording again, into one frame, as a person might who
// has edited it.
func repack(t *testing.T, recorded []byte) []byte {
	t.Helper()
	return compress(strings.TrimSuffix(unpack(t, recorded), "\n"))
}

// unpack gives the lines of a recording.
func unpack(t *testing.T, recorded []byte) string {
	t.Helper()
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	lines, err := dec.DecodeAll(recorded, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(lines)
}

// TestSeek compares what is played after seeking with what was written.
func TestSeek(t *testing.T) {
	t.Parallel()
	written := moments(11, 40, 8, 200)
	recorded := record(t, written)
	first, last := written[0].Time, written[199].Time
	// Compressed again, it has one place only to begin from.
	for name, b := range map[string][]byte{"as written": recorded, "compressed again": repack(t, recorded)} {
		t.Run(name, func(t *testing.T) {
			p := newPlayer(t, b)
			if f, l := p.Span(); !f.Equal(first) || !l.Equal(last) || p.End() != io.EOF {
				t.Errorf("from %v to %v, then %v", f, l, p.End())
			}
			targets := []time.Time{first.Add(-time.Hour), last.Add(time.Hour), first, last, written[60].Time, written[59].Time}
			random := rand.New(rand.NewPCG(1, 2))
			for range 30 {
				targets = append(targets, first.Add(time.Duration(random.Int64N(int64(last.Sub(first))))))
			}
			for _, to := range targets {
				want := 0
				for want < len(written)-1 && !written[want+1].Time.After(to) {
					want++
				}
				if err := p.Seek(to); err != nil {
					t.Fatal(err)
				}
				if next, ok := p.Peek(); !ok || !next.Equal(written[want].Time) {
					t.Errorf("seek %v: at %v, want %v", to.Sub(first), next.Sub(first), written[want].Time.Sub(first))
				}
				for ; want < len(written) && random.IntN(3) > 0; want++ {
					var s source.Moment
					if err := p.Poll(t.Context(), &s); err != nil {
						t.Fatal(err)
					}
					if d := differ(written[want], &s); d != "" {
						t.Fatalf("moment %d: %s", want, d)
					}
				}
			}
		})
	}
}

func TestTheEndAndBack(t *testing.T) {
	t.Parallel()
	written := moments(12, 40, 4, 70)
	recorded := record(t, written)
	p := newPlayer(t, recorded)
	var s source.Moment
	for range written {
		if err := p.Poll(t.Context(), &s); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := p.Poll(t.Context(), &s); err != io.EOF {
			t.Errorf("at the end: %v", err)
		}
		if _, ok := p.Peek(); ok {
			t.Error("a moment after the last")
		}
	}
	if err := p.Seek(written[3].Time); err != nil {
		t.Fatal(err)
	}
	if err := p.Poll(t.Context(), &s); err != nil || !s.Time.Equal(written[3].Time) {
		t.Errorf("after seeking back: %v, error %v", s.Time, err)
	}
}

func TestTheMomentsBesideThePlay(t *testing.T) {
	t.Parallel()
	written := moments(13, 40, 4, 65)
	recorded := record(t, written)
	p := newPlayer(t, recorded)
	r, err := p.Moments()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var s, played source.Moment
	for i := range written {
		if err := r.Next(&s); err != nil || !s.Time.Equal(written[i].Time) {
			t.Fatalf("moment %d: %v", i, err)
		}
		if i%2 == 0 {
			if err := p.Poll(t.Context(), &played); err != nil || !played.Time.Equal(written[i/2].Time) {
				t.Fatalf("play %d: %v", i, err)
			}
		}
	}
}

func TestACutRecordingSaysSoAtOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name               string
		moments, cut, last int
	}{
		{"at the end", 100, 30, 99},
		{"inside a full moment", 61, 200, 59},
	} {
		t.Run(test.name, func(t *testing.T) {
			written := moments(14, 40, 4, test.moments)
			recorded := body(record(t, written))
			path := filepath.Join(t.TempDir(), "a")
			if err := os.WriteFile(path, recorded[:len(recorded)-test.cut], 0o600); err != nil {
				t.Fatal(err)
			}
			p, err := recording.OpenFile(path)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if _, last := p.Span(); !last.Equal(written[test.last].Time) || !errors.Is(p.End(), recording.ErrCut) {
				t.Errorf("to %v, then %v; want %v, cut", last, p.End(), written[test.last].Time)
			}
		})
	}
}

func TestWhatCantBePlayed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cases := []struct {
		name string
		in   []byte
		want error
	}{
		{"text", []byte("hello"), recording.ErrNotRecording},
		{"no moment", compress(header), recording.ErrEmpty},
		{"no moment, and whole", compress(header, `{"end":true,"moments":0}`), recording.ErrDamaged},
		{"damaged", compress(header, `{"n":0,"t":0,"full":true`), recording.ErrDamaged},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, "a")
			if err := os.WriteFile(path, c.in, 0o600); err != nil {
				t.Fatal(err)
			}
			p, err := recording.OpenFile(path)
			if err == nil {
				defer p.Close()
				err = p.Poll(t.Context(), new(source.Moment))
			}
			if !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
	if _, err := recording.OpenFile(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// meter counts what is read.
type meter struct {
	io.ReaderAt
	bytes int64
}

func (m *meter) ReadAt(p []byte, at int64) (int, error) {
	n, err := m.ReaderAt.ReadAt(p, at)
	m.bytes += int64(n)
	return n, err
}

// TestOpeningReadsEachFrameOnce opens recordings of many frames: what is read
// must grow as they do.
func TestOpeningReadsEachFrameOnce(t *testing.T) {
	t.Parallel()
	const frames = 500
	moment := string(compress(full, `{"n":1,"t":0,"scopes":0}`))
	for name, frame := range map[string]string{
		// RFC 8878: a frame of one raw block of no bytes.
		"frames without content":          "\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00",
		"moments that are followed badly": moment,
		"moments that never end":          string(compress(`{"n":60,"t":0,"full":true,"scopes":60000}`)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorded := []byte(string(compress(header)) + moment + strings.Repeat(frame, frames))
			m := &meter{ReaderAt: bytes.NewReader(recorded)}
			p, err := recording.NewPlayer(m, int64(len(recorded)))
			if err != nil {
				t.Fatal(err)
			}
			p.Close()
			// The headers of all blocks, the beginnings of all frames, and what
			// is read to find the end.
			if most := int64(6*len(recorded) + 200_000); m.bytes > most {
				t.Errorf("%d bytes read of %d, want at most %d", m.bytes, len(recorded), most)
			}
		})
	}
}

// Moments in a file, at a size that takes days to record, are places to begin
// from as long as there are not too many: then every other one is.
func TestSeekAmongVeryManyFrames(t *testing.T) {
	t.Parallel()
	const moments = 40_000
	recorded := compress(header)
	for i := range moments {
		recorded = append(recorded, compress(fmt.Sprintf(`{"n":%d,"t":%d,"full":true,"scopes":0}`, i, i))...)
	}
	p := newPlayer(t, append(recorded, compress(fmt.Sprintf(`{"end":true,"moments":%d}`, moments))...))
	if n := p.Points(); n > 1<<14+1 {
		t.Errorf("%d places to begin from", n)
	}
	first, last := p.Span()
	if last.Sub(first) != (moments-1)*time.Second || p.End() != io.EOF {
		t.Errorf("from %v to %v, then %v", first, last, p.End())
	}
	for _, s := range []int{0, 1, 17_777, 31_999, moments - 1} {
		if err := p.Seek(first.Add(time.Duration(s) * time.Second)); err != nil {
			t.Fatal(err)
		}
		var m source.Moment
		if err := p.Poll(t.Context(), &m); err != nil || m.Time.Sub(first) != time.Duration(s)*time.Second {
			t.Errorf("second %d: at %v, error %v", s, m.Time.Sub(first), err)
		}
	}
}

// A clock that was set back stands still for a recording, but not for so long
// that a reader would take it for damage.
func TestAClockThatStandsStill(t *testing.T) {
	t.Parallel()
	list := make([]*source.Moment, 2500)
	for i := range list {
		list[i] = &source.Moment{Time: epoch}
	}
	read, err := readAll(t, record(t, list))
	if err != io.EOF || len(read) != len(list) {
		t.Fatalf("%d moments of %d, then %v", len(read), len(list), err)
	}
	if off := read[len(read)-1].Time.Sub(epoch); off > 10*time.Second {
		t.Errorf("the last moment is %v late", off)
	}
}

// What is changed on its way out is changed on each way, and the moments that come
// after it are those of the recording.
func TestChange(t *testing.T) {
	t.Parallel()
	written := moments(17, 30, 8, 130)
	recorded := record(t, written)
	wrong := errors.New("no more")
	live, err := recording.NewLive(bytes.NewReader(recorded))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { live.Close() })
	for name, p := range map[string]*recording.Player{"a file": newPlayer(t, recorded), "a pipe": live} {
		n := 0
		p.Change(func(m *source.Moment) error {
			if m.Host == "changed" {
				t.Errorf("%s: moment %d was changed before", name, n)
			}
			m.Host = "changed"
			for i := range m.Processes {
				m.Processes[i].Name = "changed"
			}
			if n++; n == 120 {
				return wrong
			}
			return nil
		})
		var m source.Moment
		for range 119 {
			if err := p.Poll(context.Background(), &m); err != nil {
				t.Fatal(err)
			}
			for i := range m.Processes {
				if m.Host != "changed" || m.Processes[i].Name != "changed" {
					t.Fatalf("%s: %s, %+v", name, m.Host, m.Processes[i])
				}
			}
		}
		if err := p.Poll(context.Background(), &m); !errors.Is(err, wrong) {
			t.Errorf("%s: error %v, want %v", name, err, wrong)
		}
	}
}
