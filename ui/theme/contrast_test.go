package theme

import (
	"math"
	"strconv"
	"testing"

	"github.com/muesli/termenv"
)

// The least contrast of words (WCAG 2.1, 1.4.3) and of what a gauge or a chart
// is made of (1.4.11).
const (
	wordContrast    = 4.5
	graphicContrast = 3
)

// words are the roles in which words are written. Border and Free are neither
// word nor figure: nothing is lost with them.
var words = []Role{
	Text, Dim, Strong, Title, Brand, Selected, Key, Filter, Cursor, Command, Assigned, Active, TimeWait, Server, OK, Warn,
	Critical, Exhausted,
}

var graphics = []Role{BorderFocus, Live, Blocked, Chart}

// Every word can be read on the grounds that a theme is made for, with as many
// colours as there may be.
func TestContrast(t *testing.T) {
	t.Parallel()
	black, white := rgb{}, rgb{1, 1, 1}
	for _, theme := range themes() {
		for _, p := range []termenv.Profile{termenv.TrueColor, termenv.ANSI256, termenv.ANSI} {
			all := theme.looks(p)
			check := func(name string, ground, plain rgb) {
				for _, role := range words {
					if c := contrast(all[role].shown(p, ground, plain)); c < wordContrast {
						t.Errorf("%s on %s, %s: words of role %d have a contrast of %.1f", theme.name, name, p.Name(), role, c)
					}
				}
				for _, role := range graphics {
					if c := contrast(all[role].shown(p, ground, plain)); c < graphicContrast {
						t.Errorf("%s on %s, %s: bars of role %d have a contrast of %.1f", theme.name, name, p.Name(), role, c)
					}
				}
			}
			if theme.dark {
				check("black", black, rgb{0.9, 0.9, 0.9})
			}
			if theme.light {
				check("white", white, black)
			}
		}
	}
}

// A level must not hang on its colour alone: its word is bold or reversed.
func TestLevelWordsStandOut(t *testing.T) {
	t.Parallel()
	for _, theme := range themes() {
		for _, p := range []termenv.Profile{termenv.TrueColor, termenv.ANSI} {
			all := theme.looks(p)
			for _, role := range []Role{Warn, Critical, Exhausted} {
				if l := all[role]; !l.bold && !l.invert {
					t.Errorf("%s, %s: role %d is %+v", theme.name, p.Name(), role, l)
				}
			}
		}
	}
}

// rgb is a colour of sRGB, 0 to 1 each.
type rgb [3]float64

// faintness is what faint leaves of a colour: two thirds, as xterm, VTE and
// Alacritty have it.
const faintness = 2.0 / 3

// shown is how a look appears on a ground, in whose terminal plain words have
// the colour plain.
func (l look) shown(p termenv.Profile, ground, plain rgb) (fore, back rgb) {
	fore, back = colourOf(p, l.fore, plain), colourOf(p, l.back, ground)
	if l.faint {
		for i := range fore {
			fore[i] = back[i] + (fore[i]-back[i])*faintness
		}
	}
	if l.invert {
		fore, back = back, fore
	}
	return fore, back
}

// xterm is the palette that xterm begins with (XTerm-col.ad).
var xterm = [16]string{
	"#000000", "#CD0000", "#00CD00", "#CDCD00", "#0000EE", "#CD00CD", "#00CDCD", "#E5E5E5",
	"#7F7F7F", "#FF0000", "#00FF00", "#FFFF00", "#5C5CFF", "#FF00FF", "#00FFFF", "#FFFFFF",
}

// colourOf is a colour as a terminal of those colours shows it.
func colourOf(p termenv.Profile, name string, none rgb) rgb {
	if name == "" {
		return none
	}
	c := p.Color(name)
	if basic, ok := c.(termenv.ANSIColor); ok {
		c = termenv.RGBColor(xterm[basic])
	}
	shown := termenv.ConvertToRGB(c)
	return rgb{shown.R, shown.G, shown.B}
}

// contrast is the contrast ratio of WCAG 2.1.
func contrast(a, b rgb) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c rgb) float64 {
	sum := 0.0
	for i, weight := range [3]float64{0.2126, 0.7152, 0.0722} {
		v := c[i] / 12.92
		if c[i] > 0.04045 {
			v = math.Pow((c[i]+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

func TestContrastOfBlackAndWhite(t *testing.T) {
	t.Parallel()
	if got := strconv.FormatFloat(contrast(rgb{}, rgb{1, 1, 1}), 'f', 2, 64); got != "21.00" {
		t.Errorf("it is %s", got)
	}
}
