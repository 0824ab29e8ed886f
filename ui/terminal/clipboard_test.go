package terminal

import "testing"

func TestClipboardOfAMultiplexer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, env, want string }{
		{"in tmux, bare and wrapped", "TMUX", "\x1b]52;c;eA==\x07\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\"},
		{"in screen, wrapped", "STY", "\x1bP\x1b]52;c;eA==\x07\x1b\\"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := NewClipboard(nil, func(name string) string {
				if name == test.env {
					return "1"
				}
				return ""
			})
			if got := c.sequence("x"); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
