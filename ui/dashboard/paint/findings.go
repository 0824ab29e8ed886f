package paint

import (
	"strings"

	"ephtop/model"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// findingsText says of each finding what was seen, why it matters and what
// helps.
func findingsText(v *View, width int) [][]segment {
	if v.State == nil {
		return [][]segment{{{theme.Dim, waitingFor(v)}}}
	}
	if len(v.Findings) == 0 {
		lines := [][]segment{{{theme.OK, "· "}, {theme.Text, "Nothing is wrong with the ephemeral ports of this host."}}}
		if !v.State.Failures.Observed {
			lines = append(lines, nil)
			lines = paragraph(lines, theme.Dim, "What cannot be seen here: connects that failed for want of a port leave nothing "+
				"in the kernel's tables. ephtop --trace counts them (as root).", width)
		}
		return lines
	}
	var lines [][]segment
	for i := range v.Findings {
		if i > 0 {
			lines = append(lines, nil)
		}
		lines = findingText(lines, &v.Findings[i], width)
	}
	return lines
}

const findingIndent = 2

func findingText(lines [][]segment, f *Finding, width int) [][]segment {
	a, mark := &f.Advice, levelMark(f.Level)
	title := text.Wrap(text.Sanitize(a.Title), max(width-findingIndent, 1))
	for i, l := range title {
		style := theme.Strong
		if i == 0 {
			lines = append(lines, []segment{{levelRoles[f.Level], mark}, {theme.Text, " "}, {style, l}})
		} else {
			lines = append(lines, []segment{{theme.Text, "  "}, {style, l}})
		}
	}
	lines = indented(lines, theme.Text, a.Seen, findingIndent, width)
	lines = indented(lines, theme.Dim, a.Why, findingIndent, width)
	for i := range a.Remedies {
		r := &a.Remedies[i]
		lines = pointed(lines, "→ ", text.Sanitize(r.What), width)
		for c := range strings.Lines(r.Command) {
			lines = append(lines, []segment{{theme.Text, pad("", commandIndent, false)}, {theme.Command, text.Sanitize(strings.TrimSpace(c))}})
		}
		lines = labelled(lines, "effect", r.Effect, width)
		lines = labelled(lines, "risk", r.Risk, width)
	}
	return lines
}

const (
	// commandIndent is small: a command stands on one line, so that it can be
	// copied, and what there is no room for is cut. `ephtop doctor` has it whole.
	commandIndent = 4
	remedyLabel   = 7
)

// levelMark is the sign of a level alone.
func levelMark(l model.Level) string {
	for i := range levelWords[l] {
		if levelWords[l][i] == ' ' {
			return levelWords[l][:i]
		}
	}
	return levelWords[l]
}

func indented(lines [][]segment, style theme.Role, s string, indent, width int) [][]segment {
	for _, l := range text.Wrap(text.Sanitize(s), max(width-indent, 1)) {
		lines = append(lines, []segment{{theme.Text, pad("", indent, false)}, {style, l}})
	}
	return lines
}

// pointed adds a paragraph that begins with a sign.
func pointed(lines [][]segment, sign, s string, width int) [][]segment {
	for _, l := range text.Wrap(s, max(width-commandIndent, 1)) {
		lines = append(lines, []segment{{theme.Text, "  "}, {theme.Key, pad(sign, commandIndent-2, false)}, {theme.Text, l}})
		sign = ""
	}
	return lines
}

// labelled adds a paragraph with a label at its left; nothing if it is empty.
func labelled(lines [][]segment, label, s string, width int) [][]segment {
	indent := commandIndent + remedyLabel
	for _, l := range text.Wrap(text.Sanitize(s), max(width-indent, 1)) {
		lines = append(lines, []segment{
			{theme.Text, pad("", commandIndent, false)}, {theme.Dim, pad(label, remedyLabel, false)}, {theme.Text, l},
		})
		label = ""
	}
	return lines
}

func worstFinding(v *View) model.Level {
	worst := model.LevelOK
	for i := range v.Findings {
		worst = max(worst, v.Findings[i].Level)
	}
	return worst
}

// findingsSegment counts the findings, in the look of the worst.
func findingsSegment(v *View) segment {
	if len(v.Findings) == 0 {
		return segment{}
	}
	worst := worstFinding(v)
	style := levelRoles[worst]
	if worst == model.LevelOK {
		style = theme.Dim
	}
	return segment{style, levelMark(worst) + " " + text.Plural(len(v.Findings), "finding", "findings") + " (f)"}
}
