package fleet

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ephtop/source"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// figures is a host that answers, of 1,000 ports.
func figures(name string, level Level, plateau, used int) Host {
	return Host{Name: name, Time: noon, Summary: Summary{Level: level, Plateau: plateau, Used: used, Usable: 1000}}
}

func silent(name string, kind TroubleKind) Host {
	return Host{Name: name, Trouble: Trouble{kind, ""}}
}

func names(rows []Row) string {
	var all []string
	for _, r := range rows {
		all = append(all, r.Name)
	}
	return strings.Join(all, " ")
}

func sampleTable() *Table {
	t := &Table{Patience: time.Minute}
	t.Await("awaited", "b-ok")
	t.Take(Report{Hosts: []Host{
		figures("b-ok", LevelOK, 0, 100), figures("a-ok", LevelOK, 0, 100), figures("filling-ok", LevelOK, 500, 90), figures("warns", LevelWarning, 700, 700),
		figures("critical", LevelCritical, 850, 850), figures("soon-critical", LevelCritical, 1400, 810), figures("full", LevelExhausted, 1100, 1000),
		silent("dead", Unreachable), figures("was-full", LevelExhausted, 1100, 1000),
	}}, noon)
	t.Take(Report{Hosts: []Host{silent("was-full", Denied)}}, noon.Add(time.Second))
	return t
}

// Who has no port left is first, then by level and by where its use settles. Who
// does not answer is below the sick: first who was sick when it still did.
func TestWorstFirst(t *testing.T) {
	t.Parallel()
	rows := sampleTable().Rows(nil, noon.Add(5*time.Second))
	if got, want := names(rows), "full soon-critical critical warns was-full dead filling-ok a-ok b-ok awaited"; got != want {
		t.Errorf("the order is %s, want %s", got, want)
	}
	if got, want := Count(rows), (Tally{1, 2, 1, 2, 3, 1}); got != want {
		t.Errorf("counted %v, want %v", got, want)
	}
}

// What a host said last stays, with its age, and why there is nothing newer.
func TestAHostInTroubleKeepsItsFigures(t *testing.T) {
	t.Parallel()
	table := sampleTable()
	at := func(seconds int) Row {
		rows := table.Rows(nil, noon.Add(time.Duration(seconds)*time.Second))
		return rows[slices.IndexFunc(rows, func(r Row) bool { return r.Name == "was-full" })]
	}
	r := at(9)
	if r.Used != 1000 || r.Level != LevelExhausted || r.Age != 9*time.Second || r.Trouble.Kind != Denied || !r.Since.Equal(noon.Add(time.Second)) || r.Answers() {
		t.Errorf("%+v of %+v", r, r.Host)
	}
	table.Take(Report{Hosts: []Host{silent("was-full", Unreachable)}}, noon.Add(20*time.Second))
	if r = at(20); r.Trouble.Kind != Unreachable || r.Used != 1000 || !r.Since.Equal(noon.Add(time.Second)) {
		t.Errorf("after another trouble: %+v of %+v", r, r.Host)
	}
	table.Take(Report{Hosts: []Host{figures("was-full", LevelOK, 0, 1)}}, noon.Add(30*time.Second))
	if r = at(30); r.Standing != StandingOK || r.Used != 1 || !r.Since.IsZero() {
		t.Errorf("when it answers again: %+v of %+v", r, r.Host)
	}
}

// A figure holds for a while only; but where the feed fails, that is said once, and
// all stand as they did.
func TestOldFigures(t *testing.T) {
	t.Parallel()
	table := sampleTable()
	standing := func() Standing {
		for _, r := range table.Rows(nil, noon.Add(2*time.Minute)) {
			if r.Name == "critical" {
				return r.Standing
			}
		}
		return StandingAwaited
	}
	if got := standing(); got != StandingSilent {
		t.Errorf("after its time it stands %d", got)
	}
	table.Take(Report{Fault: errors.New("down")}, noon.Add(5*time.Second))
	table.Take(Report{Fault: errors.New("still down")}, noon.Add(65*time.Second))
	if got, f := standing(), table.Fault(); got != StandingCritical || f.Err.Error() != "still down" || !f.Since.Equal(noon.Add(5*time.Second)) {
		t.Errorf("while the feed is down it stands %d, %+v", got, f)
	}
	table.Take(Report{}, noon.Add(2*time.Minute))
	if f := table.Fault(); f.Err != nil || table.Len() != 10 {
		t.Errorf("then: %+v, %d hosts", f, table.Len())
	}
}

func TestSort(t *testing.T) {
	t.Parallel()
	table := &Table{Patience: time.Hour}
	c := figures("c", LevelOK, 0, 300)
	c.Destination, c.Port, c.Holder, c.Observed, c.Failed, c.Verdict, c.In = source.Addr4([4]byte{10, 0, 0, 2}), 80, "nginx", true, 7, VerdictFull, time.Hour
	a := figures("a", LevelOK, 0, 100)
	a.Destination, a.Port, a.Holder, a.Observed, a.Verdict, a.In = source.Addr4([4]byte{10, 0, 0, 2}), 443, "java", true, VerdictFull, time.Second
	b := figures("b", LevelOK, 0, 200)
	b.Time = noon.Add(-time.Minute)
	table.Take(Report{Hosts: []Host{a, b, c, silent("d", Unreachable)}}, noon)
	for order, want := range map[Order]string{
		{ColumnWorst, false}: "d c b a", {ColumnWorst, true}: "a b c d", {ColumnHost, false}: "a b c d", {ColumnHost, true}: "d c b a",
		{ColumnUsed, false}: "c b a d", {ColumnUsed, true}: "a b c d", {ColumnDestination, false}: "c a d b", {ColumnHolder, false}: "a c d b",
		{ColumnOutlook, false}: "a c d b", {ColumnOutlook, true}: "c a d b", {ColumnFailed, false}: "c a d b", {ColumnFailed, true}: "a c d b",
		{ColumnAge, false}: "b c a d", {ColumnExhausted, false}: "d c b a",
	} {
		rows := table.Rows(nil, noon)
		order.Sort(rows)
		if got := names(rows); got != want {
			t.Errorf("by %v, reversed %v: %s, want %s", order.Column, order.Reverse, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	table := sampleTable()
	api := figures("api-1", LevelWarning, 0, 700)
	api.Destination, api.Port, api.Holder, api.Namespace = source.Addr4([4]byte{10, 0, 9, 2}), 5432, "Java", "shop/api"
	table.Take(Report{Hosts: []Host{api}}, noon)
	for line, want := range map[string]string{
		"full": "full was-full", "warning": "warns api-1", "WARNING java": "api-1", "warning !java": "warns", "10.0.9.2:5432": "api-1", "shop/": "api-1",
		"unreachable": "dead", "exhausted": "full", "ok !-ok": "", "!": "full soon-critical critical api-1 warns was-full dead filling-ok a-ok b-ok awaited", "nothing": "",
	} {
		var picked []Row
		for _, r := range table.Rows(nil, noon) {
			if w := ParseWords(line); w.Match(&r) {
				picked = append(picked, r)
			}
		}
		if got := names(picked); line != "!" && got != want || line == "!" && len(picked) != 11 {
			t.Errorf("%q picks %s, want %s", line, got, want)
		}
	}
}

func BenchmarkRows(b *testing.B) {
	table := &Table{Patience: time.Hour}
	for _, name := range strings.Fields(numbered(1000)) {
		table.Take(Report{Hosts: []Host{figures(name, Level(len(name)%4), len(name), 9)}}, noon)
	}
	var rows []Row
	for b.Loop() {
		rows = table.Rows(rows[:0], noon)
	}
}
