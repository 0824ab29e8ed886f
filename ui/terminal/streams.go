package terminal

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/charmbracelet/x/ansi"
)

// file and stream tell when the terminal is gone. Bubble Tea by itself goes on
// for ever without a terminal: it takes an end of input for nothing (read from
// a tty that was hung up gives it), and does not look at errors of writes.

// file is a terminal. It stays a file, so that Bubble Tea can set its modes;
// and a file takes one Write after the other by itself.
type file struct {
	*os.File
	t *Terminal
}

func (f *file) Read(b []byte) (int, error) {
	n, err := f.File.Read(b)
	return n, f.t.check("read from", err)
}

func (f *file) Write(b []byte) (int, error) {
	switch string(b) { // as Bubble Tea writes them, alone
	case ansi.SetModeAltScreenSaveCursor:
		f.t.alternate.Store(true)
	case ansi.ResetModeAltScreenSaveCursor:
		f.t.alternate.Store(false)
	}
	n, err := f.File.Write(b)
	return n, f.t.check("write to", err)
}

// WriteString keeps the one of the file from being used.
func (f *file) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// input is what is read where that is no file.
type input struct {
	io.Reader
	t *Terminal
}

func (i *input) Read(b []byte) (int, error) {
	n, err := i.Reader.Read(b)
	return n, i.t.check("read from", err)
}

// output is what is written to where that is no file: one Write after the
// other.
type output struct {
	io.Writer
	mu sync.Mutex
	t  *Terminal
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.Writer.Write(b)
	return n, o.t.check("write to", err)
}

// check gives the terminal up on an error, which it returns as it is.
func (t *Terminal) check(doing string, err error) error {
	if err != nil {
		t.lost(fmt.Errorf("%s the terminal: %w", doing, err))
	}
	return err
}

func (t *Terminal) watchIn(r io.Reader) io.Reader {
	if f, ok := r.(*os.File); ok {
		return &file{f, t}
	}
	return &input{r, t}
}

func (t *Terminal) watchOut(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok {
		return &file{f, t}
	}
	return &output{Writer: w, t: t}
}
