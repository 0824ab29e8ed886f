// Package svg draws a film as a picture: one frame, or an animation in SVG and
// CSS alone, which plays in an <img> and wherever scripts don't.
//
// # How the animation works
//
// A row of a frame falls into pieces: a word, a line of a box, a bar. A piece
// that stands from one time to another is drawn once, in a group that is visible
// for just as long:
//
//	frame      0        1        2
//	           64 %     64 %     65 %      "64" from 0 to 2, "65" from 2 on,
//	                                       "%" always
//
// So the file holds what changes, and no frame is drawn whole but the first. No
// piece lies over another one: only the backgrounds lie below, in a layer of
// their own. Each span of time is one rule of keyframes.
//
// Where nothing is animated, the poster is seen: the first frame of the worst
// level.
package svg

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"ephtop/model"
	"ephtop/ui/export"
	"ephtop/ui/screen"
	"ephtop/ui/theme"
)

// Options say what a picture looks like.
type Options struct {
	// Theme is the name of one of package theme's. "" is the default, and the
	// light one for readers who prefer that.
	Theme string
	// Title is what a reader of the screen is told; "" for the name of the program.
	Title string
}

// MaxSize bounds a picture: browsers take long for one of that size.
const MaxSize = 32 << 20

// errSize says what to do about a picture beyond MaxSize.
var errSize = fmt.Errorf("an SVG of more than %d MB: play it faster, or a shorter recording", MaxSize>>20)

// hold is how long the last frame stands before the animation begins anew.
const hold = 3 * time.Second

// Write writes a film, from where it is to its end, as an animation.
func Write(w io.Writer, f *export.Film, o Options) error {
	d, err := newDrawing(o)
	if err != nil {
		return err
	}
	worst, poster := model.LevelOK, time.Duration(0)
	for {
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if frame.Level > worst {
			worst, poster = frame.Level, frame.At
		}
		d.frame(frame.Canvas, frame.At)
		if d.size() > MaxSize {
			return errSize
		}
	}
	return d.finish(w, f.Length()+hold, poster)
}

// Still writes one frame.
func Still(w io.Writer, c *screen.Canvas, o Options) error {
	d, err := newDrawing(o)
	if err != nil {
		return err
	}
	d.frame(c, 0)
	return d.finish(w, 0, 0)
}

// span is when a piece is visible, in whole milliseconds: from the one time up to
// the other; forever where that is 0.
type span struct{ from, to time.Duration }

// drawing is a picture that is being made.
type drawing struct {
	// light is the sheet for readers who prefer light ones, if they are asked.
	sheet, light  theme.Sheet
	asks          bool
	title         string
	width, height int
	rows          []row
	// backs and fronts are the layers: of backgrounds, and of what is on them.
	backs, fronts layer
}

// row is what is visible in a row now.
type row struct{ backs, fronts []piece }

func newDrawing(o Options) (*drawing, error) {
	sheet, err := theme.SheetByName(o.Theme)
	if err != nil {
		return nil, err
	}
	d := &drawing{sheet: sheet, asks: o.Theme == "", title: cmp.Or(o.Title, "ephtop")}
	if d.asks {
		d.light, err = theme.SheetByName("light")
	}
	return d, err
}

// frame goes on with a frame.
func (d *drawing) frame(c *screen.Canvas, at time.Duration) {
	at = at.Truncate(time.Millisecond)
	d.width, d.height = c.Size()
	if d.rows == nil {
		d.rows = make([]row, d.height)
	}
	for y := range d.rows {
		r := &d.rows[y]
		fresh := d.cut(c, y)
		r.backs = d.backs.change(r.backs, fresh.backs, at)
		r.fronts = d.fronts.change(r.fronts, fresh.fronts, at)
	}
	d.backs.flush(at)
	d.fronts.flush(at)
}
