package text

import (
	"runtime"
	"strings"
)

// ShellWord writes s as one word of a shell: of the system's own on Windows, of
// POSIX else.
func ShellWord(s string) string {
	special := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:,@%", r))
	}
	switch {
	case runtime.GOOS == "windows":
		return `"` + s + `"`
	case s != "" && !strings.ContainsFunc(s, special):
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
