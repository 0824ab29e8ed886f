package paint

import (
	"strings"
	"testing"
	"time"

	"github.com/muesli/termenv"

	"ephtop/model"
	"ephtop/ui/theme"
)

// The outlook is one verdict, and what stands beside it says the same.
func TestOutlookInWords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		outlook model.Outlook
		want    string
	}{
		{"full", model.Outlook{Trend: model.TrendFull, In: 86 * time.Second, Rate: 118, CloseRate: 500, Sustainable: 333, Plateau: 30_000},
			"+118/s · full in 1m 26s · would take 30,000 (106 %) · first half 98 % · 500 closes/s, holds 333"},
		{"full by what is live, not by closes", model.Outlook{Trend: model.TrendFull, In: 86 * time.Second, Rate: 118, CloseRate: 100, Sustainable: 333},
			"+118/s · full in 1m 26s · first half 98 %"},
		{"full now", model.Outlook{Trend: model.TrendFull, Rate: 118, CloseRate: 500, Sustainable: 333}, "full now · first half 98 %"},
		{"levels off", model.Outlook{Trend: model.TrendLevelsOff, In: 50 * time.Second, Rate: 12, CloseRate: 312, Sustainable: 333, Plateau: 18_720},
			"+12/s · levels off at 18,720 (66 %) in 50s · first half 98 % · 312 closes/s, holds 333"},
		{"levels off, after a dip", model.Outlook{Trend: model.TrendLevelsOff, In: 50 * time.Second, Rate: -12, Plateau: 18_720},
			"levels off at 18,720 (66 %) in 50s · first half 98 %"},
		{"drains", model.Outlook{Trend: model.TrendDrains, In: 34 * time.Second, Rate: -549, Plateau: 60}, "−549/s · drains to 60 (<1 %) in 34s · first half 98 %"},
		{"levels off, nobody knows when", model.Outlook{Trend: model.TrendLevelsOff, Plateau: 18_720}, "levels off at 18,720 (66 %) · first half 98 %"},
		{"drains, nobody knows when", model.Outlook{Trend: model.TrendDrains, Plateau: 60}, "drains to 60 (<1 %) · first half 98 %"},
		{"steady", model.Outlook{Trend: model.TrendSteady, Rate: 7, CloseRate: 312, Sustainable: 333}, "steady · first half 98 % · 312 closes/s, holds 333"},
		{"steady, though more closes than the range bears", model.Outlook{Trend: model.TrendSteady, CloseRate: 340, Sustainable: 333}, "steady · first half 98 %"},
		{"nothing closes", model.Outlook{Trend: model.TrendSteady, Sustainable: 470}, "steady · first half 98 %"},
		{"not known", model.Outlook{Rate: 7}, "not known yet · first half 98 %"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := sampleView(160, 50)
			v.State.Outlook = test.outlook
			_, after, _ := strings.Cut(plain().Frame(v), "outlook")
			line, _, _ := strings.Cut(after, "│")
			if got := strings.TrimSpace(line); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// Where room is short the verdict gets shorter, and the rate is left out before
// it.
func TestTheVerdictIsNeverCut(t *testing.T) {
	t.Parallel()
	for width := boxWidth; width < 140; width++ {
		v := sampleView(width, 30)
		v.State.Outlook = model.Outlook{Trend: model.TrendLevelsOff, In: 9*time.Minute + 50*time.Second, Rate: 12_345, Plateau: 18_720}
		if frame := plain().Frame(v); !strings.Contains(frame, "levels off ") {
			t.Errorf("%d columns:\n%s", width, frame)
		}
	}
}

// A column without a sample shows what was before, as long as something was
// polled.
func TestHistoryHoldsOn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		every time.Duration
		less  func(i int) bool // leaves the ith sample out
		dots  bool
	}{
		{"a poll a second", time.Second, nil, false},
		{"a poll every 8 s", 8 * time.Second, nil, false},
		{"a poll a minute", time.Minute, nil, false},
		{"some failed", time.Second, func(i int) bool { return i > 100 && i < 125 }, false},
		{"asleep", time.Second, func(i int) bool { return i > 100 && i < 180 }, true},
	} {
		v := sampleView(80, 24)
		v.State.History = nil
		for i := range int(model.HistorySpan/test.every) + 1 {
			at := sampleTime.Add(-model.HistorySpan + time.Duration(i)*test.every)
			if test.less == nil || !test.less(i) {
				v.State.History = append(v.State.History, model.Sample{Clock: at.UnixNano(), Used: 9000, Usable: 28_232})
			}
		}
		_, line, _ := strings.Cut(strings.Split(plain().Frame(v), "\n")[5], "%")
		line, _, _ = strings.Cut(line, "/s")
		if strings.Contains(line, "·") != test.dots {
			t.Errorf("%s: %s", test.name, line)
		}
	}
}

// The hour goes on to this moment, of which its summary does not tell yet.
func TestTheHourEndsNow(t *testing.T) {
	t.Parallel()
	st := sampleState(0)
	n := len(newer(st))
	if end := st.Hour[len(st.Hour)-1].Clock + model.HourStep.Nanoseconds(); n == 0 || n > 20 || st.History[300-n].Clock < end || st.History[300-n-1].Clock >= end {
		t.Errorf("%d samples after the summary", n)
	}
	if st.Hour = nil; len(newer(st)) != len(st.History) {
		t.Error("without a summary, the history is what there is")
	}
}

// Where there is no colour, patterns tell the parts of a gauge apart.
func TestGaugeWithoutColour(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*Painter{
		"none": plain(), "ascii": New(theme.Theme{}, true), "mono": coloured(t, "mono", termenv.ANSI),
	} {
		v := sampleView(80, 24)
		w := v.State.TCP.Pressure.Worst()
		w.Live, w.TimeWait, w.Blocked, w.Used, w.Free = 7000, 7000, 7000, 21_000, 7232
		line, parts := strings.Split(p.Frame(v), "\n")[3], "█▓▒░"
		if p.ascii {
			parts = "#=%."
		}
		for _, part := range parts {
			if !strings.ContainsRune(line, part) {
				t.Errorf("%s: no %c in %q", name, part, line)
			}
		}
	}
}

// UDP has a gauge while it has had a percent of the ports within the history, or
// is asked for.
func TestGaugeOfUDP(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		udp   uint16
		proto ProtoChoice
		want  bool
	}{{"a few", 282, ProtoTCP, false}, {"one percent", 283, ProtoTCP, true}, {"asked for", 0, ProtoUDP, true}, {"both", 0, ProtoBoth, true}} {
		v := sampleView(80, 24)
		v.State.History[7].UDP, v.Proto = test.udp, test.proto
		frame := plain().Frame(v)
		if strings.Contains(frame, "│ UDP ") != test.want {
			t.Errorf("%s: want a gauge is %v\n%s", test.name, test.want, frame)
		}
		requireSize(t, frame, 80, 24)
	}
}
