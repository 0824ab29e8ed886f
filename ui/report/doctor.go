package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// Diagnosis is what "ephtop doctor" found out.
type Diagnosis struct {
	State    *model.State
	Evidence *source.Evidence
	Sample   advice.Sample
}

// Verdict is the worst of the checklist.
func (d *Diagnosis) Verdict() model.Verdict { return model.Worst(model.Examine(d.State, d.Evidence)) }

// DoctorText writes the checklist, the findings, most urgent first, and at the
// end the verdict, in at most 80 columns; only commands, which are there to be copied, may be
// longer.
func DoctorText(w io.Writer, d *Diagnosis, o Options) error {
	p := textPage{out: bufio.NewWriter(w), cleanState: newCleanState(d.State), pen: newPen(o)}
	p.header()
	p.fact("sample", fmt.Sprintf("%s in %s, by %s", text.Plural(d.Sample.Polls, "poll", "polls"), text.Duration(d.Sample.Span),
		p.name(p.Moment.Source)))
	p.about(&o)
	p.wayFact(&o)
	p.failures()
	items := advice.Checklist(d.State, d.Evidence, d.Sample)
	for i, item := range items {
		p.item(i+1, &item)
	}
	p.remedies()
	p.elsewhere(&o)
	p.degraded()
	p.verdict(items)
	return p.out.Flush()
}

// verdictLevels are the levels in whose colours verdicts are written.
var verdictLevels = [...]model.Level{
	model.VerdictOK: model.LevelOK, model.VerdictUnknown: model.LevelOK, model.VerdictWarning: model.LevelWarning,
	model.VerdictProblem: model.LevelCritical,
}

// verdict is the last that is said, which is what a terminal shows: what is most
// urgent and what to do first, by the findings, or by a point of the checklist
// that is worse.
func (p *textPage) verdict(items []advice.Item) {
	p.title("Verdict")
	s := advice.StateSentence(p.State)
	worst := slices.MaxFunc(items, func(a, b advice.Item) int { return cmp.Compare(a.Verdict, b.Verdict) })
	if level := verdictLevels[worst.Verdict]; level > s.Level {
		p.conclusion(level, worst.Verdict.String()+": "+worst.Title, worst.Next[0], "")
	}
	switch {
	case s.Finding >= 0:
		var first advice.Remedy
		if a := advice.Of(p.State, &p.Findings[s.Finding]); len(a.Remedies) > 0 {
			first = a.Remedies[0]
		}
		p.conclusion(s.Level, s.Level.String()+": "+s.Text, first.What, first.Command)
	case worst.Verdict == model.VerdictUnknown:
		n := 0
		for i := range items {
			if items[i].Verdict == model.VerdictUnknown {
				n++
			}
		}
		p.conclusion(s.Level, s.Text+", as far as can be seen: "+text.Plural(n, "point is", "points are")+" not known", "", "")
	case worst.Verdict == model.VerdictOK:
		p.conclusion(s.Level, s.Text, "", "")
	}
}

// conclusion is one thing that is wrong, and what to do first.
func (p *textPage) conclusion(level model.Level, words, first, command string) {
	for i, l := range text.Wrap(p.name(words), pageWidth-2) {
		mark := p.level(level, p.glyph(level)) + " "
		if i > 0 {
			mark = "  "
		}
		p.line(mark, p.paint(theme.Strong, l))
	}
	p.paragraph("  first: ", "         ", first)
	for line := range strings.Lines(command) {
		p.line("          ", p.paint(theme.Key, p.name(strings.TrimSpace(line))))
	}
}

func (p *textPage) item(n int, item *advice.Item) {
	level := verdictLevels[item.Verdict]
	glyph := p.level(level, p.glyph(level))
	if item.Verdict == model.VerdictUnknown {
		glyph = p.paint(theme.Dim, "?")
	}
	p.line()
	p.line(glyph, fmt.Sprintf(" %d. ", n), p.paint(theme.Title, item.Title), ": ", p.level(level, item.Verdict.String()))
	for _, s := range item.Seen {
		p.paragraph("     ", "       ", s)
	}
	for _, s := range item.Next {
		p.paragraph("     > ", "       ", s)
	}
}

// remedies writes the findings with all that is to say about them. A remedy
// that was told before is only named.
func (p *textPage) remedies() {
	list := p.Findings
	if len(list) == 0 {
		p.title("Findings: none")
		return
	}
	p.title("Findings, most urgent first")
	told := make(advice.Told)
	for i := range list {
		f := &list[i]
		a := advice.Of(p.State, f)
		p.line()
		p.line(p.level(f.Level, p.glyph(f.Level)), " ", p.paint(theme.Strong, p.name(a.Title)))
		p.paragraph("    ", "    ", a.Seen+".")
		p.paragraph("    ", "    ", a.Why)
		fresh, above := told.Once(a.Remedies)
		for _, i := range fresh {
			r := &a.Remedies[i]
			p.paragraph("    - ", "      ", r.What)
			for line := range strings.Lines(r.Command) {
				p.line("          ", p.paint(theme.Key, p.name(strings.TrimSpace(line))))
			}
			for line := range strings.Lines(r.Config) {
				p.paragraph("        how: ", "          ", line)
			}
			p.paragraph("        effect: ", "          ", r.Effect)
			p.paragraph("        risk: ", "          ", r.Risk)
		}
		p.paragraph("    - ", "      ", above)
	}
}

// jsonItem is a point of the checklist.
type jsonItem struct {
	Point   int      `json:"point"`
	Topic   string   `json:"topic"`
	Title   string   `json:"title"`
	Verdict string   `json:"verdict"`
	Seen    []string `json:"seen"`
	Next    []string `json:"next"`
}

// DoctorJSON writes the checklist, the findings and the evidence as one JSON
// object. Fields that JSON has too mean the same.
func DoctorJSON(w io.Writer, d *Diagnosis, o Options) error {
	p := newJSONPage(w, d.State)
	p.head()
	p.field("sample", map[string]any{"polls": d.Sample.Polls, "seconds": tenth(d.Sample.Span.Seconds())})
	p.field("verdict", d.Verdict().String())
	p.field("outlook", newOutlook(&d.State.Outlook))
	items := advice.Checklist(d.State, d.Evidence, d.Sample)
	p.list("points", len(items), func(i int) {
		item := &items[i]
		p.value(jsonItem{i + 1, item.Topic.String(), item.Title, item.Verdict.String(), item.Seen, item.Next})
	})
	p.findings(&o)
	p.kinds()
	p.field("failures", newFailures(d.State))
	p.ways(&o)
	p.field("evidence", d.Evidence)
	p.reasons()
	p.namespaces(&o)
	return p.end()
}
