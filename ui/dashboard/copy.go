package dashboard

import (
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source"
	"ephtop/ui/dashboard/paint"
)

// copyTuple copies the connection whose details are open, or that is selected.
func (m *Model) copyTuple() tea.Cmd {
	t := m.view.Detail.Tuple
	if m.view.Overlay != paint.OverlayDetails {
		s := m.selectedSocket()
		if s == nil || m.view.Focus != paint.PaneConnections {
			m.view.Notice = "select a connection to copy"
			return nil
		}
		t = s.Tuple()
	}
	text := tupleText(t)
	return func() tea.Msg {
		if err := m.clipboard.Copy(text); err != nil {
			return noticeMsg(fmt.Sprintf("cannot copy: %v", err))
		}
		return noticeMsg("copied " + text)
	}
}

// tupleText is a four-tuple as other tools take it: "tcp 10.0.0.9:41823
// 10.0.9.2:5432".
func tupleText(t source.Tuple) string {
	return fmt.Sprintf("%s %s %s", t.Proto, source.AddrPort(t.Local, t.LocalPort), source.AddrPort(t.Remote, t.RemotePort))
}
