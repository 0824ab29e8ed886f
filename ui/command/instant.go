package command

import (
	"fmt"
	"strings"
	"time"
)

const instantForms = "a time of day such as 12:04:31, local or with Z for UTC, or a time such as 2026-11-22T12:04:31Z"

// instant is a time as a person names it: a time of day, or with the day.
type instant struct {
	text string
	// time is the instant; if not full, only the time of day counts.
	time time.Time
	full bool
	// exact says that fractions of the second were given. Else any moment
	// within the second is meant.
	exact bool
}

// parseInstant reads one. A time of day is local unless Z ends it, as the
// dashboard and the reports show them.
func parseInstant(s string) (*instant, error) {
	i := &instant{text: s, exact: strings.ContainsAny(s, ".,")}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		i.time, i.full = t, true
		return i, nil
	}
	clock, where := s, time.Local
	if rest, utc := strings.CutSuffix(s, "Z"); utc {
		clock, where = rest, time.UTC
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.ParseInLocation(layout, clock, where); err == nil {
			i.time = t
			return i, nil
		}
	}
	return nil, fmt.Errorf("bad time %q: use %s", s, instantForms)
}

// timeSpan are the times that a moment may mean, both ends included.
type timeSpan struct{ from, to time.Time }

// after says which times are meant in what began at first: of a time of day,
// the first one that has come by then.
func (i *instant) after(first time.Time) timeSpan {
	from := i.time
	if !i.full {
		year, month, day := first.In(i.time.Location()).Date()
		on := func(day int) time.Time {
			return time.Date(year, month, day, i.time.Hour(), i.time.Minute(), i.time.Second(), i.time.Nanosecond(), i.time.Location())
		}
		if from = on(day); i.end(from).Before(first) {
			from = on(day + 1)
		}
	}
	return timeSpan{from, i.end(from)}
}

// end is the end of what is meant: snapshots tell milliseconds at best.
func (i *instant) end(from time.Time) time.Time {
	if i.exact {
		return from.Add(time.Millisecond - 1)
	}
	return from.Add(time.Second - 1)
}

// within is after, for what has an end too.
func (i *instant) within(first, last time.Time) (timeSpan, error) {
	span := i.after(first)
	if span.to.Before(first) || span.from.After(last) {
		return timeSpan{}, &outsideError{i, first, last}
	}
	return span, nil
}

// on makes the instant one of the day that it means, for a past that is gone
// through from a later time than first on.
func (i *instant) on(first time.Time) *instant {
	return &instant{text: i.text, time: i.after(first).from, full: true, exact: i.exact}
}

// outsideError says that a past does not hold an instant.
type outsideError struct {
	at          *instant
	first, last time.Time
}

func (e *outsideError) Error() string {
	const layout = "2006-01-02 15:04:05 MST"
	zone := e.at.time.Location() // that of what was asked for
	first, last := e.first.In(zone), e.last.In(zone)
	if first.Equal(last) {
		return fmt.Sprintf("--at %s: the recording begins at %s", e.at.text, first.Format(layout))
	}
	return fmt.Sprintf("--at %s: use a time from %s to %s", e.at.text, first.Format(layout), last.Format(layout))
}
