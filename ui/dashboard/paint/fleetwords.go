package paint

import (
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/fleet"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

func (f *Fleet) total() int {
	n := 0
	for _, of := range f.Tally {
		n += of
	}
	return n
}

// thresholds are those of what is on screen.
func (v *View) thresholds() model.Thresholds {
	switch {
	case v.Fleet != nil:
		return v.Fleet.Thresholds
	case v.State == nil:
		return model.DefaultThresholds
	}
	return v.State.Thresholds
}

// trends are the verdicts as the model has them.
var trends = map[fleet.Verdict]model.Trend{
	fleet.VerdictFull: model.TrendFull, fleet.VerdictLevelsOff: model.TrendLevelsOff, fleet.VerdictDrains: model.TrendDrains,
	fleet.VerdictSteady: model.TrendSteady, fleet.VerdictUnknown: model.TrendUnknown,
}

// failedSpan is of how long failed connects are, where not of a day.
const failedSpan = model.HistorySpan

// hostLevel is the level as the host finds it. One that fills up soon is ok so far.
func hostLevel(r *fleet.Row) segment {
	if r.Standing == fleet.StandingFilling {
		return segment{theme.Warn, levelWords[model.LevelOK] + " so far"}
	}
	return levelSegment(model.Level(r.Level))
}

// hostOutlook is what becomes of a host. Of one that has no port left there is
// nothing to foresee.
func hostOutlook(v *View, r *fleet.Row, free int) []segment {
	o := model.Outlook{Trend: trends[r.Verdict], In: r.In, Plateau: r.Plateau}
	if r.Level == fleet.LevelExhausted && o.Trend == model.TrendUnknown {
		if r.Observed && v.thresholds().Below(r.Percent()) < 99 {
			return []segment{{theme.Critical, "connects fail"}}
		}
		o = model.Outlook{Trend: model.TrendFull}
	}
	return verdictOf(v, &o, free, r.Usable)
}

// fleetSentence is the first of all words.
func (v *View) fleetSentence() (model.Level, string) {
	f := v.Fleet
	switch total := f.total(); {
	case total == 0 && v.Err != nil:
		return model.LevelCritical, "no host can be told of"
	case total == 0 && f.Lack != nil:
		return model.LevelWarning, "no host is told of"
	}
	return fleetSentence(f.Tally, f.Past)
}

// fleetSentence says how many hosts are in which trouble, the worst first, or how
// many that are all well were in the last day.
func fleetSentence(t fleet.Tally, past int) (model.Level, string) {
	total := (&Fleet{Tally: t}).total()
	level := model.LevelOK
	var parts []string
	for _, s := range [...]struct {
		standing            fleet.Standing
		level               model.Level
		one, several, short string
	}{
		{fleet.StandingExhausted, model.LevelExhausted, "exhausted", "exhausted", ""},
		{fleet.StandingCritical, model.LevelCritical, "is critical", "are critical", "critical"},
		{fleet.StandingWarning, model.LevelWarning, "is at warning", "are at warning", "at warning"},
		{fleet.StandingFilling, model.LevelWarning, "is full within minutes", "are full within minutes", "full within minutes"},
		{fleet.StandingSilent, model.LevelWarning, "doesn't answer", "don't answer", ""},
	} {
		n := t[s.standing]
		if n == 0 {
			continue
		}
		words := s.several
		if n == 1 {
			words = s.one
		}
		if len(parts) == 0 {
			level = s.level
			parts = append(parts, text.Count(n)+" of "+text.Plural(total, "host", "hosts")+" "+words)
			continue
		}
		if s.short != "" {
			words = s.short
		}
		parts = append(parts, text.Count(n)+" "+words)
	}
	ok, awaited := t[fleet.StandingOK], t[fleet.StandingAwaited]
	switch {
	case total == 0:
		return level, "no host yet"
	case awaited == total:
		return level, "asking " + text.Plural(total, "host", "hosts")
	case ok == total:
		return level, allWell(total, past)
	}
	if ok > 0 && len(parts) < 2 {
		parts = append(parts, text.Count(ok)+" well")
	}
	if awaited > 0 {
		parts = append(parts, text.Count(awaited)+" not heard yet")
	}
	return level, strings.Join(parts, ", ")
}

// allWell says how many were not, in the last day.
func allWell(total, past int) string {
	const lastDay = "without a port in the last 24 h"
	switch {
	case total == 1 && past == 1:
		return "the host is well; it was " + lastDay
	case total == 1:
		return "the host is well"
	}
	words := "all " + text.Plural(total, "host", "hosts") + " are well"
	switch {
	case past == 1:
		return words + "; 1 was " + lastDay
	case past > 1:
		return words + "; " + text.Count(past) + " were " + lastDay
	}
	return words
}

// silence says why a host does not answer, and what it said when it last did.
func silence(r *fleet.Row) string {
	switch {
	case r.Standing == fleet.StandingAwaited:
		return "asking…"
	case r.Trouble.Kind != fleet.NoTrouble && !r.Heard():
		return "? " + text.Sanitize(r.Trouble.String())
	}
	why := r.Trouble
	if why.Kind == fleet.NoTrouble {
		why.Kind = fleet.Silent
	}
	words := "? " + text.Sanitize(why.String()) + " · was " + r.Level.String() + ", " + text.Percent(r.Percent()) + " %"
	if r.Destination != (source.Addr{}) {
		words += " to " + source.AddrPort(r.Destination, r.Port)
	}
	return words
}

// fleetOrder says by what the table is sorted.
func fleetOrder(o fleet.Order) string {
	switch {
	case o.Column == fleet.ColumnWorst && o.Reverse:
		return "worst last"
	case o.Column == fleet.ColumnWorst:
		return "worst first"
	}
	return "by " + strings.ToLower(o.Column.String()) + " " + string(direction(o.Descending()))
}

// fleetLegend is every mark and word of the table.
func (v *View) fleetLegend(marks gaugeMarks) []signs {
	level := func(l model.Level, words string) sign { return sign{levelSegment(l), words} }
	word := func(s, words string) sign { return sign{segment{theme.Strong, s}, words} }
	key := func(s, words string) sign { return sign{segment{theme.Key, s}, words} }
	columns := []sign{
		word("USED", "of the ports towards the destination that fails first, or to all"),
		{segment{theme.Live, string(marks[0])}, "live"}, {segment{theme.TimeWait, string(marks[1])}, "TIME_WAIT"},
		word("HOLDER", "who holds most of them; api?: likely"),
		word("OUTLOOK", "full in: until connect() finds no port, if all goes on"),
	}
	if v.Fleet.Day {
		columns = append(columns, word("FAILED", "connects that failed in the last 24 hours; —: not traced there"),
			word("EXHAUSTED", "how long no port was left, in the last 24 hours"))
	} else {
		columns = append(columns, word("FAILED", "connects that failed in the last 5 minutes; —: not traced there"))
	}
	columns = append(columns, word("AGE", "of the figures"))
	return []signs{
		{"Levels, as the host finds them", markColumn, []sign{
			level(model.LevelExhausted, "no port is left, or connects fail"), level(model.LevelCritical, "nearly so"), level(model.LevelWarning, "on the way"),
			{segment{theme.Warn, "· ok so far"}, "full within 5 minutes, if all goes on"},
			{segment{theme.Dim, "? words"}, "does not answer, and why; what it was when it did"}, level(model.LevelOK, "well"),
		}},
		{"Columns", markColumn, columns},
		{"Filter", filterColumn, []sign{
			key("web java", "both words: in host, destination, holder, namespace, level, trouble"), key("!ok", "not"), key("critical", "a level"), key("10.0.9.2:5432", "a destination"),
		}},
	}
}
