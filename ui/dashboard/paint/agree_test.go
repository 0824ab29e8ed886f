package paint_test

import (
	"fmt"
	"math/bits"
	"regexp"
	"strings"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/race"
	"ephtop/ui/advice"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/report"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// No line of the screen contradicts another, nor what check says, at any moment
// of any demo: a reader who sees two answers believes none.
func TestNoLineContradictsAnother(t *testing.T) {
	t.Parallel()
	const span, step = 180 * time.Second, 3 * time.Second
	for _, scenario := range demo.Scenarios() {
		t.Run(scenario.Name, func(t *testing.T) {
			t.Parallel()
			if race.Enabled && scenario.Name != demo.DefaultScenario {
				t.Skip("one goroutine computes all of it: one story tells the race detector as much as all")
			}
			host, err := demo.New(demo.Options{Scenario: scenario.Name, Step: step})
			if err != nil {
				t.Fatal(err)
			}
			fleet := model.NewFleet(model.Options{})
			painter := paint.New(theme.Theme{}, false)
			var moments [2]source.Moment
			var overviews [2]model.Overview
			for i := range int(span / step) {
				m, o := &moments[i%2], &overviews[i%2]
				if err := host.Poll(t.Context(), m); err != nil {
					t.Fatal(err)
				}
				fleet.Update(m, o)
				// The worst one, that which the dashboard would show, and a third.
				for _, at := range []int{0, o.Focus, (o.Focus + 1) % len(o.States)} {
					size := [][2]int{{80, 24}, {120, 40}, {60, 20}}[i%3]
					s := screenOf(painter, o, o.States[at], size[0], size[1])
					if wrong := s.contradictions(); len(wrong) > 0 {
						t.Errorf("after %v:\n  %s\n%s", time.Duration(i)*step, strings.Join(wrong, "\n  "), s)
					}
				}
			}
		})
	}
}

// said is what a reader finds on a screen, and what check says of the same.
type said struct {
	overview *model.Overview
	state    *model.State
	sentence advice.Sentence
	// The line of the sentence, of the headline's gauge and of the outlook, and
	// check's.
	first, gauge, outlook, check string
	checked                      model.Level
}

func (s *said) String() string {
	return strings.Join([]string{s.first, s.gauge, s.outlook, s.check}, "\n")
}

func screenOf(p *paint.Painter, o *model.Overview, st *model.State, width, height int) *said {
	v := &paint.View{
		Width: width, Height: height, State: st, Overview: o, Findings: o.Findings, Sentence: advice.SentenceOf(o, st),
		Status: paint.StatusLive, Interval: time.Second,
	}
	v.ListStates(&st.TCP.States)
	lines := strings.Split(p.Frame(v), "\n")
	s := &said{overview: o, state: st, sentence: v.Sentence, first: lines[1], gauge: lines[3]}
	for _, line := range lines {
		if verdict.MatchString(line) && strings.HasPrefix(line, "│") {
			s.outlook = line
			break
		}
	}
	var out strings.Builder
	on := report.OnTuple
	if st.NATPool() != nil { // which is no tuple of its own sockets
		on = report.OnAny
	}
	s.checked, _ = report.Check(&out, []*model.State{st}, nil, on)
	s.check, _, _ = strings.Cut(out.String(), " | ")
	return s
}

var (
	verdict = regexp.MustCompile(`full in (\S+( \d+[a-z]+)?)|levels off|drains|steady|not known yet|no port free|full now`)
	fullIn  = regexp.MustCompile(`full in (\d+[a-z]+(?: \d+[a-z]+)?)`)
	rates   = regexp.MustCompile(`([+−-])[\d.,]+/s`)
	closes  = regexp.MustCompile(`([\d,]+) closes/s, holds ([\d,]+)`)
	percent = regexp.MustCompile(`(<?\d+) %`)
	level   = regexp.MustCompile(`· ok|! warning|‼ critical|✖ exhausted`)
)

var words = map[string]model.Level{
	"· ok": model.LevelOK, "! warning": model.LevelWarning, "‼ critical": model.LevelCritical, "✖ exhausted": model.LevelExhausted,
}

// contradictions are the pairs of lines of which one can't be true.
func (s *said) contradictions() (wrong []string) {
	say := func(format string, a ...any) { wrong = append(wrong, fmt.Sprintf(format, a...)) }
	if nat := s.state.NATPool(); nat != nil {
		return s.natContradictions(nat)
	}
	head := s.state.TCP.Pressure.Headline()
	outlook := &s.state.Outlook

	// One verdict, and it is the model's.
	verdicts := verdict.FindAllString(s.outlook, -1)
	if len(verdicts) != 1 {
		say("%d verdicts: %q", len(verdicts), verdicts)
		return wrong
	}
	want := map[model.Trend]string{
		model.TrendUnknown: "not known yet", model.TrendSteady: "steady", model.TrendLevelsOff: "levels off", model.TrendDrains: "drains",
		model.TrendFull: "full in",
	}[outlook.Trend]
	if outlook.Trend == model.TrendFull && outlook.In == 0 {
		if want = "full now"; head.Free == 0 {
			want = "no port free"
		}
	}
	if !strings.HasPrefix(verdicts[0], want) {
		say("the model's verdict is %v, the screen's %q", outlook.Trend, verdicts[0])
	}

	// Whoever else names a time names that one.
	here := s.about(head.Key)
	times := fullIn.FindStringSubmatch(s.outlook)
	for name, line := range map[string]string{"the sentence": s.first, "check": s.check} {
		told := fullIn.FindStringSubmatch(line)
		switch {
		case told == nil || name == "the sentence" && !here || head.Scope != model.ScopeTuple:
		case times == nil:
			say("%s says %q, the outlook %q", name, told[0], verdicts[0])
		case told[1] != times[1]:
			say("%s says %q, the outlook %q", name, told[0], times[0])
		}
	}

	// Rates go where the verdict says.
	if rate := rates.FindStringSubmatch(s.outlook); rate != nil {
		if up := rate[1] == "+"; up && want != "full in" && want != "levels off" || !up && want != "drains" {
			say("the use goes %s and %s", rate[0], verdicts[0])
		}
	}
	if rate := closes.FindStringSubmatch(s.outlook); rate != nil {
		if more := len(rate[1]) > len(rate[2]) || len(rate[1]) == len(rate[2]) && rate[1] > rate[2]; more != (want == "full in") {
			say("%s, and %s", rate[0], verdicts[0])
		}
	}
	if strings.Contains(s.outlook, "holds") && outlook.CloseRate < 0.5 {
		say("nothing closes, and %s", s.outlook)
	}

	// The gauge is as bad as the number, and the sentence no better than either.
	word := words[level.FindString(s.gauge)]
	if share := percent.FindStringSubmatch(s.gauge); share == nil || share[1] != text.Percent(head.Percent()) {
		say("the gauge is at %q, the headline at %s %%", share, text.Percent(head.Percent()))
	}
	switch {
	case word < head.Level:
		say("%v on the gauge of what is %v", word, head.Level)
	case word > s.checked && word < model.LevelExhausted:
		say("%v on the gauge, and check is %v", word, s.checked)
	case word > s.sentence.Level || s.overview.Level > s.sentence.Level:
		say("%v on the gauge, %v of all, and the sentence is %v", word, s.overview.Level, s.sentence.Level)
	case word == model.LevelExhausted && (want == "full in" || want == "levels off"):
		say("exhausted, and %s", verdicts[0])
	case want == "full now" && word < model.LevelCritical:
		say("%d ports are free, and %s", head.Free, verdicts[0])
	}
	if nothing := s.sentence.Finding < 0; nothing && (want == "full in" && outlook.In < time.Hour || strings.Contains(s.outlook, "slow") || s.checked > model.LevelOK) {
		say("nothing is wrong, and %s, check %v", verdicts[0], s.checked)
	}

	// The map is of what the gauge counts.
	if head.Scope == model.ScopeTuple {
		mapped := 0
		for _, w := range s.state.TCP.Pressure.WorstMap.Words {
			mapped += bits.OnesCount64(w)
		}
		if mapped != head.Used() {
			say("%d ports on the map, %d on the gauge", mapped, head.Used())
		}
	}
	return wrong
}

// natContradictions are the same where translated ports are what is worst.
func (s *said) natContradictions(p *model.NATPoolUse) (wrong []string) {
	share := text.Percent(s.state.Thresholds.Below(p.Percent()))
	word := words[level.FindString(s.gauge)]
	if shown := percent.FindStringSubmatch(s.gauge); shown == nil || shown[1] != share || word != p.Level || s.checked != min(p.Level, s.checked) || s.checked < word {
		wrong = append(wrong, fmt.Sprintf("%v %s %% on the gauge %v, check %v", p.Level, share, shown, s.checked))
	}
	if s.outlook != "" && !strings.Contains(s.outlook, "SNAT") {
		wrong = append(wrong, "another outlook beside it: "+s.outlook)
	}
	if s.sentence.Level < p.Level {
		wrong = append(wrong, "the sentence is "+s.sentence.Level.String())
	}
	return wrong
}

// about reports whether the sentence is about a destination of the state.
func (s *said) about(key model.TupleKey) bool {
	if s.sentence.Finding < 0 {
		return false
	}
	f := &s.overview.Findings[s.sentence.Finding]
	return s.overview.States[f.State] == s.state && f.Tuple == key
}
