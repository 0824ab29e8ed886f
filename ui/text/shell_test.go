//go:build unix

package text

import (
	"os/exec"
	"testing"
)

// A shell takes each word for what it was.
func TestShellWord(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"", "/tmp/ephtop-web-01.eph", "/tmp/a b", "it's $HOME `id` \"x\" \\", "~", "*", "a\nb", "é"} {
		out, err := exec.Command("/bin/sh", "-c", "printf %s "+ShellWord(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q becomes %q: %v", word, out, err)
		}
	}
	if got := ShellWord("/tmp/ephtop-web-01.eph"); got != "/tmp/ephtop-web-01.eph" {
		t.Errorf("a plain path is quoted: %s", got)
	}
}
