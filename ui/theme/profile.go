package theme

import (
	"fmt"
	"strings"

	"github.com/muesli/termenv"
)

// Profile says how many colours the terminal gets. mode is that of --color:
// "auto" asks the environment, "always" does so too but has at least 16
// colours, "never" has none. With "auto" there are none where out is no
// terminal, where NO_COLOR is not empty (no-color.org), and where TERM is
// "dumb" or missing.
func Profile(mode string, env func(string) string, terminal bool) (termenv.Profile, error) {
	switch mode {
	case "never":
		return termenv.Ascii, nil
	case "always":
		return min(colours(env), termenv.ANSI), nil // a smaller profile has more colours
	case "auto", "":
		if !terminal || env("NO_COLOR") != "" {
			return termenv.Ascii, nil
		}
		return colours(env), nil
	}
	return termenv.Ascii, fmt.Errorf("unknown colour mode %q: use auto, always or never", mode)
}

// colours reads what the environment says of the terminal.
func colours(env func(string) string) termenv.Profile {
	term := strings.ToLower(env("TERM"))
	if env("WT_SESSION") != "" { // Windows Terminal, where there is no TERM
		return termenv.TrueColor
	}
	if term == "" || term == "dumb" {
		return termenv.Ascii
	}
	switch strings.ToLower(env("COLORTERM")) {
	case "truecolor", "24bit":
		// GNU screen hands COLORTERM on and cannot show it.
		if strings.HasPrefix(term, "screen") && env("TERM_PROGRAM") != "tmux" {
			return termenv.ANSI256
		}
		return termenv.TrueColor
	}
	for _, name := range []string{"kitty", "ghostty", "alacritty", "wezterm", "direct"} {
		if strings.Contains(term, name) {
			return termenv.TrueColor
		}
	}
	if strings.Contains(term, "256color") {
		return termenv.ANSI256
	}
	return termenv.ANSI
}
