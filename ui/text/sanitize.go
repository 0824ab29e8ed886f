package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sanitize makes text of foreign origin (a process can give itself any name)
// safe to show: it drops control characters (C0, C1, DEL), whole escape
// sequences (ECMA-48: CSI, and the strings OSC, DCS, SOS, PM, APC), format
// characters and those that turn the direction of writing, and puts U+FFFD for
// each byte that is no UTF-8. Tabs and line ends become spaces. Text that is
// fine already is handed back as it is, with nothing allocated.
func Sanitize(s string) string {
	i := 0
	for i < len(s) && s[i] >= 0x20 && s[i] < 0x7f {
		i++
	}
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if hostile(r) || r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	if i == len(s) {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	out.WriteString(s[:i])
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			out.WriteByte(' ')
		case r == 0x1b || r >= 0x80 && r < 0xa0:
			n = sequence(s[i:], r, n)
		case !hostile(r):
			out.WriteRune(r) // U+FFFD where the bytes are no UTF-8
		}
		i += n
	}
	return out.String()
}

// hostile tells whether r must not reach a screen: control characters, and
// format characters (Cf), among which are the bidirectional ones. The zero
// width joiner is kept: emoji are written with it, and it hides nothing.
func hostile(r rune) bool {
	if r < 0x20 || r >= 0x7f && r < 0xa0 {
		return true
	}
	if r < 0xad || r == 0x200d {
		return false
	}
	return unicode.Is(unicode.Cf, r) || r == 0x2028 || r == 0x2029
}

// sequence is the length of the escape sequence at the start of s, whose first
// character r takes n bytes. A sequence that does not end is taken to have
// only its introducer, so that no name can swallow itself whole.
func sequence(s string, r rune, n int) int {
	if r == 0x1b {
		if len(s) < 2 {
			return n
		}
		// ESC with a byte of columns 4 and 5 is the C1 control 0x40 above.
		r, n = rune(s[1])+0x40, 2
		if s[1] < 0x20 || s[1] > 0x7e {
			return 1
		}
	}
	switch r {
	case 0x9b: // CSI: parameters, intermediates, one final byte
		for i := n; i < len(s); i++ {
			switch c := s[i]; {
			case c >= 0x40 && c <= 0x7e:
				return i + 1
			case c < 0x20 || c > 0x3f:
				return i
			}
		}
	case 0x90, 0x98, 0x9d, 0x9e, 0x9f: // strings: up to ST or BEL
		for i := n; i < len(s); i++ {
			switch {
			case s[i] == 0x07:
				return i + 1
			case strings.HasPrefix(s[i:], "\x1b\\"), strings.HasPrefix(s[i:], "\u009c"):
				return i + 2
			}
		}
	}
	return n
}
