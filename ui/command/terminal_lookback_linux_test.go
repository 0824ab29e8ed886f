package command_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The whole of it: pause, look back, another size, and live again.
func TestLookBackInADemo(t *testing.T) {
	t.Parallel()
	clock := regexp.MustCompile(`12:\d\d:\d\d`)
	for _, size := range []string{"80x24", "120x40"} {
		t.Run(size, func(t *testing.T) {
			t.Parallel()
			s := openScreen(t, crowd(t), screenOptions{
				size: size, args: []string{"demo", "--speed", "4", "--interval", "250ms"},
				before: func(s *screen) { s.waitFor("● live 4×", "12:00:1") },
			})
			s.press("Space")
			paused := s.wait("the pause", func(f frame) bool { return strings.Contains(f.line(0), "‖ paused ") })
			s.press("Left", "Left")
			timeline := func(f frame) bool {
				return regexp.MustCompile(`^ 0:\d\d .*●.* 0:\d\d *$`).MatchString(f.line(len(f) - 2))
			}
			s.wait("an earlier time, and the time line", func(f frame) bool {
				return strings.Contains(f.line(0), "◂ looking back ") && timeline(f) &&
					clock.FindString(f.line(0)) < clock.FindString(paused.line(0))
			})
			s.press("Home")
			s.wait("the first moment", func(f frame) bool { return strings.Contains(f.line(0), "12:00:00") })
			s.resize("100x30")
			s.wait("the time line in its place", func(f frame) bool {
				return f.fits(s.width, s.height) == nil && strings.HasPrefix(f.line(len(f)-2), " 0:00 ●")
			})
			s.press("Space")
			s.wait("the present", func(f frame) bool {
				return strings.Contains(f.line(0), "● live 4×") && clock.FindString(f.line(0)) > clock.FindString(paused.line(0))
			})
			s.press("q")
			s.wantEnd(0)
		})
	}
}

func TestTheEndOfLookingBackLeavesTheTerminalAsItWas(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		end  func(*ptySession) error
	}{
		{"q", func(s *ptySession) error { s.write("q"); return nil }},
		{"SIGTERM", func(s *ptySession) error { return s.cmd.Process.Signal(syscall.SIGTERM) }},
		{"SIGHUP", func(s *ptySession) error { return s.cmd.Process.Signal(syscall.SIGHUP) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := startOnPty(t, program(t, "demo", "--interval", "100ms"))
			s.waitFor("● live")
			s.write(" ")
			s.waitFor("‖ paused")
			s.writeUntil("\x1b[D", "◂ looking back") // once there is a moment to look back to
			if err := test.end(s); err != nil {
				t.Fatal(err)
			}
			s.wantExit(0)
			s.wantRestored()
		})
	}
}

// Where the recordings of a run are is said when the screen is gone.
func TestTheEndSaysWhereRecordingsAre(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "my files")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := program(t, "demo", "--interval", "200ms")
	cmd.Dir = dir
	s := startOnPty(t, cmd)
	s.waitFor("● live")
	s.write("r")
	s.waitFor("● rec")
	files, err := filepath.Glob(filepath.Join(dir, "*.eph"))
	if err != nil || len(files) != 1 {
		t.Fatalf("recordings %q: %v", files, err)
	}
	waitForGrowth(t, files[0], 3) // what it begins with, and two moments at the least
	s.write("q")
	s.wantExit(0)
	s.wantRestored()
	out := s.output()
	said := string(out[bytes.LastIndex(out, []byte("\x1b[?1049l")):])
	if !regexp.MustCompile(`recorded [0-9]+ moments?, [0-9.]+ [kKM]?B: `+regexp.QuoteMeta(files[0])).MatchString(said) ||
		!strings.Contains(said, "\n  ephtop replay '"+files[0]+"'\r\n") {
		t.Errorf("the end of %s is said so: %q", files[0], said)
	}
}

// waitForGrowth waits until a file was written to so many times.
func waitForGrowth(t *testing.T, path string, times int) {
	t.Helper()
	size := int64(0)
	for end := time.Now().Add(deadline); times > 0; time.Sleep(10 * time.Millisecond) {
		info, err := os.Stat(path)
		if err != nil || time.Now().After(end) {
			t.Fatalf("%s is written %d times too few, with %d bytes: %v", path, times, size, err)
		}
		if info.Size() > size {
			size, times = info.Size(), times-1
		}
	}
}
