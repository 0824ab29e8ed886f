package dashboard

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source"
	"ephtop/ui/dashboard/paint"
)

// byPort sorts the connections by local port.
func byPort(h *harness) {
	h.press("s", "l")
}

func TestMovingKeys(t *testing.T) {
	t.Parallel()
	run(t, some(100), func(h *harness) {
		byPort(h)
		height := h.m.view.PaneHeights()[paint.PaneConnections]
		if height < 2 {
			t.Fatalf("the pane of connections has %d lines at 120x40", height)
		}
		for _, step := range []struct {
			key  string
			want int
		}{
			{"down", 1}, {"j", 2}, {"up", 1}, {"k", 0}, {"k", 0},
			{"pgdown", height - 1}, {"pgup", 0}, {"end", 99}, {"down", 99}, {"home", 0}, {"G", 99}, {"g", 0},
		} {
			h.press(step.key)
			if c := h.cursor(); c.Line != step.want || c.Line < c.Top || c.Line >= c.Top+height {
				t.Errorf("after %s: line %d, first line %d of %d shown; want line %d, in sight",
					step.key, c.Line, c.Top, height, step.want)
			}
		}
	})
}

func TestKeysThatCameTogetherAreTakenOneByOne(t *testing.T) {
	t.Parallel()
	run(t, some(100), func(h *harness) {
		byPort(h)
		h.press("jjjk") // as one message, as it comes over a slow line
		if h.port() != 40003 {
			t.Errorf("cursor on %d, want 40003", h.port())
		}
		h.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("jq"), Paste: true})
		if h.quit || h.port() != 40003 {
			t.Error("pasted text was taken for keys")
		}
		h.press("/lport:40007")
		if !h.m.view.Filter.Editing || h.m.view.Filter.Input != "lport:40007" {
			t.Errorf("filter line %+v", h.m.view.Filter)
		}
	})
}

func TestFocus(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		if h.m.view.Focus != paint.PaneConnections {
			t.Errorf("the focus is on pane %d at first", h.m.view.Focus)
		}
		for _, step := range []struct {
			key  string
			want paint.Pane
		}{
			{"tab", paint.PaneStates}, {"tab", paint.PaneConsumers}, {"tab", paint.PaneConnections}, {"shift+tab", paint.PaneConsumers},
			{"h", paint.PaneStates}, {"right", paint.PaneConsumers}, {"left", paint.PaneStates}, {"l", paint.PaneConsumers},
		} {
			h.press(step.key)
			if h.m.view.Focus != step.want {
				t.Errorf("after %s: pane %d, want %d", step.key, h.m.view.Focus, step.want)
			}
		}
	})
}

func TestEverySizeHasTheFocusInSight(t *testing.T) {
	t.Parallel()
	run(t, some(30), func(h *harness) {
		h.press("tab")
		for _, size := range [][2]int{{80, 24}, {200, 60}, {40, 10}, {10, 3}, {1, 1}, {0, 0}, {120, 40}} {
			h.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
			h.press("down", "pgdown", "end", "tab", "enter", "?", "down", "end", "esc", "/", "x", "left", "esc", "enter", "down", "esc", "esc")
			heights := h.m.view.PaneHeights()
			if heights != [paint.NumPanes]int{} && heights[h.m.view.Focus] == 0 {
				t.Errorf("at %dx%d pane %d has the focus and is not shown", size[0], size[1], h.m.view.Focus)
			}
		}
	})
}

func TestCursorStaysOnItsSocket(t *testing.T) {
	t.Parallel()
	all := some(60)
	run(t, all, func(h *harness) {
		byPort(h)
		for range 30 {
			h.press("j")
		}
		if h.port() != 40031 {
			t.Fatalf("cursor on %d", h.port())
		}
		h.src.set(func(s *fakeSource) { s.sockets = all[10:] })
		h.sleep(time.Second)
		if h.port() != 40031 || h.cursor().Line != 20 {
			t.Errorf("ten above are gone: port %d on line %d, want 40031 on line 20", h.port(), h.cursor().Line)
		}

		onScreen := h.cursor().Line - h.cursor().Top
		all := append(all[:60:60], tcp(40000, "10.0.9.2 5432", source.SynSent, 0))
		h.src.set(func(s *fakeSource) { s.sockets = all })
		h.sleep(time.Second)
		if h.port() != 40031 || h.cursor().Line != 31 {
			t.Errorf("one more above: port %d on line %d, want 40031 on line 31", h.port(), h.cursor().Line)
		}
		if got := h.cursor().Line - h.cursor().Top; got != onScreen {
			t.Errorf("the line moved on screen from %d to %d", onScreen, got)
		}

		h.press("S")
		if h.port() != 40031 {
			t.Errorf("reversed: cursor on %d, want 40031", h.port())
		}
		h.press("S")
		h.src.set(func(s *fakeSource) { s.sockets = append(all[:30:30], all[31:]...) })
		h.sleep(time.Second)
		if h.port() != 40032 {
			t.Errorf("the socket is gone: cursor on %d, want 40032, which is in its place", h.port())
		}

		h.src.set(func(s *fakeSource) { s.sockets = all[:5] })
		h.sleep(time.Second)
		if h.port() != 40005 {
			t.Errorf("all below are gone: cursor on %d, want the last, 40005", h.port())
		}
		h.src.set(func(s *fakeSource) { s.sockets = nil })
		h.sleep(time.Second)
		h.press("j", "enter", "y", "G")
		if c := h.cursor(); c != (paint.Cursor{}) {
			t.Errorf("nothing left: cursor %+v", c)
		}
	})
}

func TestCursorKeepsToTheTopUntilItIsMoved(t *testing.T) {
	t.Parallel()
	all := some(60)
	run(t, all[10:], func(h *harness) {
		byPort(h)
		arrive := func(from int) {
			h.src.set(func(s *fakeSource) { s.sockets = all[from:] })
			h.sleep(time.Second)
		}
		arrive(8)
		if h.port() != 40009 {
			t.Errorf("not moved yet: cursor on %d, want the first line, 40009", h.port())
		}
		h.press("j", "k")
		arrive(6)
		if h.port() != 40009 {
			t.Errorf("moved: cursor on %d, want 40009 still", h.port())
		}
		h.press("g")
		arrive(4)
		if h.port() != 40005 {
			t.Errorf("after g: cursor on %d, want the first line, 40005", h.port())
		}
	})
}

func TestCursorTellsSocketsOfOneTupleApart(t *testing.T) {
	t.Parallel()
	listener := func(inode uint32) source.Socket {
		s := tcp(8080, "0.0.0.0 0", source.Listen, 0)
		s.Cookie, s.Inode = uint64(inode), inode
		return s
	}
	run(t, []source.Socket{listener(1), listener(2), listener(3)}, func(h *harness) {
		h.press("j")
		inode := h.m.selectedSocket().Inode
		for range 3 {
			h.sleep(time.Second)
			if got := h.m.selectedSocket().Inode; got != inode {
				t.Fatalf("the cursor went from inode %d to %d", inode, got)
			}
		}
	})
}

func TestCursorFollowsASocketIntoTimeWait(t *testing.T) {
	t.Parallel()
	all := some(5)
	run(t, all, func(h *harness) {
		byPort(h)
		h.press("j", "j")
		gone := all[2]
		gone.State, gone.Inode, gone.Cookie, gone.Process = source.TimeWait, 0, 0, -1
		h.src.set(func(s *fakeSource) { s.sockets = []source.Socket{all[0], gone, all[4]} })
		h.sleep(time.Second)
		if h.port() != 40003 {
			t.Errorf("cursor on %d, want 40003", h.port())
		}
	})
}

func TestCursorStaysOnItsStateAndConsumer(t *testing.T) {
	t.Parallel()
	mixed := []source.Socket{
		tcp(40001, "10.0.9.2 5432", source.SynSent, 0), tcp(40002, "10.0.9.2 5432", source.Established, 0),
		tcp(40003, "10.0.9.2 5432", source.TimeWait, -1), tcp(40004, "10.0.9.2 5432", source.Established, 1),
		tcp(40005, "10.0.9.2 5432", source.Established, 0),
	}
	run(t, mixed, func(h *harness) {
		h.press("tab", "j")
		if s := h.m.view.States[h.cursor().Line].State; s != source.Established {
			t.Fatalf("the second state is %v", s)
		}
		h.press("tab")
		curl := func() int {
			for i, c := range h.m.view.Consumers {
				if c.Process >= 0 && h.m.view.State.Processes[c.Process].Name == "curl" {
					return i
				}
			}
			return -1
		}
		h.pressUntil("j", func() bool { return h.cursor().Line == curl() })

		more := mixed[1:] // no SYN_SENT, and curl has the most
		for n := range 9 {
			more = append(more, tcp(uint16(41000+n), "10.0.9.2 5432", source.Established, 1))
		}
		h.src.set(func(s *fakeSource) { s.sockets = more })
		h.sleep(time.Second)
		if curl() != 0 || h.cursor().Line != 0 {
			t.Errorf("curl is consumer %d, the cursor on %d; want both on 0", curl(), h.cursor().Line)
		}
		h.press("shift+tab")
		if s := h.m.view.States[h.cursor().Line].State; s != source.Established {
			t.Errorf("the cursor went from ESTABLISHED to %v", s)
		}
	})
}

func TestHelpAndDetailsScroll(t *testing.T) {
	t.Parallel()
	for _, open := range []string{"?", "enter"} {
		t.Run(open, func(t *testing.T) {
			run(t, some(3), func(h *harness) {
				h.send(tea.WindowSizeMsg{Width: 60, Height: 12})
				h.press(open)
				last := h.m.view.LastScroll()
				line := h.cursor().Line
				for _, step := range []struct {
					key  string
					want int
				}{{"up", 0}, {"down", min(1, last)}, {"end", last}, {"down", last}, {"home", 0}} {
					h.press(step.key)
					if h.m.view.Scroll != step.want {
						t.Errorf("after %s: first line %d, want %d", step.key, h.m.view.Scroll, step.want)
					}
				}
				if h.cursor().Line != line {
					t.Error("the cursor below moved")
				}
			})
		})
	}
}

func ExampleDefaultKeyMap() {
	k := DefaultKeyMap()
	fmt.Println(k.Open.Help(), k.ASCII().Open.Help())
	// Output: {↵ open} {enter open}
}

// Where the dashboard was opened from something else, esc leads back there when it
// has nothing nearer to go back from, and the footer says so.
func TestEscLeadsOutAtTheEnd(t *testing.T) {
	t.Parallel()
	type backMsg struct{}
	m, err := New(Config{Source: &fakeSource{sockets: many(20)}, Back: func() tea.Msg { return backMsg{} }, BackTo: "fleet"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if farewell, err := m.End(m.log); err != nil || farewell != nil {
			t.Errorf("it ends with %q, %v", farewell, err)
		}
	})
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	m.Update(m.startPoll()())
	hint := paint.Hint{Key: "esc", Does: "fleet"}
	for _, test := range []struct {
		keys string
		out  bool
	}{{"? esc", false}, {"f q", false}, {"/ 1 0 enter esc", false}, {"space esc", false}, {"esc", true}} {
		var cmd tea.Cmd
		for _, k := range strings.Fields(test.keys) {
			_, cmd = m.Update(keyMsg(k))
		}
		if out := cmd != nil; out != test.out {
			t.Errorf("%s leads out: %v", test.keys, out)
		} else if out && cmd() != (backMsg{}) {
			t.Errorf("%s leads elsewhere", test.keys)
		}
	}
	if !slices.Contains(m.view.Hints, hint) {
		t.Errorf("the hints are %v", m.view.Hints)
	}
}
