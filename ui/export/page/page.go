// Package page writes a film as one page of HTML that is a player: no other
// file, and no request to anywhere. What it says stands in it as text, which can
// be selected, searched and read aloud.
//
// # How the page is made
//
//	head        the policy (CSP): one style and one script, by their hashes
//	player      empty, filled and shown by the script
//	film        JSON that nobody runs: of each frame what is new
//	noscript    the worst moment, as a still
//	findings    what was found at the worst moment, and what helps
//	script      the player
//
// It is written as the frames come. Names are of foreign origin: they get into
// the page as JSON, with no "<" in it, or escaped, and the script only ever
// makes text of them.
package page

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"time"

	"ephtop/ui/export"
	"ephtop/ui/text"
)

// Options say what a page looks like.
type Options struct {
	// Theme is the name of one of package theme's, which the page begins with. ""
	// is the default, or the light one for readers who prefer that. They can switch
	// between a dark one and the light one.
	Theme string
	// Title is the heading; "" for the name of the program.
	Title string
	// Speed is how fast the film was made to play, as in [export.Options]. The
	// times of the page are then those of the recording, from the first frame on,
	// whatever the speed, and it begins to play at this one. Where the keys
	// of a script change the speed, or an idle limit shortens the film, they are
	// playing times at this speed.
	Speed float64
}

// MaxSize bounds a page: browsers take long for one of that size.
const MaxSize = 32 << 20

var errSize = fmt.Errorf("a page of more than %d MB: export a shorter recording, or a smaller screen", MaxSize>>20)

//go:embed player.js
var player string

// Write writes a film, from where it is to its end.
func Write(w io.Writer, film *export.Film, o Options) error {
	style, err := newStyle(film, o.Theme)
	if err != nil {
		return err
	}
	frame, err := film.Next()
	if err != nil {
		return fmt.Errorf("the first frame: %w", err)
	}
	sized := &sizedWriter{w: w}
	p := pen{bufio.NewWriter(sized)}
	p.head(cmp.Or(o.Title, "ephtop"), style)
	worst, err := p.film(film, frame, cmp.Or(o.Speed, 1))
	if err != nil {
		return err
	}
	p.worst(worst)
	p.put("<script>", player, "</script>\n</body>\n</html>\n")
	return p.Flush()
}

// pen writes. An error stays in it until Flush.
type pen struct{ *bufio.Writer }

// put writes what is HTML already.
func (p pen) put(parts ...string) {
	for _, s := range parts {
		p.WriteString(s)
	}
}

// element writes an element that holds a text.
func (p pen) element(name, class, words string) {
	p.put("<", name)
	if class != "" {
		p.put(` class="`, class, `"`)
	}
	p.put(">", plain(words), "</", name, ">")
}

// plain makes HTML of what may hold marks of it, or worse.
func plain(s string) string { return html.EscapeString(text.Sanitize(s)) }

func (p pen) head(title string, s style) {
	theme := ""
	if s.begins != "" {
		theme = ` data-theme="` + s.begins + `"`
	}
	p.put("<!DOCTYPE html>\n<html lang=\"en\"", theme, ">\n<head>\n<meta charset=\"utf-8\">\n",
		`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-`, hash(player), "'; style-src 'sha256-", hash(s.text), `'; base-uri 'none'; form-action 'none'">`,
		"\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n")
	p.element("title", "", title)
	p.put("\n<style>", s.text, "</style>\n</head>\n<body>\n<main>\n")
	p.element("h1", "", title)
	p.element("p", "about", "A recording of ephtop, top for ephemeral ports: how full they are, who holds them, and what helps. "+
		"Each outgoing connection needs one, and without one connect() fails.")
	p.put("\n<div id=\"player\" hidden></div>\n")
}

// hash is what a policy calls a script or a style.
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// film writes the frames, from the first one on, and gives the worst moment.
func (p pen) film(film *export.Film, frame export.Frame, speed float64) (worst, error) {
	width, height := film.Size()
	p.put(`<script type="application/json" id="film">`)
	fmt.Fprintf(p, `{"columns":%d,"rows":%d,"speed":%v,"frames":[`, width, height, speed)
	var worst worst
	for c := (coder{speed: speed}); ; {
		line, err := c.frame(&frame)
		if err != nil {
			return worst, err
		}
		p.put(c.comma(), string(line))
		worst.take(film, &frame, c.at(frame.At))
		frame, err = film.Next()
		if errors.Is(err, io.EOF) {
			fmt.Fprintf(p, "\n],\"length\":%d}</script>\n", c.at(film.Length()).Milliseconds())
			return worst, nil
		}
		if err != nil {
			return worst, err
		}
		if _, err := p.Write(nil); err != nil {
			return worst, err
		}
	}
}

// sizedWriter writes no more than MaxSize.
type sizedWriter struct {
	w    io.Writer
	size int
}

func (s *sizedWriter) Write(b []byte) (int, error) {
	if s.size += len(b); s.size > MaxSize {
		return 0, errSize
	}
	return s.w.Write(b)
}

// clock is a time of the page, as 0:46 or 1:02:03.
func clock(at time.Duration) string {
	s := int(at / time.Second)
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
