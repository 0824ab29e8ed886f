package model

import (
	"slices"

	"ephtop/source"
)

// findPrivate finds the private pools that are in trouble, and single ports,
// whose caller can have one connection at a time.
func findPrivate(st *State, list []Finding) []Finding {
	found := 0
	for i := range st.TCP.Pressure.Tuples {
		t := &st.TCP.Pressure.Tuples[i]
		level := t.Level
		if t.Pool != PoolRange && t.Free == 0 && st.Failures.recently(t) {
			level = max(level, LevelWarning)
		}
		if t.Pool == PoolRange || level == LevelOK && t.Pool != PoolSourcePort || found == maxTupleReports {
			continue
		}
		f := Finding{
			Problem: PrivatePool, Level: level, Tuple: t.TupleKey, Limit: t.Limit, Count: t.Used, Of: t.Limit.Size(),
			Process: t.Process, Tier: t.Tier, Live: t.Live, Rate: t.Outlook.Rate, Span: t.Outlook.Left(),
		}
		list = append(list, f)
		found++
	}
	return list
}

// recently reports whether a connect to the destination of a tuple, or a bind
// on its source, has just failed.
func (f *Failures) recently(t *TupleUse) bool {
	return f.Recent > 0 && slices.ContainsFunc(f.By, func(by Failure) bool {
		if by.Kind == source.BindFailed {
			return by.Local == t.Source
		}
		return by.Destination == t.Destination && by.Port == t.Port
	})
}
