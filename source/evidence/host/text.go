package host

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes a line fit to be shown: one line, no control or formatting
// characters, valid UTF-8, at most width runes.
func Clean(s string, width int) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.TrimSpace(s) {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			r = ' '
		case r == utf8.RuneError || unicode.IsControl(r) || !unicode.IsPrint(r) && r != ' ':
			r = '·'
		}
		if n == width-1 {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
