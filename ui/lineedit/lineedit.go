// Package lineedit is a line of text that is being typed, with the editing keys of
// a shell. It is used rather than bubbles/textinput because that one starts
// programs to read the clipboard, and blinks.
package lineedit

import (
	"strings"
	"unicode"

	tea "github.com/charmbracelet/bubbletea"
)

// maxInput is the longest line that can be typed or pasted, in runes.
const maxInput = 1024

// Line is the text and the cursor in it. The zero Line is empty.
type Line struct {
	runes []rune
	pos   int // of the cursor, in runes
}

// Set replaces the text and puts the cursor at its end.
func (e *Line) Set(text string) {
	e.runes = e.runes[:0]
	e.pos = 0
	e.insert([]rune(text))
}

// Text is the text.
func (e *Line) Text() string { return string(e.runes) }

// Offset is the cursor's position in bytes.
func (e *Line) Offset() int { return len(string(e.runes[:e.pos])) }

// insert adds what was typed or pasted. Line ends and tabs become spaces;
// whatever else cannot be seen is left out.
func (e *Line) insert(runes []rune) {
	clean := make([]rune, 0, len(runes))
	for _, r := range strings.TrimRight(string(runes), "\r\n") {
		switch {
		case unicode.IsSpace(r):
			clean = append(clean, ' ')
		case unicode.IsPrint(r) && r != unicode.ReplacementChar:
			clean = append(clean, r)
		}
	}
	clean = clean[:min(len(clean), maxInput-len(e.runes))]
	e.runes = append(e.runes[:e.pos], append(clean, e.runes[e.pos:]...)...)
	e.pos += len(clean)
}

// ReplaceBefore puts text in place of all before the cursor.
func (e *Line) ReplaceBefore(text string) {
	e.cut(0, e.pos)
	e.insert([]rune(text))
}

// cut removes the runes from i to j.
func (e *Line) cut(i, j int) {
	e.runes = append(e.runes[:i], e.runes[j:]...)
	e.pos = i
}

// Press takes an editing key. Keys that mean nothing here change nothing.
func (e *Line) Press(msg tea.KeyMsg) {
	switch msg.String() {
	case "left", "ctrl+b":
		e.pos = max(0, e.pos-1)
	case "right", "ctrl+f":
		e.pos = min(len(e.runes), e.pos+1)
	case "home", "ctrl+a":
		e.pos = 0
	case "end", "ctrl+e":
		e.pos = len(e.runes)
	case "alt+left", "ctrl+left", "alt+b":
		e.pos = e.wordBefore()
	case "alt+right", "ctrl+right", "alt+f":
		e.pos = e.wordAfter()
	case "backspace", "ctrl+h":
		e.cut(max(0, e.pos-1), e.pos)
	case "delete", "ctrl+d":
		e.cut(e.pos, min(len(e.runes), e.pos+1))
	case "ctrl+w", "alt+backspace":
		e.cut(e.wordBefore(), e.pos)
	case "alt+d", "alt+delete":
		e.cut(e.pos, e.wordAfter())
	case "ctrl+u":
		e.cut(0, e.pos)
	case "ctrl+k":
		e.cut(e.pos, len(e.runes))
	default:
		if (msg.Type == tea.KeyRunes || msg.Type == tea.KeySpace) && !msg.Alt {
			e.insert(msg.Runes)
		}
	}
}

// wordBefore is where the word at or before the cursor begins.
func (e *Line) wordBefore() int {
	i := e.pos
	for i > 0 && e.runes[i-1] == ' ' {
		i--
	}
	for i > 0 && e.runes[i-1] != ' ' {
		i--
	}
	return i
}

// wordAfter is where the word at or after the cursor ends.
func (e *Line) wordAfter() int {
	i := e.pos
	for i < len(e.runes) && e.runes[i] == ' ' {
		i++
	}
	for i < len(e.runes) && e.runes[i] != ' ' {
		i++
	}
	return i
}
