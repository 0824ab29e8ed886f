package terminal

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/ui/screen"
)

// numbers is a Model of lines that each show a number; a string is the last
// line.
type numbers struct {
	width, height int
	first         int
	last          string
}

func (*numbers) Init() tea.Cmd { return nil }
func (*numbers) View() string  { return "" }

func (n *numbers) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		n.width, n.height = msg.Width, msg.Height
	case string:
		n.last = msg
	}
	return n, nil
}

func (n *numbers) Paint(c *screen.Canvas) {
	c.Reset(n.width, n.height, false)
	for y := range n.height - 1 {
		c.Text(0, y, n.width, 0, fmt.Sprintf("line %d", n.first+y))
	}
	c.Text(0, n.height-1, n.width, 0, n.last)
}

// newPresenter makes one on a terminal of 80x24.
func newPresenter(t *testing.T) (*presenter, *bytes.Buffer) {
	t.Helper()
	out := new(bytes.Buffer)
	p := &presenter{Model: &numbers{first: 100}, out: out, ready: func() {}}
	p.Update("hello")
	if out.Len() > 0 {
		t.Fatalf("before the terminal has told its size, %q is written", out)
	}
	p.Update(sizeMsg{80, 24})
	return p, out
}

func TestPresenterWritesTheWholeScreenWhereItMust(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		msg  tea.Msg
	}{
		{"the first size", nil},
		{"the same size again: the terminal may have lost what it showed", sizeMsg{80, 24}},
		{"another size", sizeMsg{100, 30}},
		{"after ctrl+z", ResumedMsg{}},
		{"as it is told to", Redraw()},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, out := newPresenter(t)
			if test.msg != nil {
				out.Reset()
				p.Update(test.msg)
			}
			for _, want := range []string{"line 100", "line 122", "hello"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in %q", want, out)
				}
			}
		})
	}
}

func TestPresenterWritesWhatChanges(t *testing.T) {
	t.Parallel()
	p, out := newPresenter(t)
	out.Reset()
	p.Update(nil)
	if out.Len() > 0 {
		t.Errorf("nothing has changed, and %q is written", out)
	}
	p.Update("help!")
	if got, want := out.String(), "\x1b[24;4Hp!"; got != want {
		t.Errorf("two letters change, and %q is written, want %q", got, want)
	}
}

func TestPresenterKeepsTheSizeFromTheRenderer(t *testing.T) {
	t.Parallel()
	if got, want := hideSize(nil, tea.WindowSizeMsg{Width: 80, Height: 24}), (sizeMsg{80, 24}); got != want {
		t.Errorf("the size becomes %v, want %v", got, want)
	}
	if got := hideSize(nil, "x"); got != "x" {
		t.Errorf("another message becomes %v", got)
	}
}
