package paint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"

	"ephtop/ui/screen"
)

// picture draws a layout with a letter for each part, a cell for every two
// rows and four columns where the screen is large.
func picture(l layout, width, height int) string {
	dx, dy := 1, 1
	if width > 40 {
		dx, dy = 4, 2
	}
	parts := []struct {
		name byte
		r    screen.Rect
	}{
		{'H', l.header}, {'S', l.sentence}, {'F', l.footer}, {'u', l.summary}, {'g', l.gauges}, {'s', l.states}, {'c', l.consumers},
		{'d', l.destinations}, {'x', l.connections},
	}
	var b strings.Builder
	for y := 0; y < height+dy-1; y += dy {
		y = min(y, height-1)
		for x := 0; x < width; x += dx {
			at := byte('.')
			for _, p := range parts {
				if x >= p.r.X && x < p.r.X+p.r.W && y >= p.r.Y && y < p.r.Y+p.r.H {
					at = p.name
				}
			}
			b.WriteByte(at)
		}
		b.WriteByte('\n')
	}
	v := &View{Width: width, Height: height}
	fmt.Fprintf(&b, "lines: states %d, consumers %d, connections %d\n", v.PaneHeights()[0], v.PaneHeights()[1], v.PaneHeights()[2])
	return b.String()
}

func TestLayout(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{
		{1, 1}, {20, 2}, {30, 3}, {40, 10}, {40, 40}, {60, 20}, {80, 14}, {80, 24}, {80, 50}, {120, 40}, {160, 45}, {200, 60},
	} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			golden.RequireEqual(t, picture(layoutOf(size[0], size[1], 2), size[0], size[1]))
		})
	}
}

// Whatever the size, the parts lie on the screen and none over another.
func TestLayoutPartsAreApart(t *testing.T) {
	t.Parallel()
	for width := range 221 {
		for height := range 71 {
			l := layoutOf(width, height, 2+height%2)
			var owner [71][221]int
			for i, r := range []screen.Rect{
				l.header, l.sentence, l.footer, l.summary, l.gauges, l.states, l.consumers, l.destinations, l.connections,
			} {
				if r.Empty() {
					continue
				}
				if r.X < 0 || r.Y < 0 || r.X+r.W > width || r.Y+r.H > height {
					t.Fatalf("%dx%d: part %d is off the screen: %+v", width, height, i, r)
				}
				for y := r.Y; y < r.Y+r.H; y++ {
					for x := r.X; x < r.X+r.W; x++ {
						if owner[y][x] != 0 {
							t.Fatalf("%dx%d: parts %d and %d overlap", width, height, owner[y][x]-1, i)
						}
						owner[y][x] = i + 1
					}
				}
			}
		}
	}
}
