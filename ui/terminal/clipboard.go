package terminal

import (
	"io"

	"github.com/aymanbagabas/go-osc52/v2"
)

// Clipboard is the clipboard of the terminal, on whatever machine that is,
// which is written by the sequence OSC 52 (xterm's ctlseqs, "Manipulate
// Selection Data").
type Clipboard struct {
	out          io.Writer
	tmux, screen bool
}

// NewClipboard returns the clipboard of the terminal behind out. getenv looks
// up the environment, which tells of tmux and screen.
func NewClipboard(out io.Writer, getenv func(string) string) Clipboard {
	return Clipboard{out: out, tmux: getenv("TMUX") != "", screen: getenv("STY") != ""}
}

// Copy puts text into the clipboard. It writes the sequence at once, so that
// it comes to stand between two frames and not inside one: the screen is
// written by one Write a frame, and [Terminal.Out] takes one after the other.
func (c Clipboard) Copy(text string) error {
	_, err := io.WriteString(c.out, c.sequence(text))
	return err
}

// sequence is what puts text into the clipboard. tmux takes it either bare
// (set-clipboard on) or wrapped (allow-passthrough on), and drops the other.
func (c Clipboard) sequence(text string) string {
	seq := osc52.New(text)
	switch {
	case c.tmux:
		return seq.String() + seq.Tmux().String()
	case c.screen:
		return seq.Screen().String()
	}
	return seq.String()
}
