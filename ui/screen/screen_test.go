package screen_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"ephtop/ui/screen"
)

// draw gives what draw leaves on a canvas, blanks as dots.
func draw(w, h int, ascii bool, draw func(c *screen.Canvas)) string {
	var c screen.Canvas
	c.Reset(w, h, ascii)
	draw(&c)
	return strings.ReplaceAll(string(c.Append(nil, nil)), " ", ".")
}

func TestText(t *testing.T) {
	for _, test := range []struct {
		name  string
		text  string
		x, w  int
		want  string
		taken int
	}{
		{"fits", "java", 1, 6, ".java...", 4},
		{"fits to the column", "java", 1, 4, ".java...", 4},
		{"cut", "postgres", 1, 5, ".post…..", 5},
		{"beyond the right edge", "java", 6, 9, "......ja", 4},
		{"no room", "java", 1, 0, "........", 0},
		{"off the canvas", "java", 9, 4, "........", 0},
		{"left of it", "java", -2, 9, "va......", 4},
		{"wide", "数据库", 0, 8, "数据库..", 6},
		{"wide, cut before the field ends", "数据库", 0, 4, "数….....", 3},
		{"a wide one cut by the edge is blank", "数据", 5, 9, ".....数.", 4},
		{"marks stay with their letter", "e\u0301e\u0301e\u0301", 0, 2, "e\u0301…......", 2},
		{"a mark with no letter is left out", "\u0301a", 0, 4, "a.......", 1},
		{"control characters are left out", "a\x1b[31m\x07b", 0, 8, "a[31mb..", 6},
		{"not UTF-8", "a\xffb", 0, 8, "a\uFFFDb.....", 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			taken := 0
			got := draw(8, 1, false, func(c *screen.Canvas) { taken = c.Text(test.x, 0, test.w, 0, test.text) })
			if got != test.want || taken != test.taken {
				t.Errorf("got %q in %d columns, want %q in %d", got, taken, test.want, test.taken)
			}
			again := draw(8, 1, false, func(c *screen.Canvas) { c.Bytes(test.x, 0, test.w, 0, []byte(test.text)) })
			if again != got {
				t.Errorf("as bytes: %q", again)
			}
		})
	}
}

func TestTextRight(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"18,006", "..18,006"}, {"数据", "....数据"}, {"123456789", "1234567…"},
	} {
		if got := draw(8, 1, false, func(c *screen.Canvas) { c.TextRight(0, 0, 8, 0, test.text) }); got != test.want {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
		if got := draw(8, 1, false, func(c *screen.Canvas) { c.BytesRight(0, 0, 8, 0, []byte(test.text)) }); got != test.want {
			t.Errorf("%q as bytes: got %q, want %q", test.text, got, test.want)
		}
	}
}

func TestOverwritingHalfOfAWideCharacterBlanksTheOther(t *testing.T) {
	for _, test := range []struct {
		name string
		x    int
		want string
	}{{"right half", 1, ".x据"}, {"left half", 2, "数x."}} {
		got := draw(4, 1, false, func(c *screen.Canvas) {
			c.Text(0, 0, 4, 0, "数据")
			c.Put(test.x, 0, 0, 'x')
		})
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestBox(t *testing.T) {
	for _, test := range []struct {
		name string
		w, h int
		box  screen.Box
		want string
	}{
		{"all texts", 30, 3, screen.Box{Title: "States", Right: "tcp", Foot: "4 more"}, `
╭─.States.─────────────.tcp.─╮
│............................│
╰───────────────────.4.more.─╯`},
		{"a title that is too long is cut", 12, 3, screen.Box{Title: "Connections", Right: "sort"}, `
╭─.Conne….─╮
│..........│
╰──────────╯`},
		{"the right text gives way", 22, 2, screen.Box{Title: "Connections", Right: "sort: age"}, `
╭─.Connections.──────╮
╰────────────────────╯`},
		{"too small for any text", 4, 2, screen.Box{Title: "States", Right: "x", Foot: "y"}, `
╭──╮
╰──╯`},
		{"too small for a frame", 1, 2, screen.Box{Title: "States"}, `
.
.`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := draw(test.w, test.h, false, func(c *screen.Canvas) { c.Box(screen.Rect{W: test.w, H: test.h}, test.box) })
			for _, line := range strings.Split(got, "\n") {
				if w := ansi.StringWidth(line); w != test.w {
					t.Errorf("a line is %d wide: %q", w, line)
				}
			}
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBar(t *testing.T) {
	for _, test := range []struct {
		value, limit int
		want         string
	}{
		{0, 80, "...."}, {1, 10_000, "▏..."}, {25, 100, "█..."}, {33, 100, "█▍.."}, {100, 100, "████"},
		{200, 100, "████"}, {5, 0, "...."}, {-5, 10, "...."},
	} {
		if got := draw(4, 1, false, func(c *screen.Canvas) { c.Bar(0, 0, 4, 0, test.value, test.limit) }); got != test.want {
			t.Errorf("%d of %d: got %q, want %q", test.value, test.limit, got, test.want)
		}
	}
}

func TestGauge(t *testing.T) {
	for _, test := range []struct {
		name                     string
		live, wait, block, limit int
		want                     string
	}{
		{"nothing", 0, 0, 0, 100, "░░░░░░┊░┊░"},
		{"parts", 30, 20, 10, 100, "███▓▓▒┊░┊░"},
		{"what there is shows", 1, 0, 0, 10_000, "█░░░░░┊░┊░"},
		{"most of what there is shows", 1, 3, 2, 10_000, "▓░░░░░┊░┊░"},
		{"as much as there is room for", 1, 90, 110, 1_000, "▓▒░░░░┊░┊░"},
		{"the largest is the last", 50, 50, 90, 1_000, "█▒░░░░┊░┊░"},
		{"each where there is room", 1, 300, 1, 1_000, "█▓▒░░░┊░┊░"},
		{"what is last shows", 300, 0, 1, 1_000, "██▒░░░┊░┊░"},
		{"all but one is not full", 9_999, 0, 0, 10_000, "██████┃█┃░"},
		{"full", 60, 40, 0, 100, "██████┃▓┃▓"},
		{"more than there is", 160, 40, 0, 100, "██████┃█┃▓"},
		{"of nothing", 0, 0, 0, 0, "░░░░░░░░░░"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := draw(10, 1, false, func(c *screen.Canvas) {
				c.Gauge(0, 0, 10, screen.Gauge{
					Parts: []screen.Part{
						{Value: test.live, Char: '█'}, {Value: test.wait, Char: '▓'}, {Value: test.block, Char: '▒'},
					},
					Rest: screen.Part{Char: '░'}, Limit: test.limit, Ticks: []screen.Tick{{Percent: 60}, {Percent: 80}, {Percent: 100}, {Percent: -5}},
				})
			})
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// However a share is made up, a smaller one is never drawn longer, and never as
// short as none.
func TestGaugeIsAsLongAsTheShare(t *testing.T) {
	const limit = 60
	for w := 1; w <= 24; w++ {
		longest := 0
		for used := range limit + 1 {
			most := 0
			for live := range used + 1 {
				for _, wait := range []int{0, 1, (used - live) / 2, used - live} {
					if live+wait > used {
						continue
					}
					got := draw(w, 1, false, func(c *screen.Canvas) {
						c.Gauge(0, 0, w, screen.Gauge{
							Parts: []screen.Part{{Value: live, Char: '1'}, {Value: wait, Char: '2'}, {Value: used - live - wait, Char: '3'}},
							Rest:  screen.Part{Char: '.'}, Limit: limit,
						})
					})
					n := len(strings.TrimRight(got, "."))
					if n < longest || used > 0 && w > 1 && n == 0 {
						t.Fatalf("%d of %d in %d columns is %q, and less was %d long", used, limit, w, got, longest)
					}
					most = max(most, n)
				}
			}
			longest = most
		}
	}
}

// What fills a gauge beyond a threshold has its style, and the marks keep theirs.
func TestGaugeBeyondAThreshold(t *testing.T) {
	inks := []screen.Ink{{}, {SGR: "32"}, {SGR: "33"}, {SGR: "31"}}
	for _, test := range []struct {
		used int
		want string
	}{
		{50, "\x1b[32m#####\x1b[m.\x1b[33m|\x1b[m.\x1b[31m|\x1b[m."},
		{80, "\x1b[32m######\x1b[0;33m|#\x1b[0;31m|\x1b[m."},
		{100, "\x1b[32m######\x1b[0;33m|#\x1b[0;31m|#\x1b[m"},
	} {
		var c screen.Canvas
		c.Reset(10, 1, true)
		c.Gauge(0, 0, 10, screen.Gauge{
			Parts: []screen.Part{{Value: test.used, Style: 1, Char: '█'}}, Rest: screen.Part{Char: '░'}, Limit: 100,
			Ticks: []screen.Tick{{Percent: 60, Style: 2, Beyond: true}, {Percent: 80, Style: 3, Beyond: true}},
		})
		if got := string(c.Append(nil, inks)); got != test.want {
			t.Errorf("%d %% is %q, want %q", test.used, got, test.want)
		}
	}
}

func TestColumn(t *testing.T) {
	got := draw(5, 2, false, func(c *screen.Canvas) {
		for i, share := range []float64{0, 0.001, 0.5, 0.75, 1.5} {
			c.Column(i, 0, 2, 0, share)
		}
	})
	if want := "...▄█\n.▁███"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAppendChangesStyleSeldom(t *testing.T) {
	inks := []screen.Ink{{}, {SGR: "31"}, {SGR: "1;32"}, {SGR: "7", Solid: true}}
	for _, test := range []struct {
		name string
		draw func(c *screen.Canvas)
		want string
	}{
		{"plain", func(c *screen.Canvas) { c.Text(0, 0, 6, 0, "ab") }, "ab    "},
		{"one word", func(c *screen.Canvas) { c.Text(1, 0, 6, 1, "ab") }, " \x1b[31mab   \x1b[m"},
		{"a blank between words of one style", func(c *screen.Canvas) {
			c.Text(0, 0, 2, 1, "ab")
			c.Text(3, 0, 2, 1, "cd")
		}, "\x1b[31mab cd \x1b[m"},
		{"from style to style", func(c *screen.Canvas) {
			c.Text(0, 0, 2, 1, "ab")
			c.Text(2, 0, 2, 2, "cd")
			c.Text(4, 0, 2, 0, "ef")
		}, "\x1b[31mab\x1b[0;1;32mcd\x1b[mef"},
		{"a background ends where it ends", func(c *screen.Canvas) { c.Repaint(screen.Rect{X: 1, W: 2, H: 1}, 3) },
			" \x1b[7m  \x1b[m   "},
		{"a style that is not known", func(c *screen.Canvas) {
			c.Text(0, 0, 2, 1, "ab")
			c.Text(2, 0, 2, 9, "cd")
		}, "\x1b[31mab\x1b[mcd  "},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c screen.Canvas
			c.Reset(6, 1, false)
			test.draw(&c)
			if got := string(c.Append(nil, inks)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestASCII(t *testing.T) {
	got := draw(20, 3, true, func(c *screen.Canvas) {
		inside := c.Box(screen.Rect{W: 20, H: 3}, screen.Box{Title: "größe 数"})
		c.Text(inside.X, inside.Y, 18, 0, "▸ a → b… 48s ↓")
	})
	want := "+-.gr??e.?..-------+\n|>.a.>.b~.48s.v....|\n+------------------+"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestACanvasIsBounded(t *testing.T) {
	t.Parallel()
	var c screen.Canvas
	c.Reset(65535, 65535, false)
	if rows := strings.Split(string(c.Append(nil, nil)), "\n"); len(rows) != screen.MaxHeight || len(rows[0]) != screen.MaxWidth {
		t.Errorf("%d rows of %d columns", len(rows), len(rows[0]))
	}
}

func TestRect(t *testing.T) {
	r := screen.Rect{X: 2, Y: 3, W: 10, H: 5}
	type pair struct{ A, B screen.Rect }
	split := func(a, b screen.Rect) pair { return pair{a, b} }
	for _, test := range []struct {
		name      string
		got, want pair
	}{
		{"top", split(r.SplitTop(2)), pair{screen.Rect{X: 2, Y: 3, W: 10, H: 2}, screen.Rect{X: 2, Y: 5, W: 10, H: 3}}},
		{"more than there is", split(r.SplitTop(9)), pair{r, screen.Rect{X: 2, Y: 8, W: 10}}},
		{"bottom", split(r.SplitBottom(2)), pair{screen.Rect{X: 2, Y: 3, W: 10, H: 3}, screen.Rect{X: 2, Y: 6, W: 10, H: 2}}},
		{"left", split(r.SplitLeft(4)), pair{screen.Rect{X: 2, Y: 3, W: 4, H: 5}, screen.Rect{X: 6, Y: 3, W: 6, H: 5}}},
		{"right", split(r.SplitRight(4)), pair{screen.Rect{X: 2, Y: 3, W: 6, H: 5}, screen.Rect{X: 8, Y: 3, W: 4, H: 5}}},
		{"center", pair{r.Center(4, 1), r.Inset(9, 9)}, pair{screen.Rect{X: 5, Y: 5, W: 4, H: 1}, screen.Rect{X: 11, Y: 12}}},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// Whatever is written, a row keeps its width and has no control character.
// What is drawn beside other text is not drawn into it, whatever it is.
func TestNeighboursKeepTheirColumns(t *testing.T) {
	for _, test := range []struct{ left, right, want string }{
		{"\xe0", "\u0e33", "\ufffd\ufffd"},         // a vowel that is written after a consonant
		{"…", "\U0001f3fd", "…\ufffd\ufffd"},       // a colour of skin
		{"👩\u200d", "↔", "\ufffd\ufffd↔"},          // a joiner with nothing to join
		{"👩\u200d🚀", "ก\u0e33", "👩\u200d🚀ก\u0e33"}, // what is whole stays
	} {
		var c screen.Canvas
		c.Reset(9, 1, false)
		n := c.Text(0, 0, 9, 0, test.left)
		n += c.Text(n, 0, 9-n, 0, test.right)
		row := string(c.Append(nil, nil))
		if want := test.want + strings.Repeat(" ", 9-n); row != want || ansi.StringWidth(row) != 9 {
			t.Errorf("%q and %q make %q, %d wide; want %q", test.left, test.right, row, ansi.StringWidth(row), want)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"java", "数据库", "e\u0301", "👩\u200d🚀", "🇩🇪🇩", "\u0600x", "\xff\x1b[m", "ก\u0e33", "\u1100\u1161", "❤\ufe0f"} {
		f.Add(s, 3, 9)
	}
	f.Fuzz(func(t *testing.T, s string, x, w int) {
		const width = 24
		var c screen.Canvas
		c.Reset(width, 1, false)
		c.Text(x%30, 0, w%30, 0, s)
		c.TextRight(0, 0, width, 0, s)
		c.Text(5, 0, 7, 0, s)
		row := string(c.Append(nil, nil))
		if got := ansi.StringWidth(row); got != width {
			t.Fatalf("%q makes a row %d wide: %q", s, got, row)
		}
		if !utf8.ValidString(row) || strings.ContainsFunc(row, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
			t.Fatalf("%q makes %q", s, row)
		}
		wantLettersInPlace(t, width, 2,
			func(c *screen.Canvas) {
				c.Text(0, 0, width, 0, strings.Repeat("a", width))
				c.Text(0, 1, width, 0, strings.Repeat("b", width))
				c.Text(x%30, 0, w%30, 0, s)
			},
			func(c *screen.Canvas) {
				c.Text(0, 1, width, 0, strings.Repeat("b", width))
				c.TextRight(0, 0, width, 0, s)
				c.Text(5, 0, 7, 0, s)
			})
	})
}
