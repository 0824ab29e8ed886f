package screen_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"ephtop/ui/screen"
)

var testInks = []screen.Ink{{}, {SGR: "31"}, {SGR: "1;32"}, {SGR: "7", Solid: true}}

// terminal is as much of one as AppendChanges needs. It has narrow characters
// only.
type terminal struct {
	w, h, x, y int
	sgr        string
	cells      []string
}

func newTerminal(w, h int) *terminal {
	return &terminal{w: w, h: h, cells: make([]string, w*h)}
}

func (m *terminal) take(t *testing.T, s string) {
	t.Helper()
	for s != "" {
		if !strings.HasPrefix(s, "\x1b[") {
			r := []rune(s)[0]
			if m.x >= m.w || m.y >= m.h {
				t.Fatalf("%q is written at column %d, row %d", r, m.x, m.y)
			}
			m.cells[m.y*m.w+m.x] = m.shown(r)
			m.x++
			s = s[len(string(r)):]
			continue
		}
		end := strings.IndexAny(s, "HCm")
		args, final := s[2:end], s[end]
		s = s[end+1:]
		switch final {
		case 'H':
			row, column, _ := strings.Cut(args, ";")
			m.y, m.x = number(t, row)-1, number(t, column)-1
		case 'C':
			m.x += number(t, args)
		case 'm':
			m.sgr = strings.TrimPrefix(args, "0;")
		}
	}
	if m.sgr != "" {
		t.Fatalf("the style %q is left on", m.sgr)
	}
}

// shown is a character with its style, but for a style that shows nothing.
func (m *terminal) shown(r rune) string {
	if r == ' ' && m.sgr != "7" {
		return " "
	}
	return string(r) + m.sgr
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAppendChanges(t *testing.T) {
	before := func(c *screen.Canvas) {
		c.Text(0, 0, 20, 0, "10.0.0.1:40123  41s")
		c.Text(0, 1, 20, 1, "unchanged")
	}
	for _, test := range []struct {
		name string
		draw func(c *screen.Canvas)
		want string
	}{
		{"nothing", func(*screen.Canvas) {}, ""},
		{"a figure", func(c *screen.Canvas) { c.Text(16, 0, 4, 0, "40s") }, "\x1b[1;18H0"},
		{"two that are near", func(c *screen.Canvas) {
			c.Text(9, 0, 5, 0, "41555")
			c.Text(16, 0, 4, 0, "42s")
		}, "\x1b[1;11H1555  42"},
		{"two that are far", func(c *screen.Canvas) {
			c.Text(0, 0, 1, 0, "2")
			c.Text(17, 0, 1, 0, "9")
		}, "\x1b[1;1H2\x1b[16C9"},
		{"another style", func(c *screen.Canvas) { c.Text(0, 1, 2, 2, "un") }, "\x1b[2;1H\x1b[1;32mun\x1b[m"},
		{"a style that does not show", func(c *screen.Canvas) { c.Repaint(screen.Rect{X: 14, W: 2, H: 1}, 1) }, ""},
		{"a blank in a style that shows", func(c *screen.Canvas) { c.Repaint(screen.Rect{X: 14, W: 2, H: 1}, 3) },
			"\x1b[1;15H\x1b[7m  \x1b[m"},
		{"blanks between words do not change the style", func(c *screen.Canvas) { c.Text(0, 2, 9, 1, "ab cd") },
			"\x1b[3;1H\x1b[31mab cd\x1b[m"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var old, c screen.Canvas
			for _, canvas := range []*screen.Canvas{&old, &c} {
				canvas.Reset(20, 3, false)
				before(canvas)
			}
			test.draw(&c)
			if got := string(c.AppendChanges(nil, &old, testInks)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAppendChangesOfAnotherSizeWritesAll(t *testing.T) {
	var old, c screen.Canvas
	old.Reset(3, 2, false)
	c.Reset(2, 2, false)
	c.Text(0, 0, 2, 0, "ab")
	if got, want := string(c.AppendChanges(nil, &old, nil)), "\x1b[1;1Hab\x1b[2;1H  "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A wide character is written whole, on a blank, and what stood below its halves
// as well, and what some terminals may have written over.
func TestAppendChangesOfWideCharacters(t *testing.T) {
	for _, test := range []struct{ before, after, want string }{
		{"a数b", "a据b", "\x1b[1;2H  \x1b[1;2H据"},
		{"a数b", "axyb", "\x1b[1;2Hxy"},
		{"axyb", "a数b", "\x1b[1;2H  \x1b[1;2H数"},
		{"a数bc", "ab数c", "\x1b[1;2Hb  \x1b[1;3H数"},
		{"e\u0301x", "e\u0301x", ""},
		{"e\u0301xy", "e\u0300xz", "\x1b[1;1H \x1b[1;1He\u0300\x1b[1;2Hxz"},
	} {
		var old, c screen.Canvas
		old.Reset(5, 1, false)
		old.Text(0, 0, 5, 0, test.before)
		c.Reset(5, 1, false)
		c.Text(0, 0, 5, 0, test.after)
		if got := string(c.AppendChanges(nil, &old, nil)); got != test.want {
			t.Errorf("from %q to %q: got %q, want %q", test.before, test.after, got, test.want)
		}
	}
}

// Whatever changes, the terminal comes to show what it would if it were
// written anew.
func TestAppendChangesLeadsToTheCanvas(t *testing.T) {
	for seed := range uint64(50) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			shown := newTerminal(30, 6)
			var old, c screen.Canvas
			for range 20 {
				c.Reset(30, 6, false)
				for range random.IntN(12) {
					text := strings.Repeat([]string{"a", "bc ", " ", "█", "▁–"}[random.IntN(5)], random.IntN(5))
					c.Text(random.IntN(32)-2, random.IntN(6), random.IntN(12), screen.Style(random.IntN(5)), text)
					c.Repaint(screen.Rect{X: random.IntN(30), Y: random.IntN(6), W: random.IntN(4), H: 1}, screen.Style(random.IntN(5)))
				}
				shown.take(t, string(c.AppendChanges(nil, &old, testInks)))
				anew := newTerminal(30, 6)
				anew.take(t, string(c.AppendChanges(nil, &screen.Canvas{}, testInks)))
				if got, want := fmt.Sprint(shown.cells), fmt.Sprint(anew.cells); got != want {
					t.Fatalf("got\n%s\nwant\n%s", got, want)
				}
				old, c = c, old
			}
		})
	}
}

// emulator is a terminal that cuts text into characters, and takes each for as
// wide, in a way of its own. The right half of a wide one is "".
type emulator struct {
	w, h, x, y int
	cells      []string
	cut        func(text string) (char string, width int)
}

// emulators disagree about whatever terminals disagree about.
var emulators = map[string]func(string) (string, int){
	"joins code points": func(s string) (string, int) { return ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth) },
	"joins none":        func(s string) (string, int) { return ansi.FirstGraphemeCluster(s, ansi.WcWidth) },
	"has no marks": func(s string) (string, int) {
		_, size := utf8.DecodeRuneInString(s)
		return s[:size], 1
	},
	"takes the unusual for wide": func(s string) (string, int) {
		char, width := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		switch r, _ := utf8.DecodeRuneInString(s); {
		case width == 0, r < 0x300, r >= 0x2010 && r < 0x2028, r >= 0x2190 && r < 0x2600, r == utf8.RuneError:
			return char, width
		}
		return char, 2
	},
}

func (m *emulator) take(s string) {
	for s != "" {
		if strings.HasPrefix(s, "\x1b[") {
			end := strings.IndexAny(s, "HC")
			args := s[2:end]
			if s[end] == 'H' {
				fmt.Sscanf(args, "%d;%d", &m.y, &m.x)
				m.y, m.x = m.y-1, m.x-1
			} else {
				n, _ := strconv.Atoi(args)
				m.x += n
			}
			s = s[end+1:]
			continue
		}
		text, _, _ := strings.Cut(s, "\x1b")
		char, width := m.cut(text)
		s = s[len(char):]
		if width > 0 {
			m.put(char, width)
		}
	}
}

// put writes a character, in the next row where there is no room for it.
func (m *emulator) put(char string, width int) {
	if m.x+width > m.w {
		m.x, m.y = 0, m.y+1
	}
	if m.y >= m.h {
		m.y = m.h - 1 // and the screen would scroll
	}
	row := m.cells[m.y*m.w : (m.y+1)*m.w]
	if row[m.x] == "" {
		row[m.x-1] = " "
	}
	for i := range width {
		row[m.x+i] = ""
	}
	if row[m.x] = char; m.x+width < m.w && row[m.x+width] == "" {
		row[m.x+width] = " "
	}
	m.x += width
}

// letters are the ASCII letters of the screen, each in its cell: what is unusual
// is the terminal's affair.
func (m *emulator) letters(canvas string) (got, want string) {
	x := 0
	for canvas != "" {
		char, width := ansi.FirstGraphemeCluster(canvas, ansi.GraphemeWidth)
		if canvas[0] < utf8.RuneSelf {
			width = 1 // with a mark too
		}
		if canvas = canvas[len(char):]; char == "\n" {
			continue
		}
		if len(char) == 1 && char != " " {
			want, got = want+char, got+m.cells[x]
		}
		x += width
	}
	return got, want
}

// wantLettersInPlace shows two canvases, one after the other, on all terminals.
func wantLettersInPlace(t *testing.T, w, h int, draw ...func(*screen.Canvas)) {
	t.Helper()
	for name, cut := range emulators {
		m := &emulator{w: w, h: h, cells: slices.Repeat([]string{" "}, w*h), cut: cut}
		var before, c screen.Canvas
		for _, draw := range draw {
			c.Reset(w, h, false)
			draw(&c)
			m.take(string(c.AppendChanges(nil, &before, nil)))
			if got, want := m.letters(string(c.Append(nil, nil))); got != want {
				t.Fatalf("a terminal that %s shows %q, want %q", name, got, want)
			}
			before, c = c, before
		}
	}
}

// However a terminal joins code points, and for as wide as it takes them, what is
// beside them stays where it is.
func TestOneCharacterDoesNotMoveAnother(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"\xe0\x00\u0e33", "\U0001f3fd\U0001f1c7\U0001fa69", "👩\u200d🚀", "❤\ufe0f", "ก\u0e33", "\u1100\u1161", "e\u0301", "数据库", "☃", "\u0600x",
		"\u0915\u094d\u0937", "🇩🇪",
	} {
		wantLettersInPlace(t, 12, 2,
			func(c *screen.Canvas) { c.Text(0, 0, 12, 0, "abcdefghijkl"); c.Text(0, 1, 12, 0, "mnopqrstuvwx") },
			func(c *screen.Canvas) {
				c.Text(0, 0, 12, 0, "abcdefghijkl")
				c.Text(3, 0, 6, 0, s)
				c.Text(0, 1, 12, 0, "mnopqrstuvwx")
				c.Text(10, 1, 2, 0, s)
			},
			func(c *screen.Canvas) {
				c.Text(0, 0, 12, 0, "ab"+s+"cd"+s)
				c.TextRight(0, 1, 12, 0, s)
			})
	}
}
