package recording

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"ephtop/source"
)

// parser reads JSON (RFC 8259) in place. After an error, which stays, it
// reads nothing more and gives zeros.
type parser struct {
	b     []byte
	i     int
	first bool // nothing of the present object or list was read yet
	depth int
	err   error
	text  []byte // memory of strings with escapes
}

func (p *parser) reset(b []byte) { *p = parser{b: b, text: p.text} }

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("byte %d: %s", p.i, fmt.Sprintf(format, args...))
		p.i = len(p.b)
	}
}

// peek gives the next byte that is no space, 0 at the end.
func (p *parser) peek() byte {
	for p.i < len(p.b) {
		switch c := p.b[p.i]; c {
		case ' ', '\t', '\r', '\n':
			p.i++
		default:
			return c
		}
	}
	return 0
}

func (p *parser) expect(c byte) {
	if p.peek() != c {
		p.fail("%q expected", c)
		return
	}
	p.i++
}

// open begins an object or a list.
func (p *parser) open(c byte) {
	p.expect(c)
	p.first = true
	if p.depth++; p.depth > maxDepth {
		p.fail("nested too deep")
	}
}

// more goes on to the next part of an object or a list, or ends it.
func (p *parser) more(end byte) bool {
	if p.peek() == end {
		p.i++
		p.depth--
		p.first = false
		return false
	}
	if !p.first {
		p.expect(',')
	}
	p.first = false
	return p.err == nil
}

// key reads the name of a field. It is good until the next string is read.
func (p *parser) key() []byte {
	k := p.bytes()
	p.expect(':')
	return k
}

// end says whether all was read.
func (p *parser) end() {
	if p.peek() != 0 || p.i < len(p.b) {
		p.fail("more than one value")
	}
}

// skip reads a value that nobody knows.
func (p *parser) skip() {
	switch c := p.peek(); {
	case c == '{':
		for p.open('{'); p.more('}'); {
			p.key()
			p.skip()
		}
	case c == '[':
		for p.open('['); p.more(']'); {
			p.skip()
		}
	case c == '"':
		p.bytes()
	case c == 't', c == 'f':
		p.bool()
	case c == 'n':
		p.word("null")
	default:
		if _, err := strconv.ParseFloat(string(p.number()), 64); err != nil && !errors.Is(err, strconv.ErrRange) {
			p.fail("bad value")
		}
	}
}

func (p *parser) word(w string) bool {
	if p.peek() != w[0] || !bytes.HasPrefix(p.b[p.i:], []byte(w)) {
		p.fail("%s expected", w)
		return false
	}
	p.i += len(w)
	return true
}

func (p *parser) bool() bool {
	if p.peek() == 't' {
		return p.word("true")
	}
	p.word("false")
	return false
}

// number gives the text of a number, unchecked and at most 64 bytes.
func (p *parser) number() []byte {
	p.peek()
	from := p.i
	for p.i < len(p.b) && strings.IndexByte("+-.0123456789eE", p.b[p.i]) >= 0 {
		p.i++
	}
	if p.i-from > 64 {
		p.fail("a number of %d bytes", p.i-from)
		return nil
	}
	return p.b[from:p.i]
}

// uint reads a whole number up to most.
func (p *parser) uint(most uint64) uint64 {
	var v uint64
	text := p.number()
	for _, c := range text {
		if c < '0' || c > '9' || v > (math.MaxUint64-9)/10 {
			// The last digits of the largest numbers go the slow way.
			n, err := strconv.ParseUint(string(text), 10, 64)
			if err != nil {
				p.fail("a whole number expected")
				return 0
			}
			v = n
			break
		}
		v = 10*v + uint64(c-'0')
	}
	switch {
	case len(text) == 0:
		p.fail("a number expected")
	case v > most:
		p.fail("%d is larger than %d", v, most)
	}
	if p.err != nil {
		return 0
	}
	return v
}

// int reads a whole number from least to most.
func (p *parser) int(least, most int64) int64 {
	n, err := strconv.ParseInt(string(p.number()), 10, 64)
	if err != nil || n < least || n > most {
		p.fail("a whole number from %d to %d expected", least, most)
		return 0
	}
	return n
}

// seconds reads a duration: seconds with up to 9 decimals.
func (p *parser) seconds() time.Duration {
	text := p.number()
	digits, negative := bytes.CutPrefix(text, []byte("-"))
	whole, rest, dot := bytes.Cut(digits, []byte("."))
	if len(whole) == 0 || len(whole) > 10 || len(rest) > 9 || dot && len(rest) == 0 {
		p.fail("seconds expected")
		return 0
	}
	var v int64
	for _, part := range [...][]byte{whole, rest, []byte("000000000")[len(rest):]} {
		for _, c := range part {
			if c < '0' || c > '9' || v > (math.MaxInt64-9)/10 {
				p.fail("seconds expected")
				return 0
			}
			v = 10*v + int64(c-'0')
		}
	}
	if negative {
		v = -v
	}
	return time.Duration(v)
}

// string reads a text.
func (p *parser) string() string { return string(p.bytes()) }

// bytes reads a text. It is good until the next one is read.
func (p *parser) bytes() []byte {
	p.expect('"')
	from := p.i
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case c == '"':
			text := p.b[from:p.i]
			p.i++
			return p.limit(text)
		case c == '\\':
			return p.escaped(from)
		case c < 0x20:
			p.fail("control character in a text")
			return nil
		}
		p.i++
	}
	p.fail("a text without an end")
	return nil
}

func (p *parser) limit(text []byte) []byte {
	if len(text) > maxString {
		p.fail("a text of %d bytes", len(text))
		return nil
	}
	if !utf8.Valid(text) {
		p.fail("a text that is not UTF-8")
		return nil
	}
	return text
}

// escaped goes on with a text at its first escape.
func (p *parser) escaped(from int) []byte {
	if !utf8.Valid(p.b[from:p.i]) {
		p.fail("a text that is not UTF-8")
		return nil
	}
	p.text = append(p.text[:0], p.b[from:p.i]...)
	for p.i < len(p.b) {
		c := p.b[p.i]
		p.i++
		switch {
		case c == '"':
			return p.text
		case c == '\\':
			p.escape()
		case c < 0x20:
			p.fail("control character in a text")
		case c < utf8.RuneSelf:
			p.text = append(p.text, c)
		default:
			r, size := utf8.DecodeRune(p.b[p.i-1:])
			if r == utf8.RuneError && size == 1 {
				p.fail("a text that is not UTF-8")
				return nil
			}
			p.text = append(p.text, p.b[p.i-1:p.i-1+size]...)
			p.i += size - 1
		}
		if len(p.text) > maxString {
			p.fail("a text of more than %d bytes", maxString)
		}
	}
	p.fail("a text without an end")
	return nil
}

// escape reads what follows a backslash.
func (p *parser) escape() {
	if p.i >= len(p.b) {
		return
	}
	c := p.b[p.i]
	p.i++
	if n := strings.IndexByte(`"\/bfnrt`, c); n >= 0 {
		p.text = append(p.text, "\"\\/\b\f\n\r\t"[n])
		return
	}
	if c != 'u' {
		p.fail("unknown escape")
		return
	}
	r := p.hex4()
	switch {
	case r >= 0xdc80 && r <= 0xdcff:
		p.text = append(p.text, byte(r))
	case utf16.IsSurrogate(r):
		if p.i+1 < len(p.b) && p.b[p.i] == '\\' && p.b[p.i+1] == 'u' {
			p.i += 2
			r = utf16.DecodeRune(r, p.hex4())
		}
		if r == utf8.RuneError || utf16.IsSurrogate(r) {
			p.fail("half a character")
			return
		}
		p.text = utf8.AppendRune(p.text, r)
	default:
		p.text = utf8.AppendRune(p.text, r)
	}
}

func (p *parser) hex4() rune {
	if p.i+4 > len(p.b) {
		p.fail("unknown escape")
		return 0
	}
	v, err := strconv.ParseUint(string(p.b[p.i:p.i+4]), 16, 16)
	if err != nil {
		p.fail("unknown escape")
		return 0
	}
	p.i += 4
	return rune(v)
}

// endpoint reads an address with a port.
func (p *parser) endpoint() (source.Addr, uint16) {
	text := p.bytes()
	if p.err != nil {
		return source.Addr{}, 0
	}
	if len(text) > 64 {
		p.fail("bad address")
		return source.Addr{}, 0
	}
	ap, err := netip.ParseAddrPort(string(text))
	if err != nil || ap.Addr().Zone() != "" {
		p.fail("bad address %q", text)
		return source.Addr{}, 0
	}
	return source.AddrFrom(ap.Addr()), ap.Port()
}

// portRange reads "LOW-HIGH". A range that makes no sense, as that of a host
// whose range is not known, is taken as it is.
func (p *parser) portRange() source.PortRange {
	low, high, ok := strings.Cut(p.string(), "-")
	l, err1 := strconv.ParseUint(low, 10, 16)
	h, err2 := strconv.ParseUint(high, 10, 16)
	if p.err == nil && (!ok || err1 != nil || err2 != nil) {
		p.fail("bad port range")
	}
	return source.PortRange{Low: uint16(l), High: uint16(h)}
}
