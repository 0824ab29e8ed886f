package command

import (
	"strings"
	"testing"
	"time"
)

func TestInstant(t *testing.T) {
	t.Parallel()
	const layout = "2006-01-02T15:04:05.000Z"
	for _, c := range []struct {
		name, at    string
		first, last string
		from, to    string // from "" where no moment is
	}{
		{"a second", "12:04:31Z", "2026-11-22T12:00:00.500Z", "2026-11-22T13:00:00.500Z", "2026-11-22T12:04:31.000Z", "2026-11-22T12:04:31.999Z"},
		{"a minute is its first second", "12:04Z", "2026-11-22T12:00:00.500Z", "2026-11-22T13:00:00.500Z", "2026-11-22T12:04:00.000Z", "2026-11-22T12:04:00.999Z"},
		{"a millisecond", "12:04:31.25Z", "2026-11-22T12:00:00.500Z", "2026-11-22T13:00:00.500Z", "2026-11-22T12:04:31.250Z", "2026-11-22T12:04:31.250Z"},
		{"with the day", "2026-11-22T12:04:31Z", "2026-11-20T12:00:00.500Z", "2026-11-23T13:00:00.500Z", "2026-11-22T12:04:31.000Z", "2026-11-22T12:04:31.999Z"},
		{"with a zone", "2026-11-22T13:04:31+01:00", "2026-11-22T12:00:00.500Z", "2026-11-22T13:00:00.500Z", "2026-11-22T12:04:31.000Z", "2026-11-22T12:04:31.999Z"},
		{"the second in which all began", "12:00:00Z", "2026-11-22T12:00:00.500Z", "2026-11-22T13:00:00.500Z", "2026-11-22T12:00:00.000Z", "2026-11-22T12:00:00.999Z"},
		{"the second in which all ended", "13:00:00Z", "2026-11-22T12:00:00.500Z", "2026-11-22T13:00:00.500Z", "2026-11-22T13:00:00.000Z", "2026-11-22T13:00:00.999Z"},
		{"after midnight", "00:10:00Z", "2026-11-22T23:50:00.000Z", "2026-11-23T00:20:00.000Z", "2026-11-23T00:10:00.000Z", "2026-11-23T00:10:00.999Z"},
		{"the first of several days", "12:00:00Z", "2026-11-20T13:00:00.000Z", "2026-11-25T13:00:00.000Z", "2026-11-21T12:00:00.000Z", "2026-11-21T12:00:00.999Z"},
		{"before", "11:59:59Z", "2026-11-22T12:00:00.500Z", "2026-11-22T13:00:00.500Z", "", ""},
		{"after", "13:00:01Z", "2026-11-22T12:00:00.500Z", "2026-11-22T13:00:00.500Z", "", ""},
		{"another day", "2026-11-21T12:04:31Z", "2026-11-22T12:00:00.500Z", "2026-11-22T13:00:00.500Z", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := parseInstant(c.at)
			if err != nil {
				t.Fatal(err)
			}
			parse := func(s string) time.Time {
				at, err := time.Parse(time.RFC3339, s)
				if err != nil {
					t.Fatal(err)
				}
				return at
			}
			span, err := m.within(parse(c.first), parse(c.last))
			if c.from == "" {
				if err == nil || !strings.Contains(err.Error(), "use a time from ") {
					t.Errorf("within = %v, %v; want an error that says what is there", span, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if from, to := span.from.UTC().Format(layout), span.to.UTC().Format(layout); from != c.from || to != c.to {
				t.Errorf("within = %s to %s, want %s to %s", from, to, c.from, c.to)
			}
		})
	}
}

func TestInstantIsLocalWithoutAZone(t *testing.T) {
	t.Parallel()
	m, err := parseInstant("12:04:31")
	if err != nil {
		t.Fatal(err)
	}
	first := time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	if got, want := m.after(first).from, first.Add(4*time.Minute+31*time.Second); !got.Equal(want) {
		t.Errorf("after = %v, want %v", got, want)
	}
}

func FuzzParseInstant(f *testing.F) {
	for _, seed := range []string{"", "12:04", "12:04:31.5Z", "2026-11-22T12:04:31Z", "0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z", "24:00"} {
		f.Add(seed)
	}
	first := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		m, err := parseInstant(s)
		if err != nil {
			return
		}
		span := m.after(first)
		if !span.from.Before(span.to) {
			t.Errorf("%q means %v to %v", s, span.from, span.to)
		}
		if !m.full && (span.to.Before(first) || span.from.Sub(first) > 25*time.Hour) {
			t.Errorf("%q, a time of day, is %v after %v", s, span.from, first)
		}
	})
}

// What there is is said in the zone in which was asked.
func TestWhatIsOutsideSaysTheZone(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for at, want := range map[string]string{
		"2026-11-22T11:00:00Z":      "from 2026-11-22 12:00:00 UTC to 2026-11-22 13:00:00 UTC",
		"2026-11-22T11:00:00+02:00": "from 2026-11-22 14:00:00 +0200 to 2026-11-22 15:00:00 +0200",
		"11:00:00Z":                 "from 2026-11-22 12:00:00 UTC to 2026-11-22 13:00:00 UTC",
	} {
		i, err := parseInstant(at)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := i.within(first, first.Add(time.Hour)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--at %s: %v, want %s", at, err, want)
		}
	}
}
