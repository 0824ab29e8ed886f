package paint

import (
	"ephtop/source/fleet"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// hostColumns are the widths of the columns; 0 for one that there is no room for.
type hostColumns struct {
	name, level, bar, percent, destination, holder, outlook, failed, exhausted, age int
}

// layoutHosts lays w columns out. What the table is sorted by comes before the
// others.
func layoutHosts(w int, day bool, sorted fleet.Column) hostColumns {
	const least = 14 // for the name
	c := hostColumns{name: max(min(least, w-9), 0), level: 2, percent: 5}
	rest, word := w-c.name-c.level-c.percent-2, 0
	wanted := [...]struct {
		to *int
		w  int
		by fleet.Column
	}{
		{&c.age, 4, fleet.ColumnAge}, {&c.outlook, 16, fleet.ColumnOutlook}, {&c.destination, 18, fleet.ColumnDestination}, {&c.bar, 8, 0},
		{&c.exhausted, 9, fleet.ColumnExhausted}, {&c.holder, 9, fleet.ColumnHolder}, {&c.failed, 6, fleet.ColumnFailed}, {&word, 8, 0},
	}
	take := func(to *int, n int) {
		if *to == 0 && rest > n {
			*to = n
			rest -= n + 1
		}
	}
	for _, one := range wanted {
		if one.by != 0 && one.by == sorted {
			take(one.to, one.w)
		}
	}
	all := true
	for _, one := range wanted {
		if one.by == fleet.ColumnExhausted && !day {
			continue
		}
		take(one.to, one.w)
		all = all && *one.to > 0
	}
	if word > 0 {
		c.level += word + 1
	}
	if all {
		c.widen(rest)
	} else {
		c.name += max(rest, 0)
	}
	return c
}

// widen gives columns what is left where all are there: to the name as much as
// keeps it near to the level, to words what the longest need, and to the bar what
// nobody wants.
func (c *hostColumns) widen(rest int) {
	for _, wish := range [...]struct {
		to *int
		w  int
	}{
		{&c.name, 22}, {&c.bar, 12}, {&c.holder, 14}, {&c.destination, 24}, {&c.outlook, 24},
		{&c.outlook, 37}, {&c.holder, 22}, {&c.destination, 38}, {&c.name, 34}, {&c.bar, c.bar + rest},
	} {
		n := min(max(wish.w-*wish.to, 0), rest)
		*wish.to, rest = *wish.to+n, rest-n
	}
}

// hostHeader is the name of a column, and what it is sorted by; ColumnWorst where
// it is not.
type hostHeader struct {
	w     int
	name  string
	right bool
	sort  fleet.Column
}

func (c *hostColumns) headers() []hostHeader {
	level := hostHeader{c.level, "LEVEL", false, fleet.ColumnWorst}
	if c.level < len(level.name) {
		level.name = ""
	}
	return []hostHeader{
		{c.name, "HOST", false, fleet.ColumnHost}, level, {c.bar, "", false, 0}, {c.percent, "USED", true, fleet.ColumnUsed},
		{c.destination, "DESTINATION", false, fleet.ColumnDestination}, {c.holder, "HOLDER", false, fleet.ColumnHolder},
		{c.outlook, "OUTLOOK", false, fleet.ColumnOutlook}, {c.failed, "FAILED", true, fleet.ColumnFailed},
		{c.exhausted, "EXHAUSTED", true, fleet.ColumnExhausted}, {c.age, "AGE", true, fleet.ColumnAge},
	}
}

func (p *Painter) hostHeaders(x, y int, f *Fleet, headers []hostHeader) {
	for _, h := range headers {
		at := next(&x, h.w)
		if h.w < len(h.name) {
			continue
		}
		if h.right {
			at += h.w - len(h.name)
		}
		p.canvas.Text(at, y, len(h.name), theme.Dim, h.name)
		if h.sort == f.Order.Column && h.sort != fleet.ColumnWorst {
			p.canvas.Put(at-1, y, theme.Dim, direction(f.Order.Descending()))
		}
	}
}

// span says of when the figures are that count what was.
func (c *hostColumns) span(day bool) string {
	switch {
	case c.failed > 0 && c.exhausted > 0:
		return " · failed and exhausted: last 24 h"
	case c.exhausted > 0:
		return " · exhausted: last 24 h"
	case c.failed > 0 && day:
		return " · failed: last 24 h"
	case c.failed > 0:
		return " · failed: last " + text.Duration(failedSpan)
	}
	return ""
}
