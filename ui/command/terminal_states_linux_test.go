package command_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"ephtop/source/netlab"
)

func TestFilterOnTheScreen(t *testing.T) {
	t.Parallel()
	s := openScreen(t, crowd(t), screenOptions{})
	without := fmt.Sprintf("%d without the filter", crowdRows)
	listening := func(f frame) bool {
		b := f.box("Connections")
		return f.allRows("LISTEN") && len(f.connections()) == 2 &&
			strings.Contains(b.top, "filter: state:listen ") && strings.Contains(b.bottom, without)
	}
	s.enter("/state:listen")
	s.press("Enter")
	s.wait("only listeners, and that a filter is on", func(f frame) bool {
		return listening(f) && !f.typing()
	})

	s.press("/")
	s.wait("the filter to be edited", func(f frame) bool { return f.typed() == "state:listen" })
	s.enter(" prt:5432")
	wrong := func(f frame) bool {
		return strings.Contains(f.footer(), `✖ at 14: unknown key "prt": use one of state`) && listening(f)
	}
	s.wait("where and why it is wrong, and the rows of the last good one", wrong)
	s.press("Enter") // is not taken
	s.enter("1")
	s.wait("the wrong expression with one more letter", func(f frame) bool {
		return f.typed() == "state:listen prt:54321" && wrong(f)
	})
	s.press("Escape")
	s.wait("the filter before", func(f frame) bool { return listening(f) && !f.typing() })
	s.press("Escape")
	s.wait("no filter", func(f frame) bool {
		b := f.box("Connections")
		return !strings.Contains(b.top, "filter:") && strings.Contains(b.bottom, fmt.Sprintf("of %d ", crowdRows))
	})
	s.press("q")
	s.wantEnd(0)
}

// fits checks that a frame fills its screen and no more: each box is
// closed in the same column, and the last line is the footer.
func (f frame) fits(width, height int) error {
	if len(f) != height {
		return fmt.Errorf("%d lines, want %d", len(f), height)
	}
	if !strings.HasPrefix(f.line(0), " ephtop") {
		return fmt.Errorf("the first line is %q", f.line(0))
	}
	if f.typing() {
		return fmt.Errorf("the last line is %q", f.footer())
	}
	boxed := 0
	for _, line := range f {
		if len(line) == 0 || !strings.ContainsRune("╭│╰", line[0]) {
			continue
		}
		boxed++
		if got := len(line); got != width || !strings.ContainsRune("╮│╯", line[got-1]) {
			return fmt.Errorf("a box is %d wide, want %d: %q", got, width, string(line))
		}
	}
	if boxed == 0 {
		return errors.New("there is no box")
	}
	return nil
}

func TestResize(t *testing.T) {
	t.Parallel()
	s := openScreen(t, crowd(t), screenOptions{size: "80x24"})
	fits := func(size string) {
		t.Helper()
		var last error
		s.wait("a frame of "+size, func(f frame) bool {
			last = f.fits(s.width, s.height)
			return last == nil && f.has("127.0.0.1:5432") && f.pane() == "Connections"
		})
	}
	fits("80x24")
	for _, size := range []string{"40x10", "200x60", "1x1", "80x24", "20x5", "120x40"} {
		s.resize(size)
		switch size {
		case "1x1":
			s.wait("one cell", func(f frame) bool { return len(f) == 1 && utf8.RuneCountInString(f.line(0)) == 1 })
		case "20x5":
			s.wait("five lines", func(f frame) bool { return len(f) == 5 && f.has("● live") })
		default:
			fits(size)
		}
	}
	s.press("q")
	s.wantEnd(0)
}

// inNamespacesOf runs f on a thread in the mount and network namespaces of a
// process. The thread is not used again.
func inNamespacesOf(pid string, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- func() error {
			// A thread that shares its root with others may not move (setns(2)).
			if err := unix.Unshare(unix.CLONE_FS); err != nil {
				return fmt.Errorf("unshare: %w", err)
			}
			for _, kind := range []struct {
				name string
				flag int
			}{{"net", unix.CLONE_NEWNET}, {"mnt", unix.CLONE_NEWNS}} {
				fd, err := unix.Open(filepath.Join("/proc", pid, "ns", kind.name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
				if err == nil {
					err = unix.Setns(fd, kind.flag)
					unix.Close(fd)
				}
				if err != nil {
					return fmt.Errorf("enter %s: %w", kind.name, err)
				}
			}
			return f()
		}()
	}()
	return <-done
}

// breakPolls makes each poll of the program fail, until mended: an empty file
// stands in for the kernel's range of ports, in the mount namespace of the
// screen alone.
func (s *screen) breakPolls() (mend func()) {
	s.Helper()
	const path = "/proc/sys/net/ipv4/ip_local_port_range"
	empty := filepath.Join(filepath.Dir(s.socket), "empty")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		s.Fatal(err)
	}
	pid := s.ask("#{pane_pid}")
	if err := inNamespacesOf(pid, func() error { return unix.Mount(empty, path, "", unix.MS_BIND, "") }); err != nil {
		s.Skipf("cannot put a file over %s: %v", path, err)
	}
	return func() {
		s.Helper()
		if err := inNamespacesOf(pid, func() error { return unix.Unmount(path, unix.MNT_DETACH) }); err != nil {
			s.Fatalf("unmount %s: %v", path, err)
		}
	}
}

func TestPollsThatFailAndRecover(t *testing.T) {
	t.Parallel()
	h := crowd(t)
	s := openScreen(t, h, screenOptions{mounts: true, args: []string{"--source", "sockdiag"}})
	rows := fmt.Sprintf("of %d ", crowdRows)
	s.wait("all rows", func(f frame) bool { return strings.Contains(f.box("Connections").bottom, rows) })
	mend := s.breakPolls()
	s.wait("stale, with the reason and the last rows", func(f frame) bool {
		return strings.Contains(f.line(0), "! stale since ") && strings.Contains(f.footer(), "✖ net.ipv4.ip_local_port_range") &&
			strings.Contains(f.box("Connections").bottom, rows) && len(f.connections()) > 0
	})
	// Keys work on what is there.
	s.enter("/state:listen")
	s.press("Enter")
	s.wait("only listeners", func(f frame) bool { return f.allRows("LISTEN") && strings.Contains(f.line(0), "! stale") })
	s.press("Escape")

	must(t)(h.Connect("127.0.0.1:5432"))
	mend()
	s.wait("live, with what came meanwhile", func(f frame) bool {
		return strings.Contains(f.line(0), "● live") && !strings.Contains(f.footer(), "✖") &&
			strings.Contains(f.box("Connections").bottom, fmt.Sprintf("of %d ", crowdRows+2))
	})
	s.press("q")
	s.wantEnd(0)
}

// The first poll fails: there is nothing to show, and the screen says why.
func TestFirstPollThatFails(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "40000 40099")
	// The shell waits for the test before it becomes the program.
	s := openScreen(t, h, screenOptions{mounts: true, size: "80x24",
		command: []string{"sh", "-c", `echo waiting; read -r _; exec "$0" --source sockdiag`, executable(t)},
		before:  func(s *screen) { s.waitFor("waiting") },
	})
	mend := s.breakPolls()
	s.press("Enter")
	s.wait("no data, and why", func(f frame) bool {
		return strings.Contains(f.line(0), "! no data") && strings.Contains(f.footer(), "net.ipv4.ip_local_port_range")
	})
	mend()
	s.waitFor("● live", "40000–40099")
	s.press("q")
	s.wantEnd(0)
}

func TestPausedFilteredAndStaleLookDifferent(t *testing.T) {
	t.Parallel()
	s := openScreen(t, crowd(t), screenOptions{mounts: true, args: []string{"--source", "sockdiag"}})
	signs := []string{"● live", "‖ paused", "! stale", "filter: state:listen", "without the filter", "✖ "}
	wait := func(state string, want ...string) {
		t.Helper()
		s.wait(fmt.Sprintf("%s: just %q of %q", state, want, signs), func(f frame) bool {
			return !slices.ContainsFunc(signs, func(sign string) bool { return f.has(sign) != slices.Contains(want, sign) })
		})
	}
	wait("live", "● live")
	s.press("Space")
	wait("paused", "‖ paused")
	s.enter("/state:listen")
	s.press("Enter")
	wait("paused and filtered", "‖ paused", "filter: state:listen", "without the filter")
	s.press("Space")
	wait("filtered", "● live", "filter: state:listen", "without the filter")
	mend := s.breakPolls()
	wait("filtered and stale", "! stale", "✖ ", "filter: state:listen", "without the filter")
	s.press("Escape")
	wait("stale", "! stale", "✖ ")
	mend()
	wait("live again", "● live")
	s.press("q")
	s.wantEnd(0)
}

func TestCtrlZAndFgUnderAShell(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/bin/bash"); err != nil {
		t.Skip("needs bash")
	}
	const prompt = "ready>"
	s := openScreen(t, crowd(t), screenOptions{
		size:    "80x24",
		command: []string{"/bin/bash", "--norc", "--noprofile", "-i"},
		env:     []string{"PS1=" + prompt + " ", "EPHTOP=" + executable(t), "HISTFILE="},
		before:  func(s *screen) { s.waitFor(prompt) },
	})
	run := func(command string) { s.enter(command); s.press("Enter") }
	terminal := func(want string) {
		t.Helper()
		if got := s.ask("alternate screen #{alternate_on}, cursor #{cursor_flag}"); got != want {
			t.Errorf("%s, want %s:\n%s", got, want, s.look())
		}
	}
	whole := func(f frame) bool {
		return f.fits(s.width, s.height) == nil && f.has("● live") && len(f.connections()) > 3
	}
	run(`"$EPHTOP"`)
	s.wait("the dashboard", whole)
	for i := range 2 {
		s.press("C-z")
		s.wait("the shell says that it is stopped", func(f frame) bool {
			return f.has("Stopped") && !f.has("● live")
		})
		terminal("alternate screen 0, cursor 1")
		n := strconv.Itoa(i)
		run(`echo al''ive ` + n) // what is typed is echoed, lines are taken
		s.waitFor(prompt+` echo al''ive `+n, "alive "+n)
		run("fg")
		s.wait("the dashboard again", whole)
		terminal("alternate screen 1, cursor 0")
		s.press("?")
		s.wait("the help", func(f frame) bool { return f.box("Help").top != "" })
		s.press("?")
		s.wait("the dashboard", whole)
	}
	s.press("q")
	s.waitUntilGone("● live")
	terminal("alternate screen 0, cursor 1")
	run("echo status=$?")
	s.waitFor("status=0")
	run("exit")
	s.wantEnd(0)
}

// Without a shell there is nobody to say fg: ctrl+z is answered, and no more.
func TestCtrlZWithoutAShell(t *testing.T) {
	t.Parallel()
	s := openScreen(t, crowd(t), screenOptions{size: "80x24"})
	s.press("C-z")
	s.wait("that there is no shell", func(f frame) bool {
		return strings.Contains(f.footer(), "there is no shell to go back to") && f.has("● live")
	})
	s.press("?")
	s.wait("the help", func(f frame) bool { return f.box("Help").top != "" })
	s.press("q") // the help first
	s.press("q")
	s.wantEnd(0)
}
