package paint

import (
	"strings"

	"ephtop/model"
	"ephtop/ui/advice"
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
		lines = findingText(lines, v.Findings[i].Level, &v.Advice[i], width)
	}
	return lines
}

const (
	findingIndent = 2
	// commandIndent is small: a command stands on one line, so that it can be
	// copied, and what there is no room for is cut. `ephtop doctor` has it whole.
	commandIndent = 4
	remedyLabel   = 7
)

func findingText(lines [][]segment, level model.Level, a *advice.Advice, width int) [][]segment {
	lines = paragraph(lines, theme.Strong, a.Title, width, segment{levelRoles[level], levelMark(level)}, blanks(1))
	lines = paragraph(lines, theme.Text, a.Seen, width, blanks(findingIndent))
	lines = paragraph(lines, theme.Dim, a.Why, width, blanks(findingIndent))
	for i := range a.Remedies {
		r := &a.Remedies[i]
		lines = paragraph(lines, theme.Text, r.What, width, blanks(findingIndent), segment{theme.Key, "→ "})
		for c := range strings.Lines(r.Command) {
			lines = append(lines, []segment{blanks(commandIndent), {theme.Command, text.Sanitize(strings.TrimSpace(c))}})
		}
		lines = paragraph(lines, theme.Text, r.Config, width, blanks(commandIndent), pieceOf(segment{theme.Dim, "how"}, remedyLabel))
		lines = paragraph(lines, theme.Text, r.Effect, width, blanks(commandIndent), pieceOf(segment{theme.Dim, "effect"}, remedyLabel))
		lines = paragraph(lines, theme.Text, r.Risk, width, blanks(commandIndent), pieceOf(segment{theme.Dim, "risk"}, remedyLabel))
	}
	return lines
}

// findingsSegment counts the findings, in the look of the worst.
func findingsSegment(v *View) segment {
	if len(v.Findings) == 0 {
		return segment{}
	}
	worst := v.Findings[0].Level
	style := levelRoles[worst]
	if worst == model.LevelOK {
		style = theme.Dim
	}
	return segment{style, levelMark(worst) + " " + text.Plural(len(v.Findings), "finding", "findings") + " (f)"}
}
