package report

import (
	"bufio"
	"fmt"
	"io"
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

// DoctorText writes the checklist and then the findings, most urgent first, in
// at most 80 columns; only commands, which are there to be copied, may be
// longer.
func DoctorText(w io.Writer, d *Diagnosis, o Options) error {
	p := textPage{out: bufio.NewWriter(w), moment: newMoment(d.State), pen: newPen(o)}
	p.header()
	p.fact("sample", same, fmt.Sprintf("%s in %s, by %s", text.Plural(d.Sample.Polls, "poll", "polls"), text.Duration(d.Sample.Span),
		p.name(p.Moment.Source)))
	p.failures()
	for i, item := range advice.Checklist(d.State, d.Evidence, d.Sample) {
		p.item(i+1, &item)
	}
	p.remedies()
	p.degraded()
	return p.out.Flush()
}

// verdictLevel is the level that a verdict is drawn as.
func verdictLevel(v model.Verdict) model.Level {
	switch v {
	case model.VerdictWarning:
		return model.LevelWarning
	case model.VerdictProblem:
		return model.LevelCritical
	}
	return model.LevelOK
}

func (p *textPage) item(n int, item *advice.Item) {
	level := verdictLevel(item.Verdict)
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

// paragraph writes words wrapped, the first line after first and the others
// after rest.
func (p *textPage) paragraph(first, rest, words string) {
	for _, l := range fold(p.name(words), pageWidth-max(len(first), len(rest))) {
		p.line(first, l)
		first = rest
	}
}

// fold breaks words into lines at blanks alone, where text.Wrap breaks at
// hyphens too and so would tear "--flag" and the names of files. A word that
// is wider than a line is cut.
func fold(words string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(words) {
		switch {
		case line == "":
			line = word
		case text.Width(line)+1+text.Width(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
		if text.Width(line) > width {
			parts := text.Wrap(line, width)
			lines = append(lines, parts[:len(parts)-1]...)
			line = parts[len(parts)-1]
		}
	}
	return append(lines, line)
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
	told := make(map[advice.Remedy]bool)
	for i := range list {
		f := &list[i]
		a := advice.Of(p.State, f)
		p.line()
		p.line(p.level(f.Level, p.glyph(f.Level)), " ", p.paint(theme.Strong, p.name(a.Title)))
		p.paragraph("    ", "    ", a.Seen+".")
		p.paragraph("    ", "    ", a.Why)
		for _, r := range a.Remedies {
			if told[r] {
				p.paragraph("    - ", "      ", r.What+", as above")
				continue
			}
			told[r] = true
			p.paragraph("    - ", "      ", r.What)
			for command := range strings.SplitSeq(r.Command, "\n") {
				p.command(command)
			}
			p.paragraph("        effect: ", "          ", r.Effect)
			p.paragraph("        risk: ", "          ", r.Risk)
		}
	}
}

// command writes a line to be copied. One that sets something stays whole.
func (p *textPage) command(line string) {
	const indent = "          "
	if strings.HasPrefix(line, "sysctl ") || strings.HasPrefix(line, "netsh ") {
		p.line(indent, p.paint(theme.Key, p.name(line)))
		return
	}
	for _, l := range fold(p.name(line), pageWidth-len(indent)) {
		p.line(indent, p.paint(theme.Key, l))
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

type jsonSample struct {
	Polls   int     `json:"polls"`
	Seconds float64 `json:"seconds"`
}

// DoctorJSON writes the checklist, the findings and the evidence as one JSON
// object. Fields that JSON has too mean the same.
func DoctorJSON(w io.Writer, d *Diagnosis, _ Options) error {
	p := jsonPage{out: bufio.NewWriterSize(w, 64<<10), moment: newMoment(d.State)}
	p.head()
	p.field("sample", jsonSample{d.Sample.Polls, tenth(d.Sample.Span.Seconds())})
	p.field("verdict", d.Verdict().String())
	items := advice.Checklist(d.State, d.Evidence, d.Sample)
	p.list("points", len(items), func(i int) {
		item := &items[i]
		p.value(jsonItem{i + 1, item.Topic.String(), item.Title, item.Verdict.String(), item.Seen, item.Next})
	})
	p.findings()
	p.kinds()
	p.field("failures", newFailures(d.State))
	p.field("evidence", d.Evidence)
	p.reasons()
	return p.end()
}
