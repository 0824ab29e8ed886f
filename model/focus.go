package model

import (
	"slices"

	"ephtop/source"
)

// A namespace takes the focus from another of the same level when it was worse
// by so many percent of its ports, for so many moments one after the other.
const (
	focusMargin  = 10.0
	focusMoments = 5
)

// focus is the namespace that is shown where nobody has chosen one.
type focus struct {
	scope source.Scope
	set   bool
	// worse counts the last moments in which another one was clearly worse.
	worse int
}

// choose gives the index of the State to show. The States must be ranked.
func (f *focus) choose(o *Overview) int {
	at := -1
	if f.set {
		at = o.Find(f.scope)
	}
	if at > 0 && !f.outdone(o.States[0], o.States[at]) {
		f.scope = o.States[at].Snapshot.Scope
		return at
	}
	*f = focus{scope: o.States[0].Snapshot.Scope, set: true}
	return 0
}

// outdone tells whether the worst namespace takes over from the one that is
// shown.
func (f *focus) outdone(worst, held *State) bool {
	switch {
	case worst.percent()-held.percent() < focusMargin:
		f.worse = 0
	case held.idle(): // it was shown for what is over
		return true
	default:
		f.worse++
	}
	return worst.Level > held.Level || f.worse >= focusMoments
}

// Find gives the index of a namespace's State, or -1 if it has none.
func (o *Overview) Find(scope source.Scope) int {
	return slices.IndexFunc(o.States, func(st *State) bool { return st.Snapshot.Scope.Same(&scope) })
}
