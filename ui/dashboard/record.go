package dashboard

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source/recording"
	"ephtop/ui/session"
	"ephtop/ui/text"
)

// recordKey is what the model knows of recordings, beside what it shows.
type recordKey struct {
	// dir is where they are made, header what they begin with.
	dir    string
	header recording.Header
	// changing says that a command begins or ends one.
	changing bool
	recorder *session.Recorder // nil for none
}

// recordMsg says that a recording has begun, or ended.
type recordMsg struct {
	recorder *session.Recorder // nil where it could not begin
	err      error
	now      time.Time
}

// toggleRecord begins a recording, or ends it.
func (m *Model) toggleRecord() tea.Cmd {
	k := &m.recording
	switch {
	case k.changing:
		return nil
	case k.recorder == nil && m.shown == nil:
		m.view.Notice = "nothing to record yet"
		return nil
	}
	k.changing = true
	if r := k.recorder; r != nil {
		return m.jobs.command(func(context.Context) tea.Msg {
			m.session.Record(nil)
			return recordMsg{recorder: r, err: r.Close(), now: time.Now()}
		})
	}
	host := m.shown.look.Moment.Host
	return m.jobs.command(func(context.Context) tea.Msg {
		r, err := session.RecordIn(k.dir, host, k.header)
		if err == nil {
			m.session.Record(r)
		}
		return recordMsg{recorder: r, err: err, now: time.Now()}
	})
}

// recordChanged takes that a recording has begun or ended.
func (m *Model) recordChanged(msg recordMsg) {
	m.setNow(msg.now)
	m.recording.changing = false
	if msg.err != nil && msg.recorder == nil {
		m.view.Notice = "recording: " + msg.err.Error()
		return
	}
	m.recording.recorder = msg.recorder
	so := msg.recorder.Progress()
	if !m.view.Recording.On && !so.Ended {
		m.view.Notice = "recording to " + so.Path
		m.view.Recording.On, m.view.Recording.Since = true, msg.now
	}
	m.recordWent()
}

// recordWent says how far the recording has come, if there is one. It may have
// ended by itself.
func (m *Model) recordWent() {
	k, line := &m.recording, &m.view.Recording
	if k.recorder == nil || k.changing {
		return
	}
	so := k.recorder.Progress()
	line.Size = so.Size
	if !so.Ended {
		return
	}
	line.On, k.recorder = false, nil
	m.sayRecorded(so)
	moments := text.Plural(so.Moments, "moment", "moments")
	switch {
	case so.Err != nil && so.Moments > 0:
		m.view.Notice = fmt.Sprintf("recording: %v (%s until then in %s)", so.Err, moments, so.Path)
	case so.Err != nil:
		m.view.Notice = "recording: " + so.Err.Error()
	case so.Moments == 0:
		m.view.Notice = "nothing was recorded"
	default:
		m.view.Notice = fmt.Sprintf("recorded %s, %s, in %s", moments, text.Bytes(so.Size), so.Path)
	}
}

// sayRecorded has the end of the program say where a recording is, and how to
// play it, or why there is none or no more of it: that may be known by then only.
func (m *Model) sayRecorded(so session.Progress) {
	if so.Err != nil {
		m.farewell = append(m.farewell, "recording: "+text.Sanitize(strings.ReplaceAll(so.Err.Error(), "\n", "; ")))
	}
	if so.Moments == 0 || errors.Is(so.Err, recording.ErrRemoved) {
		return
	}
	path := so.Path
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	m.farewell = append(m.farewell,
		"recorded "+text.Plural(so.Moments, "moment", "moments")+", "+text.Bytes(so.Size)+": "+text.Sanitize(path),
		"  ephtop replay "+text.Sanitize(text.ShellWord(path)))
}
