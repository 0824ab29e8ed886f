package paint

import (
	"fmt"

	"ephtop/model"
	"ephtop/model/filter"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// sign is a mark, a word or a key, and what it means.
type sign struct {
	mark  segment
	words string
}

// signs are some that belong together. Their marks have a column of their own.
type signs struct {
	title string
	label int
	list  []sign
}

const (
	markColumn   = 13
	filterColumn = 21
	keyColumn    = 11
	helpColumn   = 38 // the least width of a column
	leastWords   = 8
)

// helpText is what the marks mean and how a filter is written, then the keys, and
// what this view cannot see.
func helpText(v *View, width int, marks gaugeMarks) [][]segment {
	lines := append(inColumns(v.legendOf(marks), width), nil)
	var keys []signs
	for _, g := range v.Help {
		all := signs{title: g.Title, label: keyColumn}
		for _, k := range g.Keys {
			all.list = append(all.list, sign{segment{theme.Key, k.Key}, k.Does})
		}
		keys = append(keys, all)
	}
	lines = append(lines, inColumns(keys, width)...)
	if v.State != nil && len(v.State.Moment.Limits) > 0 {
		lines = append(lines, nil, []segment{{theme.Warn, "What is not seen"}})
		for _, s := range advice.Limits(v.State.Moment) {
			lines = paragraph(lines, theme.Text, "! "+s, width)
		}
	}
	if s := v.Tracing.untraced(); s != "" {
		lines = paragraph(append(lines, nil), theme.Text, "Who closes, and which connects fail, is not traced: "+s, width)
	}
	return lines
}

// canBegin reports whether the key t would have closes traced.
func (t *Tracing) canBegin() bool {
	return t.State == source.TraceOff || t.State == source.TraceStopped
}

// untraced says why nothing is traced, and what can be done about it.
func (t *Tracing) untraced() string {
	switch t.State {
	case source.TraceOff:
		return "t traces it."
	case source.TraceRefused:
		return t.Why
	case source.TraceStopped:
		return "it cost too much; t traces it again."
	}
	return ""
}

// legendOf is the legend of what is on screen.
func (v *View) legendOf(marks gaugeMarks) []signs {
	if v.Fleet != nil {
		return v.fleetLegend(marks)
	}
	return v.legend(marks)
}

// legend is every mark and word on the screen, what is asked for most first.
func (v *View) legend(marks gaugeMarks) []signs {
	limits := model.DefaultThresholds
	if v.State != nil {
		limits = v.State.Thresholds
	}
	level := func(l model.Level, words string) sign { return sign{levelSegment(l), words} }
	word := func(s, words string) sign { return sign{segment{theme.Strong, s}, words} }
	return []signs{
		{"Gauges", markColumn, []sign{
			{segment{theme.Live, string(marks[0])}, "live: ports of open connections"},
			{segment{theme.TimeWait, string(marks[1])}, "TIME_WAIT: closed from here, and the port is kept for a while"},
			{segment{theme.Blocked, string(marks[2])}, "blocked for every destination: a server listens on it, or it was bound before connect()"},
			{segment{theme.Free, string(marks[3])}, "free"},
			{segment{theme.Warn, "┊ ┃"}, fmt.Sprintf("the warning threshold, %g %%, and once it is passed", limits.Warning)},
			{segment{theme.Critical, "┊ ┃"}, fmt.Sprintf("the critical threshold, %g %%", limits.Critical)},
			word("worst", "the destination that runs out of ports first: each pair of source and destination has the range to itself, but for "+
				"what is blocked"),
			word("whole pool", "ports that anything holds"),
			word("suspected", "likely bound before connect(); the kernel does not say"),
		}},
		{"Filter  /", filterColumn, filterSigns()},
		{"Levels", markColumn, []sign{
			level(model.LevelOK, "below the thresholds"), level(model.LevelWarning, fmt.Sprintf("from %g %%, or on the way there", limits.Warning)),
			level(model.LevelCritical, fmt.Sprintf("from %g %%", limits.Critical)), level(model.LevelExhausted, "no port is free, or a connect has just failed"),
			{segment{theme.OK, "●"}, "live"}, {segment{theme.Warn, "‖"}, "paused: polling goes on"}, {segment{theme.Warn, "■"}, "ended"},
			{segment{theme.OK, "▶"}, "a recording plays"},
		}},
		{"Outlook", markColumn, []sign{
			word("full in", "until connect() finds no port, if closes go on as now"),
			word("levels off", "where the use stops if closes go on as now; also drains to"),
			word("holds 333", "closes per second that the range can bear"),
			word("first half", "of the ports that connect() tries first"),
			word("slow connect", "connect() passes the ports that it tries first in vain: a millisecond instead of microseconds"),
			word("+118/s", "growth of the ports in use"),
		}},
		{"Lists", markColumn, []sign{
			{segment{theme.Strong, "▸"}, "the line under the cursor"},
			{segment{theme.Strong, "▾ ▴"}, "the column that sorts, falling or rising"},
			word("AGE 41s", "since it was first seen; >2h: it was there at the first poll"),
			word("LEFT 48s", "the time that a TIME_WAIT still lasts; ≤ 58s: that of the last one of a fold"),
			word("≤ 0.4 %", "at most so much: a namespace that was not looked at"),
			word("9,804 ports", "TIME_WAIT of one destination and process, folded"),
			word("api?", "the likely owner, from who was seen with the destination"),
			word("api (ended)", "the process is gone, what it closed still waits"),
			word("curl ×7", "processes of one name that hold next to nothing"),
			word("unknown", "was never seen with a process: tracing tells who closes"),
		}},
		{"SNAT, NAT", markColumn, []sign{
			word("SNAT a → b", "ports of an address that this host gives out towards a destination, to all of its clients"),
			word("give way", "closed: about every other one leaves its port to a new connection"),
			word("NAT → b", "what a NAT on the way has for a destination, as --nat says"),
			word("30–90 %", "what lives, to that with what the NAT may have freed, which is worth a warning at most"),
			word("own range", "ports of the namespace itself, where such a pool is worse"),
		}},
		{"Port map", markColumn, []sign{
			word("upper row", "connect() first: the ports of one parity that it begins with; it is slow when they are full"),
			word("lower row", "connect() last: the others, with which bind(0) begins"),
			{segment{theme.Chart, "▁▄▇"}, "how many in a stretch of the range are used"}, {segment{theme.Free, "·"}, "none is"},
		}},
	}
}

// filterSigns are the terms of a filter, and how they are joined.
func filterSigns() []sign {
	key := func(s, words string) sign { return sign{segment{theme.Key, s}, words} }
	list := []sign{key("state:tw rport:443", "both: blanks join by and"), key("rport:443,5432", "either"), key("!state:listen", "not"), key("nginx", "in a name, address, state")}
	for _, k := range filter.Keys() {
		if k.Name == "state" { // which is shorter so
			k.Example = "state:tw,close-wait"
		}
		list = append(list, key(k.Example, k.Help))
	}
	return list
}

// inColumns puts groups side by side: each below the shortest of the columns.
func inColumns(groups []signs, width int) [][]segment {
	columns := make([][][]segment, max(1, min(len(groups), width/helpColumn, 4)))
	each := width / len(columns)
	for i := range groups {
		shortest := 0
		for n := range columns {
			if len(columns[n]) < len(columns[shortest]) {
				shortest = n
			}
		}
		if len(columns[shortest]) > 0 {
			columns[shortest] = append(columns[shortest], nil)
		}
		columns[shortest] = append(columns[shortest], groups[i].text(each-2)...)
	}
	var lines [][]segment
	for i, column := range columns {
		for y, pieces := range column {
			if len(lines) <= y {
				lines = append(lines, nil)
			}
			lines[y] = append(fill(lines[y], i*each), pieces...)
		}
	}
	return lines
}

// text is a title and the signs below it.
func (g *signs) text(width int) [][]segment {
	lines := [][]segment{{{theme.Title, g.title}}}
	for _, s := range g.list {
		mark := segment{s.mark.style, text.Truncate(s.mark.text, g.label-1)}
		lines = paragraph(lines, theme.Text, s.words, max(width, g.label+leastWords), pieceOf(mark, g.label))
	}
	return lines
}

// fill adds blanks to a line up to a column.
func fill(line []segment, column int) []segment {
	if n := column - measure(line); n > 0 {
		line = append(line, blanks(n))
	}
	return line
}
