package dashboard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/model"
	"ephtop/ui/session"
)

// scannedMsg is what a part of a scan has found.
type scannedMsg session.Part

// scanFor is how long a part of a scan takes, and the time line waits for news.
const scanFor = 200 * time.Millisecond

// scanOn looks for the levels of the recording, a part of it.
func (m *Model) scanOn() tea.Cmd {
	scan := m.replay.scan
	return m.jobs.command(func(ctx context.Context) tea.Msg {
		part, err := scan.Next(ctx, scanFor)
		if err != nil && !errors.Is(err, io.EOF) {
			m.log.Warn("look for changes of the level", "error", err)
		}
		return scannedMsg(part)
	})
}

// scanned takes what a part of the scan has found.
func (m *Model) scanned(msg scannedMsg) tea.Cmd {
	line := &m.view.Timeline
	line.Changes = append(line.Changes, msg.Changes...)
	if msg.UpTo.After(line.Scanned) {
		line.Scanned = msg.UpTo
	}
	// Where the last full moment of a recording is cut, its end is not known
	// before all is read.
	if line.Scanned.After(line.Last) {
		line.Last = line.Scanned
	}
	if m.replay.scanned = msg.Done; msg.Done {
		return nil
	}
	return m.scanOn()
}

// jump seeks the next change of the level (+1), or the one before (-1).
func (m *Model) jump(direction int) tea.Cmd {
	line, at := &m.view.Timeline, m.replay.aim
	if direction < 0 && m.replay.playing {
		// While it plays on, the second press means the one before.
		at = at.Add(-time.Duration(float64(time.Second) * m.replay.speed))
	}
	changes := line.Changes[min(1, len(line.Changes)):]
	if direction > 0 {
		if i := slices.IndexFunc(changes, func(c model.LevelChange) bool { return c.Time.After(at) }); i >= 0 {
			return m.seekChange(changes[i])
		}
	} else {
		for _, c := range slices.Backward(changes) {
			if c.Time.Before(at) {
				return m.seekChange(c)
			}
		}
	}
	switch {
	case direction < 0:
		m.view.Notice = "no change of the level before this"
	case !m.replay.scanned:
		m.view.Notice = "still looking for changes of the level"
	default:
		m.view.Notice = "no change of the level after this"
	}
	return nil
}

func (m *Model) seekChange(c model.LevelChange) tea.Cmd {
	m.view.Notice = fmt.Sprintf("%s from %s on", c.Level, c.Time.Format("15:04:05 MST"))
	return m.seekTo(c.Time)
}
