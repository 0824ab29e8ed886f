package model

import (
	"cmp"
	"slices"
	"time"

	"ephtop/source"
)

// Elsewhere counts the connects and binds that failed in a namespace without a
// State, within the last HistorySpan: in one that is not looked at, or that was
// not there at the moment.
type Elsewhere struct {
	// Netns is as in source.Scope; 0 for those of which it is not known.
	Netns uint64
	Count int
	Last  time.Time
}

// How many namespaces without a State are kept apart, and how many events of
// each. Of further ones nothing, and only the number, is known.
const (
	maxElsewhere = 64
	maxLate      = 32
)

// elsewhere remembers what failed in namespaces that were not looked at, for
// when they are: by their host, number and cookie.
type elsewhere map[source.Scope]*late

// late are the failures that a namespace does not know of yet.
type late struct {
	count  int
	events []source.Event // the first of them
	last   time.Time
	clock  int64
}

func (e *elsewhere) note(key source.Scope, ev *source.Event, clock int64) {
	l := (*e)[key]
	if l == nil {
		if len(*e) >= maxElsewhere {
			return
		}
		if *e == nil {
			*e = make(elsewhere)
		}
		l = new(late)
		(*e)[key] = l
	}
	l.count++
	l.last, l.clock = ev.Time, clock
	if len(l.events) < maxLate && key.Netns != 0 {
		l.events = append(l.events, *ev)
	}
}

// take gives what a namespace does not know of yet, or nil. A failure that was
// told without a cookie is that of whoever has the number.
func (e elsewhere) take(s *source.Scope) *late {
	if s.Netns == 0 {
		return nil
	}
	for _, cookie := range [...]uint64{s.Cookie, 0} {
		key := source.Scope{Host: s.Host, Netns: s.Netns, Cookie: cookie}
		if l := e[key]; l != nil {
			delete(e, key)
			return l
		}
	}
	return nil
}

// forget drops what failed in namespaces that are no more: whoever comes with
// the number of one is another.
func (e elsewhere) forget(m *source.Moment) {
	if len(e) == 0 {
		return
	}
	is := func(s *source.Scope, key source.Scope) bool { return s.Same(&key) }
	for key := range e {
		if key.Netns != 0 && !slices.ContainsFunc(m.Snapshots, func(s source.Snapshot) bool { return is(&s.Scope, key) }) &&
			!slices.ContainsFunc(m.Quiet, func(b source.Brief) bool { return is(&b.Scope, key) }) {
			delete(e, key)
		}
	}
}

// count appends what is known of each to list, most failures first, and forgets
// what is older than HistorySpan.
func (e elsewhere) count(list []Elsewhere, clock int64) []Elsewhere {
	for key, l := range e {
		if clock-l.clock > HistorySpan.Nanoseconds() {
			delete(e, key)
			continue
		}
		list = append(list, Elsewhere{key.Netns, l.count, l.last})
	}
	slices.SortFunc(list, func(a, b Elsewhere) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Netns, b.Netns))
	})
	return list
}
