package command

import (
	"fmt"
	"strings"
	"time"
)

const momentForms = "a time of day such as 12:04:31, local or with Z for UTC, or a time such as 2026-11-22T12:04:31Z"

// moment is a time as a person names it: a time of day, or with the day.
type moment struct {
	text string
	// time is the moment; if not full, only the time of day counts.
	time time.Time
	full bool
	// exact says that fractions of the second were given. Else any moment
	// within the second is meant.
	exact bool
}

// parseMoment reads a moment. A time of day is local unless Z ends it, as the
// dashboard and the reports show them.
func parseMoment(s string) (*moment, error) {
	m := &moment{text: s, exact: strings.ContainsAny(s, ".,")}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		m.time, m.full = t, true
		return m, nil
	}
	clock, where := s, time.Local
	if rest, utc := strings.CutSuffix(s, "Z"); utc {
		clock, where = rest, time.UTC
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.ParseInLocation(layout, clock, where); err == nil {
			m.time = t
			return m, nil
		}
	}
	return nil, fmt.Errorf("bad time %q: use %s", s, momentForms)
}

// timeSpan are the times that a moment may mean, both ends included.
type timeSpan struct{ from, to time.Time }

// after says which times are meant in what began at first: of a time of day,
// the first one that has come by then.
func (m *moment) after(first time.Time) timeSpan {
	from := m.time
	if !m.full {
		year, month, day := first.In(m.time.Location()).Date()
		on := func(day int) time.Time {
			return time.Date(year, month, day, m.time.Hour(), m.time.Minute(), m.time.Second(), m.time.Nanosecond(), m.time.Location())
		}
		if from = on(day); m.end(from).Before(first) {
			from = on(day + 1)
		}
	}
	return timeSpan{from, m.end(from)}
}

// end is the end of what is meant: snapshots tell milliseconds at best.
func (m *moment) end(from time.Time) time.Time {
	if m.exact {
		return from.Add(time.Millisecond - 1)
	}
	return from.Add(time.Second - 1)
}

// within is after, for what has an end too.
func (m *moment) within(first, last time.Time) (timeSpan, error) {
	span := m.after(first)
	if span.to.Before(first) || span.from.After(last) {
		return timeSpan{}, &outsideError{m, first, last}
	}
	return span, nil
}

// on makes the moment one of the day that it means, for a past that is gone
// through from a later time than first on. It may be nil.
func (m *moment) on(first time.Time) *moment {
	if m == nil {
		return nil
	}
	return &moment{text: m.text, time: m.after(first).from, full: true, exact: m.exact}
}

// outsideError says that a past does not hold a moment.
type outsideError struct {
	at          *moment
	first, last time.Time
}

func (e *outsideError) Error() string {
	const layout = "2006-01-02 15:04:05"
	first, last := e.first.Local(), e.last.Local()
	if first.Equal(last) {
		return fmt.Sprintf("--at %s: the recording begins at %s", e.at.text, first.Format(layout))
	}
	return fmt.Sprintf("--at %s: use a time from %s to %s", e.at.text, first.Format(layout), last.Format(layout))
}
