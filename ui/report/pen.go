package report

import (
	"strconv"
	"strings"

	"ephtop/model"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// pen draws text in the manner asked for.
type pen struct {
	inks  []screen.Ink
	ascii bool
}

func newPen(o Options) pen { return pen{o.Theme.Inks, o.ASCII} }

// paint turns a role's style on and off again (ECMA-48, SGR).
func (p pen) paint(role theme.Role, s string) string {
	if int(role) >= len(p.inks) || p.inks[role].SGR == "" || s == "" {
		return s
	}
	return "\x1b[" + p.inks[role].SGR + "m" + s + "\x1b[m"
}

// level colours s by how bad things are.
func (p pen) level(l model.Level, s string) string {
	roles := [...]theme.Role{theme.OK, theme.Warn, theme.Critical, theme.Exhausted}
	return p.paint(roles[min(l, model.LevelExhausted)], s)
}

// glyph is one column that tells a level where there is no colour.
func (p pen) glyph(l model.Level) string {
	return p.plain([...]string{"·", "!", "‼", "✖"}[min(l, model.LevelExhausted)])
}

func (p pen) arrow() string { return p.plain(" → ") }

// plain replaces the signs of our own that are not ASCII, if none is wanted.
func (p pen) plain(s string) string {
	if p.ascii {
		return asciiSigns.Replace(s)
	}
	return s
}

var asciiSigns = strings.NewReplacer("→", "->", "–", "-", "−", "-", "…", "~", "µ", "u", "·", ".", "‼", "#", "✖", "X")

// name makes text of foreign origin fit for the page.
func (p pen) name(s string) string {
	return strings.Map(func(r rune) rune {
		if p.ascii && r > '~' {
			return '?'
		}
		return r
	}, p.plain(text.Sanitize(s)))
}

// decimalPercent gives a percentage with one decimal, as in JSON.
func decimalPercent(p float64) string { return strconv.FormatFloat(shareTenth(p), 'f', 1, 64) }

// left fills s up to width columns, right does it from the left.
func left(s string, width int) string  { return s + blanks(width-text.Width(s)) }
func right(s string, width int) string { return blanks(width-text.Width(s)) + s }

func blanks(n int) string { return strings.Repeat(" ", max(n, 0)) }

// cell fits s into width columns and a blank after it.
func (p pen) cell(s string, width int) string { return left(p.plain(text.Truncate(s, width)), width+1) }
