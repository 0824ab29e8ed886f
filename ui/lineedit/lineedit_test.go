package lineedit

import (
	"strings"
	"testing"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/ui/internal/keys"
)

func TestLineEditor(t *testing.T) {
	t.Parallel()
	// The cursor is the bar in the text.
	show := func(e *Line) string {
		text := e.Text()
		return text[:e.Offset()] + "|" + text[e.Offset():]
	}
	for _, test := range []struct{ name, start, keys, want string }{
		{"a letter at the end", "ab", "c", "abc|"},
		{"a letter in the middle", "ab", "left c", "ac|b"},
		{"a space", "ab", "space", "ab |"},
		{"letters of two bytes", "é", "left ü", "ü|é"},
		{"home and end", "ab", "home x end y", "xaby|"},
		{"no further than the start", "a", "left left b", "b|a"},
		{"no further than the end", "a", "right b", "ab|"},
		{"backspace", "añb", "left backspace", "a|b"},
		{"backspace at the start", "ab", "home backspace", "|ab"},
		{"delete", "abc", "home delete", "|bc"},
		{"delete at the end", "ab", "delete", "ab|"},
		{"word before", "proc:a  state:b ", "ctrl+w", "proc:a  |"},
		{"to the start", "abc", "left ctrl+u", "|c"},
		{"to the end", "abc", "home right ctrl+k", "a|"},
		{"a key that means nothing", "ab", "tab", "ab|"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var e Line
			e.Set(test.start)
			for _, k := range strings.Fields(test.keys) {
				e.Press(keys.Msg(k))
			}
			if got := show(&e); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
	t.Run("words", func(t *testing.T) {
		var e Line
		e.Set("ab cd ef")
		e.Press(tea.KeyMsg{Type: tea.KeyCtrlLeft})
		e.Press(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("b"), Alt: true})
		if got := show(&e); got != "ab |cd ef" {
			t.Errorf("%q", got)
		}
		e.Press(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("d"), Alt: true})
		e.Press(tea.KeyMsg{Type: tea.KeyCtrlRight})
		if got := show(&e); got != "ab  ef|" {
			t.Errorf("%q", got)
		}
	})
}

func FuzzLineEditor(f *testing.F) {
	f.Add("state:tw", "rport:\x1b[31m443\r\n", uint8(3))
	f.Add("é\xff", strings.Repeat("x", 2000), uint8(1))
	f.Add("", "\u202eabc\u200b", uint8(0))
	f.Fuzz(func(t *testing.T, start, paste string, left uint8) {
		var e Line
		e.Set(start)
		for range left {
			e.Press(tea.KeyMsg{Type: tea.KeyLeft})
		}
		e.Press(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(paste), Paste: true})
		text := e.Text()
		if n := utf8.RuneCountInString(text); n > maxInput {
			t.Errorf("%d runes", n)
		}
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x202e }) {
			t.Errorf("control characters in %q", text)
		}
		if o := e.Offset(); o > len(text) || o < len(text) && !utf8.RuneStart(text[o]) {
			t.Errorf("cursor at byte %d of %q", o, text)
		}
	})
}
