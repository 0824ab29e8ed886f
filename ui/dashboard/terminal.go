package dashboard

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/charmbracelet/x/term"
)

// terminalIn and terminalOut tell when the terminal is gone. Bubble Tea by
// itself goes on for ever without a terminal: it takes an end of input for
// nothing (read from a tty that was hung up gives it), and does not look at
// errors of writes.

// terminalIn is a terminal to read from. It stays a file, so that Bubble Tea
// can set its modes.
type terminalIn struct {
	*os.File
	lost func(error)
}

func (t *terminalIn) Read(b []byte) (int, error) {
	n, err := t.File.Read(b)
	if err != nil {
		t.lost(fmt.Errorf("read from the terminal: %w", err))
	}
	return n, err
}

// plainIn is any other input.
type plainIn struct {
	io.Reader
	lost func(error)
}

func (p *plainIn) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if err != nil {
		p.lost(fmt.Errorf("read keys: %w", err))
	}
	return n, err
}

// terminalOut is a terminal to write to. A file takes one Write after the
// other by itself.
type terminalOut struct {
	*os.File
	lost func(error)
}

func (t *terminalOut) Write(b []byte) (int, error) {
	n, err := t.File.Write(b)
	if err != nil {
		t.lost(fmt.Errorf("write to the terminal: %w", err))
	}
	return n, err
}

// WriteString keeps the one of the file from being used.
func (t *terminalOut) WriteString(s string) (int, error) { return t.Write([]byte(s)) }

// plainOut is any other output, with one Write after the other.
type plainOut struct {
	mu   sync.Mutex
	w    io.Writer
	lost func(error)
}

func (p *plainOut) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, err := p.w.Write(b)
	if err != nil {
		p.lost(fmt.Errorf("write the screen: %w", err))
	}
	return n, err
}

// watchOut wraps the output so that lost is called when it fails.
func watchOut(w io.Writer, lost func(error)) io.Writer {
	if f, ok := w.(*os.File); ok {
		return &terminalOut{f, lost}
	}
	return &plainOut{w: w, lost: lost}
}

// watchIn wraps the input in the same way.
func watchIn(r io.Reader, lost func(error)) io.Reader {
	if f, ok := r.(*os.File); ok {
		return &terminalIn{f, lost}
	}
	return &plainIn{r, lost}
}

// openIn gives standard input if it is a terminal, else the controlling
// terminal: standard input may be a recording.
func openIn() (in *os.File, done func(), err error) {
	if term.IsTerminal(os.Stdin.Fd()) {
		return os.Stdin, func() {}, nil
	}
	f, err := os.Open(ttyName)
	if err != nil {
		return nil, nil, fmt.Errorf("read keys from the terminal: %w", err)
	}
	return f, func() { _ = f.Close() }, nil
}
