package session

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"ephtop/source"
	"ephtop/source/recording"
)

// Recorder writes a recording, until it is closed or can't write. Its methods
// may be called from any goroutine.
type Recorder struct {
	mu     sync.Mutex // of who writes
	out    countingWriter
	writer *recording.Writer
	so     atomic.Pointer[Progress]
}

// Progress is how far a recording has come.
type Progress struct {
	Path    string
	Moments int
	Size    int64 // in bytes
	// Ended says that no more is recorded, Err why, where it was not closed.
	Ended bool
	Err   error
}

// NewRecorder makes a Recorder that writes to out, which Close closes, under a
// name for people.
func NewRecorder(path string, out io.WriteCloser, h recording.Header) (*Recorder, error) {
	r := &Recorder{out: countingWriter{WriteCloser: out}}
	r.so.Store(&Progress{Path: path})
	var err error
	if r.writer, err = recording.NewWriter(&r.out, h); err != nil {
		return nil, errors.Join(fmt.Errorf("write the recording: %w", err), out.Close())
	}
	return r, nil
}

// RecordIn makes a Recorder with a file in dir, named after host and time. It
// never takes the name of a file that exists.
func RecordIn(dir, host string, h recording.Header) (*Recorder, error) {
	f, path, err := newFile(dir, host, ".eph", recording.CreateNew)
	if err != nil {
		return nil, err
	}
	return NewRecorder(path, f, h)
}

// fileName makes a host's name fit to be part of a file's.
func fileName(host string) string {
	host = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '_'
	}, host)
	if host == "" {
		host = "host"
	}
	return host[:min(len(host), 64)]
}

// Add records a moment, and changes nothing of it. An error ends the recording;
// after the end, nothing is recorded.
func (r *Recorder) Add(m *source.Moment) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	so := r.Progress()
	if so.Ended {
		return nil
	}
	if err := r.writer.Write(m); err != nil {
		return r.end(err)
	}
	so.Moments++
	so.Size = r.out.n
	r.so.Store(&so)
	return nil
}

// Progress says how far the recording has come. It does not wait for a write.
func (r *Recorder) Progress() Progress { return *r.so.Load() }

// Close ends the recording whole, if it has not ended yet, and closes what it
// is written to.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.finish()
}

// finish ends the recording, if it has not ended yet.
func (r *Recorder) finish() error {
	if r.Progress().Ended {
		return nil
	}
	return r.end(nil)
}

// Abandon is Close, unless a write does not return.
func (r *Recorder) Abandon() error {
	if !r.mu.TryLock() {
		return nil
	}
	defer r.mu.Unlock()
	return r.finish()
}

// end ends the recording for a reason, nil for none.
func (r *Recorder) end(err error) error {
	if closed := r.writer.Close(); closed != nil {
		err = errors.Join(err, fmt.Errorf("write the recording: %w", closed))
	}
	if closed := r.out.Close(); closed != nil {
		err = errors.Join(err, fmt.Errorf("close the recording: %w", closed))
	}
	so := r.Progress()
	so.Size, so.Ended, so.Err = r.out.n, true, err
	r.so.Store(&so)
	return err
}

// countingWriter counts the bytes that were written.
type countingWriter struct {
	io.WriteCloser
	n int64
}

// Write is for the recording's writer.
func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.WriteCloser.Write(p)
	w.n += int64(n)
	return n, err
}
