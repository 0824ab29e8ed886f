package dashboard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"ephtop/model/list"
	"ephtop/source"
	"ephtop/ui/dashboard/paint"
)

// closed are n connections to a destination in TIME_WAIT, from a port on, not side
// by side as those of a pool of ports of their own.
func closed(n int, from uint16, remote string) []source.Socket {
	var all []source.Socket
	for i := range n {
		s := tcp(from+uint16(5*i), remote, source.TimeWait, -1)
		s.Timer, s.Expires = source.TimerTimeWait, uint32(58_000-i)
		all = append(all, s)
	}
	return all
}

// folds are the numbers of ports of the rows, 1 for a socket.
func (h *harness) folds() []int {
	var all []int
	for _, r := range h.m.view.Rows {
		n := 1
		if f := h.m.view.Fold(r); f != nil {
			n = f.Ports
		}
		all = append(all, n)
	}
	return all
}

func (h *harness) wantFolds(want ...int) {
	h.Helper()
	if d := cmp.Diff(want, h.folds()); d != "" {
		h.Errorf("ports of the rows (-want +got):\n%s", d)
	}
}

func TestFoldKey(t *testing.T) {
	t.Parallel()
	all := append(closed(30, 41001, "10.0.9.2 5432"), some(2)...)
	all = append(all, closed(3, 42001, "10.0.9.3 6379")...)
	run(t, all, func(h *harness) {
		h.wantFolds(30, 1, 1, 3)
		if want := "1–4 of 4 rows · 35 sockets · z unfolds"; !strings.Contains(h.m.View(), want) {
			t.Errorf("no %q in\n%s", want, h.m.View())
		}
		h.press("S", "G", "z")
		if len(h.m.view.Rows) != 35 || h.port() < 41001 || h.port() > 41146 {
			t.Errorf("z: %d rows, the cursor on port %d; want 35, on one that was folded", len(h.m.view.Rows), h.port())
		}
		if want := "of 35 · z folds TIME_WAIT"; !strings.Contains(h.m.View(), want) {
			t.Errorf("no %q in\n%s", want, h.m.View())
		}
		h.press("z")
		h.wantFolds(3, 1, 1, 30)
		if h.cursor().Line != 3 {
			t.Errorf("z again: the cursor is on line %d, want the fold, 3", h.cursor().Line)
		}
	})
}

// All ports of a fold may change from one poll to the next.
func TestCursorStaysOnItsFold(t *testing.T) {
	t.Parallel()
	run(t, append(closed(30, 41001, "10.0.9.2 5432"), closed(20, 42001, "10.0.9.3 6379")...), func(h *harness) {
		h.press("down")
		h.src.set(func(s *fakeSource) {
			s.sockets = append(append(closed(9, 43001, "10.0.9.2 5432"), closed(20, 44001, "10.0.9.3 6379")...), some(5)...)
		})
		h.sleep(time.Second)
		h.wantFolds(20, 9, 1, 1, 1, 1, 1)
		if h.cursor().Line != 0 {
			t.Errorf("the cursor is on line %d, want the fold that it was on, 0", h.cursor().Line)
		}
	})
}

// enter lists what is folded, and esc leads back to the same row at
// the same place of the screen.
func TestAFoldOpens(t *testing.T) {
	t.Parallel()
	var all []source.Socket
	for i := range 40 {
		all = append(all, closed(40-i, uint16(33000+400*i), fmt.Sprint("10.0.9.2 ", 7000+i))...)
	}
	run(t, all, func(h *harness) {
		h.press("S", "G", "up", "up", "up")
		before, order := h.cursor(), h.m.view.Order
		ports := h.folds()[before.Line]
		h.press("enter")
		v := &h.m.view
		if len(v.Rows) != ports || h.port() == 0 || v.Folded || h.cursor() != (paint.Cursor{}) {
			t.Errorf("%d rows, of them under the cursor %d, cursor %+v; want %d sockets from the first on", len(v.Rows), h.port(), h.cursor(), ports)
		}
		if !strings.HasSuffix(v.Filter.Text, "state:TIME_WAIT owner:unknown") {
			t.Errorf("filter %q, want one for TIME_WAIT of no known owner", v.Filter.Text)
		}
		h.press("down", "enter", "esc")
		h.sleep(time.Second)
		h.press("esc")
		if v.Filter.Text != "" || !v.Folded || h.cursor() != before || v.Order != order || h.folds()[h.cursor().Line] != ports {
			t.Errorf("esc: filter %q, folded %v, cursor %+v; want none, and %+v", v.Filter.Text, v.Folded, h.cursor(), before)
		}
	})
}

// What a fold is opened with narrows the filter that is on. Its owner is meant
// however sure it is of each connection.
func TestAFoldKeepsTheFilter(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		h.src.set(func(s *fakeSource) {
			for i := range s.sockets {
				s.sockets[i].State, s.sockets[i].Process = source.TimeWait, -1
			}
			s.sockets = append(s.sockets, closed(4, 42001, "10.0.9.2 5432")...)
		})
		h.sleep(time.Second)
		h.press("/")
		h.typeText("!lport:40002")
		h.press("enter")
		h.wantFolds(6) // also those that are only likely its
		h.press("enter")
		if want := "!lport:40002 local:10.0.0.9 remote:10.0.9.2:5432 state:TIME_WAIT pid:100"; h.m.view.Filter.Text != want || len(h.m.view.Rows) != 6 {
			t.Errorf("filter %q with %d rows, want %q with 6", h.m.view.Filter.Text, len(h.m.view.Rows), want)
		}
	})
}

func TestCopyOfALine(t *testing.T) {
	t.Parallel()
	run(t, append(closed(3, 41001, "10.0.9.2 5432"), some(1)...), func(h *harness) {
		for _, step := range []struct{ keys, want string }{
			{"y", "copied 10.0.0.9 → 10.0.9.2:5432"},
			{"j y", "copied tcp 10.0.0.9:40001 10.0.9.2:5432"},
			{"2 y", "copied 10.0.0.9 → 10.0.9.2:5432"},
			{"tab y", "select a connection to copy"},
		} {
			h.press(strings.Fields(step.keys)...)
			if h.m.view.Notice != step.want {
				t.Errorf("%s: notice %q, want %q", step.keys, h.m.view.Notice, step.want)
			}
		}
	})
}

// The list of destinations is filtered and sorted, and esc comes back to where
// it was left.
func TestDestinations(t *testing.T) {
	t.Parallel()
	var all []source.Socket
	for i := range 60 {
		all = append(all, closed(80-i, uint16(33000+400*i), fmt.Sprint("10.0.9.", i, " 443"))...)
	}
	run(t, all, func(h *harness) {
		h.press("2")
		if len(h.m.view.Destinations) != 60 || h.m.view.Focus != paint.PaneDestinations {
			t.Fatalf("%d destinations, focus %d", len(h.m.view.Destinations), h.m.view.Focus)
		}
		h.press("s", "t", "S", "G", "up", "up", "up", "up")
		before, tuple := h.cursor(), h.m.marks.tuple
		h.press("enter")
		if h.m.view.Face != paint.FaceConnections || h.cursor() != (paint.Cursor{}) {
			t.Errorf("enter: face %v, cursor %+v", h.m.view.Face, h.cursor())
		}
		h.sleep(time.Second)
		h.press("esc")
		if h.m.view.Face != paint.FaceDestinations || h.cursor() != before || h.m.marks.tuple != tuple {
			t.Errorf("esc: face %v, cursor %+v on %v; want %+v on %v", h.m.view.Face, h.cursor(), h.m.marks.tuple, before, tuple)
		}
		if want := (list.Order{Column: list.ColumnTimeWait, Reverse: true}); h.m.view.Order != want {
			t.Errorf("order %+v, want %+v", h.m.view.Order, want)
		}
		h.press("/")
		h.typeText("remote:10.0.9.7")
		if len(h.m.view.Destinations) != 1 {
			t.Errorf("%d destinations pass the filter, want 1", len(h.m.view.Destinations))
		}
	})
}

// Each face is reached at every size, and by tab too, on a host of one namespace.
func TestEveryFaceHasTheFocusAtEverySize(t *testing.T) {
	t.Parallel()
	run(t, some(30), func(h *harness) {
		for _, size := range [][2]int{{40, 10}, {60, 20}, {80, 24}, {120, 40}, {160, 50}, {200, 60}} {
			h.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
			for key, pane := range map[string]paint.Pane{"1": paint.PaneConnections, "2": paint.PaneDestinations} {
				h.press(key)
				if h.m.view.Focus != pane || h.m.view.PaneHeights()[pane] == 0 {
					t.Errorf("%v: %s gives the focus to pane %d, want %d", size, key, h.m.view.Focus, pane)
				}
				h.press("tab")
				h.pressUntil("tab", func() bool { return h.m.view.Focus == pane })
			}
		}
	})
}

func TestNamespacesAreSorted(t *testing.T) {
	t.Parallel()
	runContainers(t, map[string]int{"api": 500, "web": 20000, "redis": 20}, func(h *harness) {
		h.press("3", "s")
		for _, step := range []struct {
			keys string
			want []string
		}{
			{"n", []string{"api", "", "redis", "vpn", "web"}},
			{"S", []string{"web", "vpn", "redis", "", "api"}},
			{"s u", []string{"web", "api", "redis", "", "vpn"}},
			{"s o S", []string{"vpn", "", "redis", "api", "web"}},
			{"s l", []string{"web", "api", "redis", "", "vpn"}},
			{"s k", []string{"web", "api", "redis", "", "vpn"}},
			{"s w S", []string{"vpn", "", "redis", "api", "web"}},
		} {
			h.press(strings.Fields(step.keys)...)
			if d := cmp.Diff(step.want, h.listed()); d != "" {
				t.Errorf("%s: %s", step.keys, d)
			}
		}
	})
}
