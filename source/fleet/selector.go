package fleet

import (
	"fmt"
	"strings"
)

// Selector is what series are picked by: matchers of labels, parted by commas, as
// in job="ephtop",env=~"prod|stage". The zero Selector picks all.
type Selector string

// ParseSelector reads matchers, with or without braces around them. What they
// match is left to the server; that they are nothing else is seen to here.
func ParseSelector(s string) (Selector, error) {
	rest := strings.TrimSpace(s)
	if inner, ok := strings.CutPrefix(rest, "{"); ok {
		if rest, ok = strings.CutSuffix(inner, "}"); !ok {
			return "", badSelector(s)
		}
	}
	var matchers []string
	for rest = strings.TrimSpace(rest); rest != ""; {
		m, after, ok := cutMatcher(rest)
		if !ok {
			return "", badSelector(s)
		}
		matchers = append(matchers, m)
		rest = strings.TrimSpace(after)
		if comma, ok := strings.CutPrefix(rest, ","); ok {
			rest = strings.TrimSpace(comma)
		} else if rest != "" {
			return "", badSelector(s)
		}
	}
	return Selector(strings.Join(matchers, ",")), nil
}

func badSelector(s string) error {
	return fmt.Errorf(`bad selector %q: use matchers of labels, as in 'job="ephtop",env=~"prod|stage"'`, clip(s))
}

// cutMatcher cuts label, operator and quoted string off the front of s.
func cutMatcher(s string) (matcher, rest string, ok bool) {
	i := 0
	for i < len(s) && (s[i] == '_' || s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z' || i > 0 && s[i] >= '0' && s[i] <= '9') {
		i++
	}
	label, rest := s[:i], strings.TrimLeft(s[i:], " ")
	if label == "" || label == "__name__" {
		return "", "", false
	}
	for _, operator := range [...]string{"=~", "!~", "!=", "="} {
		if after, ok := strings.CutPrefix(rest, operator); ok {
			quoted, rest, ok := cutQuoted(strings.TrimLeft(after, " "))
			return label + operator + quoted, rest, ok
		}
	}
	return "", "", false
}

// cutQuoted cuts a string in double or single quotes off the front of s.
func cutQuoted(s string) (quoted, rest string, ok bool) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return "", "", false
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case s[0]:
			return s[:i+1], s[i+1:], true
		case '\\':
			i++
		case '\n':
			return "", "", false
		}
	}
	return "", "", false
}
