package dashboard

import (
	"fmt"
	"io"

	"github.com/aymanbagabas/go-osc52/v2"
	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source"
)

// clipboard writes to the clipboard of the terminal, on whatever machine that
// is, by the sequence OSC 52 (xterm's ctlseqs, "Manipulate Selection Data").
type clipboard struct {
	out          io.Writer
	tmux, screen bool
}

func newClipboard(out io.Writer, getenv func(string) string) clipboard {
	return clipboard{out: out, tmux: getenv("TMUX") != "", screen: getenv("STY") != ""}
}

// sequence is what puts text into the clipboard. tmux takes it either bare
// (set-clipboard on) or wrapped (allow-passthrough on), and drops the other.
func (c clipboard) sequence(text string) string {
	seq := osc52.New(text)
	switch {
	case c.tmux:
		return seq.String() + seq.Tmux().String()
	case c.screen:
		return seq.Screen().String()
	}
	return seq.String()
}

// copy is a command that copies text. It writes the sequence at once, so that
// it comes to stand between two frames and not inside one: the screen is
// written by one Write a frame, and a file or [terminalOut] takes one Write
// after the other.
func (c clipboard) copy(text string) tea.Cmd {
	return func() tea.Msg {
		if _, err := io.WriteString(c.out, c.sequence(text)); err != nil {
			return noticeMsg(fmt.Sprintf("cannot copy: %v", err))
		}
		return noticeMsg("copied " + text)
	}
}

// copyTuple copies the connection whose details are open, or that is selected.
func (m *Model) copyTuple() tea.Cmd {
	t := m.view.detail
	if m.view.overlay != overlayDetails {
		s := m.selectedSocket()
		if s == nil || m.view.focus != paneConnections {
			m.view.notice = "select a connection to copy"
			return nil
		}
		t = s.Tuple()
	}
	return m.clipboard.copy(tupleText(t))
}

// tupleText is a four-tuple as other tools take it: "tcp 10.0.0.9:41823
// 10.0.9.2:5432".
func tupleText(t source.Tuple) string {
	return fmt.Sprintf("%s %s %s", t.Proto, source.AddrPort(t.Local, t.LocalPort), source.AddrPort(t.Remote, t.RemotePort))
}
