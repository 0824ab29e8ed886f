package theme

import (
	"strings"

	"github.com/muesli/termenv"
)

// Profile says how many colours the terminal gets. mode is that of --color:
// "auto", or anything else, asks the environment, "always" does so too but has at least 16
// colours, "never" has none. With "auto" there are none where out is no
// terminal, where NO_COLOR is not empty (no-color.org), and where TERM is
// "dumb" or missing.
func Profile(mode string, env func(string) string, terminal bool) termenv.Profile {
	switch {
	case mode == "always":
		return min(colours(env), termenv.ANSI) // a smaller profile has more colours
	case mode == "never", !terminal, env("NO_COLOR") != "":
		return termenv.Ascii
	}
	return colours(env)
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

// OnLight reports whether the terminal says that its background is light: in
// COLORFGBG, as rxvt, Konsole and others set it, the last number is its colour.
func OnLight(env func(string) string) bool {
	all := env("COLORFGBG")
	back := all[strings.LastIndexByte(all, ';')+1:]
	return back == "7" || back == "15"
}
