package export

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
)

// Keys is a script of keys with times. Its form is that of a VHS tape, a
// command a line:
//
//	# a comment
//	Type "/state:tw"      the keys of a text, one after the other
//	Enter                 also Escape, Tab, Space, Backspace, Up, Down, Left,
//	Tab 2                 Right, PageUp, PageDown, Home, End; a number is how often
//	Sleep 1500ms          also "2s"; a number alone is seconds
//	Wait+Screen /100 %/   until the screen matches a regular expression (RE2)
//
// The first key is pressed before the first frame, the others follow each other in typing
// speed, but for the sleeps and waits. The zero Keys is none.
type Keys struct{ steps []keyStep }

// Typed is what the script types from one key that is no character to the next.
func (k Keys) Typed() (texts []string) {
	begun := false
	for _, s := range k.steps {
		switch {
		case s.key == nil:
			continue
		case len(s.key.Runes) == 0:
			begun = false
			continue
		case !begun:
			begun, texts = true, append(texts, "")
		}
		texts[len(texts)-1] += string(s.key.Runes)
	}
	return texts
}

// keyStep is a key, or a wait for the screen, or else a sleep.
type keyStep struct {
	line  int
	key   *tea.KeyMsg
	sleep time.Duration
	wait  *regexp.Regexp
}

// The bounds of a script.
const (
	MaxKeysSize = 64 << 10
	maxSteps    = 10_000
	maxTimes    = 1000
	maxSleep    = time.Hour
)

// typing is the time from a key to the next.
const typing = 60 * time.Millisecond

var keyNames = map[string]tea.KeyType{
	"Enter": tea.KeyEnter, "Escape": tea.KeyEsc, "Tab": tea.KeyTab, "Space": tea.KeySpace, "Backspace": tea.KeyBackspace,
	"Up": tea.KeyUp, "Down": tea.KeyDown, "Left": tea.KeyLeft, "Right": tea.KeyRight,
	"PageUp": tea.KeyPgUp, "PageDown": tea.KeyPgDown, "Home": tea.KeyHome, "End": tea.KeyEnd,
}

// ParseKeys reads a script. An error is of one line, and names that of the
// script.
func ParseKeys(script string) (Keys, error) {
	if len(script) > MaxKeysSize {
		return Keys{}, fmt.Errorf("keys of more than %d bytes", MaxKeysSize)
	}
	var k Keys
	for i, line := range strings.Split(script, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		err := k.add(i+1, line)
		if err == nil && len(k.steps) > maxSteps {
			err = fmt.Errorf("more than %d keys", maxSteps)
		}
		if err != nil {
			return Keys{}, fmt.Errorf("line %d of the keys: %w", i+1, err)
		}
	}
	return k, nil
}

// add reads one command.
func (k *Keys) add(number int, line string) error {
	command, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch command {
	case "Type":
		text, err := between(rest, `"`)
		if err != nil {
			return fmt.Errorf("%s %w", command, err)
		}
		for _, r := range text {
			k.steps = append(k.steps, keyStep{line: number, key: runeKey(r)})
		}
	case "Sleep":
		d, err := parseSleep(rest)
		if err != nil {
			return fmt.Errorf("%s %w", command, err)
		}
		k.steps = append(k.steps, keyStep{line: number, sleep: d})
	case "Wait+Screen":
		pattern, err := between(rest, "/")
		if err != nil {
			return fmt.Errorf("Wait+Screen %w", err)
		}
		wait, err := regexp.Compile(pattern)
		if err != nil {
			return fmt.Errorf("Wait+Screen: %q is no regular expression", pattern)
		}
		k.steps = append(k.steps, keyStep{line: number, wait: wait})
	default:
		return k.press(number, command, rest)
	}
	return nil
}

// press reads a key by its name, and how often it is pressed.
func (k *Keys) press(number int, name, times string) error {
	kind, ok := keyNames[name]
	if !ok {
		return fmt.Errorf("%q is none of Type, Sleep, Wait+Screen, Enter, Escape, Tab, Space, Backspace, Up, Down, Left, Right, PageUp, PageDown, Home, End", name)
	}
	n := 1
	if times != "" {
		var err error
		if n, err = strconv.Atoi(times); err != nil || n < 1 || n > maxTimes {
			return fmt.Errorf("%s %q: how often is a number from 1 to %d", name, times, maxTimes)
		}
	}
	msg := &tea.KeyMsg{Type: kind}
	if kind == tea.KeySpace {
		msg.Runes = []rune{' '}
	}
	k.steps = append(k.steps, slices.Repeat([]keyStep{{line: number, key: msg}}, n)...)
	return nil
}

func runeKey(r rune) *tea.KeyMsg {
	if r == ' ' {
		return &tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	return &tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}}
}

func parseSleep(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if seconds, bare := strconv.ParseFloat(text, 64); bare == nil && seconds < maxSleep.Seconds() {
		d, err = time.Duration(seconds*float64(time.Second)), nil
	}
	if err != nil || d < 0 || d > maxSleep {
		return 0, fmt.Errorf("%q: use a time up to 1h, as 500ms or 2s", text)
	}
	return d, nil
}

// between is a text without the mark at its start and at its end.
func between(text, mark string) (string, error) {
	inner, starts := strings.CutPrefix(text, mark)
	inner, ends := strings.CutSuffix(inner, mark)
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	if !starts || !ends || inner == "" || strings.Contains(inner, mark) || !utf8.ValidString(inner) || strings.ContainsFunc(inner, odd) {
		return "", errors.New("is not followed by " + mark + "…" + mark)
	}
	return inner, nil
}

// typist presses the keys of a script.
type typist struct {
	steps []keyStep
	// at is when the step before was done.
	at time.Duration
}

// next tells when the next step is done that only takes time; false where there
// is none, or where something has to be on the screen before.
func (t *typist) next(now time.Duration, screen func() string) (at time.Duration, ok bool) {
	for len(t.steps) > 0 {
		step := &t.steps[0]
		if step.wait == nil {
			return t.at + step.sleep, true
		}
		if !step.wait.MatchString(screen()) {
			return 0, false
		}
		t.at, t.steps = max(t.at, now), t.steps[1:]
	}
	return 0, false
}

// do does the next step at its time, and gives the key that it presses; nil for
// a sleep.
func (t *typist) do(at time.Duration) *tea.KeyMsg {
	step := t.steps[0]
	t.steps, t.at = t.steps[1:], at
	if step.key != nil {
		t.at += typing
	}
	return step.key
}

// end is io.EOF, or that the screen never was as a step waited for.
func (t *typist) end() error {
	if len(t.steps) == 0 {
		return io.EOF
	}
	return fmt.Errorf("line %d of the keys: never on the screen: %s", t.steps[0].line, t.steps[0].wait)
}
