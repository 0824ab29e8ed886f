package command_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ephtop/source/netlab"
)

// screen is a terminal that tmux plays, with the program on it.
type screen struct {
	*testing.T
	socket        string
	width, height int
}

// screenOptions say what runs on a screen, and where.
type screenOptions struct {
	size    string        // "120x40" if empty
	args    []string      // of the program
	command []string      // instead of the program
	env     []string      // besides environ
	user    uint32        // who runs it; 0 for root
	mounts  bool          // in a mount namespace of its own
	before  func(*screen) // nil, or what to wait for instead of data
}

// tmuxConfig gives the whole of the screen to the program, and takes what the
// program copies. A server that a killed test leaves behind ends by itself.
const tmuxConfig = `
set -g status off
set -sg escape-time 0
set -s set-clipboard on
run-shell -b -d 900 -C kill-server
`

// runner is a shell script that runs the program and says how it ended.
const (
	endMark = "the program ended with status "
	runner  = `"$0" "$@"; echo "` + endMark + `$?."; read -r _`
)

// openScreen starts the program inside a namespace and waits for its data.
func openScreen(t *testing.T, h *netlab.Host, o screenOptions) *screen {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("needs tmux to play the terminal")
	}
	// Not t.TempDir: the path of a socket is short, and any user may go here.
	dir, err := os.MkdirTemp("", "ephtop")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &screen{T: t, socket: filepath.Join(dir, "tmux")}
	config := filepath.Join(dir, "config")
	if err := os.WriteFile(config, []byte(tmuxConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	if o.size == "" {
		o.size = "120x40"
	}
	s.setSize(o.size)
	if o.command == nil {
		o.command = append([]string{executable(t)}, o.args...)
	}
	attributes := new(syscall.SysProcAttr)
	if o.user != 0 {
		attributes.Credential = &syscall.Credential{Uid: o.user, Gid: o.user}
		o.command[0] = s.copyFor(o.user, o.command[0])
	}
	if o.mounts {
		attributes.Unshareflags = syscall.CLONE_NEWNS
	}
	args := []string{"-f", config, "new-session", "-d", "-x", strconv.Itoa(s.width), "-y", strconv.Itoa(s.height),
		"--", "sh", "-c", runner}
	cmd := s.client(context.Background(), append(args, o.command...)...)
	cmd.SysProcAttr = attributes
	cmd.Env = environ(append([]string{asProgram + "=1"}, o.env...)...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := h.Start(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("start tmux: %v: %s", err, &output)
	}
	if o.before == nil {
		o.before = func(s *screen) { s.waitFor("● live") }
	}
	o.before(s)
	return s
}

// copyFor puts a program where another user can run it, and gives the
// directory to that user.
func (s *screen) copyFor(user uint32, program string) string {
	s.Helper()
	dir := filepath.Dir(s.socket)
	to := filepath.Join(dir, "ephtop")
	content, err := os.ReadFile(program)
	err = errors.Join(err, os.WriteFile(to, content, 0o755), os.Chown(dir, int(user), int(user)))
	if err != nil {
		s.Fatal(err)
	}
	return to
}

// client is a command for the server of this screen.
func (s *screen) client(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "tmux", append([]string{"-u", "-S", s.socket}, args...)...)
	cmd.Env = environ()
	return cmd
}

// close ends the server, and by SIGHUP the program with it.
func (s *screen) close() {
	programs := s.programs()
	s.tmux("kill-server")
	for _, pid := range programs {
		wantNoProcess(s.T, pid)
	}
}

// programs are the processes that the runner waits for.
func (s *screen) programs() (pids []int) {
	s.Helper()
	runner := s.ask("#{pane_pid}")
	children, err := os.ReadFile(filepath.Join("/proc", runner, "task", runner, "children"))
	if err != nil {
		s.Errorf("look for the program: %v", err)
	}
	for word := range strings.FieldsSeq(string(children)) {
		if pid, err := strconv.Atoi(word); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// tmux gives a command to the server, and what it answers.
func (s *screen) tmux(args ...string) string {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	cmd := s.client(ctx, args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		s.Errorf("tmux %q: %v: %s", args, err, &complaint)
		return ""
	}
	return string(out)
}

// ask has the server fill in a format, see FORMATS in tmux(1).
func (s *screen) ask(format string) string {
	s.Helper()
	return strings.TrimSpace(s.tmux("display-message", "-p", format))
}

func (s *screen) setSize(size string) {
	s.Helper()
	if _, err := fmt.Sscanf(size, "%dx%d", &s.width, &s.height); err != nil {
		s.Fatalf("size %q: %v", size, err)
	}
}

// resize makes the window larger or smaller.
func (s *screen) resize(size string) {
	s.Helper()
	s.setSize(size)
	s.tmux("resize-window", "-x", strconv.Itoa(s.width), "-y", strconv.Itoa(s.height))
}

// press presses keys, by tmux's names for them.
func (s *screen) press(keys ...string) {
	s.Helper()
	s.tmux(append([]string{"send-keys", "--"}, keys...)...)
}

// enter types text.
func (s *screen) enter(text string) { s.Helper(); s.tmux("send-keys", "-l", "--", text) }

// look is what the screen shows now.
func (s *screen) look() frame {
	s.Helper()
	lines := strings.Split(strings.TrimSuffix(s.tmux("capture-pane", "-p"), "\n"), "\n")
	f := make(frame, len(lines))
	for i, line := range lines {
		f[i] = []rune(line)
	}
	return f
}

// wait looks until a condition holds, and gives the frame in which it does. Each
// look starts a client of tmux, so what takes long is looked at less often.
func (s *screen) wait(what string, holds func(frame) bool) frame {
	s.Helper()
	var f frame
	pause := 10 * time.Millisecond
	for end := time.Now().Add(deadline); time.Now().Before(end) && !s.Failed(); time.Sleep(pause) {
		if f = s.look(); holds(f) {
			return f
		}
		pause = min(pause*3/2, 150*time.Millisecond)
	}
	s.Fatalf("never on the screen: %s\n%s", what, f)
	return nil
}

// waitFor waits until all texts are on the screen at once.
func (s *screen) waitFor(texts ...string) frame {
	s.Helper()
	return s.wait(fmt.Sprintf("%q", texts), func(f frame) bool { return f.has(texts...) })
}

// waitUntilGone waits until none of the texts is on the screen.
func (s *screen) waitUntilGone(texts ...string) frame {
	s.Helper()
	return s.wait(fmt.Sprintf("the absence of %q", texts), func(f frame) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return f.has(text) })
	})
}

// wantEnd waits for the program to end, and checks how, and what it leaves of
// the screen.
func (s *screen) wantEnd(status int) {
	s.Helper()
	s.waitFor(fmt.Sprintf(endMark+"%d.", status))
	if got, want := s.ask("alternate screen #{alternate_on}, cursor #{cursor_flag}"), "alternate screen 0, cursor 1"; got != want {
		s.Errorf("the program left %s, want %s:\n%s", got, want, s.look())
	}
}

// frame is what a screen shows, in lines of cells.
type frame [][]rune

func (f frame) String() string {
	var b strings.Builder
	for _, line := range f {
		fmt.Fprintln(&b, string(line))
	}
	return b.String()
}

// line is one line, "" where there is none.
func (f frame) line(i int) string {
	if i < 0 || i >= len(f) {
		return ""
	}
	return string(f[i])
}

// footer is the last line.
func (f frame) footer() string { return f.line(len(f) - 1) }

// typing tells whether the footer is a filter to type in, and not keys.
func (f frame) typing() bool {
	return strings.HasPrefix(f.footer(), " / ") && !strings.HasPrefix(f.footer(), " / filter ")
}

// typed is the filter that is being typed, without what is said about it.
func (f frame) typed() string {
	if !f.typing() {
		return ""
	}
	input, _, _ := strings.Cut(strings.TrimPrefix(f.footer(), " / "), "✖")
	return strings.TrimRight(input, " ▏")
}

// has tells whether each text stands in some line.
func (f frame) has(texts ...string) bool {
	for _, text := range texts {
		if !slices.ContainsFunc(f, func(line []rune) bool { return strings.Contains(string(line), text) }) {
			return false
		}
	}
	return true
}

// box is a box of the screen: its border above and below, and the lines
// within.
type box struct {
	top, bottom string
	lines       []string
}

// box finds a box by its title. It has no lines if it is not there.
func (f frame) box(title string) box {
	for y, line := range f {
		x := slices.Index(line, '╭')
		for ; x >= 0; x = next(line, x, '╭') {
			end := next(line, x, '╮')
			if end < 0 || !strings.HasPrefix(string(line[x:end]), "╭─ "+title+" ") {
				continue
			}
			b := box{top: string(line[x : end+1])}
			for _, below := range f[y+1:] {
				if len(below) <= end {
					return box{}
				}
				if below[x] == '╰' {
					b.bottom = string(below[x : end+1])
					return b
				}
				b.lines = append(b.lines, string(below[x+1:end]))
			}
		}
	}
	return box{}
}

// next is where a cell comes again, or -1.
func next(line []rune, after int, cell rune) int {
	if i := slices.Index(line[after+1:], cell); i >= 0 {
		return after + 1 + i
	}
	return -1
}

// marked is the line of a box that the cursor is on, in words, or nil.
func (b box) marked() []string {
	for _, line := range b.lines {
		if rest, ok := strings.CutPrefix(line, "▸"); ok {
			return strings.Fields(rest)
		}
	}
	return nil
}

// connections are the connections on the screen, each in words.
func (f frame) connections() (rows [][]string) {
	for _, line := range f.box("Connections").lines {
		words := strings.Fields(strings.TrimPrefix(line, "▸"))
		if len(words) > 0 && !slices.Contains(words, "REMOTE") {
			rows = append(rows, words)
		}
	}
	return rows
}

// allRows tells whether there are connections, and each has the word.
func (f frame) allRows(word string) bool {
	rows := f.connections()
	return len(rows) > 0 && !slices.ContainsFunc(rows, func(row []string) bool { return !slices.Contains(row, word) })
}

// shows tells whether a connection is on the screen of which the words are
// these, one after the other.
func (f frame) shows(words ...string) bool {
	return slices.ContainsFunc(f.connections(), func(row []string) bool { return hasRun(row, words) })
}

// hasRun tells whether words stand in row, one after the other.
func hasRun(row, words []string) bool {
	for i := range row {
		if len(row)-i >= len(words) && slices.Equal(row[i:i+len(words)], words) {
			return true
		}
	}
	return false
}
