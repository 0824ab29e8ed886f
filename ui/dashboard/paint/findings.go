package paint

import (
	"slices"
	"strings"

	"ephtop/model"
	"ephtop/ui/advice"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// Stop is where the cursor of the findings can stand: on the title of one, and
// in one that is unfolded on each command of its remedies.
type Stop struct {
	// Finding is an index into View.Findings, Remedy one into its Advice's, -1 for
	// the title, and Command the line of that remedy's commands; a remedy without
	// any has one stop.
	Finding, Remedy, Command int
}

// titleOf is the stop on a finding's title.
func titleOf(finding int) Stop { return Stop{finding, -1, 0} }

// findingsPage is the findings, laid out.
type findingsPage struct {
	v     *View
	width int
	told  advice.Told
	lines [][]segment
	stops []place
}

// place is a stop on the page: its lines are those of [first, last), and
// [from, to) are in sight where it is.
type place struct {
	Stop
	first, last, from, to int
}

const (
	findingIndent = gutter + 2
	remedyIndent  = findingIndent + 2
	remedyLabel   = 7
	leastRemedy   = 16 // columns of a remedy beside a title
)

// findingsPage lays the findings out: a line each, and of those that are
// unfolded what was seen, why it matters and what helps.
func (v *View) findingsPage(width int) *findingsPage {
	p := &findingsPage{v: v, width: width, told: make(advice.Told)}
	switch {
	case v.State == nil:
		p.lines = [][]segment{{{theme.Dim, waitingFor(v)}}}
	case len(v.Findings) == 0:
		p.nothing()
	}
	order, several := v.byNamespace()
	for n, i := range order {
		from := len(p.lines)
		if state := v.Findings[i].State; several && (n == 0 || v.Findings[order[n-1]].State != state) {
			p.heading(n > 0, advice.Namespace(&v.Overview.States[state].Snapshot.Scope))
		}
		p.finding(i, from)
	}
	if n := len(p.lines); n > 0 && p.lines[n-1] == nil {
		p.lines = p.lines[:n-1]
	}
	return p
}

// byNamespace puts the findings of one namespace together, that of the most
// urgent one first, and tells whether there are several namespaces.
func (v *View) byNamespace() (order []int, several bool) {
	first := make(map[int]int)
	for i := range v.Findings[:min(len(v.Findings), len(v.Advice))] {
		order = append(order, i)
		if _, ok := first[v.Findings[i].State]; !ok {
			first[v.Findings[i].State] = i
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return first[v.Findings[a].State] - first[v.Findings[b].State] })
	return order, v.Overview != nil && (len(first) > 1 || len(first) == 1 && v.Overview.States[v.Findings[0].State] != v.State)
}

func (p *findingsPage) nothing() {
	p.lines = [][]segment{{{theme.OK, "· "}, {theme.Text, "Nothing is wrong with the ephemeral ports of this host."}}}
	if !p.v.State.Failures.Observed {
		p.lines = append(p.lines, nil)
		p.add(theme.Dim, "What cannot be seen here: connects that failed for want of a port leave nothing in the kernel's tables. "+
			"ephtop --trace counts them (as root).")
	}
}

func (p *findingsPage) heading(apart bool, name string) {
	if apart {
		p.lines = append(p.lines, nil)
	}
	p.lines = append(p.lines, []segment{{theme.Title, name}})
}

// add adds a paragraph.
func (p *findingsPage) add(style theme.Role, s string, lead ...segment) {
	p.lines = paragraph(p.lines, style, s, p.width, lead...)
}

// stop says that the lines from first on are where the cursor can stand. What
// follows belongs to it, until the next one.
func (p *findingsPage) stop(at Stop, first, from int) {
	p.stops = append(p.stops, place{at, first, len(p.lines), from, len(p.lines)})
}

// extend lets what was added since belong to the last stop.
func (p *findingsPage) extend() { p.stops[len(p.stops)-1].to = len(p.lines) }

// finding adds one finding. The lines from from on are above it in sight: whose
// it is.
func (p *findingsPage) finding(i, from int) {
	a, level, first := &p.v.Advice[i], p.v.Findings[i].Level, len(p.lines)
	lead := []segment{blanks(gutter), {levelRoles[level], levelMark(level)}, blanks(1)}
	if !p.v.unfolded(i) {
		p.lines = append(p.lines, append(lead, segment{theme.Strong, text.Truncate(text.Sanitize(a.Title), p.width-findingIndent)}))
		if room := p.width - measure(p.lines[first]) - len("  → "); len(a.Remedies) > 0 && room >= leastRemedy {
			p.lines[first] = append(p.lines[first], segment{theme.Key, "  → "}, segment{theme.Dim, text.Truncate(text.Sanitize(a.Remedies[0].What), room)})
		}
		p.stop(titleOf(i), first, from)
		return
	}
	p.add(theme.Strong, a.Title, lead...)
	p.stop(titleOf(i), first, from)
	p.add(theme.Text, a.Seen, blanks(findingIndent))
	p.add(theme.Dim, a.Why, blanks(findingIndent))
	p.extend()
	fresh, above := p.told.Once(a.Remedies)
	for _, n := range fresh {
		p.remedy(i, n, &a.Remedies[n])
	}
	p.add(theme.Dim, above, blanks(findingIndent), segment{theme.Key, "→ "})
	p.extend()
	p.lines = append(p.lines, nil)
}

// remedy adds what helps.
func (p *findingsPage) remedy(finding, n int, r *advice.Remedy) {
	from := len(p.lines)
	p.add(theme.Text, r.What, blanks(findingIndent), segment{theme.Key, "→ "})
	if r.Command == "" {
		p.stop(Stop{finding, n, 0}, from, from)
	}
	for i, c := range strings.Split(r.Command, "\n") {
		if c != "" {
			first := len(p.lines)
			p.add(theme.Command, c, blanks(remedyIndent), segment{theme.Dim, "$ "})
			p.stop(Stop{finding, n, i}, first, from)
			from = first
		}
	}
	for _, s := range [...]struct{ label, words string }{{"how", r.Config}, {"effect", r.Effect}, {"risk", r.Risk}} {
		label := s.label
		for line := range strings.Lines(s.words) {
			p.add(theme.Text, strings.TrimSpace(line), blanks(remedyIndent), pieceOf(segment{theme.Dim, label}, remedyLabel))
			label = ""
		}
	}
	p.extend()
}

// at is where the cursor stands.
func (p *findingsPage) at() *place {
	i := slices.IndexFunc(p.stops, func(at place) bool { return at.Stop == p.v.Stop })
	if i < 0 {
		return &place{}
	}
	return &p.stops[i]
}

func (v *View) unfolded(finding int) bool { return finding < len(v.Unfolded) && v.Unfolded[finding] }

// page lays the findings out as they are on screen, in so many lines.
func (v *View) page() (p *findingsPage, height int) {
	inner := overlayRect(v).Inset(2, 1)
	return v.findingsPage(max(1, inner.W)), max(1, inner.H)
}

// StopLine is how far below the first line on screen the cursor of the findings
// stands.
func (v *View) StopLine() int {
	p, _ := v.page()
	return p.at().first - v.Scroll
}

// HoldStop scrolls so that the cursor stands so many lines below the first one.
func (v *View) HoldStop(line int) {
	p, height := v.page()
	v.Scroll = max(0, min(p.at().first-line, len(p.lines)-height))
}

// SettleStop puts the cursor on the title of its finding, or of the last one,
// where what it stood on is gone.
func (v *View) SettleStop() {
	p, _ := v.page()
	if v.Stop.Finding = max(0, min(v.Stop.Finding, len(v.Findings)-1)); p.at().last == 0 {
		v.Stop = titleOf(v.Stop.Finding)
	}
}

// MoveStop moves the cursor of the findings by so many stops, or within what
// belongs to it where that is more than the screen holds.
func (v *View) MoveStop(by int) {
	p, height := v.page()
	if len(p.stops) == 0 {
		return
	}
	v.Scroll = max(0, min(v.Scroll, len(p.lines)-height))
	at := p.at()
	switch {
	case by == 1 && at.to > v.Scroll+height:
		v.Scroll++
		return
	case by == -1 && at.from < v.Scroll:
		v.Scroll--
		return
	}
	i := slices.IndexFunc(p.stops, func(s place) bool { return s.Stop == at.Stop })
	at = &p.stops[max(0, min(i+by, len(p.stops)-1))]
	v.Stop = at.Stop
	v.Scroll = min(max(v.Scroll, at.to-height), at.from)
	if at == &p.stops[0] {
		v.Scroll = 0 // with what stands above it
	}
}

// PageStop moves the cursor by a screen, down (+1) or up (-1).
func (v *View) PageStop(direction int) {
	p, height := v.page()
	from, by := p.at().first, 0
	i := slices.IndexFunc(p.stops, func(s place) bool { return s.Stop == p.at().Stop })
	for next := i + direction; next >= 0 && next < len(p.stops); next += direction {
		by += direction
		if d := direction * (p.stops[next].first - from); d >= height-1 {
			break
		}
	}
	if by == 0 {
		by = direction
	}
	v.MoveStop(by)
}

// markStop marks the lines of the page that the cursor stands on; top is the
// first one on screen.
func (p *Painter) markStop(inner screen.Rect, page *findingsPage, top int) {
	at := page.at()
	for i := max(at.first, top); i < min(at.last, top+inner.H); i++ {
		if y := inner.Y + i - top; i == at.first {
			p.mark(inner, y)
		} else {
			p.canvas.Repaint(screen.Rect{X: inner.X, Y: y, W: inner.W, H: 1}, theme.Selected)
		}
	}
}

// findingsSegment counts the findings, in the look of the worst.
func findingsSegment(v *View) segment {
	if len(v.Findings) == 0 {
		return segment{}
	}
	worst, n := v.Findings[0].Level, len(v.Findings)
	if worst == model.LevelOK { // nothing is wrong
		return segment{theme.Dim, levelMark(worst) + " " + text.Plural(n, "note", "notes") + " (f)"}
	}
	return segment{levelRoles[worst], levelMark(worst) + " " + text.Plural(n, "finding", "findings") + " (f)"}
}
