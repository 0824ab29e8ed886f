//go:build unix

package session

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source/recording"
)

// flight is one that a test adds seconds to.
type flight struct {
	*testing.T
	*Flight
	dir string
	at  time.Duration
}

func newFlight(t *testing.T) *flight {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keep")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := NewFlight(dir, FlightBefore)
	if err != nil {
		t.Fatal(err)
	}
	return &flight{t, f, dir, 0}
}

// fly adds a moment a second, until the last one and the disk agree on something.
func (f *flight) fly(level model.Level, until func(FlightStatus) bool) FlightStatus {
	f.Helper()
	for range 4 * 60 {
		l := look(f.at, level, 0)
		f.Add(&l.Moment, &l.Overview)
		f.Settle(f.Context())
		f.at += time.Second
		if until(f.Status()) {
			return f.Status()
		}
		time.Sleep(time.Millisecond) // for what is looked at beside it
	}
	f.Fatalf("it never comes: %+v", f.Status())
	return FlightStatus{}
}

func (f *flight) files() (list []string) {
	list, _ = filepath.Glob(filepath.Join(f.dir, "*"))
	return list
}

// Trouble that could not be written is told of as an error and not as a file, and
// is written when it can be, as it lasts: not five minutes later.
func TestFlightWithoutADisk(t *testing.T) {
	t.Parallel()
	f := newFlight(t)
	if err := os.Remove(f.dir); err != nil { // as good as a disk that is full
		t.Fatal(err)
	}
	so := f.fly(model.LevelCritical, func(so FlightStatus) bool { return so.Err != nil })
	if so.Files != 0 || so.Last != "" {
		t.Errorf("it tells of a file: %+v", so)
	}
	for range 30 { // and it goes on failing
		l := look(f.at, model.LevelCritical, 0)
		f.Add(&l.Moment, &l.Overview)
		f.Settle(t.Context())
		f.at += time.Second
		if so := f.Status(); so.Err == nil || so.Files != 0 {
			t.Fatalf("without a disk: %+v", so)
		}
	}
	if err := os.Mkdir(f.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	again := f.at
	so = f.fly(model.LevelCritical, func(so FlightStatus) bool { return so.Files > 0 })
	if waited := f.at - again; waited > 2*flightAgain {
		t.Errorf("it is tried again after %v", waited)
	}
	if err := f.Close(); err != nil || so.Err != nil || len(f.files()) != 1 || f.files()[0] != so.Last {
		t.Errorf("%+v, files %q, closed with %v", so, f.files(), err)
	}
	if first, last, _ := replayed(t, so.Last); last.Sub(first) < 30*time.Second {
		t.Errorf("from %v to %v: the begin of the trouble is not in it", first, last)
	}
}

// A file that is removed is not told of any more; the trouble is written to another
// one if it was not whole, and there is no error in the end.
func TestFlightFileThatIsRemoved(t *testing.T) {
	t.Parallel()
	f := newFlight(t)
	first := f.fly(model.LevelCritical, func(so FlightStatus) bool { return so.Last != "" })
	if err := os.Remove(first.Last); err != nil {
		t.Fatal(err)
	}
	f.fly(model.LevelCritical, func(so FlightStatus) bool { return so.Last == "" })
	so := f.fly(model.LevelCritical, func(so FlightStatus) bool { return so.Last != "" })
	if err := f.Close(); err != nil || len(f.files()) != 1 || f.files()[0] != so.Last {
		t.Errorf("%+v, files %q, closed with %v", so, f.files(), err)
	}
	replayed(t, so.Last)

	f = newFlight(t)
	whole := f.fly(model.LevelCritical, func(FlightStatus) bool { return f.at > flightAfter+2*time.Second })
	if err := os.Remove(whole.Last); err != nil {
		t.Fatal(err)
	}
	so = f.fly(model.LevelCritical, func(so FlightStatus) bool { return so.Last == "" })
	if err := f.Close(); err != nil || so.Err != nil || so.Files != 1 || len(f.files()) != 0 {
		t.Errorf("one that was whole: %+v, files %q, closed with %v", so, f.files(), err)
	}
}

// A file that is removed at the end is lost, and that is said.
func TestFlightFileThatIsRemovedAtTheEnd(t *testing.T) {
	t.Parallel()
	f := newFlight(t)
	so := f.fly(model.LevelCritical, func(so FlightStatus) bool { return so.Last != "" })
	if err := os.Remove(so.Last); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); !errors.Is(err, recording.ErrRemoved) || strings.Contains(err.Error(), "\n") || f.Status().Last != "" {
		t.Errorf("%v, %+v", err, f.Status())
	}
}

// A moment that is too large is said, and all begins anew once they are smaller:
// what was trouble meanwhile is seen then.
func TestFlightAfterAMomentThatIsTooLarge(t *testing.T) {
	t.Parallel()
	f := newFlight(t)
	f.fly(model.LevelOK, func(FlightStatus) bool { return f.at > 30*time.Second })
	small, err := recording.NewRing(FlightBefore, 100) // for which every moment is too large
	if err != nil {
		t.Fatal(err)
	}
	f.ring = small
	l := look(f.at, model.LevelCritical, 0)
	f.Add(&l.Moment, &l.Overview)
	if err := f.Status().Err; !errors.Is(err, recording.ErrTooLarge) {
		t.Fatalf("error %v", err)
	}
	so := f.fly(model.LevelCritical, func(so FlightStatus) bool { return so.Files > 0 })
	if err := f.Close(); err != nil || so.Err != nil || len(f.files()) != 1 {
		t.Errorf("%+v, files %q, closed with %v", so, f.files(), err)
	}
	replayed(t, so.Last)
}
