package host

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes a line fit to be shown: one line, no control or formatting
// characters, valid UTF-8, at most width runes.
func Clean(s string, width int) string {
	runes := []rune(strings.TrimSpace(s))
	if len(runes) > width {
		runes = append(runes[:width-1], '…')
	}
	for i, r := range runes {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			runes[i] = ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			runes[i] = '·'
		}
	}
	return string(runes)
}
