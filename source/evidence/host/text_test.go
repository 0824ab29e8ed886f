package host

import (
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	tests := map[string]string{
		" plain ":               "plain",
		"tab\tand\nline":        "tab and line",
		"\x1b[31mred\x07":       "·[31mred·",
		"bad \xff utf8":         "bad · utf8",
		"turned \u202e round":   "turned · round",
		strings.Repeat("é", 9):  "ééééééééé",
		strings.Repeat("é", 20): strings.Repeat("é", 20), // exactly the width
		strings.Repeat("é", 21): strings.Repeat("é", 19) + "…",
		strings.Repeat("é", 99): strings.Repeat("é", 19) + "…",
	}
	for in, want := range tests {
		if got := Clean(in, 20); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}
