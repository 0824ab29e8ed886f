package recording_test

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/recording"
)

// TestAnotherRecordingBehindTheEnd joins two recordings, as cat does. The first is played
// whole, nothing of the second comes into it, and that there is more is no secret.
func TestAnotherRecordingBehindTheEnd(t *testing.T) {
	t.Parallel()
	first, second := record(t, moments(1, 20, 3, 30)), record(t, moments(2, 20, 3, 90))
	joined := slices.Concat(first, second)
	file, err := recording.NewPlayer(bytes.NewReader(joined), int64(len(joined)))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	alone := newPlayer(t, first)
	start, last := alone.Span()
	if a, b := file.Span(); !a.Equal(start) || !b.Equal(last) {
		t.Errorf("the joined file is from %v to %v, want %v to %v", a, b, start, last)
	}
	live, err := recording.NewLive(bytes.NewReader(joined))
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	for name, p := range map[string]*recording.Player{"file": file, "pipe": live} {
		n, err := countMoments(t, p)
		if n != 30 || err != recording.ErrJoined {
			t.Errorf("%s: %d moments, then %v; want 30, then %v", name, n, err, recording.ErrJoined)
		}
		if end := p.End(); end != recording.ErrJoined {
			t.Errorf("%s: its end is %v", name, end)
		}
	}
	for after := range time.Duration(90) {
		var m source.Moment
		err := file.Seek(start.Add(after * time.Second))
		if err == nil {
			err = file.Poll(t.Context(), &m)
		}
		if err != nil || m.Time.After(last) {
			t.Fatalf("%d seconds on is the moment of %v, %v", int(after), m.Time, err)
		}
	}
}

// TestAnotherRecordingBehindACut joins a recording that was cut behind one of its moments,
// as where its program was killed, with another.
func TestAnotherRecordingBehindACut(t *testing.T) {
	t.Parallel()
	cut, ends := small(t)
	list := moments(1, 20, 3, 30)
	var out bytes.Buffer
	w := newWriter(t, &out)
	for _, m := range list { // 30, with full ones between
		if err := w.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name  string
		first []byte
		want  int
		err   error
	}{
		{"behind the first moment", cut[:ends[0]], 1, recording.ErrJoined},
		{"behind the second", cut[:ends[1]], 2, recording.ErrJoined},
		{"before the end line", out.Bytes(), 30, recording.ErrJoined},
		{"behind the header", compress(header), 0, recording.ErrEmpty},
	} {
		joined := slices.Concat(test.first, record(t, moments(2, 20, 3, 90)))
		live, err := recording.NewLive(bytes.NewReader(joined))
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		defer live.Close()
		if n, err := countMoments(t, live); n != test.want || err != test.err {
			t.Errorf("%s, a pipe: %d moments, then %v; want %d, then %v", test.name, n, err, test.want, test.err)
		}
		file, err := recording.NewPlayer(bytes.NewReader(joined), int64(len(joined)))
		if err != nil {
			if err != test.err {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		defer file.Close()
		if n, err := countMoments(t, file); n != test.want || err != test.err || file.End() != test.err {
			t.Errorf("%s: %d moments, then %v, %v; want %d, then %v", test.name, n, err, file.End(), test.want, test.err)
		}
	}
}

// TestWhatIsNoRecordingBehindTheEnd has a file end with what was left there of another:
// it is whole all the same.
func TestWhatIsNoRecordingBehindTheEnd(t *testing.T) {
	t.Parallel()
	whole := record(t, moments(1, 20, 3, 30))
	for _, rest := range []string{"\x00", "hello\n", strings.Repeat("\x00", 4096), "\x5e\x2a\x4d\x18\x00\x00\x00\x00", string(compress("{}"))} {
		p := newPlayer(t, append(bytes.Clone(whole), rest...))
		if n, err := countMoments(t, p); n != 30 || err != io.EOF {
			t.Errorf("%q behind the end: %d moments, then %v; want 30, then the end", rest, n, err)
		}
	}
}

// countMoments plays to the end, and gives the error that says so.
func countMoments(t *testing.T, p *recording.Player) (n int, err error) {
	t.Helper()
	for ; ; n++ {
		if err := p.Poll(t.Context(), new(source.Moment)); err != nil {
			return n, err
		}
	}
}
