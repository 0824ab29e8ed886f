package command_test

import (
	"path/filepath"
	"testing"
)

// TestAnotherHostThroughAPipe: a pipe stands in for ssh. What happens on the
// host that is recorded shows on the screen.
func TestAnotherHostThroughAPipe(t *testing.T) {
	t.Parallel()
	h := crowd(t)
	s := openScreen(t, h, screenOptions{
		command: []string{"sh", "-c", `"$0" record - --interval 200ms | "$0" replay -`, executable(t)},
		before:  func(s *screen) { s.waitFor("● live, piped", "127.0.0.1:5432", "live 20") },
	})
	if n, err := h.Fill("127.0.0.1:5432", 5); err != nil {
		t.Fatalf("%d more connections: %v", n, err)
	}
	s.waitFor("live 25")
	s.press("q")
	s.wantEnd(0)
}

// TestRecordingOfADemoIsPlayed: record, replay, and look at single moments.
func TestRecordingOfADemoIsPlayed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	s := openScreen(t, crowd(t), screenOptions{
		command: []string{"sh", "-c", `"$0" record "$1" --demo leak --interval 500ms --duration 2s && "$0" replay "$1"`, executable(t), file},
		before:  func(s *screen) { s.waitFor("demo-reports-01", "■ end") },
	})
	s.waitFor("12:00:02")
	s.press("Home")
	s.waitFor("12:00:00")
	s.press("q")
	s.wantEnd(0)
}
