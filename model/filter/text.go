package filter

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"ephtop/model"
	"ephtop/source"
)

// pattern is text that is looked for in names: a part of them in any case of
// letters, or the whole name exactly.
type pattern struct {
	text  string // in lower case, but for exact ones
	exact bool
	// bytewise says that the text is all ASCII, and can be looked for byte by
	// byte.
	bytewise bool
}

func newPattern(s string, exact bool) pattern {
	p := pattern{text: s, exact: exact, bytewise: true}
	for i := 0; i < len(s); i++ {
		p.bytewise = p.bytewise && s[i] < utf8.RuneSelf
	}
	if p.bytewise && !exact {
		p.text = strings.ToLower(s)
	}
	return p
}

func newPatterns(values []value, exact bool) []pattern {
	ps := make([]pattern, len(values))
	for i, v := range values {
		ps[i] = newPattern(v.text, exact)
	}
	return ps
}

// in tells whether the pattern is found in s.
func (p *pattern) in(s string) bool {
	switch {
	case p.exact:
		return s == p.text
	case p.text == "":
		return true
	case !p.bytewise:
		for i := range s {
			if hasPrefixFold(s[i:], p.text) {
				return true
			}
		}
		return false
	}
	first, n := p.text[0], len(p.text)
	for i := 0; i+n <= len(s); i++ {
		if lower(s[i]) == first && equalLower(s[i+1:i+n], p.text[1:]) {
			return true
		}
	}
	return false
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// equalLower compares the lower case of s, which is as long as low.
func equalLower(s, low string) bool {
	for i := 0; i < len(low); i++ {
		if lower(s[i]) != low[i] {
			return false
		}
	}
	return true
}

// hasPrefixFold compares letter by letter without regard to case. Bytes that
// are no UTF-8 are compared as they are.
func hasPrefixFold(s, prefix string) bool {
	for len(prefix) > 0 {
		if len(s) == 0 {
			return false
		}
		a, n := utf8.DecodeRuneInString(s)
		b, m := utf8.DecodeRuneInString(prefix)
		if a == utf8.RuneError || b == utf8.RuneError {
			if s[:n] != prefix[:m] {
				return false
			}
		} else if a != b && unicode.ToLower(a) != unicode.ToLower(b) {
			return false
		}
		s, prefix = s[n:], prefix[m:]
	}
	return true
}

func anyIn(ps []pattern, s string) bool {
	for i := range ps {
		if ps[i].in(s) {
			return true
		}
	}
	return false
}

// nameMatcher looks into the names of processes.
type nameMatcher []pattern

func (m nameMatcher) match(st *model.State, _ *source.Socket, r *model.Row) bool {
	p := processOf(st, r)
	return p != nil && anyIn(m, p.Name)
}

func compileNames(values []value, exact bool) (matcher, error) {
	return nameMatcher(newPatterns(values, exact)), nil
}

// commandMatcher looks into command lines.
type commandMatcher []pattern

func (m commandMatcher) match(st *model.State, _ *source.Socket, r *model.Row) bool {
	p := processOf(st, r)
	return p != nil && anyIn(m, p.Command)
}

func compileCommands(values []value, exact bool) (matcher, error) {
	return commandMatcher(newPatterns(values, exact)), nil
}

// namespaceMatcher looks into the name of the network namespace, and knows its
// kind and its number.
type namespaceMatcher []namespace

type namespace struct {
	name   pattern
	kind   string
	number uint64
}

func (m namespaceMatcher) match(st *model.State, _ *source.Socket, _ *model.Row) bool {
	scope := &st.Snapshot.Scope
	for i := range m {
		n := &m[i]
		if n.name.in(scope.Name) || strings.EqualFold(n.kind, scope.Kind.String()) || n.number != 0 && n.number == scope.Netns {
			return true
		}
	}
	return false
}

func compileNamespaces(values []value, exact bool) (matcher, error) {
	m := make(namespaceMatcher, len(values))
	for i, v := range values {
		// 0, which is no number of a namespace, is text.
		number, _ := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(v.text, "net:["), "]"), 10, 64)
		m[i] = namespace{newPattern(v.text, exact), v.text, number}
	}
	return m, nil
}

// containerMatcher looks into the names of containers and pods.
type containerMatcher []pattern

func (m containerMatcher) match(st *model.State, s *source.Socket, r *model.Row) bool {
	name, _ := st.Container(s, r)
	return name != "" && anyIn(m, name)
}

func compileContainers(values []value, exact bool) (matcher, error) {
	return containerMatcher(newPatterns(values, exact)), nil
}

// unitMatcher looks into the names of systemd's units.
type unitMatcher []pattern

func (m unitMatcher) match(st *model.State, s *source.Socket, r *model.Row) bool {
	g := st.Cgroup(s, r)
	return g != nil && g.Unit != "" && anyIn(m, g.Unit)
}

func compileUnits(values []value, exact bool) (matcher, error) {
	return unitMatcher(newPatterns(values, exact)), nil
}

// textMatcher is text without a key.
type textMatcher []text

type text struct {
	name   pattern
	states stateMatcher
	// addrs is what the text says if it is a whole address or prefix.
	addrs *addrMatcher
	// part is the text if it can be a part of an address with port, else empty;
	// with only6, of no IPv4 address.
	part  []byte
	only6 bool
}

func compileText(values []value) (matcher, error) {
	m := make(textMatcher, len(values))
	for i, v := range values {
		t := &m[i]
		t.name = newPattern(v.text, false)
		t.states = statesLike(v.text)
		if r, ok := parseAddrs(v.text); ok {
			t.addrs = &addrMatcher{endBoth, []addrRange{r}}
		}
		if low := strings.ToLower(v.text); strings.Trim(low, "0123456789abcdef.:[]") == "" {
			t.part = []byte(low)
			t.only6 = strings.Trim(low, "0123456789.:") != ""
		}
	}
	return m, nil
}

// statesLike gives the state that the text names, and those that have it as a
// part of their name.
func statesLike(s string) stateMatcher {
	var m stateMatcher
	if state, err := source.ParseState(s); err == nil {
		m |= 1 << state
	}
	up := strings.ReplaceAll(strings.ToUpper(s), "-", "_")
	for state := source.Unknown; state < source.NumStates; state++ {
		if strings.Contains(state.String(), up) {
			m |= 1 << state
		}
	}
	return m
}

func (m textMatcher) match(st *model.State, s *source.Socket, r *model.Row) bool {
	for i := range m {
		if m[i].match(st, s, r) {
			return true
		}
	}
	return false
}

func (t *text) match(st *model.State, s *source.Socket, r *model.Row) bool {
	if t.states.match(st, s, r) || t.addrs != nil && t.addrs.match(st, s, r) {
		return true
	}
	if p := processOf(st, r); p != nil && t.name.in(p.Name) {
		return true
	}
	return len(t.part) > 0 && t.inEnds(s)
}

// inEnds looks for the text in the addresses with port, as they are shown.
func (t *text) inEnds(s *source.Socket) bool {
	if t.only6 && s.Remote.Is4() && s.Local.Is4() {
		return false
	}
	// The longest is twice [xxxx:…:xxxx]:65535, 47 bytes each.
	var room [96]byte
	b := source.AppendAddrPort(room[:0], s.Remote, s.RemotePort)
	b = source.AppendAddrPort(append(b, ' '), s.Local, s.LocalPort)
	return bytes.Contains(b, t.part)
}
