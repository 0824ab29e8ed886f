package dashboard

import (
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source"
	"ephtop/ui/dashboard/paint"
)

// copyTuple copies the connection whose details are open, or that is selected.
func (m *Model) copyTuple() tea.Cmd {
	if text := m.findingText(); m.view.Overlay == paint.OverlayFindings && text != "" {
		return m.copyText(text)
	}
	if m.view.Overlay == paint.OverlayPool && m.view.Pool.IsPool() {
		return m.copyText(m.view.Pool.Name())
	}
	t := m.view.Detail.Tuple
	if m.view.Overlay != paint.OverlayDetails {
		text, ok := m.selectedText()
		if !ok {
			m.view.Notice = "select a connection to copy"
			return nil
		}
		return m.copyText(text)
	}
	return m.copyText(tupleText(t))
}

// selectedText is what the line under the cursor is about, for other tools.
func (m *Model) selectedText() (string, bool) {
	v := &m.view
	line := v.Cursors[v.Focus].Line
	if line >= v.Lines(v.Focus) {
		return "", false
	}
	switch v.Focus {
	case paint.PaneDestinations:
		t := &v.State.TCP.Pressure.Tuples[v.Destinations[line]]
		return t.Source.String() + " → " + t.To(), true
	case paint.PaneNamespaces:
		if n := &v.Namespaces[line]; n.IsPool() {
			return n.Name(), true
		}
	case paint.PaneConnections:
		s := &v.State.Snapshot.Sockets[v.Socket(v.Rows[line])]
		f := v.Fold(v.Rows[line])
		switch {
		case f == nil:
			return tupleText(s.Tuple()), true
		case f.AtRemote:
			return s.Remote.String() + " → " + source.AddrPort(s.Local, s.LocalPort), true
		}
		return s.Local.String() + " → " + source.AddrPortOn(s.Remote, s.Interface, s.RemotePort), true
	}
	return "", false
}

func (m *Model) copyText(text string) tea.Cmd {
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
