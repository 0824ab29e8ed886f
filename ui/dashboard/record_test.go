package dashboard

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/recording"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/session"
)

// recordings gives the recordings in a directory.
func recordings(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// readBack reads a whole recording.
func readBack(t *testing.T, path string) (moments []source.Moment, end error) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := recording.Open(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Header().Program != "ephtop test" {
		t.Errorf("written by %q", r.Header().Program)
	}
	for {
		var s source.Moment
		if err := r.Next(&s); err != nil {
			return moments, err
		}
		moments = append(moments, s)
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runConfig(t, some(3), Config{RecordDir: dir, Program: "ephtop test"}, func(h *harness) {
		h.press("r")
		at := time.Now()
		if !h.m.view.Recording.On || !strings.Contains(h.m.view.Notice, "recording to ") {
			t.Fatalf("after r: %+v, %q", h.m.view.Recording, h.m.view.Notice)
		}
		h.src.set(func(s *fakeSource) { s.sockets = some(5) })
		h.sleep(1500 * time.Millisecond)
		h.press("space") // polling goes on, and so does recording
		h.sleep(3 * time.Second)
		h.press("space")
		if header := strings.SplitN(h.m.View(), "\n", 2)[0]; !strings.Contains(header, "● rec 4s ") {
			t.Errorf("no sign of recording: %q", header)
		}
		files := recordings(t, dir)
		want := filepath.Join(dir, at.Format("ephtop-test-20060102-150405.eph"))
		if len(files) != 1 || files[0] != want {
			t.Fatalf("files %v, want %s", files, want)
		}
		h.press("r")
		if h.m.view.Recording.On || !strings.Contains(h.m.view.Notice, "recorded 4 moments") || !strings.Contains(h.m.view.Notice, want) {
			t.Errorf("at the end: %q", h.m.view.Notice)
		}
		h.sleep(5 * time.Second)
		moments, end := readBack(t, want)
		if !errors.Is(end, io.EOF) || errors.Is(end, recording.ErrCut) {
			t.Errorf("it ends with %v", end)
		}
		if len(moments) != 4 || len(moments[3].Snapshots[0].Sockets) != 5 {
			t.Errorf("%d moments", len(moments))
		}
		info, err := os.Stat(want)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode != 0o600 {
			t.Errorf("mode %v", mode)
		}
	})
}

func TestRecordNeverOverwrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runConfig(t, some(3), Config{RecordDir: dir, Program: "ephtop test"}, func(h *harness) {
		taken := filepath.Join(dir, time.Now().Format("ephtop-test-20060102-150405.eph"))
		if err := os.WriteFile(taken, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		h.press("r")
		h.sleep(2 * time.Second)
		h.press("r")
		if b, err := os.ReadFile(taken); err != nil || string(b) != "mine" {
			t.Errorf("%q, %v", b, err)
		}
		if files := recordings(t, dir); len(files) != 2 {
			t.Errorf("files %v", files)
		}
	})
}

func TestRecordEndsWithTheDashboard(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runConfig(t, some(3), Config{RecordDir: dir, Program: "ephtop test"}, func(h *harness) {
		h.press("r")
		h.sleep(2500 * time.Millisecond)
	})
	moments, end := readBack(t, recordings(t, dir)[0])
	if len(moments) != 2 || errors.Is(end, recording.ErrCut) {
		t.Errorf("%d moments, then %v", len(moments), end)
	}
}

func TestRecordWithoutAMoment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runConfig(t, some(3), Config{RecordDir: dir}, func(h *harness) {
		h.press("r")
		h.press("r")
		if h.m.view.Notice != "nothing was recorded" || len(recordings(t, dir)) != 0 {
			t.Errorf("%q, %v", h.m.view.Notice, recordings(t, dir))
		}
	})
}

func TestRecordThatCannotBegin(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	runConfig(t, some(3), Config{RecordDir: missing}, func(h *harness) {
		h.press("r")
		if h.m.view.Recording.On || !strings.Contains(h.m.view.Notice, "recording: ") {
			t.Errorf("%+v, %q", h.m.view.Recording, h.m.view.Notice)
		}
		h.sleep(2 * time.Second)
		h.wantStatus(paint.StatusLive)
	})
}

// A full disk ends the recording, and nothing else.
func TestRecordThatFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runConfig(t, some(3), Config{RecordDir: dir, Program: "ephtop test"}, func(h *harness) {
		disk := &fullDisk{room: 2}
		r, err := session.NewRecorder("file", disk, recording.Header{})
		if err != nil {
			t.Fatal(err)
		}
		h.m.session.Record(r)
		h.send(recordMsg{recorder: r, now: time.Now()})
		if !h.m.view.Recording.On {
			t.Fatal("it does not run")
		}
		h.sleep(2500 * time.Millisecond)
		polls := h.src.polls()
		h.src.set(func(s *fakeSource) { s.sockets = some(5) })
		h.sleep(time.Second)
		if h.m.view.Recording.On || h.m.view.Notice != "recording: write a moment: no space left on device (2 moments until then in file)" {
			t.Errorf("%+v, %q", h.m.view.Recording, h.m.view.Notice)
		}
		h.wantStatus(paint.StatusLive)
		if len(h.m.view.Rows) != 5 || h.src.polls() != polls+1 {
			t.Errorf("%d rows after %d polls: the poll is not shown, or was made again", len(h.m.view.Rows), h.src.polls()-polls)
		}
		// The news that it has begun may come last.
		h.send(recordMsg{recorder: r, now: time.Now()})
		if h.m.view.Recording.On {
			t.Error("it is said to run again")
		}
	})
}

// fullDisk has room for so many writes.
type fullDisk struct{ room int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.room--; d.room < 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

func (*fullDisk) Close() error { return nil }

// A recording that nothing was written to goes away, and the next one may have
// its name.
func TestRecordAgainWithinASecond(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runConfig(t, some(3), Config{RecordDir: dir, Program: "ephtop test"}, func(h *harness) {
		h.press("r", "r", "r")
		if !h.m.view.Recording.On || !strings.Contains(h.m.view.Notice, "recording to ") {
			t.Fatalf("the second recording is not seen: %q", h.m.view.Notice)
		}
		h.sleep(2500 * time.Millisecond)
		h.press("r")
		files := recordings(t, dir)
		if len(files) != 1 || !strings.Contains(h.m.view.Notice, "recorded 2 moments") {
			t.Fatalf("%q, files %v", h.m.view.Notice, files)
		}
		if moments, end := readBack(t, files[0]); len(moments) != 2 || errors.Is(end, recording.ErrCut) {
			t.Errorf("%d moments, then %v", len(moments), end)
		}
	})
}

// A recording that somebody removed is not said to be there: neither on the
// screen nor at the end, when it is found out by the end only.
func TestARecordingThatIsRemoved(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not remove a file that is open")
	}
	t.Parallel()
	dir := t.TempDir()
	var m *Model
	runConfig(t, some(3), Config{RecordDir: dir, Program: "ephtop test"}, func(h *harness) {
		m = h.m
		h.press("r")
		h.sleep(1500 * time.Millisecond)
		for _, path := range recordings(t, dir) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		h.press("r")
		if got := h.m.view.Notice; !strings.Contains(got, "has been removed") {
			t.Errorf("%q", got)
		}
	})
	if len(m.farewell) != 1 || !strings.Contains(m.farewell[0], "has been removed") {
		t.Errorf("at the end it says %q", m.farewell)
	}
}

// stepped is a Stepper that notes what it is told.
type stepped struct{ steps []time.Duration }

func (s *stepped) SetStep(step time.Duration) { s.steps = append(s.steps, step) }

func TestSpeedOfASimulatedHost(t *testing.T) {
	t.Parallel()
	s := &stepped{}
	runConfig(t, some(3), Config{Stepper: s, Speed: 2}, func(h *harness) {
		h.press(">")
		if h.m.view.Notice != "speed 4×" {
			t.Errorf("%q", h.m.view.Notice)
		}
		h.sleep(1500 * time.Millisecond)
		if header := strings.SplitN(h.m.View(), "\n", 2)[0]; !strings.Contains(header, "● live 4×") {
			t.Errorf("%q", header)
		}
		h.press("-", "<")
		h.sleep(time.Second)
		if n := h.src.polls(); n < 3 || n != len(s.steps) {
			t.Errorf("%d steps for %d polls", len(s.steps), n)
		}
	})
	// From - on, there are two polls a second, the first one at once.
	want := []time.Duration{2 * time.Second, 4 * time.Second, 2 * time.Second, time.Second}
	if !slices.Equal(s.steps[:len(want)], want) {
		t.Errorf("steps %v, want %v", s.steps, want)
	}
}

func TestSpeedKeysDoNothingOnAHost(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		for _, name := range []string{">", "<"} {
			h.press(name)
			if h.m.view.Notice != name+" does nothing · ? help" || h.m.view.Speed != 0 {
				t.Errorf("%q, speed %v", h.m.view.Notice, h.m.view.Speed)
			}
		}
	})
}

// What was recorded is told at the end: also of one that ended before, and none
// of one without a moment.
func TestTheEndTellsOfRecordings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var m *Model
	runConfig(t, some(3), Config{RecordDir: dir}, func(h *harness) {
		m = h.m
		h.press("r", "r", "r")
		h.sleep(1500 * time.Millisecond)
		h.press("r")
		h.sleep(time.Second)
		h.press("r")
		h.sleep(2 * time.Second)
	})
	files := recordings(t, dir)
	if len(files) != 2 || len(m.farewell) != 4 {
		t.Fatalf("of the recordings %q it tells %q", files, m.farewell)
	}
	for i, want := range []string{"recorded 1 moment, ", "  ephtop replay ", "recorded 2 moments, ", "  ephtop replay "} {
		if got := m.farewell[i]; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, files[i/2]) {
			t.Errorf("line %d is %q, want %s…%s", i, got, want, files[i/2])
		}
	}
}
