package theme

import (
	"fmt"
	"slices"
	"strings"

	"github.com/muesli/termenv"

	"ephtop/ui/screen"
)

// Theme is a look for every role, on a terminal of so many colours. The zero
// Theme has none.
type Theme struct {
	// Name is what --theme calls it.
	Name string
	// Inks say what the roles look like; nil for no escape sequence at all.
	Inks []screen.Ink
}

// look is how a role is drawn. Colours are as termenv reads them: "0" to "15"
// for the terminal's own, "#rrggbb" for true colour, "" for none.
type look struct {
	fore, back          string
	bold, faint, invert bool
}

type looks [NumRoles]look

// Names lists the themes, the default first.
func Names() []string {
	var names []string
	for _, t := range themes() {
		names = append(names, t.name)
	}
	return names
}

// ByName gives a theme for a terminal of the given colours; "" is the default.
func ByName(name string, p termenv.Profile) (Theme, error) {
	found, err := find(name)
	if err != nil {
		return Theme{}, err
	}
	return Theme{found.name, found.looks(p).inks(p)}, nil
}

// find looks a theme up; "" is the default.
func find(name string) (named, error) {
	all := themes()
	i := slices.IndexFunc(all, func(t named) bool { return name == "" || strings.EqualFold(t.name, name) })
	if i < 0 {
		return named{}, fmt.Errorf("unknown theme %q: use one of %s", name, strings.Join(Names(), ", "))
	}
	return all[i], nil
}

func (l looks) inks(p termenv.Profile) []screen.Ink {
	if p == termenv.Ascii {
		return nil
	}
	inks := make([]screen.Ink, len(l))
	for role := range l {
		inks[role] = l[role].ink(p)
	}
	return inks
}

func (l look) ink(p termenv.Profile) screen.Ink {
	var sgr []string
	for _, a := range []struct {
		on  bool
		sgr string
	}{{l.bold, "1"}, {l.faint, "2"}, {l.invert, "7"}} {
		if a.on {
			sgr = append(sgr, a.sgr)
		}
	}
	if c := p.Color(l.fore); c != nil {
		sgr = append(sgr, c.Sequence(false))
	}
	if c := p.Color(l.back); c != nil {
		sgr = append(sgr, c.Sequence(true))
	}
	return screen.Ink{SGR: strings.Join(sgr, ";"), Solid: l.invert || l.back != ""}
}
