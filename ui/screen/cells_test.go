package screen_test

import (
	"strings"
	"testing"

	"ephtop/ui/screen"
)

// The cells of a canvas are just what Append writes.
func TestCells(t *testing.T) {
	var c screen.Canvas
	c.Reset(12, 2, false)
	c.Text(0, 0, 12, 2, "a数e\u0301\x1b│")
	c.Text(10, 1, 2, 1, "\u0301x")
	var rows []string
	for y := range 2 {
		var row strings.Builder
		x := 0
		for cell := range c.Cells(y) {
			if cell.X != x {
				t.Errorf("%q is at column %d, want %d", cell.Text, cell.X, x)
			}
			x += cell.Width
			row.WriteString(cell.Text)
		}
		if x != 12 {
			t.Errorf("row %d ends at column %d", y, x)
		}
		rows = append(rows, row.String())
	}
	if got, want := strings.Join(rows, "\n"), string(c.Append(nil, nil)); got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	for cell := range c.Cells(0) {
		if want := screen.Style(2); cell.Text != " " && cell.Style != want {
			t.Errorf("%q has style %d", cell.Text, cell.Style)
		}
	}
}

func TestEqual(t *testing.T) {
	draw := func(w int, draws ...func(*screen.Canvas)) *screen.Canvas {
		var c screen.Canvas
		c.Reset(w, 1, false)
		for _, d := range draws {
			d(&c)
		}
		return &c
	}
	write := func(style screen.Style, text string) func(*screen.Canvas) {
		return func(c *screen.Canvas) { c.Text(0, 0, 9, style, text) }
	}
	for _, test := range []struct {
		name string
		a, b *screen.Canvas
		want bool
	}{
		{"blank", draw(9), draw(9), true},
		{"another size", draw(9), draw(8), false},
		{"the same text", draw(9, write(1, "e\u0301x")), draw(9, write(2, "o\u0308"), write(1, "e\u0301x")), true},
		{"another text", draw(9, write(1, "ab")), draw(9, write(1, "ac")), false},
		{"another mark", draw(9, write(1, "e\u0301")), draw(9, write(1, "e\u0300")), false},
		{"another style", draw(9, write(1, "ab")), draw(9, write(2, "ab")), false},
	} {
		if got := test.a.Equal(test.b); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
