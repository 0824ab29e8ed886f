package theme

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/muesli/termenv"
)

// Sheet is a theme where there is no terminal with colours of its own, as in a
// picture or on a page. All colours are of the form "#rrggbb".
type Sheet struct {
	// Name is what --theme calls it.
	Name string
	// Ground is the background, Ink what plain words have.
	Ground, Ink string
	// Palette are the colours that a terminal would call its own.
	Palette [16]string
	// Roles are what the roles look like.
	Roles [NumRoles]Swatch
}

// Swatch is what a role looks like on a Sheet.
type Swatch struct {
	// Fore and Back are "" where they are those of the sheet.
	Fore, Back string
	Bold       bool
}

// night and day are the sheets for themes that are read on dark grounds, and on
// light ones.
var (
	night = Sheet{Ground: "#101418", Ink: "#d6dee6", Palette: [16]string{
		"#1c2229", "#f0655d", "#7bc275", "#e3b341", "#6ea3f5", "#c792ea", "#56c8d8", "#c3ccd5",
		"#7a8794", "#ff7b72", "#93d88d", "#f2cc60", "#8ab8ff", "#d9b0ff", "#7adfec", "#ffffff",
	}}
	day = Sheet{Ground: "#ffffff", Ink: "#1f2328", Palette: [16]string{
		"#24292f", "#b3001b", "#116329", "#7d4e00", "#0550ae", "#8b2fa8", "#0a6470", "#57606a",
		"#57606a", "#a40e26", "#1a7f37", "#633c01", "#0969da", "#6639ba", "#1b7c83", "#1f2328",
	}}
)

// SheetByName gives the sheet of a theme; "" is the default.
func SheetByName(name string) (Sheet, error) {
	found, err := find(name)
	if err != nil {
		return Sheet{}, err
	}
	s := night
	if !found.dark {
		s = day
	}
	s.Name = found.name
	for role, l := range found.looks(termenv.TrueColor) {
		s.Roles[role] = s.swatch(l)
	}
	return s, nil
}

// swatch is how a look appears on the sheet.
func (s *Sheet) swatch(l look) Swatch {
	fore, back := s.colour(l.fore, s.Ink), s.colour(l.back, s.Ground)
	if l.faint {
		fore = mix(fore, back)
	}
	if l.invert {
		fore, back = back, fore
	}
	w := Swatch{Fore: fore, Back: back, Bold: l.bold}
	if w.Fore == s.Ink {
		w.Fore = ""
	}
	if w.Back == s.Ground {
		w.Back = ""
	}
	return w
}

// colour is a colour as the sheet shows it.
func (s *Sheet) colour(name, none string) string {
	if name == "" {
		return none
	}
	if n, err := strconv.Atoi(name); err == nil {
		return s.Palette[n]
	}
	return strings.ToLower(name)
}

// mix is what faint leaves of a colour: two thirds, as xterm, VTE and Alacritty
// have it.
func mix(fore, back string) string {
	f, b := termenv.ConvertToRGB(termenv.RGBColor(fore)), termenv.ConvertToRGB(termenv.RGBColor(back))
	part := func(f, b float64) int { return int(math.Round((b + (f-b)*2/3) * 255)) }
	return fmt.Sprintf("#%02x%02x%02x", part(f.R, b.R), part(f.G, b.G), part(f.B, b.B))
}
