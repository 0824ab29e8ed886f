package advice_test

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

func TestSentenceOfAHealthyHost(t *testing.T) {
	t.Parallel()
	o := &model.Overview{States: []*model.State{host()}, Findings: []model.Finding{{Problem: model.NoPooling}}}
	if s := advice.SentenceOf(o, nil); s.Level != model.LevelOK || s.Text != "nothing is wrong" || s.Finding != -1 {
		t.Errorf("what is worth knowing and no more is said first: %+v", s)
	}
}

// A level is never passed over, whatever the findings say.
func TestSentenceOfALevelThatNoFindingExplains(t *testing.T) {
	t.Parallel()
	st := with(host(), func(st *model.State) {
		st.Level, st.UDP.Pressure.Level, st.UDP.Pressure.Live, st.UDP.Pressure.InUse = model.LevelWarning, model.LevelWarning, 18_000, 18_000
	})
	o := &model.Overview{States: []*model.State{st}}
	const text = "the UDP ports run out, for every destination: 64 % used"
	want := advice.Sentence{Level: model.LevelWarning, Text: text, Brief: text, Finding: -1}
	if s := advice.SentenceOf(o, st); s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
}

// say is the sentence about a finding of a state.
func say(st *model.State, f model.Finding) string {
	f.Level = max(f.Level, model.LevelWarning)
	st.Findings = append([]model.Finding{f}, st.Findings...)
	return advice.StateSentence(st).Text
}

// TestSentenceOfEachFinding holds the sentences of all that is put into words.
func TestSentenceOfEachFinding(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	for _, c := range cases() {
		s := say(c.state, c.f)
		page.WriteString(c.name + "\n  " + s + "\n")
		if w := ansi.StringWidth(s); w == 0 || w > advice.SentenceWidth {
			t.Errorf("%s: %d columns: %s", c.name, w, s)
		}
		if strings.ContainsFunc(s, unicode.IsControl) || strings.ContainsAny(s, "{}\u202e") || strings.Contains(s, "  ") || strings.Contains(s, "%!") {
			t.Errorf("%s: %q", c.name, s)
		}
	}
	golden.RequireEqual(t, []byte(page.String()))
}

// towardsDatabase is a host whose ports to the database have an outlook.
func towardsDatabase(used int, o model.Outlook) *model.State {
	return with(host(), towards(database, used/2, used-used/2, 0), func(st *model.State) { st.TCP.Pressure.Tuples[0].Outlook = o })
}

func TestSentenceHasTheOutlook(t *testing.T) {
	t.Parallel()
	full := model.Finding{Problem: model.TupleFull, Level: model.LevelWarning, Tuple: database, Process: java, Tier: model.OwnerObserved, Of: 28_232}
	unknown, likely, exhausted := full, full, full
	unknown.Process, unknown.Tier = none, model.OwnerUnknown
	likely.Tier = model.OwnerInferred
	exhausted.Level = model.LevelExhausted
	churn := full
	churn.Problem = model.NoPooling
	in := model.Outlook{Trend: model.TrendFull, In: 86 * time.Second, Plateau: 28_232}
	for _, test := range []struct {
		f    model.Finding
		o    model.Outlook
		used int
		want string
	}{
		{full, in, 18_000, "java (pid 3120) is using up ports to 10.0.9.2:5432: full in 1m 26s"},
		{churn, in, 3000, "java (pid 3120) is using up ports to 10.0.9.2:5432: full in 1m 26s"},
		{likely, in, 18_000, "likely java is using up ports to 10.0.9.2:5432: full in 1m 26s"},
		{unknown, in, 18_000, "the ports to 10.0.9.2:5432 are being used up: full in 1m 26s"},
		{full, model.Outlook{Trend: model.TrendLevelsOff, Plateau: 20_000}, 18_000, "java (pid 3120) uses 64 % of its ports to 10.0.9.2:5432: levels off at 71 %"},
		{churn, model.Outlook{Trend: model.TrendLevelsOff, Plateau: 20_000}, 3000, "java (pid 3120) uses 11 % of its ports to 10.0.9.2:5432: levels off at 71 %"},
		{unknown, model.Outlook{Trend: model.TrendLevelsOff, Plateau: 20_000}, 18_000, "64 % of the ports to 10.0.9.2:5432 are used: levels off at 71 %"},
		{full, model.Outlook{Trend: model.TrendDrains, Plateau: 2824}, 18_000, "java (pid 3120) uses 64 % of its ports to 10.0.9.2:5432: drains to 10 %"},
		{full, model.Outlook{Trend: model.TrendSteady}, 18_000, "java (pid 3120) uses 64 % of its ports to 10.0.9.2:5432: steady"},
		{full, model.Outlook{}, 18_000, "java (pid 3120) uses 64 % of its ports to 10.0.9.2:5432"},
		{exhausted, model.Outlook{Trend: model.TrendFull}, 28_232, "java (pid 3120) has used up its ports to 10.0.9.2:5432: no port is free"},
	} {
		if got := say(towardsDatabase(test.used, test.o), test.f); got != test.want {
			t.Errorf("%v\ngot  %s\nwant %s", test.o.Trend, got, test.want)
		}
	}
}

// Siblings of the same tuple say who it is, and why.
func TestSentenceKnowsWhatItsSiblingsKnow(t *testing.T) {
	t.Parallel()
	unknown := model.Finding{Problem: model.TupleFull, Level: model.LevelWarning, Tuple: database, Process: none, Of: 28_232}
	churn := model.Finding{Problem: model.NoPooling, Level: model.LevelWarning, Tuple: database, Process: java, Tier: model.OwnerObserved, Count: 15_000}
	small := churn
	small.Count = 500
	for _, test := range []struct {
		name    string
		sibling model.Finding
		want    string
	}{
		{"who closes most of it", churn, "java (pid 3120) is using up ports"},
		{"who closes a little of it", small, "the ports to 10.0.9.2:5432 are being used up"},
		{"no answer", model.Finding{Problem: model.SynSent, Tuple: database, Process: java, Tier: model.OwnerObserved, Count: 17_000}, "java (pid 3120) gets no answer from 10.0.9.2:5432: full in 1m 26s"},
	} {
		st := towardsDatabase(18_000, model.Outlook{Trend: model.TrendFull, In: 86 * time.Second})
		st.Findings = []model.Finding{test.sibling}
		if got := say(st, unknown); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %s", test.name, got)
		}
	}
	st := towardsDatabase(18_000, model.Outlook{Trend: model.TrendFull, In: 86 * time.Second})
	u := &st.TCP.Pressure.Tuples[0]
	u.Live, u.TimeWait, u.Suspected = 1000, 0, 17_000
	st.Findings = []model.Finding{{Problem: model.BoundFirst, Process: postgres, Tier: model.OwnerObserved, Count: 17_000}}
	if got := say(st, unknown); !strings.HasPrefix(got, "postgres blocks ports by bind(), to 10.0.9.2:5432 too: full in") {
		t.Error(got)
	}
}

// The destination of a leak is said where most of it goes there.
func TestSentenceOfALeak(t *testing.T) {
	t.Parallel()
	leak := model.Finding{Problem: model.CloseWait, Process: java, Tier: model.OwnerObserved, Count: 2000, Rate: 1.25}
	for _, test := range []struct {
		sockets, live int
		want          string
	}{
		{2100, 1900, "java (pid 3120) leaks 2,000 connections to 10.0.9.2:5432: CLOSE_WAIT, +1.2/s"},
		{4000, 1900, "java (pid 3120) leaks 2,000 connections: CLOSE_WAIT, +1.2/s"},
	} {
		st := with(host(), towards(database, test.live, 0, 0))
		st.TCP.Consumers[model.ByProcess] = []model.Consumer{{Process: java, Sockets: test.sockets, Most: database}}
		if got := say(st, leak); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

// What does not fit loses the pid first, then the middle of addresses and names,
// and never its beginning.
func TestSentenceFitsALine(t *testing.T) {
	t.Parallel()
	st := with(host(), towards(six, 18_006, 0, 0), func(st *model.State) {
		st.TCP.Pressure.Tuples[0].Outlook = model.Outlook{Trend: model.TrendFull, In: 86 * time.Second}
		st.Snapshot.Scope = source.Scope{Kind: source.ScopePod, Name: "payments-production/checkout-api-7d9f8c6b5-x2x4q", PID: 5}
	})
	f := model.Finding{Problem: model.TupleFull, Level: model.LevelCritical, Tuple: six, Process: hostile, Tier: model.OwnerObserved}
	st.Findings = []model.Finding{f}
	for _, test := range []struct {
		name  string
		shown *model.State
		want  string
	}{
		{"shown", st, "ab ca very … is using up ports to [2001:db8:f…f01]:44300: full in 1m 26s"},
		{"not shown", nil, "payme…c6b5-x2x4q: ab ca very … is using up ports to [2001:db8:f…f01]:44300:…"},
	} {
		s := advice.SentenceOf(&model.Overview{States: []*model.State{st}, Findings: st.Findings}, test.shown)
		if s.Text != test.want || ansi.StringWidth(s.Text) > advice.SentenceWidth || s.Level != model.LevelCritical || s.Finding != 0 {
			t.Errorf("%s: %+v, want %s", test.name, s, test.want)
		}
	}
}
