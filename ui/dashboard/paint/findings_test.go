package paint

import (
	"strings"
	"testing"

	"github.com/muesli/termenv"

	"ephtop/ui/advice"
	"ephtop/ui/theme"
)

// The cursor comes by every title, and by every command and remedy of what is
// unfolded, down and up, and is in sight all the while; so is every line once.
func TestTheCursorOfTheFindingsComesByAll(t *testing.T) {
	t.Parallel()
	want := []Stop{{0, -1, 0}, {0, 0, 0}, {0, 1, 0}, {1, -1, 0}, {2, -1, 0}}
	for _, size := range [][2]int{{80, 24}, {40, 10}, {60, 14}} {
		v := sampleView(size[0], size[1])
		showFindings(v, want[0], 0)
		page, height := v.page()
		seen := make([]bool, len(page.lines))
		walk := func(by int, stops []Stop) {
			got := []Stop{v.Stop}
			for range 100 {
				for i := v.Scroll; i < min(v.Scroll+height, len(seen)); i++ {
					seen[i] = true
				}
				if line := v.StopLine(); line < 0 && v.Stop.Remedy >= 0 && height > 8 || line > height {
					t.Errorf("%v: the cursor is out of sight, at %d", size, line)
				}
				if v.MoveStop(by); v.Stop != got[len(got)-1] {
					got = append(got, v.Stop)
				}
			}
			if len(got) != len(stops) || got[0] != stops[0] || got[len(got)-1] != stops[len(stops)-1] {
				t.Errorf("%v: came by %v, want %v", size, got, stops)
			}
		}
		walk(+1, want)
		for i, saw := range seen {
			if !saw {
				t.Errorf("%v: line %d was never in sight", size, i)
			}
		}
		walk(-1, []Stop{{2, -1, 0}, {1, -1, 0}, {0, 1, 0}, {0, 0, 0}, {0, -1, 0}})
		if v.Scroll != 0 {
			t.Errorf("%v: the first finding is scrolled by %d", size, v.Scroll)
		}
	}
}

func TestPagesOfFindings(t *testing.T) {
	t.Parallel()
	v := sampleView(60, 14)
	showFindings(v, Stop{0, -1, 0}, 0, 1, 2)
	pages := 0
	for last := (Stop{Finding: -1}); v.Stop != last; pages++ {
		last = v.Stop
		v.PageStop(+1)
	}
	if v.Stop.Finding != 2 || pages > 6 {
		t.Errorf("%d pages down is %v", pages, v.Stop)
	}
	for range pages {
		v.PageStop(-1)
	}
	if v.Stop != (Stop{0, -1, 0}) {
		t.Errorf("and up again is %v", v.Stop)
	}
}

// No letter of a command is lost, however narrow the screen.
func TestCommandsAreNeverCut(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{80, 40}, {50, 60}, {160, 50}} {
		v := sampleView(size[0], size[1])
		showFindings(v, Stop{0, 1, 0}, 0, 1, 2)
		var shown strings.Builder
		for line := range strings.Lines(plain().Frame(v)) {
			shown.WriteString(strings.Trim(strings.TrimSpace(line), "│▸ "))
		}
		frame := strings.ReplaceAll(strings.ReplaceAll(shown.String(), " ", ""), "│", "")
		for i := range v.Advice {
			for _, r := range v.Advice[i].Remedies {
				if command := strings.ReplaceAll(r.Command, " ", ""); size[0] < mapWidth && !strings.Contains(frame, command) {
					t.Errorf("%v: no %q in\n%s", size, r.Command, plain().Frame(v))
				}
			}
		}
	}
}

// A remedy that serves two findings is told once, with the first that is
// unfolded.
func TestARemedyIsToldOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		unfolded []int
		whole    int
		again    int
	}{{[]int{0, 1}, 1, 1}, {[]int{1}, 1, 0}, {nil, 0, 0}} {
		v := sampleView(80, 60)
		showFindings(v, Stop{0, -1, 0}, test.unfolded...)
		both := advice.Remedy{What: "wear a hat", Command: "sysctl -w hat=1", Effect: "it is warm"}
		for i := range 2 {
			v.Advice[i].Remedies = []advice.Remedy{both}
			both.Effect = "it is dry"
		}
		frame := plain().Frame(v)
		if strings.Count(frame, "sysctl -w hat=1") != test.whole || strings.Count(frame, "as above") != test.again {
			t.Errorf("%v: %s", test.unfolded, frame)
		}
	}
}

// What lies behind an overlay steps back where there are colours; where there
// are none, it is left as it is.
func TestOverlaysDimWhatIsBehind(t *testing.T) {
	t.Parallel()
	th, err := theme.ByName("default", termenv.ANSI)
	if err != nil {
		t.Fatal(err)
	}
	v := sampleView(120, 40)
	p := New(th, false)
	loud := "\x1b[" + th.Inks[theme.TimeWait].SGR + "m"
	open := strings.Count(p.Frame(v), loud)
	v.Overlay = OverlayDetails
	v.Detail.Row, v.Detail.Use = -1, -1
	if behind := strings.Count(p.Frame(v), loud); open < 20 || behind > 2 { // of the footer
		t.Errorf("%d pieces in the colour of TIME_WAIT, %d behind an overlay", open, behind)
	}
}
