package dashboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/recording"
	"ephtop/ui/dashboard/paint"
)

// scan finds the levels of a whole recording, from the first moment on. It
// belongs to the command that runs, a part at a time.
type scan struct {
	player   *recording.Player
	fleet    *model.Fleet
	reader   *recording.Reader // nil before the first part and after the last
	moment   source.Moment
	overview model.Overview
	level    model.Level
	found    int
}

// scannedMsg is what a part of a scan has found. The first change of all is the
// level at the start.
type scannedMsg struct {
	changes []paint.LevelChange
	upTo    time.Time
	done    bool
}

// maxChanges bounds what is remembered of a recording: later changes are not
// marked.
const maxChanges = 20_000

// scanFor is how long a part of a scan takes, and the time line waits for news.
const scanFor = 200 * time.Millisecond

// scanOn is a command for the next part of a scan.
func (p *poller) scanOn(s *scan) tea.Cmd {
	return p.command(func(ctx context.Context) tea.Msg {
		msg, err := s.run(ctx, p.now)
		if err != nil && !errors.Is(err, io.EOF) {
			p.log.Warn("look for changes of the level", "error", err)
		}
		return msg
	})
}

// run goes on for a while. The error says why the scan is done.
func (s *scan) run(ctx context.Context, now func() time.Time) (msg scannedMsg, err error) {
	started := now()
	if s.reader == nil {
		s.reader, err = s.player.Moments()
	}
	for err == nil && s.found < maxChanges && now().Sub(started) < scanFor {
		if err = cmp.Or(ctx.Err(), s.reader.Next(&s.moment)); err != nil {
			break
		}
		s.fleet.Update(&s.moment, &s.overview)
		msg.upTo = s.moment.Time
		if s.found == 0 || s.level != s.overview.Level {
			s.level = s.overview.Level
			s.found++
			msg.changes = append(msg.changes, paint.LevelChange{Time: msg.upTo, Level: s.level})
		}
	}
	if msg.done = err != nil || s.found >= maxChanges; msg.done {
		s.close()
	}
	return msg, err
}

// close frees what the scan holds.
func (s *scan) close() {
	if s.reader != nil {
		s.reader.Close()
		s.reader = nil
	}
}

// scanned takes what a part of the scan has found.
func (m *Model) scanned(msg scannedMsg) tea.Cmd {
	line := &m.view.Timeline
	line.Changes = append(line.Changes, msg.changes...)
	if msg.upTo.After(line.Scanned) {
		line.Scanned = msg.upTo
	}
	// Where the last full moment of a recording is cut, its end is not known
	// before all is read.
	if line.Scanned.After(line.Last) {
		line.Last = line.Scanned
	}
	if m.replay.scanned = msg.done; msg.done {
		return nil
	}
	return m.poller.scanOn(m.replay.scan)
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
		if i := slices.IndexFunc(changes, func(c paint.LevelChange) bool { return c.Time.After(at) }); i >= 0 {
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

func (m *Model) seekChange(c paint.LevelChange) tea.Cmd {
	m.view.Notice = fmt.Sprintf("%s from %s on", c.Level, c.Time.Format("15:04:05"))
	return m.seekTo(c.Time)
}
