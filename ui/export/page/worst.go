package page

import (
	"bufio"
	"bytes"
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/export"
	"ephtop/ui/screen"
	"ephtop/ui/theme"
)

// worst is the worst moment of a film. Of two that are as bad it is the later
// one: more is known of what was before it.
type worst struct {
	any     bool
	level   model.Level
	percent float64 // of the ports that fail first, in whole ones
	// at is the page's time, and moment the recording's.
	at      time.Duration
	moment  time.Time
	verdict string
	still   screenshot
	// findings is HTML.
	findings bytes.Buffer
}

// take has a look at a frame.
func (w *worst) take(film *export.Film, f *export.Frame, at time.Duration) {
	o, shown := &film.Look().Overview, film.Look().State()
	level := advice.SentenceOf(o, shown).Level // also of what takes no ports yet, as a leak
	used, _ := shown.Worse()
	head := used.Headline()
	percent := math.Floor(head.Percent())
	if w.any && (level < w.level || level == w.level && percent < w.percent) {
		return
	}
	w.any, w.level, w.percent, w.at, w.moment, w.verdict = true, level, percent, at, f.Moment, f.Verdict
	w.still.take(f.Canvas)
	w.findings.Reset()
	p := pen{bufio.NewWriter(&w.findings)}
	p.findings(o)
	p.notSeen(o.Moment)
	p.Flush() // to memory, which does not fail
}

// worst writes the still and the findings.
func (p pen) worst(w worst) {
	p.put("<noscript>\n<p>No script runs here: this is the worst moment.</p>\n<div class=\"screen\">")
	w.still.write(p)
	p.put("</div>\n</noscript>\n<section id=\"findings\">\n")
	at := strconv.FormatFloat(w.at.Seconds(), 'f', -1, 64)
	words := "The worst moment:"
	if w.level == model.LevelOK {
		words = "No moment was worse than"
	}
	p.put("<h2>", words, " <a href=\"#t=", at, "\">", clock(w.at), "</a>, ", w.moment.UTC().Format("15:04:05 UTC"), "</h2>\n")
	p.put(`<p class="verdict"><strong class="`, w.level.String(), `">`, glyph(w.level), " ", w.level.String(), "</strong> ", plain(w.verdict), "</p>\n")
	p.Write(w.findings.Bytes())
	p.put("</section>\n</main>\n")
}

// glyph tells a level where there is no colour.
func glyph(l model.Level) string {
	return [...]string{"·", "!", "‼", "✖"}[min(l, model.LevelExhausted)]
}

// findings writes what was found, most urgent first. A remedy that serves
// several is told once.
func (p pen) findings(o *model.Overview) {
	if len(o.Findings) == 0 {
		p.put("<h3>Findings: none</h3>\n")
		return
	}
	told := make(advice.Told)
	for i := range o.Findings {
		f := &o.Findings[i]
		st := o.States[f.State]
		a := advice.Of(st, f)
		if len(o.States) > 1 {
			a.Title = advice.Within(advice.Namespace(&st.Snapshot.Scope), a.Title)
		}
		p.put("<article>\n<h3><span class=\"", f.Level.String(), "\">", glyph(f.Level), "</span> ", plain(a.Title), "</h3>\n")
		p.element("p", "", a.Seen+".")
		p.element("p", "", a.Why)
		fresh, above := told.Once(a.Remedies)
		p.put("\n<ul>\n")
		for _, i := range fresh {
			p.remedy(&a.Remedies[i])
		}
		if above != "" {
			p.element("li", "", above)
		}
		p.put("</ul>\n</article>\n")
	}
}

func (p pen) remedy(r *advice.Remedy) {
	p.put("<li>")
	p.element("strong", "", r.What)
	p.put(": ", plain(r.Effect), ".")
	p.lines(r.Command)
	p.lines(r.Config)
	p.element("p", "", "Risk: "+r.Risk+".")
	p.put("</li>\n")
}

// lines writes what can be copied.
func (p pen) lines(s string) {
	if s == "" {
		return
	}
	p.put("<pre>")
	for i, l := range strings.Split(strings.TrimSuffix(s, "\n"), "\n") {
		if i > 0 {
			p.put("\n")
		}
		p.put(plain(l))
	}
	p.put("</pre>")
}

func (p pen) notSeen(m *source.Moment) {
	limits := advice.Limits(m)
	if len(limits) == 0 {
		return
	}
	p.put("<h3>Not seen</h3>\n<ul>\n")
	for _, l := range limits {
		p.element("li", "", l)
	}
	p.put("</ul>\n")
}

// screenshot is a screen that is kept.
type screenshot [][]screen.Cell

func (s *screenshot) take(c *screen.Canvas) {
	_, height := c.Size()
	if len(*s) != height {
		*s = make(screenshot, height)
	}
	for y := range *s {
		row := (*s)[y][:0]
		for cell := range c.Cells(y) {
			row = append(row, cell)
		}
		(*s)[y] = row
	}
}

// write writes a row an element, and a stretch of one style an element in it.
func (s screenshot) write(p pen) {
	for _, row := range s {
		p.put(`<div class="row">`)
		style := theme.Text
		for _, c := range row {
			if c.Style != style {
				p.turn(style, c.Style)
				style = c.Style
			}
			p.put(html.EscapeString(c.Text))
		}
		p.turn(style, theme.Text)
		p.put("</div>")
	}
}

// turn goes from one style to another.
func (p pen) turn(from, to theme.Role) {
	if from != theme.Text {
		p.put("</span>")
	}
	if to != theme.Text {
		fmt.Fprintf(p, `<span class="s%d">`, to)
	}
}
