package dashboard

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source"
	"ephtop/source/recording"
	"ephtop/ui/text"
)

// recorder writes a recording of what is polled. Its methods may be called
// from any goroutine.
type recorder struct {
	path string // never changes

	mu     sync.Mutex
	file   *recording.File
	writer *recording.Writer
	closed bool
	so     recorded
}

// recorded is how far a recording has come.
type recorded struct {
	path    string
	moments int
	size    int64
}

// newRecorder makes a file in dir, named after host and time. It never takes
// the name of a file that exists.
func newRecorder(dir, host, program string, now time.Time) (*recorder, error) {
	name := filepath.Join(dir, "ephtop-"+fileName(host)+now.Format("-20060102-150405"))
	r := &recorder{path: name + ".eph"}
	var err error
	for n := 2; ; n++ {
		r.file, err = recording.Create(r.path, false)
		if !errors.Is(err, fs.ErrExist) || n > 9 {
			break
		}
		r.path = fmt.Sprintf("%s-%d.eph", name, n)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s is there already", r.path)
	}
	if err != nil {
		return nil, err
	}
	if r.writer, err = recording.NewWriter(r, recording.Header{Program: program}); err != nil {
		return nil, errors.Join(err, r.file.Close())
	}
	return r, nil
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

// Write is for the recording's writer.
func (r *recorder) Write(p []byte) (int, error) {
	n, err := r.file.Write(p)
	r.so.size += int64(n)
	return n, err
}

// add records a moment. After an error, s is undefined and the recorder closed.
// Nothing is recorded after close.
func (r *recorder) add(s *source.Moment) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	if err := r.writer.Write(s); err != nil {
		return errors.Join(err, r.end())
	}
	r.so.moments++
	return nil
}

// progress says how far it has come.
func (r *recorder) progress() recorded {
	r.mu.Lock()
	defer r.mu.Unlock()
	return recorded{r.path, r.so.moments, r.so.size}
}

// close ends the recording whole.
func (r *recorder) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	return r.end()
}

// abandon is close, unless a write does not return.
func (r *recorder) abandon() error {
	if !r.mu.TryLock() {
		return nil
	}
	r.mu.Unlock()
	return r.close()
}

func (r *recorder) end() error {
	r.closed = true
	return errors.Join(r.writer.Close(), r.file.Close())
}

// recordMsg says that a recording has begun, or ended.
type recordMsg struct {
	running bool
	so      recorded
	err     error
	now     time.Time
}

// record is a command that begins a recording.
func (p *poller) record(host string) tea.Cmd {
	return p.command(func(context.Context) tea.Msg {
		now := p.now()
		r, err := newRecorder(p.recordDir, host, p.program, now)
		if err != nil {
			return recordMsg{err: err, now: now}
		}
		p.swapRecorder(r)
		return recordMsg{running: true, so: r.progress(), now: now}
	})
}

// stopRecord is a command that ends the recording.
func (p *poller) stopRecord() tea.Cmd {
	return p.command(func(context.Context) tea.Msg {
		r := p.swapRecorder(nil)
		if r == nil {
			return nil // a poll has ended it
		}
		err := r.close()
		return recordMsg{so: r.progress(), err: err, now: p.now()}
	})
}

// swapRecorder has the polls that begin from now on use r, and gives the one
// before. Either may be nil.
func (p *poller) swapRecorder(r *recorder) *recorder {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.recorder
	p.recorder = r
	return before
}

// keep records a moment that was read, if there is a recording. Where that
// fails, the recording ends and the source is read again: what is shown does
// not depend on what can be written.
func (p *poller) keep(ctx context.Context, r *reading) (*recordMsg, error) {
	p.mu.Lock()
	rec := p.recorder
	p.mu.Unlock()
	if rec == nil {
		return nil, nil
	}
	err := rec.add(&r.moment)
	msg := &recordMsg{running: err == nil, so: rec.progress(), err: err, now: p.now()}
	if err == nil {
		return msg, nil
	}
	p.swapRecorder(nil)
	return msg, p.read(ctx, r)
}

// recordKey is what the model knows of recordings, beside what it shows.
type recordKey struct {
	// changing says that a command begins or ends one.
	changing bool
	// ended is the file that was ended last.
	ended string
}

// toggleRecord begins a recording, or ends it.
func (m *Model) toggleRecord() tea.Cmd {
	switch {
	case m.recording.changing:
		return nil
	case m.view.Recording.On:
		m.recording.changing = true
		return m.poller.stopRecord()
	case m.shown == nil:
		m.view.Notice = "nothing to record yet"
		return nil
	}
	m.recording.changing = true
	return m.poller.record(m.shown.moment.Host)
}

// recordWent takes how far the recording has come with a poll.
func (m *Model) recordWent(msg *recordMsg) {
	switch {
	case msg == nil:
	case msg.err != nil:
		m.recordChanged(*msg)
	case m.view.Recording.On:
		m.view.Recording.Size = msg.so.size
	}
}

// recordChanged takes that a recording has begun or ended. That a poll has
// ended it may be known before it is known to have begun.
func (m *Model) recordChanged(msg recordMsg) {
	line := &m.view.Recording
	m.setNow(msg.now)
	m.recording.changing = false
	if msg.running && msg.so.path == m.recording.ended {
		return
	}
	switch {
	case msg.err != nil:
		m.view.Notice = "recording: " + msg.err.Error()
		if msg.so.moments > 0 {
			m.view.Notice += fmt.Sprintf(" (%s until then in %s)", text.Plural(msg.so.moments, "moment", "moments"), msg.so.path)
		}
	case msg.running:
		m.view.Notice = "recording to " + msg.so.path
		line.Since = msg.now
	case msg.so.moments == 0:
		m.view.Notice = "nothing was recorded"
	default:
		m.view.Notice = fmt.Sprintf("recorded %s, %s, in %s", text.Plural(msg.so.moments, "moment", "moments"), text.Bytes(msg.so.size), msg.so.path)
	}
	line.On, line.Size = msg.running, msg.so.size
	if !msg.running {
		m.recording.ended = msg.so.path
	}
}
