package command_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ephtop/source/netlab"
)

// tape is what a VHS tape does, in order, and its settings.
type tape struct {
	settings map[string]string
	steps    []tapeStep
}

// tapeStep is one command that acts on the program: one of the fields is set.
type tapeStep struct {
	line  int
	text  string         // to type
	key   string         // to press, by tmux's name for it
	times int            // how often, for a key
	wait  *regexp.Regexp // for the screen to match
}

// tapeKeys are the keys that a tape may press, by tmux's names for them.
var tapeKeys = map[string]string{
	"Enter": "Enter", "Escape": "Escape", "Space": "Space", "Tab": "Tab",
	"Up": "Up", "Down": "Down", "Left": "Left", "Right": "Right",
}

// parseTape reads the part of VHS's language that the tape is written in, and
// refuses the rest. What only says how fast to play, and what to show of it, is
// left out.
func parseTape(text string) (tape, error) {
	t := tape{settings: make(map[string]string)}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := t.add(i+1, line); err != nil {
			return tape{}, fmt.Errorf("line %d: %q: %w", i+1, line, err)
		}
	}
	return t, nil
}

func (t *tape) add(number int, line string) error {
	command, rest, _ := strings.Cut(line, " ")
	step := tapeStep{line: number}
	var err error
	switch command {
	case "Output", "Require", "Hide", "Show", "Sleep":
		return nil
	case "Set":
		name, value, _ := strings.Cut(rest, " ")
		t.settings[name] = strings.Trim(value, `"`)
		return nil
	case "Type":
		step.text, err = between(rest, `"`)
	case "Wait+Screen":
		var pattern string
		if pattern, err = between(rest, "/"); err == nil {
			step.wait, err = regexp.Compile(pattern)
		}
	default:
		var ok bool
		if step.key, ok = tapeKeys[command]; !ok {
			return fmt.Errorf("the command %s is unknown to this test", command)
		}
		step.times = 1
		if rest != "" {
			step.times, err = strconv.Atoi(rest)
		}
	}
	t.steps = append(t.steps, step)
	return err
}

// between is a text without the mark at its start and at its end.
func between(text, mark string) (string, error) {
	inner, starts := strings.CutPrefix(text, mark)
	inner, ends := strings.CutSuffix(inner, mark)
	if !starts || !ends || inner == "" || strings.Contains(inner, mark) {
		return "", fmt.Errorf("is not of the form %s…%s", mark, mark)
	}
	return inner, nil
}

// size is that of the terminal in cells, for the tape's font: JetBrains Mono
// is 0.6 em wide and 1.32 em high. The page that VHS records also keeps 5 px
// free on each side, and 15 px for a scroll bar.
func (t tape) size() (string, error) {
	var px [4]float64
	for i, name := range []string{"Width", "Height", "Padding", "FontSize"} {
		var err error
		if px[i], err = strconv.ParseFloat(t.settings[name], 64); err != nil {
			return "", fmt.Errorf("set %s: %w", name, err)
		}
	}
	width, height, padding, font := px[0], px[1], px[2], px[3]
	columns := math.Floor((width - 2*padding - 10 - 15) / (0.6 * font))
	rows := math.Floor((height - 2*padding - 10) / math.Ceil(1.32*font))
	return fmt.Sprintf("%.0fx%.0f", columns, rows), nil
}

// start cuts off what starts the program: its command line, and Enter.
func (t *tape) start() (args []string, err error) {
	if len(t.steps) < 2 || t.steps[1].key != "Enter" {
		return nil, errors.New("does not begin with a command and Enter")
	}
	args = strings.Fields(t.steps[0].text)
	if len(args) == 0 || args[0] != "ephtop" {
		return nil, fmt.Errorf("begins with %q, not with ephtop", t.steps[0].text)
	}
	t.steps = t.steps[2:]
	return args[1:], nil
}

// storyOver is the time of the demo when there is nothing more to wait for.
const storyOver = "12:03:30"

// play does the steps, and gives the frame in which each wait ended. Nothing
// sleeps, so that each step is seen to need no more than the waits before it. It
// gives up where the story is over before the tape is.
func (t tape) play(s *screen) (waits []*regexp.Regexp, frames []frame, err error) {
	s.Helper()
	for _, step := range t.steps {
		switch {
		case step.wait != nil:
			f := s.look()
			for end := time.Now().Add(3 * deadline); !step.wait.MatchString(f.trimmed()); f = s.look() {
				if clock := storyClock.FindString(f.line(0)); clock >= storyOver || s.Failed() || time.Now().After(end) {
					return nil, nil, fmt.Errorf("never on the screen: line %d of the tape: %s\n%s", step.line, step.wait, f)
				}
				time.Sleep(20 * time.Millisecond)
			}
			f = s.whole(f, step.wait)
			waits, frames = append(waits, step.wait), append(frames, f)
		case step.key != "":
			s.press(slices.Repeat([]string{step.key}, step.times)...)
		default:
			s.enter(step.text)
		}
	}
	return waits, frames, nil
}

// whole is a frame that was looked at, or one soon after: on a busy machine half of
// one may be drawn.
func (s *screen) whole(f frame, wait *regexp.Regexp) frame {
	s.Helper()
	for range 10 {
		next := s.look()
		if next.String() == f.String() {
			break
		}
		if wait.MatchString(next.trimmed()) {
			f = next
		}
	}
	return f
}

var storyClock = regexp.MustCompile(`12:\d\d:\d\d`)

// trimmed is the screen as VHS matches it: lines without spaces at their ends.
func (f frame) trimmed() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = strings.TrimRight(f.line(i), " ")
	}
	return strings.Join(lines, "\n")
}

// TestTape plays demo.tape and looks for each part of its story, in this order.
// It runs by itself: the story goes by in real time, and where the keys come
// late it is over before they are all played. Then it is told again.
func TestTape(t *testing.T) {
	text, err := os.ReadFile("../../demo.tape")
	if err != nil {
		t.Fatal(err)
	}
	played, err := parseTape(string(text))
	if err != nil {
		t.Fatalf("demo.tape: %v", err)
	}
	size, err := played.size()
	if err != nil {
		t.Fatalf("demo.tape: %v", err)
	}
	if size != "120x40" {
		t.Fatalf("the tape is of %s cells, want 120x40", size)
	}
	args, err := played.start()
	if err != nil {
		t.Fatalf("demo.tape: %v", err)
	}
	var waits []*regexp.Regexp
	var frames []frame
	for tries := 1; ; tries++ {
		s := openScreen(t, netlab.New(t, ""), screenOptions{size: size, args: args, before: func(*screen) {}})
		if waits, frames, err = played.play(s); err == nil {
			s.wantEnd(0)
			break
		}
		if tries == 5 {
			t.Fatal(err)
		}
		t.Log(err)
		s.press("q", "q")
	}

	// What a beat shows must be what the tape waits for, not there by chance.
	for _, beat := range []struct {
		name, waits string // a part of the pattern
		shows       []string
	}{
		{"the gauge climbs", `· ok`, []string{"· ok", "full in"}},
		{"warning", `! warning`, []string{"! warning"}},
		{"top consumer", `by destination`, []string{"by destination", "10.0.9.2:5432"}},
		{"filter by process", `filter: pid:3120 /`, []string{"▸ api", "filter: pid:3120"}},
		{"filter by state", `state:tw`, []string{"filter: pid:3120 state:tw", "TIME_WAIT"}},
		{"details", `─ Connection ─`, []string{"api, pid 3120", "time left"}},
		{"no port left", `✖ exhausted`, []string{"✖ exhausted"}},
		{"findings", `─ Findings ─`, []string{"fails for want of a port", "EADDRNOTAVAIL", "→ pool the database connections"}},
		{"recovery", `· ok`, []string{"· ok", "drains to"}},
	} {
		i := slices.IndexFunc(waits, func(wait *regexp.Regexp) bool {
			return strings.Contains("/"+wait.String()+"/", beat.waits)
		})
		if i < 0 {
			t.Errorf("%s: the tape does not wait for %q after the beat before", beat.name, beat.waits)
			continue
		}
		if !frames[i].has(beat.shows...) {
			t.Errorf("%s: not %q on the screen:\n%s", beat.name, beat.shows, frames[i])
		}
		waits, frames = waits[i+1:], frames[i+1:]
	}
}

func TestTapeRefusesWhatItDoesNotPlay(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"Ctrl+C", "Wait /x/", "Wait+Screen", "Wait+Screen@5s /x/", "Wait+Screen /(/", "Type x", `Type "x" Enter`,
		"Type@1s \"x\"", "Enter twice", "Down@1s 2", "Screenshot x.png", "enter",
	} {
		if got, err := parseTape(line); err == nil {
			t.Errorf("%q was taken as %+v", line, got)
		}
	}
}
