package paint

import (
	"strings"
	"testing"

	"ephtop/source"
)

// The header says that there is tracing, and that it has stopped; that there is
// none is no news there, but the help says how to get it.
func TestTracingIsTold(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		traced       bool // what is on screen
		now          Tracing
		header, help string
	}{
		{"a recording", false, Tracing{}, "", ""},
		{"a recording with events", true, Tracing{}, "traced", ""},
		{"on", true, Tracing{State: source.TraceOn}, "traced", ""},
		{"turned off a moment ago", true, Tracing{State: source.TraceOff}, "", "is not traced: t traces it."},
		{"off", false, Tracing{State: source.TraceOff}, "", "is not traced: t traces it."},
		{"refused", false, Tracing{State: source.TraceRefused, Why: "it takes root: run ephtop with sudo"}, "", "is not traced: it takes root: run ephtop with sudo"},
		{"stopped", false, Tracing{State: source.TraceStopped, Why: "it cost too much"}, "trace stopped", "t traces it again."},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := sampleView(80, 24)
			v.State.Moment.Traced, v.Tracing = test.traced, test.now
			header, _, _ := strings.Cut(plain().Frame(v), "\n")
			if strings.Contains(header, "trace") != (test.header != "") || !strings.Contains(header, test.header) {
				t.Errorf("header %q, want %q", header, test.header)
			}
			var help strings.Builder
			for _, line := range helpText(v, 200, patterns) {
				for _, s := range line {
					help.WriteString(s.text)
				}
			}
			if got := help.String(); strings.Contains(got, "not traced") != (test.help != "") || !strings.Contains(got, test.help) {
				t.Errorf("help %q, want %q", got, test.help)
			}
		})
	}
}
