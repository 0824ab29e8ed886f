package terminal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source/guard"
	"ephtop/ui/screen"
)

// mistaken panics where it is told to.
type mistaken struct{ where string }

func (m mistaken) at(where string) {
	if m.where == where {
		panic("on purpose")
	}
}

func (m mistaken) Init() tea.Cmd {
	m.at("Init")
	command := func() tea.Msg { m.at("a command"); return "go on" }
	return tea.Batch(command, func() tea.Msg {
		return tea.BatchMsg{command, func() tea.Msg { m.at("a command in a batch"); return nil }}
	})
}

func (m mistaken) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.at("Update")
	return m, func() tea.Msg { m.at("a command of Update"); return nil }
}

func (m mistaken) View() string           { return "" }
func (m mistaken) Paint(c *screen.Canvas) { m.at("Paint"); c.Reset(1, 1, false) }

// A panic is an error of Show, wherever it comes from, and nothing of it is written
// to the terminal.
func TestAPanicEndsShow(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"Init", "Update", "Paint", "a command", "a command in a batch", "a command of Update"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			in, keys := io.Pipe()
			defer keys.Close()
			var out bytes.Buffer
			term, err := Open(in, &out)
			if err != nil {
				t.Fatal(err)
			}
			err = term.Show(context.Background(), mistaken{where}, nil, slog.New(slog.DiscardHandler))
			if p := (*guard.Panic)(nil); !errors.As(err, &p) || p.Value != "on purpose" || !bytes.Contains(p.Stack, []byte("mistaken.at")) {
				t.Errorf("error %v", err)
			}
			if got := out.String(); strings.Contains(got, "purpose") || !strings.HasSuffix(got, "\x1b[?25h") {
				t.Errorf("written: %q", got)
			}
		})
	}
}
