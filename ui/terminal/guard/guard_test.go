//go:build unix

package guard_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/creack/pty"

	_ "ephtop/ui/terminal/guard"
)

// helper names the part that the test binary plays when it is run again on a
// pseudo-terminal.
const helper = "EPHTOP_GUARD_TEST"

func TestMain(m *testing.M) {
	switch os.Getenv(helper) {
	case "program":
		if _, err := tea.NewProgram(hello{}).Run(); err != nil {
			os.Exit(1)
		}
	case "question":
		lipgloss.NewRenderer(os.Stdout).HasDarkBackground()
	default:
		os.Exit(m.Run())
	}
}

// hello is the smallest program there is: one frame, then it quits.
type hello struct{}

func (hello) Init() tea.Cmd                       { return tea.Quit }
func (hello) Update(tea.Msg) (tea.Model, tea.Cmd) { return hello{}, nil }
func (hello) View() string                        { return "hello" }

// The questions that a terminal answers: OSC 11 for the background colour, and
// CSI 6n for the position of the cursor.
var questions = [][]byte{[]byte("\x1b]11;?"), []byte("\x1b[6n")}

func asks(out []byte) bool {
	for _, q := range questions {
		if bytes.Contains(out, q) {
			return true
		}
	}
	return false
}

func TestProgramAsksTheTerminalNothing(t *testing.T) {
	out := runOnMuteTerminal(t, "program", func([]byte) bool { return false })
	if !bytes.Contains(out, []byte("hello")) {
		t.Fatalf("the program drew no frame: %q", out)
	}
	if asks(out) {
		t.Errorf("the program asked the terminal something: %q", out)
	}
}

// The other way round: a question would have been seen.
func TestAQuestionWouldBeSeen(t *testing.T) {
	if out := runOnMuteTerminal(t, "question", asks); !asks(out) {
		t.Errorf("no question in %q", out)
	}
}

// runOnMuteTerminal runs the test binary on a pseudo-terminal that answers
// nothing, and gives what it wrote until it ended or enough said so.
func runOnMuteTerminal(t *testing.T, part string, enough func([]byte) bool) []byte {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helper+"="+part, "TERM=xterm-256color", "CI=")
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer tty.Close()
	// A program that hangs is ended, and then fails the test by what it wrote.
	stop := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()

	var out []byte
	buf := make([]byte, 4096)
	for {
		n, err := tty.Read(buf)
		out = append(out, buf[:n]...)
		if enough(out) {
			_ = cmd.Process.Kill()
			break
		}
		if err != nil {
			// Linux says EIO where the other side of the terminal is closed.
			if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EIO) {
				t.Errorf("read the terminal: %v", err)
			}
			break
		}
	}
	_ = cmd.Wait()
	return out
}
