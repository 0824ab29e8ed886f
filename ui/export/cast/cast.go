// Package cast writes a film as an asciicast of version 2, which asciinema and
// its web player play (docs.asciinema.org, "asciicast v2"): a line of JSON that is
// the header, then one for each event.
package cast

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/muesli/termenv"

	"ephtop/ui/export"
	"ephtop/ui/theme"
)

// Options say what a cast looks like.
type Options struct {
	// Theme is the name of one of package theme's; "" is the default.
	Theme string
	// Title is shown by players; "" for none.
	Title string
}

// header is the first line. It says nothing of the machine that wrote it.
type header struct {
	Version int     `json:"version"`
	Width   int     `json:"width"`
	Height  int     `json:"height"`
	Title   string  `json:"title,omitempty"`
	Theme   palette `json:"theme"`
}

// palette are the colours that a player gives its terminal.
type palette struct {
	Fore    string `json:"fg"`
	Back    string `json:"bg"`
	Palette string `json:"palette"`
}

// The kinds of events: what a terminal is written, and a chapter.
const (
	output = "o"
	marker = "m"
)

// What is written before the first frame and after the last: the cursor is out of
// sight in between, and then below.
const (
	before = "\x1b[?25l\x1b[2J"
	after  = "\x1b[%d;1H\x1b[?25h"
)

// Write writes a film, from where it is to its end. A marker stands where the
// level changes, and says what is then read first on the screen.
func Write(w io.Writer, f *export.Film, o Options) error {
	look, err := theme.ByName(o.Theme, termenv.TrueColor)
	if err != nil {
		return err
	}
	sheet, err := theme.SheetByName(o.Theme)
	if err != nil {
		return err
	}
	p := pen{w: bufio.NewWriter(w)}
	width, height := f.Size()
	err = p.line(header{
		Version: 2, Width: width, Height: height, Title: o.Title,
		Theme: palette{sheet.Ink, sheet.Ground, strings.Join(sheet.Palette[:], ":")},
	})
	if err != nil {
		return err
	}
	if err := p.frames(f, look); err != nil {
		return err
	}
	if err := p.event(f.Length(), output, fmt.Sprintf(after, height+1)); err != nil {
		return err
	}
	return p.w.Flush()
}

// pen writes lines.
type pen struct {
	w   *bufio.Writer
	buf []byte
}

// frames writes the events of all frames.
func (p *pen) frames(f *export.Film, look theme.Theme) error {
	level := -1
	for {
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		p.buf = p.buf[:0]
		if level < 0 {
			p.buf = append(p.buf, before...)
		}
		p.buf = frame.Canvas.AppendChanges(p.buf, frame.Before, look.Inks)
		if err := p.event(frame.At, output, string(p.buf)); err != nil {
			return err
		}
		if level >= 0 && level != int(frame.Level) {
			if err := p.event(frame.At, marker, frame.Level.String()+": "+frame.Verdict); err != nil {
				return err
			}
		}
		level = int(frame.Level)
	}
}

// event writes one event.
func (p *pen) event(at time.Duration, kind, data string) error {
	seconds := json.RawMessage(strconv.FormatFloat(at.Seconds(), 'f', 6, 64))
	return p.line([3]any{seconds, kind, data})
}

// line writes a value as one line of JSON.
func (p *pen) line(v any) error {
	e := json.NewEncoder(p.w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
