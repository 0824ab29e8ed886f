package model

import (
	"testing"
	"time"

	"ephtop/source"
)

// A pool of translated ports is full when as many are held as there are, by how fast
// more of them are that do not give way.
func TestNATOutlook(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		used, evictable func(second int) int
		want            Trend
		left            time.Duration
		finding         bool
	}{
		{"grows", func(s int) int { return 20_000 + 500*s }, nil, TrendFull, 79 * time.Second, true},
		{"grows slowly", func(s int) int { return 20_000 + 20*s }, nil, TrendFull, 2216 * time.Second, false},
		{"stands", func(int) int { return 20_000 }, nil, TrendSteady, 0, false},
		{"what is more gives way", func(s int) int { return 20_000 + 500*s }, func(s int) int { return 500 * s }, TrendSteady, 0, false},
		{"drains", func(s int) int { return 20_000 }, func(s int) int { return 1000 * s }, TrendDrains, 0, false},
	} {
		w := newTeller()
		for second := range 11 {
			p := natPool(c.used(second), 0)
			if c.evictable != nil {
				p.Evictable = c.evictable(second)
			}
			w.tell(natMoment(float64(second), source.NAT{Netns: 7, Entries: p.Used, Max: 1 << 20, Seen: p.Used, Pools: []source.NATPool{p}}))
		}
		o := &w.overview.NATs[0].Pools[0].Outlook
		if o.Trend != c.want || (o.Left()-c.left).Abs() > 2*time.Second {
			t.Errorf("%s: %+v", c.name, o)
		}
		found := false
		for _, f := range w.overview.Findings {
			found = found || f.Problem == NATFull && f.Span == o.Left() && f.Level == LevelWarning
		}
		if found != c.finding {
			t.Errorf("%s: finding %v: %+v", c.name, found, w.overview.Findings)
		}
	}
}

// A count that is told again is no growth that has ended, and none of half the speed.
func TestNATOutlookOfAnOldCount(t *testing.T) {
	t.Parallel()
	w := newTeller()
	for second := range 16 {
		age := second % 5
		p := natPool(20_000+500*(second-age), 0)
		w.tell(natMoment(float64(second), source.NAT{Netns: 7, Entries: p.Used, Max: 1 << 20, Seen: p.Used, Age: time.Duration(age) * time.Second, Pools: []source.NATPool{p}}))
		if o := &w.overview.NATs[0].Pools[0].Outlook; second >= 5 && (o.Trend != TrendFull || o.Rate != 500) {
			t.Errorf("second %d: %+v", second, o)
		}
	}
}

// What ends first may be ports that are translated.
func TestTranslatedPortsEndFirst(t *testing.T) {
	t.Parallel()
	p := natPool(60_000, 0)
	m := natMoment(0, source.NAT{Netns: 7, Entries: 60_000, Max: 1 << 20, Pools: []source.NATPool{p}}, connections(10, source.Established, "10.0.0.1", 40000, 1, db)...)
	m.Snapshots[0].Scope.Netns = 7
	ends := Ends(update(m), &source.Evidence{})
	if ends[0].Kind != EndTranslated || ends[0].Used != 60_000 || ends[0].Max != source.UnboundNATPorts {
		t.Errorf("%+v", ends)
	}
}

// Of one level the level is about translated ports where these end before the namespace's
// own, also while nothing is past a threshold; the namespace is as full as they are.
func TestTranslatedPortsThatEndBefore(t *testing.T) {
	t.Parallel()
	full := func(in time.Duration) Outlook { return Outlook{Trend: TrendFull, In: in} }
	for _, test := range []struct {
		name      string
		own, pool Outlook
		used      int
		level     Level
		want      bool
	}{
		{"before", full(2 * time.Minute), full(27 * time.Second), 7000, LevelOK, true},
		{"about the same time", full(29 * time.Second), full(27 * time.Second), 7000, LevelOK, false},
		{"after", full(27 * time.Second), full(2 * time.Minute), 7000, LevelOK, false},
		{"no end in sight", Outlook{Trend: TrendSteady}, Outlook{Trend: TrendSteady}, 7000, LevelOK, false},
		{"far", Outlook{}, full(time.Hour), 7000, LevelOK, false},
		{"as bad, and before", full(2 * time.Minute), full(27 * time.Second), 12_000, LevelWarning, true},
	} {
		st := &State{Outlook: test.own, Level: test.level}
		st.TCP.Pressure.Level, st.TCP.Pressure.Usable = test.level, 28_232
		pool := natPool(test.used, 0)
		pool.Ports = 16_384
		st.NAT = &NATState{Pools: []NATPoolUse{{NATPool: &pool, Level: test.level, Outlook: test.pool}}}
		if got := st.NATPool() != nil; got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
		if full := Percent(test.used, 16_384); test.want && st.percent() != full {
			t.Errorf("%s: the namespace is %.1f %% full, want %.1f", test.name, st.percent(), full)
		}
	}
}
