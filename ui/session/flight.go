package session

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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
// bounded in number and bytes. What the disk does holds up nobody. Its methods
// must not overlap, but for Status.
type Flight struct {
	dir   string
	ring  *recording.Ring
	files int   // most of them
	bytes int64 // most of all

	level  model.Level
	failed int            // connects and binds
	began  *source.Moment // of the last file, its time only; nil before the first
	lasts  time.Duration  // the file, from there
	file   *flightFile    // being written, nil for none
	done   chan struct{}  // of the last file: closed when it is on disk
	gone   error          // why nothing is kept any more

	mu sync.Mutex
	so FlightStatus
}

// FlightStatus is what a Flight has recorded.
type FlightStatus struct {
	Files int    // since the start
	Last  string // path of the last one, whole or not yet
	Err   error  // of the last one, nil if all went well so far
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
	return &Flight{dir: dir, ring: ring, files: flightFiles, bytes: flightBytes}, nil
}

// Settle waits until the disk has what was added: for moments that come faster
// than time goes by.
func (f *Flight) Settle() {
	for f.file != nil && len(f.file.parts) > 0 {
		time.Sleep(time.Millisecond)
	}
}

// Status says what was recorded. It may be called from any goroutine.
func (f *Flight) Status() FlightStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.so
}

func (f *Flight) tell(change func(*FlightStatus)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.so)
}

// Add takes the next moment, and changes nothing of it.
func (f *Flight) Add(m *source.Moment, o *model.Overview) {
	if f.gone != nil {
		return
	}
	if f.gone = f.ring.Write(m); f.gone != nil {
		f.end()
		f.tell(func(s *FlightStatus) { s.Err = fmt.Errorf("keep the last moments: %w", f.gone) })
		return
	}
	worse, failed := o.Level > max(f.level, model.LevelWarning), failures(o)
	trouble := worse || failed > f.failed
	f.level, f.failed = o.Level, failed
	if f.file == nil {
		if trouble && (f.began == nil || m.Since(f.began) >= flightApart) {
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
	f.began, f.lasts = &source.Moment{Time: m.Time, Mono: m.Mono}, flightAfter
	before, size := f.ring.Copy()
	f.file, f.done = newFlightFile(), make(chan struct{})
	f.ring.SaveTo(f.file)
	f.tell(func(s *FlightStatus) { s.Err = nil })
	host, file, done := m.Host, f.file, f.done
	go func() {
		defer close(done)
		err := guard.Do(func() error { return f.write(file, host, io.NewSectionReader(before, 0, size)) })
		f.tell(func(s *FlightStatus) { s.Err = errors.Join(s.Err, err) })
	}()
}

// end ends the file that is being written, if one is.
func (f *Flight) end() {
	if f.file == nil {
		return
	}
	if err := f.ring.EndSave(); err != nil {
		f.tell(func(s *FlightStatus) { s.Err = err })
	}
	close(f.file.parts)
	f.file = nil
}

// Close ends the file that is being written, and waits for the disk, but not for
// long.
func (f *Flight) Close() error {
	f.end()
	if f.done == nil {
		return f.Status().Err
	}
	select {
	case <-f.done:
		return f.Status().Err
	case <-time.After(flightWait):
		return fmt.Errorf("write the last moments: the disk has not answered for %v", flightWait)
	}
}

// flightWait is how long the end waits for a disk.
const flightWait = 5 * time.Second

// flightFile takes what is to be written, and never waits for who writes it.
type flightFile struct{ parts chan []byte }

// flightQueue is how many moments may wait for a disk.
const flightQueue = 64

func newFlightFile() *flightFile { return &flightFile{parts: make(chan []byte, flightQueue)} }

var errSlowDisk = errors.New("the disk takes too long")

// Write hands a part to who writes it.
func (f *flightFile) Write(b []byte) (int, error) {
	select {
	case f.parts <- slices.Clone(b):
		return len(b), nil
	default:
		return 0, errSlowDisk
	}
}

// write makes the file, of what was before and all that comes.
func (f *Flight) write(from *flightFile, host string, before io.Reader) (err error) {
	defer func() {
		for range from.parts { // to the end, whatever went wrong
		}
	}()
	if err := f.makeRoom(); err != nil {
		return err
	}
	out, path, err := newFile(f.dir, host, flightEnding, recording.CreateNew)
	if err != nil {
		return err
	}
	f.tell(func(s *FlightStatus) { s.Files, s.Last = s.Files+1, path })
	defer func() { err = errors.Join(err, out.Close()) }()
	// In one Write: what a failed one leaves is taken back.
	begin, err := io.ReadAll(before)
	if err != nil {
		return err
	}
	if _, err := out.Write(begin); err != nil {
		return err
	}
	for part := range from.parts {
		if _, err := out.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// makeRoom removes the oldest files of a Flight until there is room for one.
func (f *Flight) makeRoom() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	var files []os.FileInfo
	total := int64(0)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), filePrefix) || !strings.HasSuffix(e.Name(), flightEnding) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files, total = append(files, info), total+info.Size()
		}
	}
	slices.SortFunc(files, func(a, b os.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for len(files) > 0 && (len(files) >= f.files || total+flightMemory > f.bytes) {
		if err := os.Remove(filepath.Join(f.dir, files[0].Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("make room for a recording: %w", err)
		}
		total -= files[0].Size()
		files = files[1:]
	}
	return nil
}
