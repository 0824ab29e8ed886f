package advice_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/race"
	"ephtop/ui/advice"
)

// presently is what is said of calls that fail now.
var presently = regexp.MustCompile(`\b(fails|finds? no|cannot)\b`)

// lines are what is said of a finding's failures, but for the general reason.
func lines(st *model.State, f *model.Finding) []string {
	alone := *st
	alone.Findings, alone.Level = []model.Finding{*f}, f.Level
	alone.Findings[0].Level = max(f.Level, model.LevelWarning)
	a := advice.Of(st, f)
	return []string{a.Title, a.Seen, advice.StateSentence(&alone).Text}
}

// TestStories looks at every moment of every demo.
func TestStories(t *testing.T) {
	t.Parallel()
	for _, scenario := range demo.Scenarios() {
		t.Run(scenario.Name, func(t *testing.T) {
			t.Parallel()
			const step = 3 * time.Second
			if race.Enabled && scenario.Name != demo.DefaultScenario {
				t.Skip("one goroutine computes all of it: one story tells the race detector as much as all")
			}
			host, err := demo.New(demo.Options{Scenario: scenario.Name, Step: step})
			if err != nil {
				t.Fatal(err)
			}
			fleet := model.NewFleet(model.Options{})
			var moments [2]source.Moment
			var overviews [2]model.Overview
			for i := range int(4 * time.Minute / step) {
				m, o := &moments[i%2], &overviews[i%2]
				if err := host.Poll(t.Context(), m); err != nil {
					t.Fatal(err)
				}
				fleet.Update(m, o)
				wrong := disagreements(o)
				for _, st := range o.States {
					wrong = append(wrong, pastAsPresent(st)...)
				}
				if len(wrong) > 0 {
					t.Fatalf("after %v:\n%s", time.Duration(i)*step, strings.Join(wrong, "\n"))
				}
			}
		})
	}
}

// pastAsPresent is what is wrongly said of calls that failed: nothing is said in the
// present tense a while after, and the sentence says so before it may be cut.
func pastAsPresent(st *model.State) (wrong []string) {
	for j := range st.Findings {
		f := &st.Findings[j]
		if f.Problem != model.ConnectsFail {
			continue
		}
		over := st.Moment.Time.Sub(st.Failures.Last) > model.FailureSpan
		if f.Past != over {
			wrong = append(wrong, fmt.Sprintf("the failure of %v is past: %v", st.Failures.Last, f.Past))
		}
		for _, line := range lines(st, f) {
			if over && presently.MatchString(line) {
				wrong = append(wrong, line)
			}
		}
	}
	return wrong
}

// disagreements are the sentences that contradict the levels or the outlook: what
// will be full soon is warned of, and nothing else is said of the future.
func disagreements(o *model.Overview) (wrong []string) {
	say := func(format string, a ...any) { wrong = append(wrong, fmt.Sprintf(format, a...)) }
	if s := advice.SentenceOf(o, o.States[0]); s.Level < o.Level {
		say("%v, and the sentence is %v: %s", o.Level, s.Level, s.Text)
	}
	for _, st := range o.States {
		own := advice.StateSentence(st)
		worst := st.TCP.Pressure.WorstOfRange()
		if left := st.Outlook.Left(); left > 0 && left < time.Minute && worst.Percent() > 10 && own.Level == model.LevelOK {
			say("full in %v, and all is well", left)
		}
		if own.Finding < 0 {
			continue
		}
		f := &st.Findings[own.Finding]
		if f.Problem != model.TupleFull && f.Problem != model.NoPooling {
			continue
		}
		for j := range st.TCP.Pressure.Tuples {
			if u := &st.TCP.Pressure.Tuples[j]; u.TupleKey == f.Tuple && strings.Contains(own.Text, "full in") != (u.Outlook.Left() > 0) {
				say("%v: %s", u.Outlook, own.Text)
			}
		}
	}
	return wrong
}

// Each sentence and title of calls that failed has its past.
func TestEachFailureHasItsPast(t *testing.T) {
	t.Parallel()
	for _, c := range cases() {
		if c.f.Problem != model.ConnectsFail && c.f.Problem != model.AddressRefused && c.f.Problem != model.StolenPort {
			continue
		}
		c.f.Past = true
		for _, line := range lines(c.state, &c.f) {
			if presently.MatchString(line) || c.f.Problem == model.ConnectsFail && !strings.Contains(line, "lately") {
				t.Errorf("%s: %s", c.name, line)
			}
		}
	}
}
