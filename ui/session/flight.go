package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/guard"
	"ephtop/source/recording"
)

// Of trouble, so much is kept in memory of what was before, and recorded of what
// follows; then nothing is recorded for as long as from one file to the next.
// Trouble that gets worse is recorded for longer.
const (
	FlightBefore = 2 * time.Minute // usually
	flightAfter  = time.Minute
	flightMost   = 10 * time.Minute // of one file
	flightApart  = 5 * time.Minute
	flightMemory = 16 << 20
	// flightAgain is how long it waits where nothing could be kept.
	flightAgain = 10 * time.Second
)

// What the files of a Flight may take: the oldest ones go.
const (
	flightFiles = 20
	flightBytes = 256 << 20
)

// flightEnding tells the files of a Flight from all others.
const flightEnding = ".trouble.eph"

// Flight is a flight recorder: it keeps the last minutes of what was polled, and
// records them, with the minute that follows, when the level becomes critical
// or a connect fails. The files are in one directory, for their owner only, and
// bounded in number and bytes. What the disk does holds up nobody. Trouble of
// which nothing could be written is tried again, as long as it lasts or is
// remembered. Its methods must not overlap, but for Status.
type Flight struct {
	dir    string
	before time.Duration
	ring   *recording.Ring // nil where it could not hold a moment
	files  int             // most of them
	bytes  int64           // most of all

	level   model.Level
	failed  int            // connects and binds
	began   *source.Moment // of the last file, its time only; nil before the first
	lasts   time.Duration  // the file, from there
	apart   time.Duration  // the next file, from there
	lost    *source.Moment // when there was trouble that is in no file; nil for never
	dropped *source.Moment // when the ring could not hold a moment
	file    *flightFile    // being added to, nil for none
	last    *flightFile    // the same, or the one before as long as the disk has it

	looking atomic.Bool // whether the last file is still there

	mu   sync.Mutex
	so   FlightStatus
	deaf error // why no moments are kept for now
}

// FlightStatus is what a Flight has recorded.
type FlightStatus struct {
	Files int    // since the start, of which something came to be on disk
	Last  string // path of the last one, whole or not yet; "" for none, or if it is gone
	Err   error  // why what was to be kept last is not, nil if all of it is
}

// NewFlight makes a Flight that writes to a directory, which must be there, and
// keeps so much of what was before.
func NewFlight(dir string, before time.Duration) (*Flight, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no directory", dir)
	}
	if err != nil {
		return nil, err
	}
	ring, err := recording.NewRing(before, flightMemory)
	if err != nil {
		return nil, err
	}
	return &Flight{dir: dir, before: before, ring: ring, files: flightFiles, bytes: flightBytes}, nil
}

// Settle waits until the disk has what was added, unless ctx ends: for moments that
// come faster than time goes by.
func (f *Flight) Settle(ctx context.Context) {
	for f.last != nil && !f.last.ended() && (f.file == nil || len(f.file.parts) > 0) && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
}

// Status says what was recorded. It may be called from any goroutine.
func (f *Flight) Status() FlightStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	so := f.so
	if f.deaf != nil {
		so.Err = f.deaf
	}
	return so
}

func (f *Flight) tell(change func(*FlightStatus)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.so)
}

// Add takes the next moment, and changes nothing of it.
func (f *Flight) Add(m *source.Moment, o *model.Overview) {
	f.follow()
	f.look()
	if !f.hold(m) {
		return
	}
	worse, failed := o.Level > max(f.level, model.LevelWarning), failures(o)
	trouble := worse || failed > f.failed || f.lost != nil && (o.Level > model.LevelWarning || m.Since(f.lost) < f.before)
	f.level, f.failed = o.Level, failed
	if f.file == nil {
		switch {
		case !trouble:
		case f.began != nil && m.Since(f.began) < f.apart:
		case f.last != nil: // the disk hangs: there must not be more and more that wait for it
			f.lost = stamp(m)
		default:
			f.begin(m)
		}
		return
	}
	since := m.Since(f.began)
	if worse {
		f.lasts = min(since+flightAfter, flightMost)
	}
	if since >= f.lasts || f.ring.SaveErr() != nil {
		f.end()
	}
}

// stamp is the time of a moment.
func stamp(m *source.Moment) *source.Moment { return &source.Moment{Time: m.Time, Mono: m.Mono} }

// hold keeps a moment in memory. Where that can't be, as when it is too large, all
// begins anew a while later.
func (f *Flight) hold(m *source.Moment) bool {
	var err error
	if f.ring == nil {
		if m.Since(f.dropped) < flightAgain {
			return false
		}
		f.ring, err = recording.NewRing(f.before, flightMemory)
	}
	if err == nil {
		err = f.ring.Write(m)
	}
	if err != nil {
		err = fmt.Errorf("keep the last moments: %w", err)
		f.cut(err)
		f.end()
		f.ring, f.dropped = nil, stamp(m)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deaf = err
	return err == nil
}

// failures counts the connects and binds that failed so far.
func failures(o *model.Overview) int {
	n := 0
	for _, st := range o.States {
		n += st.Failures.Count
	}
	return n
}

// begin begins a file.
func (f *Flight) begin(m *source.Moment) {
	f.began, f.lasts, f.apart, f.lost = stamp(m), flightAfter, flightApart, nil
	before, size := f.ring.Copy()
	file, host := newFlightFile(), m.Host
	f.file, f.last = file, file
	f.ring.SaveTo(file)
	go func() {
		defer close(file.done)
		if err := guard.Do(func() error { return f.write(file, host, io.NewSectionReader(before, 0, size)) }); err != nil {
			f.tell(func(s *FlightStatus) { s.Err = err })
		}
	}()
}

// follow notes how the last file ended, once it has. One that left nothing does not
// count.
func (f *Flight) follow() {
	if f.last == nil || !f.last.ended() {
		return
	}
	if f.file == f.last {
		f.end()
	}
	if !f.last.kept {
		f.apart, f.lost = flightAgain, f.began
	}
	f.last = nil
}

// end ends the file that is being written, if one is.
func (f *Flight) end() {
	if f.file == nil {
		return
	}
	if err := f.ring.EndSave(); err != nil {
		f.cut(err)
	}
	close(f.file.parts)
	f.file = nil
}

// cut says why the file that is being written lacks something, if one is.
func (f *Flight) cut(err error) {
	if file := f.file; file != nil {
		f.tell(func(s *FlightStatus) { s.Err, file.cut = err, true })
	}
}

// look has the last file forgotten where somebody has taken it away.
func (f *Flight) look() {
	path := f.Status().Last
	if path == "" || !f.looking.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer f.looking.Store(false)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			f.forget(path)
		}
	}()
}

func (f *Flight) forget(path string) {
	f.tell(func(s *FlightStatus) {
		if s.Last == path {
			s.Last = ""
		}
	})
}

// Close ends the file that is being written, and waits for the disk, but not for
// long. Its error is that of the last trouble, if that is not kept whole.
func (f *Flight) Close() error {
	f.end()
	if f.last != nil {
		select {
		case <-f.last.done:
		case <-time.After(flightWait):
			return fmt.Errorf("write the last moments: the disk has not answered for %v", flightWait)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.so.Err
}

// flightWait is how long the end waits for a disk.
const flightWait = 5 * time.Second
