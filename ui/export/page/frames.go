package page

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"ephtop/model"
	"ephtop/ui/export"
	"ephtop/ui/screen"
)

// frame is a frame in the page's JSON.
type frame struct {
	// At is in milliseconds.
	At int64 `json:"t"`
	// Key says that it is drawn on a blank screen; else on the frame before.
	Key bool `json:"key,omitempty"`
	// Level, Says and Clock are of a frame whose level is another than that of
	// the frame before, and of the first one.
	Level string `json:"level,omitempty"`
	Says  string `json:"says,omitempty"`
	Clock string `json:"clock,omitempty"`
	// Runs are what is new.
	Runs []run `json:"runs"`
}

// run is neighbouring cells of a row: its number, that of the first column, and
// then for each stretch of one style the style and the characters. These are a
// string where each is one code point wide one column; a character of several
// code points, or of two columns, is an array of its text and its width.
type run []any

// keyEvery is how many frames there are from one that stands alone to the next:
// who seeks goes through as many at most.
const keyEvery = 64

// gap is how many columns that are not new are written once more rather than to
// begin another run.
const gap = 6

// coder makes JSON of frames.
type coder struct {
	speed float64
	n     int
	level model.Level
	// now and before are a row.
	now, before []screen.Cell
}

// at is a playing time as a time of the page.
func (c *coder) at(playing time.Duration) time.Duration {
	return time.Duration(math.Round(float64(playing)*c.speed/1e6)) * time.Millisecond
}

// comma parts the frame that is to be written from the one before.
func (c *coder) comma() string {
	if c.n == 1 {
		return "\n"
	}
	return ",\n"
}

func (c *coder) frame(f *export.Frame) ([]byte, error) {
	out := frame{At: c.at(f.At).Milliseconds(), Key: c.n%keyEvery == 0, Runs: []run{}}
	if c.n == 0 || f.Level != c.level {
		out.Level, out.Says, out.Clock = f.Level.String(), f.Verdict, f.Moment.UTC().Format("15:04:05 UTC")
	}
	c.level = f.Level
	c.n++
	_, height := f.Canvas.Size()
	for y := range height {
		c.now = columns(c.now[:0], f.Canvas, y)
		if out.Key {
			c.before = blanks(c.before[:0], len(c.now))
		} else {
			c.before = columns(c.before[:0], f.Before, y)
		}
		out.Runs = c.row(out.Runs, y)
	}
	b, err := json.Marshal(&out)
	if err != nil {
		return nil, fmt.Errorf("frame %d: %w", c.n, err)
	}
	return b, nil
}

// columns appends the cells of a row, one for each column: of no width for the
// right half of a wide character.
func columns(row []screen.Cell, c *screen.Canvas, y int) []screen.Cell {
	for cell := range c.Cells(y) {
		row = append(row, cell)
		if cell.Width == 2 {
			row = append(row, screen.Cell{X: cell.X + 1})
		}
	}
	return row
}

func blanks(row []screen.Cell, n int) []screen.Cell {
	for x := range n {
		row = append(row, screen.Cell{X: x, Width: 1, Text: " "})
	}
	return row
}

// row appends the runs of a row.
func (c *coder) row(runs []run, y int) []run {
	for x := 0; x < len(c.now); x++ {
		if c.now[x] == c.before[x] {
			continue
		}
		end := x + 1
		for i := end; i < len(c.now) && i <= end+gap; i++ {
			if c.now[i] != c.before[i] {
				end = i + 1
			}
		}
		runs = append(runs, newRun(y, x, c.now[x:end]))
		x = end
	}
	return runs
}

func newRun(y, x int, cells []screen.Cell) run {
	r := run{y, x}
	style, words := screen.Style(0), ""
	flush := func() {
		if words != "" {
			r = append(r, style, words)
		}
		words = ""
	}
	for _, c := range cells {
		special := c.Width != 1 || len([]rune(c.Text)) != 1
		if special || c.Style != style {
			flush()
			style = c.Style
		}
		switch {
		case c.Width == 0:
		case special:
			r = append(r, style, []any{c.Text, c.Width})
		default:
			words += c.Text
		}
	}
	flush()
	return r
}
