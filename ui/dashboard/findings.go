package dashboard

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/report"
	"ephtop/ui/session"
	"ephtop/ui/text"
)

// findingKey is what a finding is known by from poll to poll.
type findingKey struct {
	problem model.Problem
	netns   uint64
	tuple   model.TupleKey
	pid     int32
	port    uint16
}

// findingsCursor is what the overlay of findings keeps from poll to poll.
type findingsCursor struct {
	unfolded map[findingKey]bool
	at       findingKey
	line     int // of the cursor, below the first one on screen
	// held says that a key was pressed: until then the cursor stays on the most
	// urgent one, whichever that is.
	held bool
}

// findingKey gives the key of a finding on screen.
func (m *Model) findingKey(i int) findingKey {
	f := &m.view.Findings[i]
	st := m.view.Overview.States[f.State]
	k := findingKey{problem: f.Problem, netns: st.Snapshot.Scope.Netns, tuple: f.Tuple}
	if f.Process != source.NoProcess && f.Problem != model.ListenerInRange {
		k.pid = st.Processes[f.Process].PID
	}
	if f.Problem == model.StolenPort {
		k.port = f.Ports[0]
	}
	return k
}

// openFindings opens the overlay of findings, or closes it. What to do about the
// most urgent one is in sight at once, unless it is one of several that are worth
// knowing and no more.
func (m *Model) openFindings() {
	m.toggleOverlay(paint.OverlayFindings)
	if m.findings = (findingsCursor{}); m.view.Overlay == paint.OverlayFindings && m.shown != nil {
		m.fillFindings()
	}
}

// fillFindings puts the findings into words, and brings the cursor to where its
// finding stands now.
func (m *Model) fillFindings() {
	v, c := &m.view, &m.findings
	v.Advice, v.Unfolded = m.shown.words(), v.Unfolded[:0]
	if !c.held && len(v.Findings) > 0 {
		c.at, v.Stop = m.findingKey(0), paint.Stop{Remedy: -1}
		c.unfolded = map[findingKey]bool{c.at: len(v.Findings) == 1 || v.Findings[0].Level > model.LevelOK}
	}
	at := -1
	for i := range v.Findings {
		k := m.findingKey(i)
		v.Unfolded = append(v.Unfolded, c.unfolded[k])
		if k == c.at && at < 0 {
			at = i
		}
	}
	if at >= 0 {
		v.Stop.Finding = at
	}
	v.SettleStop()
	if c.held {
		v.HoldStop(c.line)
	} else {
		v.MoveStop(0) // with what stands above it
	}
	m.holdFinding()
}

// holdFinding notes where the cursor is.
func (m *Model) holdFinding() {
	if v := &m.view; v.Stop.Finding < len(v.Findings) {
		m.findings.at, m.findings.line = m.findingKey(v.Stop.Finding), v.StopLine()
	}
}

// moveFinding takes a key that moves the cursor of the findings.
func (m *Model) moveFinding(msg tea.KeyMsg) bool {
	v := &m.view
	m.findings.held = true
	const all = 1 << 16
	switch {
	case key.Matches(msg, m.keys.Up):
		v.MoveStop(-1)
	case key.Matches(msg, m.keys.Down):
		v.MoveStop(+1)
	case key.Matches(msg, m.keys.PageUp):
		v.PageStop(-1)
	case key.Matches(msg, m.keys.PageDown):
		v.PageStop(+1)
	case key.Matches(msg, m.keys.Top):
		v.MoveStop(-all)
	case key.Matches(msg, m.keys.End):
		v.MoveStop(+all)
	case key.Matches(msg, m.keys.Open):
		m.unfold()
		return true
	default:
		return false
	}
	m.holdFinding()
	return true
}

// unfold unfolds the finding under the cursor, or folds it.
func (m *Model) unfold() {
	v, c := &m.view, &m.findings
	if v.Stop.Finding >= len(v.Findings) {
		return
	}
	k := m.findingKey(v.Stop.Finding)
	c.unfolded[k] = !c.unfolded[k]
	v.Stop.Remedy, v.Stop.Command = -1, 0
	m.fillFindings()
	v.MoveStop(0) // with as much of it as there is room for
	m.holdFinding()
}

// findingText is what y copies: the command under the cursor, or what there is to
// configure; else what was found.
func (m *Model) findingText() string {
	v := &m.view
	if v.Stop.Finding >= len(v.Advice) {
		return ""
	}
	a := &v.Advice[v.Stop.Finding]
	if v.Stop.Remedy < 0 || v.Stop.Remedy >= len(a.Remedies) {
		return a.Title
	}
	r := &a.Remedies[v.Stop.Remedy]
	if commands := strings.Split(r.Command, "\n"); r.Command != "" {
		return commands[min(v.Stop.Command, len(commands)-1)]
	}
	return r.Config
}

// reportMsg says where a report was written.
type reportMsg struct {
	path      string
	anonymous bool
	err       error
}

// writeReport writes what is on screen as a report beside the recordings. It is made
// to be shared, so it says neither who nor where; a simulated host is nobody's.
func (m *Model) writeReport() tea.Cmd {
	if m.shown == nil {
		m.view.Notice = "nothing to report yet"
		return nil
	}
	if m.replay != nil && m.replay.seeking { // the screen is of a moment on the way
		m.view.Notice = "no report while it seeks: press E again when it is there"
		return nil
	}
	if m.recording.header.Anonymized {
		host := m.shown.look.Moment.Host
		page, err := reportOf(m.shown.look, m.shown.state)
		return m.saveReport(func(context.Context) (string, []byte, error) { return host, page, err })
	}
	copied, err := session.NewCopy(&m.shown.look.Moment)
	inode, tape := m.shown.state.Snapshot.Scope.Netns, m.session.Anonymous
	if m.replay != nil {
		tape = m.replay.tape.Anonymous
	}
	return m.saveReport(func(ctx context.Context) (string, []byte, error) {
		if err != nil {
			return "", nil, err
		}
		look, err := tape(ctx, copied)
		if err != nil {
			return "", nil, err
		}
		st := cmp.Or(look.Namespace(fmt.Sprintf("net:[%d]", inode)), look.State())
		page, err := reportOf(look, st)
		return look.Moment.Host, page, err
	})
}

func reportOf(look *session.Look, st *model.State) ([]byte, error) {
	var page bytes.Buffer
	err := report.Markdown(&page, st, report.Options{Overview: &look.Overview})
	return page.Bytes(), err
}

// saveReport has a command make a report, and write it.
func (m *Model) saveReport(report func(context.Context) (host string, page []byte, err error)) tea.Cmd {
	dir, anonymous := m.recording.dir, !m.recording.header.Anonymized
	return m.jobs.command(func(ctx context.Context) tea.Msg {
		host, page, err := report(ctx)
		if err != nil {
			return reportMsg{err: err}
		}
		path, err := session.SaveIn(dir, host, ".md", page)
		return reportMsg{path, anonymous, err}
	})
}

// reported takes where a report was written.
func (m *Model) reported(msg reportMsg) {
	if msg.err != nil {
		m.view.Notice = "report: " + msg.err.Error()
		return
	}
	what, names := "report in ", ""
	if msg.anonymous {
		what, names = "anonymous report in ", "; with names: r, and ephtop export --as-is"
	}
	m.view.Notice = what + msg.path + names
	m.farewell = append(m.farewell, what+text.Sanitize(msg.path))
}
