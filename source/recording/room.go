package recording

import (
	"cmp"
	"fmt"
	"slices"

	"ephtop/source"
)

// maxBeside is how many sockets are recorded beside those of the namespace that
// has the most: enough for all but a host with very many containers, whose
// recording would grow beyond what is worth keeping.
const maxBeside = 50_000

// fit gives m if all its sockets are to be recorded. Else the namespaces that
// have the fewest are only summed up, and a limit says so. Which these are is
// settled anew with each full moment; in between, one that was recorded stays.
func (w *Writer) fit(m *source.Moment) *source.Moment {
	order := make([]int, len(m.Snapshots))
	beside := 0
	for i := range order {
		order[i] = i
		beside += len(m.Snapshots[i].Sockets)
	}
	size := func(i int) int { return len(m.Snapshots[i].Sockets) }
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(w.stays(m, b), w.stays(m, a)), cmp.Compare(size(b), size(a)))
	})
	most := 0
	for i := range order {
		most = max(most, size(i))
	}
	if beside-most <= maxBeside {
		return m
	}
	fitted := *m
	fitted.Snapshots, fitted.Quiet = nil, slices.Clone(m.Quiet)
	kept := make([]bool, len(order))
	room := most + maxBeside
	for _, i := range order {
		if kept[i] = size(i) <= room; kept[i] {
			room -= size(i)
		}
	}
	summed := 0
	for i := range m.Snapshots {
		s := &m.Snapshots[i]
		if kept[i] {
			fitted.Snapshots = append(fitted.Snapshots, *s)
			continue
		}
		summed++
		fitted.Quiet = append(fitted.Quiet, source.Brief{Scope: s.Scope, Bound: len(s.Sockets), Usable: s.Settings.Usable(), Assumed: s.Settings.Assumed})
	}
	fitted.Limits = slices.Clone(m.Limits)
	fitted.Limit(source.LimitNetns, fmt.Sprint(summed, " their sockets are too many for a recording"))
	return &fitted
}

// stays says whether a namespace was recorded since the last full moment.
func (w *Writer) stays(m *source.Moment, i int) int {
	if _, was := w.scopes[keyOf(&m.Snapshots[i].Scope)]; was && !w.full() {
		return 1
	}
	return 0
}
