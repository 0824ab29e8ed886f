package dashboard

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/model/list"
	"ephtop/source"
	"ephtop/source/recording"
	"ephtop/ui/advice"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/terminal"
)

func TestQuit(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]string{
		{"q"}, {"f10"}, {"ctrl+c"}, {"?", "q", "q"}, {"enter", "q", "q"}, {"/", "ctrl+c"}, {"space", "q"}, {"?", "ctrl+c"},
	} {
		t.Run(strings.Join(keys, " "), func(t *testing.T) {
			run(t, some(3), func(h *harness) {
				h.press(keys...)
				h.sleep(time.Millisecond)
				if !h.quit {
					t.Error("did not quit")
				}
			})
		})
	}
}

// In an overlay, q is for that only.
func TestQClosesAnOverlay(t *testing.T) {
	t.Parallel()
	for _, open := range []string{"?", "f", "enter"} {
		t.Run(open, func(t *testing.T) {
			run(t, some(3), func(h *harness) {
				h.press(open)
				if h.m.view.Overlay == paint.OverlayNone {
					t.Fatal("nothing opened")
				}
				h.press("q")
				h.sleep(time.Millisecond)
				if h.quit || h.m.view.Overlay != paint.OverlayNone {
					t.Errorf("q quit: %v, overlay %d", h.quit, h.m.view.Overlay)
				}
			})
		})
	}
}

func TestFunctionKeysAreThoseOfHtop(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		h.press("f1")
		if h.m.view.Overlay != paint.OverlayHelp {
			t.Error("F1 does not open the help")
		}
		h.press("f1")
		for _, name := range []string{"f3", "f4"} {
			h.press(name)
			if !h.m.view.Filter.Editing {
				t.Errorf("%s does not open the filter", name)
			}
			h.press("esc")
		}
		if !key.Matches(keyMsg("f6"), h.m.keys.Sort) {
			t.Error("F6 does not sort")
		}
	})
}

func TestAKeyWithoutMeaningSaysSo(t *testing.T) {
	t.Parallel()
	alone := func(r ...rune) tea.KeyMsg { return tea.KeyMsg{Type: tea.KeyRunes, Runes: r} }
	for _, test := range []struct {
		name string
		msg  tea.KeyMsg
		want string
	}{
		{"a letter", alone('x'), "x does nothing · ? help"},
		{"another script", alone('ж'), "ж does nothing · ? help"},
		{"a key of the past", alone('['), "[ looks back while paused · space pauses"},
		{"a function key", tea.KeyMsg{Type: tea.KeyF5}, "F5 does nothing · ? help"},
		{"with ctrl", tea.KeyMsg{Type: tea.KeyCtrlT}, "ctrl+t does nothing · ? help"},
		{"insert", tea.KeyMsg{Type: tea.KeyInsert}, "insert does nothing · ? help"},
		{"a key with a meaning", alone('n'), ""},
		{"a key with one elsewhere", tea.KeyMsg{Type: tea.KeyTab}, ""},
		{"a paste", tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("x"), Paste: true}, ""},
		{"the rest of an answer of the terminal", alone([]rune(";:/")...), ""},
		{"its end", tea.KeyMsg{Type: tea.KeyCtrlG}, ""},
		{"its beginning", tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("]"), Alt: true}, ""},
		{"a byte that is no letter", alone('\ufffd'), ""},
		{"a control character", alone('\u0085'), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			run(t, some(3), func(h *harness) {
				h.send(test.msg)
				if got := h.m.view.Notice; got != test.want {
					t.Errorf("notice %q, want %q", got, test.want)
				}
				h.press("j")
				if h.m.view.Notice != "" {
					t.Error("the next key leaves the notice")
				}
			})
		})
	}
}

func TestQuitWhileAPollHangs(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		h.src.set(func(s *fakeSource) { s.hangs = true })
		h.sleep(2 * time.Second)
		h.press("q")
		if !h.quit {
			t.Error("did not quit")
		}
	})
}

func TestSuspend(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		h.press("ctrl+z")
		h.sleep(time.Millisecond)
		if terminal.CanSuspend && h.execs != 1 {
			t.Errorf("the terminal was handed over %d times, want 1", h.execs)
		}
		h.send(terminal.ResumedMsg{Err: errFake, Now: time.Now().Add(time.Minute)})
		h.wantStatus(paint.StatusLive)
		if h.m.view.Notice != errFake.Error() {
			t.Errorf("notice %q", h.m.view.Notice)
		}
	})
}

func TestRedraw(t *testing.T) {
	t.Parallel()
	m, err := New(Config{Source: &fakeSource{}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop(time.Second)
	_, cmd := m.Update(tea.KeyMsg{Type: tea.KeyCtrlL})
	if cmd == nil || cmd() != terminal.Redraw() {
		t.Error("ctrl+l does not draw the screen anew")
	}
}

func TestOverlays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		keys string
		want paint.Overlay
	}{
		{"?", paint.OverlayHelp}, {"? ?", paint.OverlayNone}, {"? esc", paint.OverlayNone}, {"? q", paint.OverlayNone},
		{"f q", paint.OverlayNone}, {"enter q", paint.OverlayNone}, {"f f", paint.OverlayNone}, {"f enter", paint.OverlayFindings},
		{"enter", paint.OverlayDetails}, {"enter esc", paint.OverlayNone}, {"enter enter", paint.OverlayNone},
		{"enter ?", paint.OverlayHelp}, {"? enter", paint.OverlayHelp}, {"? /", paint.OverlayHelp}, {"? s", paint.OverlayHelp},
	} {
		t.Run(test.keys, func(t *testing.T) {
			run(t, some(3), func(h *harness) {
				order := h.m.view.Order
				h.press(strings.Fields(test.keys)...)
				if h.m.view.Overlay != test.want {
					t.Errorf("overlay %d, want %d", h.m.view.Overlay, test.want)
				}
				if h.quit || h.m.view.Filter.Editing || h.m.view.Order != order {
					t.Error("a key went through the overlay")
				}
			})
		})
	}
}

func TestDetailsAreOfTheSelectedConnection(t *testing.T) {
	t.Parallel()
	all := some(5)
	run(t, all, func(h *harness) {
		byPort(h)
		h.press("j", "j", "enter")
		if diff := cmp.Diff(all[2].Tuple(), h.m.view.Detail.Tuple); diff != "" {
			t.Error(diff)
		}
		h.src.set(func(s *fakeSource) { s.sockets = all[:1] })
		h.sleep(time.Second)
		if h.m.view.Overlay != paint.OverlayDetails || h.m.view.Detail.Tuple != all[2].Tuple() {
			t.Error("the details are those of another connection now")
		}
	})
}

// The same moment again, as after a seek, may have its sockets in another order.
func TestDetailsOfTheSameMoment(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		byPort(h)
		h.press("enter")
		st := h.m.shown.state
		slices.Reverse(st.Snapshot.Sockets)
		slices.Reverse(st.Rows)
		h.m.rechoose()
		if frame, want := h.m.View(), "inode         40001, uid"; !strings.Contains(frame, want) {
			t.Errorf("no %q in\n%s", want, frame)
		}
	})
}

func TestSortKeys(t *testing.T) {
	t.Parallel()
	run(t, some(5), func(h *harness) {
		wantOrder := func(want list.Order, picking bool) {
			t.Helper()
			if v := &h.m.view; v.Order != want || v.Picking != picking {
				t.Errorf("order %+v, picking %v; want %+v, %v", v.Order, v.Picking, want, picking)
			}
		}
		wantOrder(list.Order{}, false)
		h.press("S")
		wantOrder(list.Order{Reverse: true}, false)
		// Once more goes to the next column, and after the last one to the first.
		h.press("s")
		wantOrder(list.Order{Reverse: true}, true)
		columns := paint.FaceConnections.Columns()
		for i := range columns {
			h.press([]string{"s", "f6"}[i%2])
			wantOrder(list.Order{Column: columns[(i+1)%len(columns)].Column}, true)
		}
		h.press("down", "up", "S")
		wantOrder(list.Order{Reverse: true}, true)
		for _, closes := range []string{"esc", "q", "enter"} {
			h.press(closes)
			wantOrder(list.Order{Reverse: true}, false)
			h.press("f6")
		}
		h.press("l")
		wantOrder(list.Order{Column: list.ColumnLocal}, false)
		if h.quit {
			t.Error("q quit")
		}
		if got := h.ports(); !slices.IsSorted(got) {
			t.Errorf("by local port: %v", got)
		}
		h.press("S")
		if got := h.ports(); !slices.IsSortedFunc(got, func(a, b uint16) int { return int(b) - int(a) }) {
			t.Errorf("by local port in reverse: %v", got)
		}
		// Each list has an order of its own.
		h.press("2", "s", "f")
		wantOrder(list.Order{Column: list.ColumnFree}, false)
		h.press("1")
		wantOrder(list.Order{Column: list.ColumnLocal, Reverse: true}, false)
	})
}

// A letter chooses one column, and does nothing else there.
func TestLettersOfTheColumns(t *testing.T) {
	t.Parallel()
	taken := DefaultKeyMap()
	for f := range paint.Face(paint.NumFaces) {
		seen := map[rune]bool{}
		for _, c := range f.Columns() {
			if seen[c.Key] || key.Matches(keyMsg(string(c.Key)), taken.Sort, taken.Reverse, taken.Quit) {
				t.Errorf("%v: %c chooses %v, and does something else", f, c.Key, c.Column)
			}
			seen[c.Key] = true
		}
	}
}

func TestGroupKey(t *testing.T) {
	t.Parallel()
	run(t, some(5), func(h *harness) {
		for _, want := range []model.Grouping{model.ByDestination, model.ByService, model.ByUser, model.ByProcess} {
			h.press("b")
			if h.m.view.Group != want {
				t.Errorf("grouping %v, want %v", h.m.view.Group, want)
			}
			if got, want := h.m.view.Consumers, h.m.view.State.TCP.Consumers[want]; !slices.Equal(got, want) {
				t.Errorf("consumers %+v, want %+v", got, want)
			}
		}
	})
}

// A server outside of the range holds no port of it.
func TestConsumersOfNoPortAreLeftOut(t *testing.T) {
	t.Parallel()
	sockets := append(some(2), tcp(8080, "10.0.9.9 41000", source.Established, 1))
	run(t, sockets, func(h *harness) {
		if n := len(h.m.view.Consumers); n != 1 {
			t.Errorf("%d consumers, want the one with ports: %+v", n, h.m.view.Consumers)
		}
	})
}

func TestFindingsKey(t *testing.T) {
	t.Parallel()
	sockets := append(some(2), tcp(40500, "0.0.0.0 0", source.Listen, 1))
	run(t, sockets, func(h *harness) {
		if len(h.m.view.Findings) != 1 {
			t.Fatalf("findings %+v, want that of the listener in the range", h.m.view.Findings)
		}
		title := advice.Of(h.m.shown.state, &h.m.view.Findings[0]).Title
		for _, want := range []struct {
			key  string
			open bool
		}{{"f", true}, {"f", false}, {"?", false}, {"f", true}, {"s", true}, {"esc", false}} {
			h.press(want.key)
			if got := strings.Contains(h.m.View(), title); got != want.open {
				t.Errorf("after %s the finding is shown: %v", want.key, got)
			}
		}
		h.sleep(time.Second)
		if h.m.shown.advised {
			t.Error("a reading whose findings nobody looks at is put into words")
		}
		h.press("f")
		h.sleep(time.Second)
		if !strings.Contains(h.m.View(), title) {
			t.Error("with the next poll, the findings have no words")
		}
		h.press("f")
		h.press("/", "f")
		if h.m.view.Overlay != paint.OverlayNone || h.m.view.Filter.Input != "f" {
			t.Error("f in a filter is no letter")
		}
	})
}

func TestProtoKey(t *testing.T) {
	t.Parallel()
	mixed := append(some(3), udp(40050, "9.9.9.9 53", 0), udp(40051, "9.9.9.9 53", 1))
	run(t, mixed, func(h *harness) {
		for _, step := range []struct {
			want      paint.ProtoChoice
			rows      int
			consumers int
		}{{paint.ProtoUDP, 2, 2}, {paint.ProtoBoth, 5, 2}, {paint.ProtoTCP, 3, 1}} {
			h.press("p")
			v := &h.m.view
			states := 0
			for _, l := range v.States {
				states += l.Count
			}
			if v.Proto != step.want || len(v.Rows) != step.rows || v.Total != step.rows || states != step.rows || len(v.Consumers) != step.consumers {
				t.Errorf("protocol %d: %d rows of %d, %d in states, %d consumers; want protocol %d with %d rows and %d consumers",
					v.Proto, len(v.Rows), v.Total, states, len(v.Consumers), step.want, step.rows, step.consumers)
			}
		}
	})
}

func TestNamesKey(t *testing.T) {
	t.Parallel()
	run(t, some(1), func(h *harness) {
		h.press("n")
		if !h.m.view.Names {
			t.Error("n does not show names")
		}
		h.press("n")
		if h.m.view.Names {
			t.Error("n does not show numbers again")
		}
	})
}

func TestNoticeGoesWithTheNextKey(t *testing.T) {
	t.Parallel()
	run(t, some(1), func(h *harness) {
		h.press("+")
		h.sleep(3 * time.Second)
		if h.m.view.Notice == "" {
			t.Error("the notice went by itself")
		}
		h.press("j")
		if h.m.view.Notice != "" {
			t.Errorf("notice %q is still there", h.m.view.Notice)
		}
	})
}

func TestKeysBeforeTheFirstPoll(t *testing.T) {
	t.Parallel()
	m, err := New(Config{Source: &fakeSource{}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop(time.Second)
	for _, k := range []string{
		"j", "k", "G", "g", "pgdown", "enter", "tab", "enter", "tab", "enter", "s", "S", "b", "p", "n", "y", "space", "space",
		"?", "down", "esc", "/", "x", "enter", "esc", "h", "l",
	} {
		m.Update(keyMsg(k))
		m.View()
	}
	if m.view.Status != paint.StatusWaiting {
		t.Errorf("status %d, want waiting", m.view.Status)
	}
}

// The files are what the frames of the package paint are drawn with.
func TestKeysAsShown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		cfg  Config
		view paint.View
	}{
		{"live", Config{}, paint.View{}}, {"replay", Config{Replay: new(recording.Player)}, paint.View{Timeline: paint.Timeline{On: true}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := DefaultKeyMap().suited(&test.cfg)
			test.view.Focus = paint.PaneConnections
			var b strings.Builder
			for _, g := range append([]paint.HelpGroup{{Keys: k.footer(&test.view)}}, k.groups()...) {
				for _, h := range g.Keys {
					fmt.Fprintf(&b, "%s\t%s\t%s\n", g.Title, h.Key, h.Does)
				}
			}
			golden.RequireEqual(t, b.String())
		})
	}
}

func TestHelpNamesEveryKeyOnce(t *testing.T) {
	for _, k := range []KeyMap{DefaultKeyMap(), DefaultKeyMap().ASCII()} {
		seen := map[string]bool{}
		for _, g := range k.groups() {
			for _, h := range g.Keys {
				if h.Key == "" || h.Does == "" {
					t.Errorf("group %q: %+v says too little", g.Title, h)
				}
				if g.Title != "In a filter" && seen[h.Key] {
					t.Errorf("%q stands in the help twice", h.Key)
				}
				seen[h.Key] = true
			}
		}
		for _, want := range []string{"q/ctrl+c", "?", "tab", "/", "esc", "s", "S", "b", "p", "space", "+", "-", "n", "y"} {
			if !seen[want] {
				t.Errorf("the help lacks %q", want)
			}
		}
	}
}

func TestASCIIHelpIsASCII(t *testing.T) {
	t.Parallel()
	for _, g := range DefaultKeyMap().ASCII().groups() {
		for _, h := range g.Keys {
			if text := h.Key + h.Does; strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) {
				t.Errorf("%q", text)
			}
		}
	}
}

func TestNoKeyIsBoundTwice(t *testing.T) {
	t.Parallel()
	k := DefaultKeyMap()
	bound := map[string]bool{}
	for _, b := range []key.Binding{
		k.Up, k.Down, k.Left, k.Right, k.PageUp, k.PageDown, k.Top, k.End, k.NextPane, k.PreviousPane, k.Open, k.Back,
		k.Filter, k.Sort, k.Reverse, k.Group, k.Proto, k.Pause, k.Slower, k.Faster, k.Names, k.Copy, k.Help, k.Suspend, k.Quit,
	} {
		for _, name := range b.Keys() {
			if bound[name] {
				t.Errorf("%q is bound twice", name)
			}
			bound[name] = true
		}
	}
}

func TestFooterFollowsWhatIsOpen(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		has := func(label, does string) bool {
			return slices.Contains(h.m.view.Hints, paint.Hint{Key: label, Does: does})
		}
		for _, step := range []struct{ keys, label, does string }{
			{"", "↵", "open"},
			{"tab", "↵", "filter by it"},
			{"enter", "esc", "clear filter"},
			{"space", "space", "go on"},
			{"space /", "↵", "keep"},
			{"esc ?", "esc", "close"},
			{"esc tab tab enter", "y", "copy"},
		} {
			h.press(strings.Fields(step.keys)...)
			if last := h.m.view.Hints[len(h.m.view.Hints)-1]; !h.m.view.Filter.Editing && last.Key != "q" && last.Does != "close" {
				t.Errorf("after %q the last hint is %v", step.keys, last)
			}
			if !has(step.label, step.does) {
				t.Errorf("after %q the footer lacks %s %s", step.keys, step.label, step.does)
			}
		}
	})
}

func TestCopy(t *testing.T) {
	t.Parallel()
	all := []source.Socket{tcp(40001, "2001:db8::1 443", source.Established, 0)}
	const text = "tcp 10.0.0.9:40001 [2001:db8::1]:443"
	const base64 = "dGNwIDEwLjAuMC45OjQwMDAxIFsyMDAxOmRiODo6MV06NDQz"
	for _, keys := range []string{"y", "enter y"} {
		t.Run(keys, func(t *testing.T) {
			run(t, all, func(h *harness) {
				h.press(strings.Fields(keys)...)
				h.sleep(time.Millisecond)
				if want := "\x1b]52;c;" + base64 + "\x07"; h.out.String() != want {
					t.Errorf("wrote %q, want %q", h.out, want)
				}
				if h.m.view.Notice != "copied "+text {
					t.Errorf("notice %q", h.m.view.Notice)
				}
			})
		})
	}
	t.Run("not a connection", func(t *testing.T) {
		run(t, all, func(h *harness) {
			h.press("tab", "y")
			if h.out.Len() != 0 || !strings.Contains(h.m.view.Notice, "select a connection") {
				t.Errorf("wrote %q, notice %q", h.out, h.m.view.Notice)
			}
		})
	})
}
