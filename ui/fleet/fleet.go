// Package fleet is the interactive table of many hosts: one Bubble Tea model. It
// takes keys and what a feed tells, and fills in a [paint.View], which paint turns
// into a frame. A host is opened in the dashboard, from which esc leads back; the
// table goes on meanwhile.
//
// It depends on source/fleet for what it shows, and on the dashboard. It must not
// know how hosts are reached.
package fleet

import (
	"context"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/model"
	"ephtop/source/fleet"
	"ephtop/ui/dashboard"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/lineedit"
	"ephtop/ui/screen"
	"ephtop/ui/terminal"
	"ephtop/ui/theme"
)

// Config is what a table is told once.
type Config struct {
	// Feed tells of the hosts, Where says in a few words from where. Await are
	// those that are known beforehand, Patience is how long a figure holds.
	Feed     fleet.Feed
	Where    string
	Await    []string
	Patience time.Duration
	// Day says that the feed tells of the last day.
	Day bool
	// Open opens a host for the dashboard. It may take long, and ends with its
	// context. An error is said in a line.
	Open func(ctx context.Context, name string) (dashboard.Config, error)
	// Notice is said first.
	Notice string
	// Now is the time by which ages are taken; time.Now if nil.
	Now func() time.Time

	// Thresholds are model.DefaultThresholds if zero.
	Thresholds model.Thresholds
	Theme      theme.Theme
	// ASCII says that the terminal has no more than ASCII.
	ASCII bool
	// In, Out, Getenv and Log are as of [dashboard.Config].
	In     io.Reader
	Out    io.Writer
	Getenv func(string) string
	Log    *slog.Logger
}

// leastBetween is the least time from one table on screen to the next, however
// much there is to tell.
const leastBetween = 250 * time.Millisecond

// Model is the Bubble Tea model of the table. Make it with [New].
type Model struct {
	view    paint.View
	fleet   paint.Fleet
	painter *paint.Painter
	keys    dashboard.KeyMap
	config  Config

	board  *board
	rows   []fleet.Row // all of them
	filter fleet.Words
	// held is the host under the cursor, "" while the cursor stays at the top.
	held string

	editor lineedit.Line
	before string // the filter in force when editing began

	visit    visit
	work     work
	farewell farewell
}

// New makes the model. Whoever does not use [Run] has to call Stop when the program
// has ended, and to run the feed.
func New(cfg Config) *Model {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Out == nil {
		cfg.Out = os.Stdout
	}
	if cfg.Getenv == nil {
		cfg.Getenv = os.Getenv
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Thresholds == (model.Thresholds{}) {
		cfg.Thresholds = model.DefaultThresholds
	}
	m := &Model{
		painter: paint.New(cfg.Theme, cfg.ASCII), keys: dashboard.DefaultKeyMap(), config: cfg,
		board: newBoard(cfg.Patience, cfg.Now), work: newWork(),
	}
	if cfg.ASCII {
		m.keys = m.keys.ASCII()
	}
	m.board.table.Await(cfg.Await...)
	m.fleet = paint.Fleet{Feed: cfg.Where, Day: cfg.Day, Thresholds: cfg.Thresholds}
	m.view = paint.View{Fleet: &m.fleet, Help: groups(&m.keys), Notice: cfg.Notice}
	m.refresh()
	return m
}

// Tell takes what a feed tells; from any goroutine, and at any time.
func (m *Model) Tell(r fleet.Report) { m.board.tell(r) }

// Init waits for news, and starts the clock.
func (m *Model) Init() tea.Cmd { return tea.Batch(m.listen(), m.tick()) }

// Messages of our own.
type (
	newsMsg  struct{} // the feed has told something
	clockMsg struct{} // a second has passed
)

// Update takes one message. It does no I/O: what takes time is in the command that
// it returns.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case newsMsg:
		m.refresh()
		return m, m.listen()
	case clockMsg:
		m.refresh()
		return m, m.tick()
	case openedMsg:
		return m, m.opened(msg)
	case insideMsg:
		return m, m.inside(msg)
	}
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.KeyMsg:
		cmd = m.typed(msg)
	case tea.WindowSizeMsg:
		m.view.Width, m.view.Height = min(msg.Width, screen.MaxWidth), min(msg.Height, screen.MaxHeight)
		m.refresh()
		cmd = m.pass(msg)
	case terminal.ResumedMsg:
		m.refresh()
		if msg.Err != nil {
			m.view.Notice = msg.Err.Error()
		}
		cmd = m.pass(msg)
	}
	m.view.Hints = footer(&m.keys, &m.view)
	return m, cmd
}

// Paint draws the table on c, or the host that is open.
func (m *Model) Paint(c *screen.Canvas) {
	if m.visit.host != nil {
		m.visit.host.Paint(c)
		return
	}
	m.painter.Draw(c, &m.view)
}

// View is the frame as text.
func (m *Model) View() string {
	if m.visit.host != nil {
		return m.visit.host.View()
	}
	return m.painter.Frame(&m.view)
}

// refresh brings the view up to date with the table, the time and what was chosen.
func (m *Model) refresh() {
	v, f := &m.view, &m.fleet
	v.Now = m.config.Now()
	fault, lack, told := m.board.read(&m.rows, v.Now)
	f.Tally, f.Past, f.Lack = fleet.Count(m.rows), fleet.CountPast(m.rows), lack
	v.Err, v.ErrSince = fault.Err, fault.Since
	switch {
	case fault.Err != nil:
		v.Status = paint.StatusStale
	case !told || len(m.rows) > 0 && f.Tally[fleet.StandingAwaited] == len(m.rows):
		v.Status = paint.StatusWaiting
	default:
		v.Status = paint.StatusLive
	}
	m.choose()
	if m.visit.opening() {
		m.sayOpening()
	}
	v.Hints = footer(&m.keys, v)
}

// choose picks the rows that pass the filter, and puts them and the cursor in
// place.
func (m *Model) choose() {
	f := &m.fleet
	f.Rows = f.Rows[:0]
	for i := range m.rows {
		if m.filter.Match(&m.rows[i]) {
			f.Rows = append(f.Rows, m.rows[i])
		}
	}
	f.Order.Sort(f.Rows)
	m.follow()
}

// follow moves the cursor to where its host is now, which keeps its place on the
// screen where it can.
func (m *Model) follow() {
	c := &m.fleet.Cursor
	at := -1
	if m.held != "" {
		at = slices.IndexFunc(m.fleet.Rows, func(r fleet.Row) bool { return r.Name == m.held })
	}
	switch {
	case m.held == "":
		*c = paint.Cursor{}
	case at >= 0:
		c.Top += at - c.Line
		c.Line = at
	}
	m.clamp()
}

// clamp keeps the cursor on a line, and that line in sight.
func (m *Model) clamp() {
	c, n := &m.fleet.Cursor, len(m.fleet.Rows)
	height := max(1, m.view.FleetHeight())
	c.Line = max(0, min(c.Line, n-1))
	c.Top = min(max(c.Top, c.Line-height+1), c.Line)
	c.Top = max(0, min(c.Top, n-height))
}
