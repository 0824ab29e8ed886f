package terminal

import (
	"fmt"
	"io"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source/guard"
	"ephtop/ui/screen"
)

// Model is a Bubble Tea model that draws its frames on a canvas.
type Model interface {
	tea.Model
	// Paint draws a frame on c, which it resets to the size that the last
	// [tea.WindowSizeMsg] has told, and to none before.
	Paint(c *screen.Canvas)
}

// presenter shows a Model on a terminal, cell by cell: from one second to the
// next, a busy host changes a few figures in almost every line. Bubble Tea's own
// renderer writes each changed line again, which is five to ten times as much
// for a slow line to carry. That renderer stays in charge of the terminal (its
// modes, the alternate screen, the cursor), but is given a view that writes
// nothing.
//
// All is written in the goroutine that calls Update: so nothing is written
// while the terminal is given away (ctrl+z), nor after the end.
type presenter struct {
	Model
	out  io.Writer
	inks []screen.Ink
	// ready is called when the terminal has been taken, fail when the program is
	// to end for an error.
	ready  func()
	fail   func(error)
	failed bool // and the Model is not to be relied on
	// shown is what the terminal shows; of no size where that is not sure.
	// next is memory for the frame after it.
	shown, next screen.Canvas
	bytes       []byte
}

// sizeMsg is the size of the terminal. Bubble Tea's renderer takes no notice of
// it as it does of a [tea.WindowSizeMsg]: it does not know how wide the
// terminal is, and leaves its lines alone.
type sizeMsg struct{ width, height int }

// redrawMsg asks for the whole screen to be written again.
type redrawMsg struct{}

// Redraw is a command that has the whole screen written again.
func Redraw() tea.Msg { return redrawMsg{} }

// hideSize is a filter of messages, which keeps the size from the renderer.
func hideSize(_ tea.Model, msg tea.Msg) tea.Msg {
	if size, ok := msg.(tea.WindowSizeMsg); ok {
		return sizeMsg{size.Width, size.Height}
	}
	return msg
}

// Init begins what the Model begins with.
func (p *presenter) Init() tea.Cmd {
	return p.take(p.Model.Init)
}

// Update takes a message and shows what has come of it.
func (p *presenter) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch m := msg.(type) {
	case sizeMsg:
		msg = tea.WindowSizeMsg{Width: m.width, Height: m.height}
		p.shown.Reset(0, 0, false)
		p.ready()
	case ResumedMsg:
		p.shown.Reset(0, 0, false)
		p.ready()
	case redrawMsg:
		p.shown.Reset(0, 0, false)
	case lostMsg:
		p.fail(fmt.Errorf("take the terminal again: %w", m.err))
	}
	return p, p.take(func() tea.Cmd {
		_, cmd := p.Model.Update(msg)
		p.show()
		return cmd
	})
}

// take takes a command from the Model. Once it has panicked, it is not asked any
// more.
func (p *presenter) take(from func() tea.Cmd) (cmd tea.Cmd) {
	if p.failed {
		return nil
	}
	err := guard.Do(func() error { cmd = p.guarded(from()); return nil })
	if p.failed = err != nil; p.failed {
		p.fail(err)
	}
	return cmd
}

// guarded makes of a command one whose panic ends the program.
func (p *presenter) guarded(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		if err := guard.Do(func() error { msg = cmd(); return nil }); err != nil {
			p.fail(err)
		}
		if several, ok := msg.(tea.BatchMsg); ok {
			for i := range several {
				several[i] = p.guarded(several[i])
			}
		}
		return msg
	}
}

// View is nothing that can be seen, but not nothing: in place of that, Bubble
// Tea's renderer would write a blank.
func (p *presenter) View() string { return "\x1b[m" }

// show writes what differs from what the terminal shows, in one Write. What
// becomes of an error, the terminal's own writer knows.
func (p *presenter) show() {
	p.Paint(&p.next)
	p.bytes = p.next.AppendChanges(p.bytes[:0], &p.shown, p.inks)
	p.shown, p.next = p.next, p.shown
	if len(p.bytes) > 0 {
		_, _ = p.out.Write(p.bytes)
	}
}
