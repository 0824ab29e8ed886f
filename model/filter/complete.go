package filter

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"ephtop/model/services"
	"ephtop/source"
)

// Completion is how an expression that is being typed can go on.
type Completion struct {
	// Text is the expression with what all candidates have in common; as it
	// was where that is nothing more.
	Text string
	// From is where in the expression the candidates begin.
	From       int
	Candidates []Candidate
}

// Candidate is a word that can stand at the end of an expression.
type Candidate struct {
	Text string // as it is written, with quotes where it needs them
	Help string // what a key looks at; "" for a value
}

// Complete says how the last term of an expression can go on, typed up to the
// cursor: a key, or a value of one. names gives those that there are for a key
// whose values are not of the language (proc, user, ns …), nil for none. A word
// that begins no key goes on as a state or the name of a process.
func Complete(expr string, names func(key string) []string) Completion {
	c := Completion{Text: expr, From: len(expr)}
	t, ok := lastTerm(expr)
	if !ok {
		return c
	}
	last := t.values[len(t.values)-1]
	c.From = last.offset
	inQuotes := strings.HasPrefix(expr[c.From:], `"`)
	hasKey := t.key.text != ""
	if !hasKey && !inQuotes && len(t.values) == 1 {
		for i := range keys {
			if k := &keys[i]; hasPrefixFold(k.Name, last.text) {
				c.Candidates = append(c.Candidates, Candidate{k.Prefix(), k.Help})
			}
		}
	}
	var words []string
	switch k := keyOf(t.key.text); {
	case len(c.Candidates) > 0:
		for i := range c.Candidates {
			words = append(words, c.Candidates[i].Text)
		}
	case !hasKey && slices.ContainsFunc(t.values[:len(t.values)-1], func(v value) bool { return strings.Contains(v.text, ":") }):
		// An address, as long as nothing follows that can't be a part of one: abc:,d.
	case !hasKey && last.text != "":
		words = beginning(slices.Concat(stateNames(), names("proc")), last.text)
	case k != nil && k.Kind == Word:
		words = beginning(k.Values, last.text)
	case k != nil && !t.compare:
		words = beginning(names(k.Name), last.text)
	}
	if c.Candidates == nil {
		for _, w := range words {
			text := quoted(hasKey, w)
			if inQuotes {
				text = strconv.Quote(w)
			}
			c.Candidates = append(c.Candidates, Candidate{Text: text})
		}
	}
	switch common := inCommon(words); {
	case len(words) == 1:
		c.Text = expr[:c.From] + c.Candidates[0].Text
	case len(common) <= len(last.text):
	case inQuotes || !plain(hasKey, common):
		c.Text = expr[:c.From] + strings.TrimSuffix(strconv.Quote(common), `"`)
	default:
		c.Text = expr[:c.From] + common
	}
	return c
}

// beginning gives the words that begin with some text, each once.
func beginning(words []string, text string) []string {
	under := strings.ReplaceAll(text, "-", "_")
	var found []string
	for _, w := range words {
		if (hasPrefixFold(w, text) || hasPrefixFold(w, under)) && w != "" && !slices.Contains(found, w) {
			found = append(found, w)
		}
	}
	return found
}

// inCommon is what words begin with, in any case of letters, as the first one
// has it.
func inCommon(words []string) string {
	if len(words) == 0 {
		return ""
	}
	first := words[0]
	for end := range first {
		_, n := utf8.DecodeRuneInString(first[end:])
		for _, w := range words[1:] {
			if !hasPrefixFold(w, first[:end+n]) {
				return first[:end]
			}
		}
	}
	return first
}

// rightBefore reports whether the values before the last one can stand there, as
// x in state:x,TIME can't.
func (t rawTerm) rightBefore() bool {
	t.values = t.values[:len(t.values)-1]
	if len(t.values) == 0 {
		return true
	}
	_, err := compile(t)
	return err == nil
}

// lastTerm gives the term that an expression ends in the middle of, or an empty
// one behind a space. ok says that there is such a term, and that what stands
// before its last value is right.
func lastTerm(expr string) (t rawTerm, ok bool) {
	l := lexer{expr: expr}
	for l.next() {
		t, err := l.term()
		if t.open || err == nil && l.pos == len(expr) {
			return t, t.rightBefore()
		}
		if err != nil {
			return t, false
		}
		if _, err := compile(t); err != nil {
			return t, false
		}
	}
	return rawTerm{values: []value{{offset: len(expr)}}}, true
}

// Unfinished reports whether the term before the cursor, a place in bytes of
// the expression, is only the beginning of one: of a key, or of a term that
// more letters would make right. The other terms must be right.
func Unfinished(expr string, cursor int) bool {
	before, after := expr[:cursor], expr[cursor:]
	if r, _ := utf8.DecodeRuneInString(after); after != "" && !unicode.IsSpace(r) {
		return false
	}
	if _, err := Parse(after); err != nil {
		return false
	}
	t, ok := lastTerm(before)
	if !ok {
		return false
	}
	if t.key.text == "" {
		return t.open || len(t.values) == 1 && !strings.HasSuffix(before, `"`) && beginsKey(t.values[0].text)
	}
	k, last := keyOf(t.key.text), &t.values[len(t.values)-1]
	if _, err := compile(t); err == nil {
		return t.open
	}
	if k == nil {
		return false
	}
	for _, longer := range k.longer(last.text) {
		last.text = longer
		if _, err := compile(t); err == nil {
			return true
		}
	}
	return false
}

func beginsKey(text string) bool {
	return text != "" && slices.ContainsFunc(keys[:], func(k keyEntry) bool { return hasPrefixFold(k.Name, text) })
}

// longer gives values that begin with some text: if that is the beginning of a
// value of the key at all, one of them is right.
func (k *keyEntry) longer(text string) []string {
	var ends []string
	switch k.Kind {
	case Word:
		if k.Name == "state" {
			return beginning(source.StateWords(), text)
		}
		return beginning(k.Values, text)
	case Port:
		if names := beginning(services.Names(), text); text != "" && len(names) > 0 {
			return names
		}
		ends = []string{"0", "00", "000", "0000", "5", "35", "535", "5535"}
	case Address:
		ends = []string{
			"0", ".0", "0.0", ".0.0", "0.0.0", ".0.0.0", ":", "::", ":0", "8", "1",
			"]:1", ":]:1", "::]:1", ":0]:1",
		}
	case Age:
		ends = []string{"1s", "s", "m"}
	default:
		ends = []string{"1"}
	}
	for i := range ends {
		ends[i] = text + ends[i]
	}
	return ends
}

// Misread reports whether an expression has a term as other languages write
// it, which here is plain text: and, or, not, a "-" in front, a "*".
func Misread(expr string) bool {
	f, err := Parse(expr)
	return err == nil && slices.ContainsFunc(f.written, func(t Term) bool {
		text := strings.ToLower(strings.TrimLeft(t.Text, "!"))
		switch {
		case strings.Contains(text, `"`) || t.Key != "" && keyOf(t.Key).Kind != Text:
			return false
		case strings.Contains(text, "*"):
			return true
		}
		return t.Key == "" && (len(text) > 1 && text[0] == '-' || slices.Contains([]string{"and", "or", "not", "&&", "||", "&", "|"}, text))
	})
}
