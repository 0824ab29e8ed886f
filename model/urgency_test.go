package model

import (
	"slices"
	"testing"
	"time"
)

// Of one level what leaves no port first comes first, and of what ends about the same
// time, or of which nobody knows when, the ports of the range before translated ones
// and before what is only a reason.
func TestOrderOfFindings(t *testing.T) {
	t.Parallel()
	ends := func(p Problem, in time.Duration) Finding {
		if p == NATFull {
			return Finding{Problem: p, Level: LevelWarning, NATPool: &NATPoolUse{Outlook: Outlook{Trend: TrendFull, In: in}}}
		}
		return Finding{Problem: p, Level: LevelWarning, Span: in}
	}
	for _, test := range []struct {
		name string
		list []Finding
		want []Problem
	}{
		{"by level and kind", []Finding{
			{Problem: NATFull, Level: LevelWarning}, {Problem: NATFull, Level: LevelCritical}, {Problem: NoPooling, Level: LevelCritical},
			{Problem: TupleFull, Level: LevelCritical}, {Problem: WayFull, Level: LevelExhausted},
		}, []Problem{WayFull, TupleFull, NATFull, NoPooling, NATFull}},
		{"by what ends first", []Finding{
			ends(TupleFull, 118*time.Second), {Problem: ConnectsFail, Level: LevelWarning}, {Problem: PoolFull, Level: LevelWarning},
			ends(PrivatePool, time.Minute), ends(NATFull, 27*time.Second),
		}, []Problem{ConnectsFail, NATFull, PrivatePool, TupleFull, PoolFull}},
		{"about the same time", []Finding{ends(NATFull, 27*time.Second), ends(TupleFull, 29*time.Second)}, []Problem{TupleFull, NATFull}},
		{"far ends", []Finding{ends(NATFull, time.Hour), ends(TupleFull, 2*time.Hour)}, []Problem{TupleFull, NATFull}},
		{"what it passes ends first", []Finding{
			ends(PrivatePool, time.Minute),
			{Problem: TupleFull, Level: LevelWarning, Span: 2 * time.Minute, NATPool: ends(NATFull, 20*time.Second).NATPool},
		}, []Problem{TupleFull, PrivatePool}},
	} {
		slices.SortStableFunc(test.list, compareFindings)
		for i, f := range test.list {
			if f.Problem != test.want[i] {
				t.Errorf("%s: %d is %v, want %v", test.name, i, f.Problem, test.want[i])
			}
		}
	}
}
