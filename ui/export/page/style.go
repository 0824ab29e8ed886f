package page

import (
	_ "embed"
	"fmt"
	"strings"

	"ephtop/model"
	"ephtop/ui/export"
	"ephtop/ui/theme"
)

//go:embed page.css
var rules string

// style is the style sheet of a page.
type style struct {
	text string
	// begins is "dark" or "light" where the page begins so, whatever the reader
	// prefers.
	begins string
}

// newStyle makes the style sheet: the rules with the colours of two themes as
// properties, of which one holds.
func newStyle(film *export.Film, name string) (style, error) {
	day, err := theme.SheetByName("light")
	if err != nil {
		return style{}, err
	}
	night, err := theme.SheetByName(name)
	if err != nil {
		return style{}, err
	}
	var s style
	switch {
	case night.Name == day.Name:
		s.begins = "light"
		if night, err = theme.SheetByName(""); err != nil {
			return style{}, err
		}
	case name != "":
		s.begins = "dark"
	}
	width, height := film.Size()
	var b strings.Builder
	fmt.Fprintf(&b, "\n:root{--columns:%d;--rows:%d;--line:var(--f%d);--focus:var(--f%d);--dim:var(--f%d);color-scheme:dark;%s}\n",
		width, height, theme.Border, theme.BorderFocus, theme.Dim, properties(&night))
	fmt.Fprintf(&b, "@media (prefers-color-scheme:light){:root:not([data-theme=dark]){color-scheme:light;%s}}\n", properties(&day))
	fmt.Fprintf(&b, ":root[data-theme=light]{color-scheme:light;%s}\n", properties(&day))
	for role := 1; role < theme.NumRoles; role++ {
		fmt.Fprintf(&b, ".s%d{color:var(--f%[1]d);background:var(--b%[1]d);font-weight:var(--w%[1]d)}\n", role)
	}
	for level, role := range levels {
		name := model.Level(level)
		fmt.Fprintf(&b, ".%s{color:var(--f%d);background:var(--b%[2]d);font-weight:var(--w%[2]d)}\n.bar .%[1]s{background:var(--l%[3]d)}\n", name, role, level)
	}
	s.text = b.String() + rules
	return s, nil
}

// levels are the roles of the levels.
var levels = [...]theme.Role{theme.OK, theme.Warn, theme.Critical, theme.Exhausted}

// properties are the colours of a sheet. Roles have a fore (f), a back (b) and
// a weight (w), levels one colour (l).
func properties(s *theme.Sheet) string {
	var b strings.Builder
	fmt.Fprintf(&b, "--ground:%s;--ink:%s", s.Ground, s.Ink)
	property := func(kind byte, n int, value, none string) {
		if value == "" {
			value = none
		}
		fmt.Fprintf(&b, ";--%c%d:%s", kind, n, value)
	}
	for role, w := range s.Roles {
		if role == 0 {
			continue
		}
		property('f', role, w.Fore, "inherit")
		property('b', role, w.Back, "none")
		weight := "normal"
		if w.Bold {
			weight = "bold"
		}
		property('w', role, weight, "")
	}
	for level, role := range levels {
		colour := s.Roles[role].Fore
		if back := s.Roles[role].Back; back != "" {
			colour = back
		}
		property('l', level, colour, "var(--ink)")
	}
	return b.String()
}
