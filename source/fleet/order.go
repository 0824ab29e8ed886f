package fleet

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"ephtop/source"
)

// Column is what the table can be sorted by.
type Column uint8

// The columns. ColumnWorst stands for none: it is the order of urgency.
const (
	ColumnWorst Column = iota
	ColumnHost
	ColumnUsed
	ColumnDestination
	ColumnHolder
	ColumnOutlook
	ColumnFailed
	ColumnExhausted
	ColumnAge

	NumColumns = int(iota)
)

// String gives the header of the column.
func (c Column) String() string {
	return [NumColumns]string{"WORST FIRST", "HOST", "USED", "DESTINATION", "HOLDER", "OUTLOOK", "FAILED", "EXHAUSTED", "AGE"}[int(c)%NumColumns]
}

// Order is how the table is sorted. Without Reverse it is the direction that people
// expect: the most first of what is counted, the soonest outlook, names by their
// letters. Rows without what the column shows come last in either.
type Order struct {
	Column  Column
	Reverse bool
}

// Descending tells whether what the column shows falls from top to bottom.
func (o Order) Descending() bool {
	switch o.Column {
	case ColumnWorst, ColumnUsed, ColumnFailed, ColumnExhausted, ColumnAge:
		return !o.Reverse
	}
	return o.Reverse
}

// Sort sorts rows that stand worst first.
func (o Order) Sort(rows []Row) {
	if o.Column == ColumnWorst {
		if o.Reverse {
			slices.Reverse(rows)
		}
		return
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		if n := cmp.Compare(lacks(&a, o.Column), lacks(&b, o.Column)); n != 0 {
			return n
		}
		n := compareColumn(&a, &b, o.Column)
		if o.Descending() {
			return -n
		}
		return n
	})
}

// compareWorst puts the host first that is in more trouble: by how it stands, by
// where its use settles, by what is used, by what was in the last day. Where all is
// well, a share is no trouble, and the last day comes first. The shares are whole
// percents, so that hosts which are alike keep their places.
func compareWorst(a, b Row) int {
	whole := func(percent float64) int { return int(math.Round(min(percent, 1e6))) }
	past := cmp.Or(cmp.Compare(b.Exhausted/time.Second, a.Exhausted/time.Second), cmp.Compare(b.Failed, a.Failed))
	well := 0
	if a.Standing == StandingOK {
		well = past
	}
	return cmp.Or(
		cmp.Compare(a.Standing, b.Standing),
		cmp.Compare(b.Level, a.Level), // of those that do not answer
		well,
		cmp.Compare(whole(b.PlateauPercent()), whole(a.PlateauPercent())),
		cmp.Compare(whole(b.Percent()), whole(a.Percent())),
		past,
		strings.Compare(a.Name, b.Name),
	)
}

// lacks is 1 where a row has nothing to show in a column, and 0 else.
func lacks(r *Row, c Column) int {
	has := r.Heard()
	switch c {
	case ColumnHost:
		has = true
	case ColumnDestination:
		has = has && r.Destination != source.Addr{}
	case ColumnHolder:
		has = has && r.Holder != ""
	case ColumnOutlook:
		has = has && r.Verdict == VerdictFull
	case ColumnFailed:
		has = has && r.Observed
	case ColumnExhausted:
		has = has && r.Day
	}
	if has {
		return 0
	}
	return 1
}

func compareColumn(a, b *Row, c Column) int {
	switch c {
	case ColumnUsed:
		return cmp.Compare(a.Percent(), b.Percent())
	case ColumnDestination:
		return cmp.Or(bytes.Compare(a.Destination[:], b.Destination[:]), cmp.Compare(a.Port, b.Port))
	case ColumnHolder:
		return strings.Compare(a.Holder, b.Holder)
	case ColumnOutlook:
		return cmp.Compare(a.In, b.In)
	case ColumnFailed:
		return cmp.Compare(a.Failed, b.Failed)
	case ColumnExhausted:
		return cmp.Compare(a.Exhausted, b.Exhausted)
	case ColumnAge:
		return cmp.Compare(a.Age, b.Age)
	}
	return strings.Compare(a.Name, b.Name)
}

// Words are what rows are picked by: each must be in a row's host, destination,
// holder, namespace, level or trouble, in capitals or not; with ! before it, none
// may. No words pick all.
type Words []string

// ParseWords takes a line apart.
func ParseWords(line string) Words { return strings.Fields(strings.ToLower(line)) }

// Match reports whether a row is picked.
func (w Words) Match(r *Row) bool {
	if len(w) == 0 {
		return true
	}
	all := []string{r.Name, r.Holder, r.Namespace, r.Trouble.String()}
	switch {
	case r.Answers():
		all = append(all, r.Level.String())
	case r.Standing == StandingSilent && r.Trouble.Kind == NoTrouble:
		all = append(all, Silent.String())
	}
	if r.Destination != (source.Addr{}) {
		all = append(all, source.AddrPort(r.Destination, r.Port))
	}
	return w.match(strings.ToLower(strings.Join(all, "\n")))
}

func (w Words) match(text string) bool {
	for _, word := range w {
		without, not := strings.CutPrefix(word, "!")
		if without != "" && strings.Contains(text, without) == not {
			return false
		}
	}
	return true
}

// Tally counts how hosts stand.
type Tally [NumStandings]int

// Count counts rows.
func Count(rows []Row) (t Tally) {
	for i := range rows {
		t[rows[i].Standing]++
	}
	return t
}

// CountPast counts the hosts that are well, and were without a port in the last
// day.
func CountPast(rows []Row) int {
	n := 0
	for i := range rows {
		if r := &rows[i]; r.Standing == StandingOK && r.Day && (r.Exhausted >= time.Second || r.Failed > 0) {
			n++
		}
	}
	return n
}
