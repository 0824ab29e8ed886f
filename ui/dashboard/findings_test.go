package dashboard

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source"
	"ephtop/source/race"
	"ephtop/ui/dashboard/paint"
)

// crowd is a host whose ports to two databases are nearly used up.
func crowd() []source.Socket {
	return append(full(0, 27_000, "10.0.9.2 5432", 0, 0), full(0, 20_000, "10.0.9.3 6379", 1, 100_000)...)
}

// full are connections of a process on the ports of the range from one to
// another. Their inodes and cookies are above first.
func full(from, to int, remote string, process int32, first uint32) []source.Socket {
	all := slices.Repeat([]source.Socket{tcp(0, remote, source.Established, process)}, to-from)
	for i := range all {
		s := &all[i]
		s.LocalPort = uint16(32_768 + from + i)
		s.Inode = first + uint32(s.LocalPort)
		s.Cookie = uint64(s.Inode)
	}
	return all
}

// What to do about the worst is in sight when the findings are opened.
func TestFindingsOpenOnTheWorst(t *testing.T) {
	t.Parallel()
	run(t, crowd(), func(h *harness) {
		h.press("f")
		v := &h.m.view
		if len(v.Unfolded) < 2 || !v.Unfolded[0] || v.Unfolded[1] || v.Stop != (paint.Stop{Remedy: -1}) {
			t.Errorf("unfolded %v, cursor at %v", v.Unfolded, v.Stop)
		}
		if frame := h.m.View(); !strings.Contains(frame, "$ sysctl -w net.ipv4.ip_local_port_range=") {
			t.Errorf("no remedy in\n%s", frame)
		}
		h.press("enter")
		if v.Unfolded[0] || strings.Contains(h.m.View(), "sysctl") {
			t.Errorf("enter does not fold:\n%s", h.m.View())
		}
	})
}

// The namespace that the worst is about stands above it, and stays there.
func TestFindingsOpenWithTheirNamespace(t *testing.T) {
	t.Parallel()
	runContainers(t, map[string]int{"api": 27_000, "web": 24_000}, func(h *harness) {
		h.send(tea.WindowSizeMsg{Width: 80, Height: 24})
		for _, step := range []string{"f", "", "", "up", "down up"} {
			h.press(strings.Fields(step)...)
			h.sleep(time.Second)
			if lines := strings.Split(h.m.View(), "\n"); h.m.view.Scroll != 0 || !strings.Contains(lines[2], "api ") {
				t.Fatalf("%q: scrolled by %d:\n%s", step, h.m.view.Scroll, h.m.View())
			}
		}
	})
}

func TestCopyACommand(t *testing.T) {
	t.Parallel()
	run(t, crowd(), func(h *harness) {
		h.press("f", "y")
		h.wantCopied("api: 96 % of the ports to 10.0.9.2:5432 are used")
		h.press("down", "y")
		h.wantCopied(`sysctl -w net.ipv4.ip_local_port_range="10240 65535"`)
		if want := "copied sysctl"; !strings.HasPrefix(h.m.view.Notice, want) {
			t.Errorf("notice %q", h.m.view.Notice)
		}
	})
}

func (h *harness) wantCopied(text string) {
	h.Helper()
	h.sleep(time.Millisecond)
	if want := "\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte(text)) + "\x07"; !strings.HasSuffix(h.out.String(), want) {
		h.Errorf("wrote %q, want %q", h.out, text)
	}
}

// The cursor stays on its finding, and that unfolded, when others come before it;
// until a key is pressed it is on the worst one, whichever that is.
func TestTheCursorStaysOnItsFinding(t *testing.T) {
	t.Parallel()
	for _, held := range []bool{false, true} {
		run(t, crowd()[:27_000], func(h *harness) {
			h.press("f")
			if held {
				h.press("down")
			}
			all := append(crowd(), full(20_000, 28_000, "10.0.9.3 6379", 1, 100_000)...)
			h.src.set(func(s *fakeSource) { s.sockets = all })
			h.sleep(2 * time.Second)
			v := &h.m.view
			if port := v.Findings[0].Tuple.Port; port != 6379 {
				t.Fatalf("the worst is port %d", port)
			}
			at := v.Findings[v.Stop.Finding].Tuple.Port
			if want := map[bool]uint16{false: 6379, true: 5432}[held]; at != want || !v.Unfolded[v.Stop.Finding] {
				t.Errorf("held %v: the cursor is on port %d, unfolded %v", held, at, v.Unfolded)
			}
		})
	}
}

// A report has what is on screen, under a name of its own, without who and where.
func TestReport(t *testing.T) {
	t.Parallel()
	if race.Enabled {
		t.Skip("the race detector has it take most of a minute, and sees as much in TestReportOfADemo")
	}
	dir := t.TempDir()
	runConfig(t, crowd(), Config{RecordDir: dir}, func(h *harness) {
		h.press("E", "f", "E")
		h.sleep(time.Millisecond)
		files, err := filepath.Glob(filepath.Join(dir, "ephtop-host-1-*.md"))
		if err != nil || len(files) != 2 || len(h.m.farewell) != 2 {
			t.Fatalf("files %v, %v; farewell %q", files, err, h.m.farewell)
		}
		for i, line := range h.m.farewell {
			page, err := os.ReadFile(strings.TrimPrefix(line, "anonymous report in "))
			if err != nil || !regexp.MustCompile(`\*\*: process-1 \(pid 100\) uses 96 % of its ports to 10[0-9.]*:5432`).Match(page) || bytes.Contains(page, []byte("10.0.9.2")) {
				t.Errorf("report %d: %v\n%s", i, err, page)
			}
		}
		if !strings.HasPrefix(h.m.view.Notice, h.m.farewell[1]+"; with names: ") || !filepath.IsAbs(files[0]) {
			t.Errorf("notice %q", h.m.view.Notice)
		}
	})
	runConfig(t, full(0, 20, "10.0.9.2 5432", 0, 0), Config{RecordDir: filepath.Join(dir, "none")}, func(h *harness) {
		h.press("E")
		h.sleep(time.Millisecond)
		if !strings.HasPrefix(h.m.view.Notice, "report: ") || h.m.farewell != nil {
			t.Errorf("notice %q, farewell %q", h.m.view.Notice, h.m.farewell)
		}
	})
}

// A simulated host is nobody's: its names stay in a report.
func TestReportOfADemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runConfig(t, crowd(), Config{RecordDir: dir, Stepper: new(stepped)}, func(h *harness) {
		h.press("E")
		h.sleep(time.Millisecond)
		page, err := os.ReadFile(strings.TrimPrefix(h.m.view.Notice, "report in "))
		if err != nil || !strings.Contains(string(page), "**: api (pid 100) uses 96 % of its ports to 10.0.9.2:5432") {
			t.Errorf("%q: %v\n%s", h.m.view.Notice, err, page)
		}
	})
}

// What is said on the way out is for the terminal as it was, which would obey a
// directory's name.
func TestFarewellCommandsNoTerminal(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "red\x1b[31m")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Skip("no such name on this system: ", err)
	}
	runConfig(t, full(0, 20, "10.0.9.2 5432", 0, 0), Config{RecordDir: dir}, func(h *harness) {
		h.press("E")
		h.sleep(time.Millisecond)
		if said := strings.Join(h.m.farewell, "\n"); !strings.HasPrefix(said, "anonymous report in ") || strings.Contains(said, "\x1b") {
			t.Errorf("it says %q", said)
		}
	})
}

// A report of a replay is of the moment on screen, not of its end, and has the
// figures that take a past.
func TestReportOfAReplay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runReplay(t, trouble(), Config{RecordDir: dir}, func(h *replayHarness) {
		h.press("space", "shift+right", "shift+right")
		h.sleep(time.Second)
		at := h.m.view.State.Moment.Time
		h.press("E")
		h.sleep(time.Millisecond)
		if len(h.m.farewell) != 1 {
			t.Fatalf("it says %q", h.m.farewell)
		}
		page, err := os.ReadFile(strings.TrimPrefix(h.m.farewell[0], "anonymous report in "))
		if want := ", " + at.UTC().Format("2006-01-02 15:04:05 UTC") + "\n"; err != nil || !at.After(h.first) || !strings.Contains(string(page), want) {
			t.Errorf("at %v: %v\n%s", at, err, page)
		}
		named, err := reportOf(h.m.shown.look, h.m.shown.state)
		if got, want := figuresOf(page), figuresOf(named); err != nil || got != want || !strings.Contains(got, "full in ") {
			t.Errorf("%v: its figures are\n%s\nwant\n%s", err, got, want)
		}
	})
}

// figuresOf are the first two tables of a report, with no address.
func figuresOf(page []byte) string {
	_, figures, _ := strings.Cut(string(page), "## Figures")
	figures, _, _ = strings.Cut(figures, "## Processes")
	return regexp.MustCompile(`\d+\.\d+\.\d+\.\d+`).ReplaceAllString(figures, "ADDRESS")
}
