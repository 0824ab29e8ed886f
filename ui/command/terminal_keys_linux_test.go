package command_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ephtop/source/netlab"
)

// crowd is a host with more connections than a screen has lines for: 20 to a
// database, 10 to a cache, and one of UDP.
func crowd(t *testing.T) *netlab.Host {
	t.Helper()
	h := netlab.New(t, "40000 40099")
	for _, peer := range []struct {
		address string
		n       int
	}{{"127.0.0.1:5432", 20}, {"127.0.0.1:6379", 10}} {
		h.Listen(peer.address)
		if n, err := h.Fill(peer.address, peer.n); err != nil {
			t.Fatalf("%d connections to %s: %v", n, peer.address, err)
		}
	}
	must(t)(h.ConnectUDP("127.0.0.1:53"))
	return h
}

// Rows of TCP sockets on that host: both ends of each connection, and the
// listeners.
const crowdRows = 2*(20+10) + 2

// sortByLocal puts the connections in an order in which they stay.
func (s *screen) sortByLocal() {
	s.Helper()
	s.press("s")
	s.wait("the columns", func(f frame) bool { return f.has("Sort by", "l  local") })
	s.press("l")
	s.waitForOrder("▴LOCAL")
}

// waitForOrder waits for the sign before the column that is sorted.
func (s *screen) waitForOrder(column string) {
	s.Helper()
	s.wait("the connections in the order "+column, func(f frame) bool {
		lines := f.box("Connections").lines
		return len(lines) > 0 && strings.Contains(lines[0], column) && !f.has("Sort by")
	})
}

// identity is what tells a connection from the others: all but its age.
func identity(row []string) string { return strings.Join(row[:min(len(row), 5)], " ") }

// pane is the title of the box that the cursor is in.
func (f frame) pane() string {
	for _, title := range []string{"States", "Top consumers", "Connections"} {
		if f.box(title).marked() != nil {
			return title
		}
	}
	return ""
}

func (s *screen) waitForPane(title string) {
	s.Helper()
	s.wait("the cursor in "+title, func(f frame) bool { return f.pane() == title })
}

func (s *screen) waitForMark(row []string) {
	s.Helper()
	want := identity(row)
	s.wait("the cursor on "+want, func(f frame) bool { return identity(f.box("Connections").marked()) == want })
}

func (s *screen) waitForTop(title, text string) frame {
	s.Helper()
	return s.wait(fmt.Sprintf("%q above %s", text, title), func(f frame) bool {
		return strings.Contains(f.box(title).top, text)
	})
}

// TestKeys presses each key and looks for what it does. Each part leaves the
// screen as it found it: the connections sorted by local address, the cursor
// on the first of them.
func TestKeys(t *testing.T) {
	t.Parallel()
	h := crowd(t)
	s := openScreen(t, h, screenOptions{args: []string{"--interval", "1s"}}) // by hand: kept on a busy machine too
	s.sortByLocal()
	all := fmt.Sprintf("of %d ", crowdRows)
	home := s.wait("the first lines", func(f frame) bool {
		return len(f.connections()) > 5 && strings.Contains(f.box("Connections").bottom, all)
	}).connections()
	s.press("Home")
	s.waitForMark(home[0])

	for _, part := range []struct {
		name string
		do   func(s *screen, home [][]string)
	}{
		{"? and esc: help", keysHelp},
		{"f and esc: findings", keysFindings},
		{"arrows, j and k: one line", keysLines},
		{"pgup and pgdn: a page", keysPages},
		{"home, end, g and G: the ends", keysEnds},
		{"tab, shift+tab, left, right, h and l: panes", keysPanes},
		{"s and S: order", keysSort},
		{"b: consumers", keysGroup},
		{"p: protocol", keysProto},
		{"+ and -: interval", keysInterval},
		{"n: names", keysNames},
		{"y: copy", keysCopy},
		{"enter on a state", keysEnterState},
		{"enter on a consumer", keysEnterConsumer},
		{"enter on a connection", keysEnterConnection},
		{"/ and esc: filter line", keysFilterLine},
		{"space: pause", func(s *screen, _ [][]string) { keysPause(s, h) }},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.do(s.in(t), home) }) {
			return // the screen is not as the next part expects it
		}
	}
	s.press("q")
	s.wantEnd(0)
}

func TestCtrlCQuits(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "")
	s := openScreen(t, h, screenOptions{size: "80x24"})
	s.press("C-c")
	s.wantEnd(0)
}

// in is the same screen for another test.
func (s *screen) in(t *testing.T) *screen {
	c := *s
	c.T = t
	return &c
}

func keysHelp(s *screen, _ [][]string) {
	for _, closing := range []string{"?", "Escape"} {
		s.press("?")
		s.wait("the help", func(f frame) bool { return len(f.box("Help").lines) > 0 && f.has("Gauges", "rport:443,5432") })
		s.press(closing)
		s.wait("the connections", func(f frame) bool { return f.box("Help").top == "" && len(f.connections()) > 0 })
	}
}

func keysFindings(s *screen, _ [][]string) {
	for _, closing := range []string{"f", "Escape"} {
		s.press("f")
		s.wait("the findings", func(f frame) bool { return len(f.box("Findings").lines) > 0 })
		s.press(closing)
		s.wait("the connections", func(f frame) bool { return f.box("Findings").top == "" && len(f.connections()) > 0 })
	}
}

func keysLines(s *screen, home [][]string) {
	for _, keys := range [][2]string{{"Down", "Up"}, {"j", "k"}} {
		s.press(keys[0])
		s.waitForMark(home[1])
		s.press(keys[0])
		s.waitForMark(home[2])
		s.press(keys[1])
		s.waitForMark(home[1])
		s.press("Home")
		s.waitForMark(home[0])
	}
}

func keysPages(s *screen, home [][]string) {
	last := home[len(home)-1]
	s.press("PageDown")
	s.waitForMark(last)
	s.press("PageDown")
	s.wait("lines further down", func(f frame) bool {
		rows := f.connections()
		return len(rows) > 0 && identity(rows[0]) != identity(home[0]) && identity(f.box("Connections").marked()) != identity(last)
	})
	s.press("PageUp")
	s.waitForMark(last)
	s.press("PageUp")
	s.waitForMark(home[0])
}

func keysEnds(s *screen, home [][]string) {
	for _, keys := range [][2]string{{"End", "Home"}, {"G", "g"}} {
		s.press(keys[0])
		s.wait("the last line, with the cursor", func(f frame) bool {
			rows, b := f.connections(), f.box("Connections")
			return len(rows) > 0 && strings.Contains(b.bottom, fmt.Sprintf("–%d of %[1]d ", crowdRows)) &&
				identity(b.marked()) == identity(rows[len(rows)-1])
		})
		s.press(keys[1])
		s.waitForMark(home[0])
	}
}

func keysPanes(s *screen, _ [][]string) {
	forward := []string{"States", "Top consumers", "Connections"}
	back := []string{"Top consumers", "States", "Connections"}
	for _, key := range []string{"Tab", "Right", "l", "BTab", "Left", "h"} {
		order := forward
		if slices.Contains([]string{"BTab", "Left", "h"}, key) {
			order = back
		}
		for _, title := range order {
			s.press(key)
			s.waitForPane(title)
		}
	}
}

func keysSort(s *screen, _ [][]string) {
	first := func(f frame) string {
		if rows := f.connections(); len(rows) > 0 {
			return identity(rows[0])
		}
		return ""
	}
	up := first(s.look())
	s.press("S")
	s.waitForOrder("▾LOCAL")
	s.wait("the other end of the order", func(f frame) bool { return first(f) != "" && first(f) != up })
	s.press("S")
	s.waitForOrder("▴LOCAL")
	s.wait("the order as before", func(f frame) bool { return first(f) == up })
	for _, column := range []struct{ key, name string }{
		{"t", "▴STATE"}, {"i", "▴PID"}, {"p", "▴PROCESS"}, {"a", "▾AGE"}, {"l", "▴LOCAL"},
	} {
		s.press("F6")
		s.wait("the columns", func(f frame) bool { return f.has("Sort by") })
		s.press(column.key)
		s.waitForOrder(column.name)
	}
	s.press("Home")
}

func keysGroup(s *screen, _ [][]string) {
	wait := func(name, row string) {
		pattern := regexp.MustCompile(row)
		s.wait("consumers by "+name+": "+row, func(f frame) bool {
			b := f.box("Top consumers")
			return strings.Contains(b.top, "by "+name) && slices.ContainsFunc(b.lines, pattern.MatchString)
		})
	}
	for _, by := range []struct{ name, row string }{
		{"destination", `127\.0\.0\.1:5432 +█+.* 20 `},
		{"service", `5432 postgresql +█+.* 20 `},
		{"user", `root +█+.* [0-9]+ `},
	} {
		s.press("b")
		wait(by.name, by.row)
	}
	// Containers and units come where control groups are known.
	for _, by := range []string{"by user", "by container", "by unit"} {
		if strings.Contains(s.look().box("Top consumers").top, by) {
			s.press("b")
			s.wait("consumers not "+by, func(f frame) bool { return !strings.Contains(f.box("Top consumers").top, by) })
		}
	}
	wait("process", regexp.QuoteMeta(processName(s.T))+` +`+strconv.Itoa(os.Getpid())+` +█+.* [0-9]+ `)
}

func keysProto(s *screen, _ [][]string) {
	for _, proto := range []struct {
		name string
		rows int
	}{{"udp", 1}, {"tcp + udp", crowdRows + 1}, {"tcp", crowdRows}} {
		s.press("p")
		s.wait(fmt.Sprintf("%d sockets of %s", proto.rows, proto.name), func(f frame) bool {
			return strings.Contains(f.box("States").top, "─ "+proto.name+" ─") &&
				strings.Contains(f.box("Connections").bottom, fmt.Sprintf("of %d ", proto.rows))
		})
	}
}

func keysInterval(s *screen, _ [][]string) {
	// Where polls take long the header has what is kept to, which is more, and says so.
	slowed := regexp.MustCompile(`every \S+: `)
	for _, step := range []struct{ key, said string }{
		{"+", "every 2s"}, {"-", "every 1s"}, {"-", "every 500ms"}, {"+", "every 1s"},
	} {
		s.press(step.key)
		s.wait(step.said+" in the header or the footer", func(f frame) bool {
			return strings.Contains(f.line(0)+f.line(len(f)-1), step.said) || slowed.MatchString(f.line(0))
		})
	}
}

func keysNames(s *screen, _ [][]string) {
	s.press("n")
	s.waitFor("127.0.0.1:postgresql")
	s.press("n")
	s.waitUntilGone("127.0.0.1:postgresql")
}

// onConnection moves the cursor to the first connection, below a listener.
func (s *screen) onConnection(home [][]string) (local, remote string) {
	s.Helper()
	row := home[1]
	if row[2] != "→" {
		s.Fatalf("the second line is %q, want a connection", row)
	}
	s.press("Down")
	s.waitForMark(row)
	return row[1], row[3]
}

func keysCopy(s *screen, home [][]string) {
	local, remote := s.onConnection(home)
	want := "tcp " + local + " " + remote
	s.press("y")
	s.wait("the notice", func(f frame) bool { return strings.Contains(f.footer(), "copied "+want) })
	if got := s.tmux("show-buffer"); got != want {
		s.Errorf("the terminal's clipboard holds %q, want %q", got, want)
	}
	s.press("Home")
	s.waitForMark(home[0])
}

func keysEnterState(s *screen, _ [][]string) {
	s.press("Tab")
	s.waitForPane("States")
	state := s.look().box("States").marked()[0]
	s.press("Enter")
	s.waitForTop("Connections", "filter: state:"+state+" ")
	s.wait("nothing but "+state, func(f frame) bool { return f.allRows(state) })
	s.press("Enter")
	s.wait("all again", func(f frame) bool { return !strings.Contains(f.box("Connections").top, "filter:") })
	s.press("BTab")
	s.waitForPane("Connections")
}

func keysEnterConsumer(s *screen, _ [][]string) {
	s.press("BTab")
	s.waitForPane("Top consumers")
	pid := strconv.Itoa(os.Getpid())
	if marked := s.look().box("Top consumers").marked(); !slices.Contains(marked, pid) {
		s.Fatalf("the first consumer is %q, want pid %s", marked, pid)
	}
	s.press("Enter")
	s.waitForTop("Connections", "filter: pid:"+pid+" ")
	s.wait("nothing but pid "+pid, func(f frame) bool { return f.allRows(pid) })
	s.press("Escape")
	s.wait("all again", func(f frame) bool { return !strings.Contains(f.box("Connections").top, "filter:") })
	s.press("Tab")
	s.waitForPane("Connections")
}

func keysEnterConnection(s *screen, home [][]string) {
	s.press("G") // the client's end of a connection, which has a process
	var row []string
	s.wait("the cursor on a client of the database or the cache", func(f frame) bool {
		row = f.box("Connections").marked()
		return len(row) > 5 && row[2] == "→" && row[5] == strconv.Itoa(os.Getpid())
	})
	for _, closing := range []string{"Escape", "Enter"} {
		s.press("Enter")
		s.wait("its details", func(f frame) bool {
			lines := f.box("Connection").lines
			return len(lines) > 0 && hasRun(strings.Fields(lines[0]), row[1:4]) && f.has("pid "+row[5]+" ", row[4])
		})
		s.press(closing)
		s.waitForMark(row)
	}
	s.press("Home")
	s.waitForMark(home[0])
}

func keysFilterLine(s *screen, home [][]string) {
	s.press("/")
	s.wait("a line to type in", func(f frame) bool { return f.typing() && strings.Contains(f.footer(), "proc:nginx") })
	s.enter("6379")
	s.wait("what is typed, and what it matches", func(f frame) bool {
		return f.typed() == "6379" && f.allRows("127.0.0.1:6379")
	})
	s.press("Escape")
	s.wait("all again", func(f frame) bool {
		return !f.typing() && !strings.Contains(f.box("Connections").top, "filter:")
	})
	s.waitForMark(home[0])
}

func keysPause(s *screen, h *netlab.Host) {
	established := regexp.MustCompile(`ESTABLISHED .* ([0-9]+) `)
	count := func(f frame) string {
		for _, line := range f.box("States").lines {
			if m := established.FindStringSubmatch(line); m != nil {
				return m[1]
			}
		}
		return ""
	}
	before, after := strconv.Itoa(2*(20+10)), strconv.Itoa(2*(20+10)+2)
	s.press("Space")
	s.wait("paused", func(f frame) bool { return strings.Contains(f.line(0), "‖ paused ") && count(f) == before })
	must(s.T)(h.Connect("127.0.0.1:5432"))
	// By now a view that does not stand still would have moved.
	aged := regexp.MustCompile(`paused [3-9]s ago`)
	f := s.wait("the age of what is shown", func(f frame) bool { return aged.MatchString(f.line(0)) })
	if got := count(f); got != before {
		s.Errorf("%s connections are shown during the pause, want %s", got, before)
	}
	s.press("Space")
	s.wait("live, with what came meanwhile", func(f frame) bool {
		return strings.Contains(f.line(0), "● live") && count(f) == after
	})
}
