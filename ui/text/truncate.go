package text

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Width is the number of columns that s takes on a terminal.
func Width(s string) int { return ansi.StringWidth(s) }

// Truncate cuts s to at most width columns, with "…" as the last one where
// something was cut.
func Truncate(s string, width int) string {
	if width <= 0 {
		return ""
	}
	if len(s) <= width || ansi.StringWidth(s) <= width {
		return s
	}
	return ansi.Truncate(s, width, "…")
}

// Wrap breaks s into lines of at most width columns: at blanks alone, so that
// "--flag" and the names of files stay whole. A word that is wider than a line
// is cut.
func Wrap(s string, width int) []string {
	if width <= 0 {
		return nil
	}
	var lines []string
	line := ""
	for word := range strings.SplitSeq(s, " ") {
		switch {
		case line == "":
			line = word
		case Width(line)+1+Width(word) <= width:
			line += " " + word
		default:
			lines = append(lines, strings.TrimRight(line, " "))
			line = word
		}
		if Width(line) > width {
			parts := strings.Split(ansi.Hardwrap(line, width, false), "\n")
			lines = append(lines, parts[:len(parts)-1]...)
			line = parts[len(parts)-1]
		}
	}
	if line = strings.TrimRight(line, " "); line != "" {
		lines = append(lines, line)
	}
	return lines
}
