package advice_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/demo"
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

// Of what failed a while ago nothing is said in the present tense, at any moment of
// any demo, and the sentence says so before it may be cut.
func TestPastFailuresAreToldInThePast(t *testing.T) {
	t.Parallel()
	for _, scenario := range demo.Scenarios() {
		t.Run(scenario.Name, func(t *testing.T) {
			t.Parallel()
			const step = 3 * time.Second
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
				for _, st := range o.States {
					for j := range st.Findings {
						f := &st.Findings[j]
						if f.Problem != model.ConnectsFail {
							continue
						}
						over := m.Time.Sub(st.Failures.Last) > model.FailureSpan
						if f.Past != over {
							t.Fatalf("after %v: the failure of %v is past: %v", time.Duration(i)*step, st.Failures.Last, f.Past)
						}
						for _, line := range lines(st, f) {
							if over && presently.MatchString(line) {
								t.Fatalf("after %v: %s", time.Duration(i)*step, line)
							}
						}
					}
				}
			}
		})
	}
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
