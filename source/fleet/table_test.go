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
	filling := figures("filling-ok", LevelOK, 500, 100)
	filling.Verdict, filling.In = VerdictFull, soon
	t.Take(Report{Hosts: []Host{
		figures("b-ok", LevelOK, 0, 100), figures("a-ok", LevelOK, 0, 100), filling, figures("warns", LevelWarning, 700, 700),
		figures("critical", LevelCritical, 850, 850), figures("soon-critical", LevelCritical, 1400, 810), figures("full", LevelExhausted, 1100, 1000),
		silent("dead", Unreachable), figures("was-full", LevelExhausted, 1100, 1000),
	}}, noon)
	t.Take(Report{Hosts: []Host{silent("was-full", Denied)}}, noon.Add(time.Second))
	return t
}

// Who has no port left is first, then by level and by where its use settles. Who
// does not answer is below the sick, and those that soon will be: first who was
// sick when it still did.
func TestWorstFirst(t *testing.T) {
	t.Parallel()
	rows := sampleTable().Rows(nil, noon.Add(5*time.Second))
	if got, want := names(rows), "full soon-critical critical warns filling-ok was-full dead a-ok b-ok awaited"; got != want {
		t.Errorf("the order is %s, want %s", got, want)
	}
	if got, want := Count(rows), (Tally{1, 2, 1, 1, 2, 2, 1}); got != want {
		t.Errorf("counted %v, want %v", got, want)
	}
}

// Of hosts that stand alike, the one is first that was without a port today. Where
// they are well, that says more than the share which is used now.
func TestPastTroubleBreaksTies(t *testing.T) {
	t.Parallel()
	past := func(h Host, exhausted time.Duration, failed int) Host {
		h.Day, h.Observed, h.Exhausted, h.Failed = true, true, exhausted, failed
		return h
	}
	table := &Table{Patience: time.Minute}
	table.Take(Report{Hosts: []Host{
		past(figures("a-well", LevelOK, 0, 300), 400*time.Millisecond, 0), past(figures("b-failed", LevelOK, 0, 10), 0, 3),
		past(figures("c-longest", LevelOK, 0, 20), 147*time.Second, 20), past(figures("d-long", LevelOK, 0, 10), time.Minute, 90),
		past(figures("e-failed-more", LevelOK, 0, 10), 0, 4), past(figures("f-warns", LevelWarning, 700, 700), 0, 0),
		past(figures("g-warns-again", LevelWarning, 700, 700), time.Second, 0), past(figures("h-warns-more", LevelWarning, 720, 700), 0, 0),
		figures("i-not-told", LevelOK, 0, 5),
	}}, noon)
	rows := table.Rows(nil, noon)
	if got, want := names(rows), "h-warns-more g-warns-again f-warns c-longest d-long e-failed-more b-failed a-well i-not-told"; got != want {
		t.Errorf("the order is %s, want %s", got, want)
	}
	if got := CountPast(rows); got != 4 {
		t.Errorf("%d that are well were without a port, want 4", got)
	}
}

// A host that fills up within minutes is above those that do not answer, though its
// level is still ok.
func TestWhoFillsUpSoon(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		level   Level
		used    int
		verdict Verdict
		in      time.Duration
		want    Standing
	}{
		{LevelOK, 300, VerdictFull, 18 * time.Second, StandingFilling}, {LevelOK, 100, VerdictFull, 5 * time.Minute, StandingFilling},
		{LevelOK, 300, VerdictFull, 5*time.Minute + time.Second, StandingOK}, {LevelOK, 99, VerdictFull, time.Second, StandingOK},
		{LevelOK, 300, VerdictLevelsOff, time.Second, StandingOK}, {LevelWarning, 700, VerdictFull, time.Second, StandingWarning},
	} {
		h := figures("a", test.level, 0, test.used)
		h.Verdict, h.In = test.verdict, test.in
		table := &Table{Patience: time.Minute}
		table.Take(Report{Hosts: []Host{h}}, noon)
		if got := table.Rows(nil, noon)[0].Standing; got != test.want {
			t.Errorf("%v, %s in %v: it stands %d, want %d", test.level, test.verdict, test.in, got, test.want)
		}
	}
}

// A table that was told of no host is another than one that was told nothing.
func TestTold(t *testing.T) {
	t.Parallel()
	var table Table
	table.Take(Report{Fault: errors.New("down")}, noon)
	if table.Told() {
		t.Error("what fails has told something")
	}
	table.Take(Report{Lack: errors.New("none")}, noon)
	if !table.Told() {
		t.Error("nothing was told")
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
	a.Destination, a.Port, a.Holder, a.Observed, a.Verdict, a.In = source.Addr4([4]byte{10, 0, 0, 2}), 443, "java", true, VerdictFull, 6*time.Minute
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
		"unreachable": "dead", "exhausted": "full", "ok !-ok": "", "!": "all of them", "nothing": "",
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
