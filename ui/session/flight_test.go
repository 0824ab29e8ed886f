package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/race"
	"ephtop/source/recording"
)

// flown has a Flight follow a demo for four minutes, a moment each two seconds,
// or five with the race detector.
func flown(t *testing.T, dir, scenario string) *Flight {
	t.Helper()
	const length = 4 * time.Minute
	step := 2 * time.Second
	if race.Enabled {
		step = 5 * time.Second
	}
	host, err := demo.New(demo.Options{Scenario: scenario, Seed: 7, Step: step})
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFlight(dir, FlightBefore)
	if err != nil {
		t.Fatal(err)
	}
	s := New(host, Options{})
	defer s.Close()
	var l Look
	for at := time.Duration(0); at < length; at += step {
		if err := s.Look(t.Context(), &l); err != nil {
			t.Fatal(err)
		}
		f.Add(&l.Moment, &l.Overview)
		f.Settle(t.Context())
	}
	return f
}

// replayed reads a recording to its end, which must be whole.
func replayed(t *testing.T, path string) (first, last time.Time, worst model.Level) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("%s has mode %v", path, info.Mode())
	}
	p, err := recording.NewPlayer(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	fleet := model.NewFleet(model.Options{})
	var l Look
	for {
		err := p.Poll(t.Context(), &l.Moment)
		if err == io.EOF { // and not ErrCut
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		fleet.Update(&l.Moment, &l.Overview)
		worst = max(worst, l.Overview.Level)
	}
	first, last = p.Span()
	return first, last, worst
}

// Trouble after a quiet time is on disk, from two minutes before it to a minute
// after it began, or got worse.
func TestFlight(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := flown(t, dir, "no-pool")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	so := f.Status()
	if so.Files != 1 || so.Err != nil || filepath.Dir(so.Last) != dir {
		t.Fatalf("recorded %+v", so)
	}
	first, last, worst := replayed(t, so.Last)
	if worst != model.LevelExhausted {
		t.Errorf("the worst in it is %v", worst)
	}
	if length := last.Sub(first); length < 90*time.Second || length > 4*time.Minute {
		t.Errorf("it is %v long", length)
	}
}

// afterIdling is a simulated host that has no socket for a time before its story
// begins.
type afterIdling struct {
	*demo.Host
	first          source.Moment // of the story
	idle, step, at time.Duration
}

func (h *afterIdling) Poll(ctx context.Context, m *source.Moment) (err error) {
	at := h.at
	h.at += h.step
	switch {
	case at == 0:
		err = h.Host.Poll(ctx, &h.first)
		fallthrough
	case at < h.idle:
		m.Reset()
		m.Host, m.OS, m.Time, m.Mono = h.first.Host, h.first.OS, h.first.Time.Add(at), h.first.Mono+at
		m.Add(h.first.Snapshots[0].Scope).Settings = h.first.Snapshots[0].Settings.Clone()
	default:
		err = h.Host.Poll(ctx, m)
		m.Time, m.Mono = m.Time.Add(h.idle), m.Mono+h.idle
	}
	return err
}

// An hour of nothing, and then a minute of trouble, is one file: what was for two
// minutes before, and what came.
func TestFlightAfterAnIdleHour(t *testing.T) {
	if race.Enabled {
		t.Skip("an hour takes a minute with the race detector, which sees the same in minutes")
	}
	t.Parallel()
	const idle, step = time.Hour, 2 * time.Second
	host, err := demo.New(demo.Options{Scenario: "no-pool", Seed: 7, Step: step})
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFlight(t.TempDir(), FlightBefore)
	if err != nil {
		t.Fatal(err)
	}
	s := New(&afterIdling{Host: host, idle: idle, step: step}, Options{})
	defer s.Close()
	var l Look
	var start, critical time.Time
	for at := time.Duration(0); at < idle+4*time.Minute; at += step {
		if err := s.Look(t.Context(), &l); err != nil {
			t.Fatal(err)
		}
		if start.IsZero() {
			start = l.Moment.Time
		}
		if critical.IsZero() && l.Overview.Level >= model.LevelCritical {
			critical = l.Moment.Time
		}
		f.Add(&l.Moment, &l.Overview)
		f.Settle(t.Context())
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	so := f.Status()
	if so.Files != 1 {
		t.Fatalf("recorded %+v", so)
	}
	first, last, worst := replayed(t, so.Last)
	if before := critical.Sub(first); before < FlightBefore || before > FlightBefore+time.Minute {
		t.Errorf("it begins %v before the level was critical, want %v and the rest of a minute", before, FlightBefore)
	}
	if critical.Sub(start) < idle || last.Before(critical.Add(flightAfter-step)) || worst != model.LevelExhausted {
		t.Errorf("from %v on %v of it, to %v, at worst %v", start, critical, last, worst)
	}
}

func TestFlightOfAHealthyHost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	scenario := "busy"
	if race.Enabled {
		scenario = "browsing" // one goroutine computes all those connections
	}
	f := flown(t, dir, scenario)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if list, _ := os.ReadDir(dir); len(list) > 0 || f.Status() != (FlightStatus{}) {
		t.Errorf("%v is there, %+v", list, f.Status())
	}
}

// look is one of a host at a level.
func look(at time.Duration, level model.Level, failed int) *Look {
	l := &Look{Moment: source.Moment{Time: time.Unix(1e9, 0).Add(at), Mono: at + 1, Host: "db1"}}
	st := &model.State{Level: level}
	st.Failures.Count = failed
	l.Overview = model.Overview{Level: level, States: []*model.State{st}}
	return l
}

// story has a Flight follow levels, each for a second.
func story(t *testing.T, f *Flight, levels []model.Level, failed []int) {
	t.Helper()
	for i, level := range levels {
		n := 0
		if failed != nil {
			n = failed[i]
		}
		l := look(time.Duration(i)*time.Second, level, n)
		f.Add(&l.Moment, &l.Overview)
		f.Settle(t.Context())
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// levels makes a second for each letter and number: ok, Warning, Critical,
// Exhausted.
func levels(runs ...any) []model.Level {
	var all []model.Level
	for i := 0; i < len(runs); i += 2 {
		for range runs[i].(int) {
			all = append(all, runs[i+1].(model.Level))
		}
	}
	return all
}

// What makes a file, and how many.
func TestWhenAFlightRecords(t *testing.T) {
	t.Parallel()
	const ok, warning, critical, exhausted = model.LevelOK, model.LevelWarning, model.LevelCritical, model.LevelExhausted
	for _, tt := range []struct {
		name    string
		levels  []model.Level
		failed  func(second int) int
		lengths []int // seconds from the first moment of each file to the last
	}{
		{"a warning is no trouble", levels(300, ok, 300, warning), nil, nil},
		{"critical", levels(300, ok, 300, critical), nil, []int{120 + 60}},
		{"critical from the start", levels(300, critical), nil, []int{60}},
		{"worse in the minute that follows", levels(300, ok, 30, critical, 300, exhausted), nil, []int{120 + 30 + 60}},
		{"again, soon", levels(300, ok, 100, critical, 100, ok, 100, critical), nil, []int{120 + 60}},
		{"again, later", levels(300, ok, 100, critical, 201, ok, 100, critical), nil, []int{120 + 60, 120 + 60}},
		{"a connect fails, and the level does not show it", levels(600, ok), func(s int) int { return s / 300 }, []int{120 + 60}},
		{"ends within the minute", levels(300, ok, 20, critical), nil, []int{120 + 19}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			f, err := NewFlight(dir, FlightBefore)
			if err != nil {
				t.Fatal(err)
			}
			failed := make([]int, len(tt.levels))
			for i := range failed {
				if tt.failed != nil {
					failed[i] = tt.failed(i)
				}
			}
			story(t, f, tt.levels, failed)
			paths, _ := filepath.Glob(filepath.Join(dir, "*"))
			if len(paths) != len(tt.lengths) || f.Status().Files != len(paths) {
				t.Fatalf("%d files, want %d: %+v", len(paths), len(tt.lengths), f.Status())
			}
			for i, path := range paths {
				first, last, _ := replayed(t, path)
				// The Ring drops a minute at a time.
				if got := int(last.Sub(first).Seconds()); got < tt.lengths[i] || got > tt.lengths[i]+recording.FullEvery {
					t.Errorf("%s is %d s long, want %d", filepath.Base(path), got, tt.lengths[i])
				}
			}
		})
	}
}

// The oldest of its own go, and nothing else does.
func TestFlightKeepsToItsRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, age time.Duration) {
		path := filepath.Join(dir, name)
		at := time.Now().Add(-age)
		if err := errors.Join(os.WriteFile(path, make([]byte, 1000), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		write(fmt.Sprintf("ephtop-db%d%s", i, flightEnding), time.Duration(i+1)*time.Hour)
	}
	write("ephtop-db1-20250101-000000.eph", 1000*time.Hour) // recorded by hand
	write("mine"+flightEnding, 1000*time.Hour)
	f, err := NewFlight(dir, FlightBefore)
	if err != nil {
		t.Fatal(err)
	}
	f.files = 3
	story(t, f, levels(10, model.LevelCritical), nil)
	for name, want := range map[string]bool{
		"ephtop-db0" + flightEnding: true, "ephtop-db1" + flightEnding: true, "ephtop-db2" + flightEnding: false,
		"ephtop-db4" + flightEnding: false, "ephtop-db1-20250101-000000.eph": true, "mine" + flightEnding: true,
	} {
		if _, err := os.Lstat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", name, err == nil, want)
		}
	}
	f.bytes = flightMemory + 900
	if err := f.makeRoom(); err != nil {
		t.Fatal(err)
	}
	if paths, _ := filepath.Glob(filepath.Join(dir, "ephtop-*"+flightEnding)); len(paths) != 1 {
		t.Errorf("%q are there, and there is room for one", paths)
	}
}

func TestFlightWithoutADirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := NewFlight(filepath.Join(dir, "gone"), FlightBefore); err == nil {
		t.Error("a directory that is not there is none")
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewFlight(file, FlightBefore); err == nil {
		t.Error("a file is no directory")
	}
	f, err := NewFlight(dir, FlightBefore)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		l := look(time.Duration(i)*time.Second, model.LevelCritical, 0)
		f.Add(&l.Moment, &l.Overview)
	}
	if err := f.Close(); err == nil || f.Status().Files != 0 {
		t.Errorf("recorded %+v in a directory that is gone, error %v", f.Status(), err)
	}
}
