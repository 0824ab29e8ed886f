package session

import (
	"cmp"
	"context"
	"time"

	"ephtop/model"
	"ephtop/source/recording"
)

// Scan finds the levels of a whole recording, from the first moment on, a part
// at a time.
type Scan struct {
	player *recording.Player
	fleet  *model.Fleet
	reader *recording.Reader // nil before the first part and after the last
	look   Look
	level  model.Level
	found  int
}

// NewScan makes a Scan. It does not disturb who plays the recording.
func NewScan(p *recording.Player, o model.Options) *Scan {
	return &Scan{player: p, fleet: model.NewFleet(o)}
}

// Part is what a part of a scan has found. The first change of all is the
// level at the start.
type Part struct {
	Changes []model.LevelChange
	UpTo    time.Time
	Done    bool
}

// maxChanges bounds what is found: later changes are not told.
const maxChanges = 20_000

// Next goes on for so long. The error says why the scan is done; io.EOF is the
// end.
func (s *Scan) Next(ctx context.Context, length time.Duration) (part Part, err error) {
	started := time.Now()
	if s.reader == nil {
		s.reader, err = s.player.Moments()
	}
	for err == nil && s.found < maxChanges && time.Since(started) < length {
		if err = cmp.Or(ctx.Err(), s.reader.Next(&s.look.Moment)); err != nil {
			break
		}
		s.fleet.Update(&s.look.Moment, &s.look.Overview)
		part.UpTo = s.look.Moment.Time
		if s.found == 0 || s.level != s.look.Overview.Level {
			s.level = s.look.Overview.Level
			s.found++
			part.Changes = append(part.Changes, model.LevelChange{Time: part.UpTo, Level: s.level})
		}
	}
	if part.Done = err != nil || s.found >= maxChanges; part.Done {
		s.Close()
	}
	return part, err
}

// Close frees what the scan holds. No part comes after it.
func (s *Scan) Close() {
	s.fleet, s.look = nil, Look{}
	if s.reader != nil {
		s.reader.Close()
		s.reader = nil
	}
}
