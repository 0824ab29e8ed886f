package session

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ephtop/source"
	"ephtop/source/recording"
)

// disk is a file that has room for so many writes.
type disk struct {
	bytes.Buffer
	room   int
	closed int
}

func (d *disk) Write(p []byte) (int, error) {
	if d.room--; d.room < 0 {
		return 0, syscall.ENOSPC
	}
	return d.Buffer.Write(p)
}

func (d *disk) Close() error {
	d.closed++
	return nil
}

func record(t *testing.T, s *Session, d *disk) *Recorder {
	t.Helper()
	r, err := NewRecorder("file", d, recording.Header{})
	if err != nil {
		t.Fatal(err)
	}
	s.Record(r)
	return r
}

func TestRecorder(t *testing.T) {
	t.Parallel()
	d := &disk{room: 100}
	s := New(&host{}, Options{})
	r := record(t, s, d)
	for range 3 {
		if err := s.Look(t.Context(), new(Look)); err != nil {
			t.Fatal(err)
		}
	}
	if so := r.Progress(); so != (Progress{Path: "file", Moments: 3, Size: int64(d.Len())}) {
		t.Errorf("while it runs: %+v", so)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil || d.closed != 1 {
		t.Errorf("closed %d times: %v", d.closed, err)
	}
	if so := r.Progress(); so != (Progress{Path: "file", Moments: 3, Size: int64(d.Len()), Ended: true}) {
		t.Errorf("at the end: %+v", so)
	}
	if err := r.Add(new(source.Moment)); err != nil || r.Progress().Moments != 3 {
		t.Errorf("after the end, a moment is recorded: %v", err)
	}
	reader, err := recording.Open(&d.Buffer)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var m source.Moment
	for err == nil {
		err = reader.Next(&m)
	}
	if err != io.EOF {
		t.Errorf("the recording ends with %v", err)
	}
}

// A disk that is full ends the recording, and nothing else: each moment is
// polled once, and what was traced since the one before is in it.
func TestRecorderThatCannotWrite(t *testing.T) {
	t.Parallel()
	h, d := &host{}, &disk{room: 2}
	s := New(h, Options{})
	r := record(t, s, d)
	var l Look
	for n := range 4 {
		if err := s.Look(t.Context(), &l); err != nil {
			t.Fatalf("look %d: %v", n, err)
		}
		if h.polls != n+1 || len(l.Moment.Events) != 1 || int(l.Moment.Events[0].Tuple.LocalPort) != n+1 {
			t.Errorf("look %d: %d polls, events %v", n, h.polls, l.Moment.Events)
		}
	}
	if so := r.Progress(); so.Moments != 2 || !so.Ended || !errors.Is(so.Err, syscall.ENOSPC) {
		t.Errorf("the recording: %+v", so)
	}
	if s.Record(nil) != nil || d.closed != 1 {
		t.Errorf("the recorder is still asked, or was closed %d times", d.closed)
	}
}

func TestRecordIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 {
		r, err := RecordIn(dir, "web/01", recording.Header{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
	}
	files, err := filepath.Glob(filepath.Join(dir, "ephtop-web_01-*.eph"))
	if err != nil || len(files) != 2 {
		t.Errorf("files %v, %v", files, err)
	}
}

func TestFileName(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"web-01.example": "web-01.example", "../../etc": ".._.._etc", "": "host", "größe\x1b[m": "gr__e__m",
		strings.Repeat("x", 100): strings.Repeat("x", 64),
	} {
		if got := fileName(host); got != want {
			t.Errorf("%q gives %q, want %q", host, got, want)
		}
	}
}
