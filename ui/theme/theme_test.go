package theme_test

import (
	"strings"
	"testing"

	"github.com/muesli/termenv"

	"ephtop/ui/theme"
)

func TestProfile(t *testing.T) {
	for _, test := range []struct {
		name     string
		mode     string
		env      map[string]string
		terminal bool
		want     termenv.Profile
	}{
		{"a plain terminal has 16 colours", "auto", map[string]string{"TERM": "xterm"}, true, termenv.ANSI},
		{"256 by name", "auto", map[string]string{"TERM": "xterm-256color"}, true, termenv.ANSI256},
		{"true colour", "auto", map[string]string{"TERM": "xterm-256color", "COLORTERM": "truecolor"}, true, termenv.TrueColor},
		{"screen hands COLORTERM on", "auto", map[string]string{"TERM": "screen-256color", "COLORTERM": "truecolor"}, true, termenv.ANSI256},
		{"tmux can show it", "auto", map[string]string{"TERM": "screen-256color", "COLORTERM": "truecolor", "TERM_PROGRAM": "tmux"}, true, termenv.TrueColor},
		{"NO_COLOR", "auto", map[string]string{"TERM": "xterm", "NO_COLOR": "0"}, true, termenv.Ascii},
		{"an empty NO_COLOR says nothing", "auto", map[string]string{"TERM": "xterm", "NO_COLOR": ""}, true, termenv.ANSI},
		{"dumb", "auto", map[string]string{"TERM": "dumb", "COLORTERM": "truecolor"}, true, termenv.Ascii},
		{"no TERM", "auto", nil, true, termenv.Ascii},
		{"Windows Terminal has no TERM", "auto", map[string]string{"WT_SESSION": "1"}, true, termenv.TrueColor},
		{"a pipe", "auto", map[string]string{"TERM": "xterm"}, false, termenv.Ascii},
		{"never", "never", map[string]string{"TERM": "xterm"}, true, termenv.Ascii},
		{"always beats NO_COLOR and a pipe", "always", map[string]string{"TERM": "xterm-256color", "NO_COLOR": "1"}, false, termenv.ANSI256},
		{"always on a dumb terminal", "always", map[string]string{"TERM": "dumb"}, true, termenv.ANSI},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := theme.Profile(test.mode, func(k string) string { return test.env[k] }, test.terminal)
			if got != test.want {
				t.Errorf("got %v, want %v", got.Name(), test.want.Name())
			}
		})
	}
}

func TestOnLight(t *testing.T) {
	for value, want := range map[string]bool{"0;15": true, "0;default;15": true, "0;7": true, "15;0": false, "7;8": false, "15;default": false, "": false} {
		if got := theme.OnLight(func(string) string { return value }); got != want {
			t.Errorf("COLORFGBG=%s says light: %v", value, got)
		}
	}
}

func TestByName(t *testing.T) {
	for _, name := range append(theme.Names(), "", "NORD") {
		if _, err := theme.ByName(name, termenv.ANSI); err != nil {
			t.Errorf("ByName(%q): %v", name, err)
		}
	}
	_, err := theme.ByName("pink", termenv.ANSI)
	if err == nil || !strings.Contains(err.Error(), "default, light, colorblind") {
		t.Errorf("the error of an unknown theme lists the themes: %v", err)
	}
}

func TestInks(t *testing.T) {
	for _, test := range []struct {
		name    string
		theme   string
		profile termenv.Profile
		want    string
	}{
		{"the terminal's own colours", "default", termenv.TrueColor, "1;91"},
		{"true colour", "colorblind", termenv.TrueColor, "1;38;2;213;94;0"},
		{"brought down to 256", "colorblind", termenv.ANSI256, "1;38;5;166"},
		{"brought down to 16", "colorblind", termenv.ANSI, "1;91"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := named(t, test.theme, test.profile).Inks[theme.Critical].SGR; got != test.want {
				t.Errorf("critical is %q, want %q", got, test.want)
			}
		})
	}
	if inks := named(t, "default", termenv.Ascii).Inks; inks != nil {
		t.Errorf("no colour is no escape sequence, got %v", inks)
	}
}

// Selection and exhaustion must not hang on colour alone, and plain text is
// the terminal's own.
func TestEveryTheme(t *testing.T) {
	for _, name := range theme.Names() {
		inks := named(t, name, termenv.TrueColor).Inks
		for _, role := range []theme.Role{theme.Selected, theme.Cursor, theme.Exhausted} {
			if !inks[role].Solid {
				t.Errorf("%s: role %d has no background", name, role)
			}
		}
		if inks[theme.Text].SGR != "" {
			t.Errorf("%s: plain text is %q", name, inks[theme.Text].SGR)
		}
	}
}

func named(t *testing.T, name string, p termenv.Profile) theme.Theme {
	t.Helper()
	th, err := theme.ByName(name, p)
	if err != nil {
		t.Fatal(err)
	}
	return th
}
