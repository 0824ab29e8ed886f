package advice

import (
	"slices"

	"ephtop/model"
)

// Sentence is what is read first: what is wrong, whose doing it is, and how
// long until it fails; or that nothing is wrong.
type Sentence struct {
	Level model.Level
	// Text has no mark of the level and no control character. Its beginning tells
	// most: who has less room cuts its end.
	Text string
	// Finding is what it is about: an index into Overview.Findings, -1 where
	// nothing is wrong.
	Finding int
}

// SentenceOf says what is most urgent of all namespaces. It names the
// namespace where that is not shown.
func SentenceOf(o *model.Overview, shown *model.State) Sentence {
	i := slices.IndexFunc(o.Findings, func(f model.Finding) bool { return f.Level > model.LevelOK })
	if i < 0 {
		return Sentence{Text: "nothing is wrong", Finding: -1}
	}
	f := &o.Findings[i]
	st := o.States[f.State]
	s := Sentence{Level: f.Level, Text: Of(st, f).Title, Finding: i}
	if st != shown {
		s.Text = Namespace(&st.Snapshot.Scope) + ": " + s.Text
	}
	return s
}
