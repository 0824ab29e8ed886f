package filter

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// value is one of the alternatives of a term, its quotes and escapes undone.
type value struct {
	text   string
	offset int
}

// wrong makes the error that a value is not what its key takes.
func (v value) wrong(format string, args ...any) error {
	return &Error{Offset: v.offset, Reason: fmt.Sprintf(format, args...)}
}

// rawTerm is a term as it was written.
type rawTerm struct {
	text    string
	negated bool
	key     value // in lower case; "" for text without a key
	exact   bool  // "=" and not ":" after the key
	compare bool  // "<" or ">" after the key, and part of the value
	values  []value
	open    bool // the expression ends before the last value does
}

// lexer cuts an expression into terms.
type lexer struct {
	expr string
	pos  int
}

// next goes to the start of the next term, if there is one.
func (l *lexer) next() bool {
	for l.pos < len(l.expr) && l.atSpace() {
		_, n := utf8.DecodeRuneInString(l.expr[l.pos:])
		l.pos += n
	}
	return l.pos < len(l.expr)
}

func (l *lexer) atSpace() bool {
	r, _ := utf8.DecodeRuneInString(l.expr[l.pos:])
	return unicode.IsSpace(r)
}

// atEnd tells whether the term ends here.
func (l *lexer) atEnd() bool { return l.pos == len(l.expr) || l.atSpace() }

func (l *lexer) at(c byte) bool { return l.pos < len(l.expr) && l.expr[l.pos] == c }

func (l *lexer) wrong(format string, args ...any) error {
	return value{offset: l.pos}.wrong(format, args...)
}

// term reads the term that starts here. With an error comes what was read of
// it.
func (l *lexer) term() (rawTerm, error) {
	var t rawTerm
	start := l.pos
	for l.at('!') {
		t.negated = !t.negated
		l.pos++
	}
	if l.atEnd() {
		t.values, t.open = []value{{offset: l.pos}}, l.pos == len(l.expr)
		return t, l.wrong(`"!" with nothing after it: write it before a term, as in !state:LISTEN`)
	}
	if n := keyLength(l.expr[l.pos:]); n > 0 {
		t.key = value{strings.ToLower(l.expr[l.pos : l.pos+n]), l.pos}
		l.pos += n
		t.exact, t.compare = l.at('='), l.at('<') || l.at('>')
		if !t.compare {
			l.pos++
		}
	}
	for {
		v, err := l.value()
		t.values = append(t.values, v)
		if err != nil {
			t.open = l.pos == len(l.expr)
			return t, err
		}
		if !l.at(',') {
			break
		}
		l.pos++
	}
	if !l.atEnd() {
		return t, l.wrong("text right after a closing quote: put a space or a comma between")
	}
	t.text = l.expr[start:l.pos]
	return t, nil
}

// value reads one alternative, up to a comma or the end of the term.
func (l *lexer) value() (value, error) {
	if l.at('"') {
		return l.quoted()
	}
	start := l.pos
	for !l.atEnd() && !l.at(',') {
		_, n := utf8.DecodeRuneInString(l.expr[l.pos:])
		l.pos += n
	}
	if l.pos == start {
		return value{offset: start}, l.wrong(`a value is missing: write KEY:VALUE, or KEY:"" for an empty one`)
	}
	return value{l.expr[start:l.pos], start}, nil
}

// quoted reads an alternative in double quotes.
func (l *lexer) quoted() (value, error) {
	start := l.pos
	l.pos++
	var b []byte
	for l.pos < len(l.expr) && l.expr[l.pos:] != `\` {
		switch c := l.expr[l.pos]; c {
		case '"':
			l.pos++
			return value{string(b), start}, nil
		case '\\':
			r, wide, tail, err := strconv.UnquoteChar(l.expr[l.pos:], '"')
			if err != nil {
				return value{string(b), start}, l.wrong(`unknown escape in quotes: write \\ for a backslash and \" for a quote`)
			}
			if wide {
				b = utf8.AppendRune(b, r)
			} else {
				b = append(b, byte(r))
			}
			l.pos = len(l.expr) - len(tail)
		default:
			b = append(b, c)
			l.pos++
		}
	}
	v := value{string(b), start}
	l.pos = len(l.expr)
	return v, v.wrong(`the quote is not closed: end the value with "`)
}

// keyLength is the length of the key that s starts with, or 0. A key is a
// word of letters with ":", "=", "<" or ">" after it; but what can be the
// start of an IPv6 address, as in dead:beef, is text.
func keyLength(s string) int {
	n := strings.IndexFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-')
	})
	if n <= 0 || !strings.ContainsRune(":=<>", rune(s[n])) || !unicode.IsLetter(rune(s[0])) {
		return 0
	}
	word := s
	if end := strings.IndexFunc(s, unicode.IsSpace); end >= 0 {
		word = s[:end]
	}
	if s[n] == ':' && n <= 4 && strings.Trim(word, "0123456789abcdefABCDEF:./,") == "" {
		return 0
	}
	return n
}

// Quote builds a term that [Parse] reads back to exactly this key and
// value, whatever the value holds. The key may end in "=" for a whole name
// (see the package), and "" makes text without a key. A value with anything but
// letters, digits and a few harmless signs is written in double quotes with
// the escapes of a Go string, control characters and bytes that are no UTF-8
// among them: the term is always one printable line.
func Quote(key, value string) string {
	if key != "" && !strings.HasSuffix(key, "=") {
		key += ":"
	}
	return key + quoted(key != "", value)
}

// quoted writes a value as it stands in a term with or without a key.
func quoted(hasKey bool, value string) string {
	if plain(hasKey, value) {
		return value
	}
	return strconv.Quote(value)
}

// plain reports whether a value can stand in a term as it is.
func plain(hasKey bool, value string) bool {
	ok := value != ""
	for i := 0; i < len(value) && ok; i++ {
		c := value[i]
		ok = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			c == '_' || c == '.' || c == '-' || c == '/' || hasKey && (c == ':' || c == '[' || c == ']')
	}
	return ok
}
