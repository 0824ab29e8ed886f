package dashboard

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/muesli/termenv"

	"ephtop/ui/theme"
)

// newPresenter makes one that has had a poll, on a terminal of 80x24.
func newPresenter(t *testing.T) (*presenter, *bytes.Buffer) {
	t.Helper()
	out := new(bytes.Buffer)
	m, err := New(Config{Source: &fakeSource{sockets: some(5)}, Out: out})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Stop(time.Second) })
	p := &presenter{Model: m, out: out}
	p.Update(m.startPoll()())
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
		{"after ctrl+z", resumedMsg{now: time.Now()}},
		{"ctrl+l", redrawMsg{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, out := newPresenter(t)
			if test.msg != nil {
				out.Reset()
				p.Update(test.msg)
			}
			for _, want := range []string{"Ephemeral ports", "10.0.9.2:5432", "Connections", "filter"} {
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
	p.Update(keyMsg("s"))
	if n := out.Len(); n == 0 || n > 200 {
		t.Errorf("another order of five rows takes %d bytes: %q", n, out)
	}
}

func TestPresenterKeepsTheSizeFromTheRenderer(t *testing.T) {
	t.Parallel()
	if got, want := hideSize(nil, tea.WindowSizeMsg{Width: 80, Height: 24}), (sizeMsg{80, 24}); got != want {
		t.Errorf("the size becomes %v, want %v", got, want)
	}
	if got, want := hideSize(nil, noticeMsg("x")), noticeMsg("x"); got != want {
		t.Errorf("another message becomes %v", got)
	}
}

func TestRedrawKey(t *testing.T) {
	t.Parallel()
	p, _ := newPresenter(t)
	_, cmd := p.Update(tea.KeyMsg{Type: tea.KeyCtrlL})
	if cmd == nil || cmd() != (redrawMsg{}) {
		t.Error("ctrl+l does not draw the screen anew")
	}
}

// BenchmarkPresent is a frame that goes out to the terminal: a second has
// passed, and sixty connections at the top of the list have gone, so that a
// connection of another kind comes to stand in every row: the worst case.
func BenchmarkPresent(b *testing.B) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 60}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			out := new(bytes.Buffer)
			m, err := New(Config{Source: &fakeSource{}, Out: out})
			if err != nil {
				b.Fatal(err)
			}
			defer m.Stop(time.Second)
			th, err := theme.ByName("default", termenv.ANSI)
			if err != nil {
				b.Fatal(err)
			}
			m.painter = newPainter(th, false)
			m.view = *sampleView(size[0], size[1])
			p := &presenter{Model: m, out: out}
			p.show()
			before, rows, all := m.view.rows, slices.Clone(m.view.rows[60:]), 0
			first, next := *m.view.state.Moment, *m.view.state.Moment
			next.Time = first.Time.Add(time.Second)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				out.Reset()
				m.view.rows, *m.view.state.Moment = before, first
				if i%2 == 0 {
					m.view.rows, *m.view.state.Moment = rows, next
				}
				p.show()
				all += out.Len()
			}
			b.ReportMetric(float64(all)/float64(b.N), "bytes/frame")
		})
	}
}
