package paint

import (
	"strings"
	"testing"

	"ephtop/model/filter"
)

// The help explains every mark before it tells the keys, and all of the filter
// language by terms that are valid.
func TestHelpBeginsWithTheLegend(t *testing.T) {
	t.Parallel()
	v := sampleView(200, 100)
	v.Overlay = OverlayHelp
	frame := plain().Frame(v)
	before := -1
	for _, title := range []string{"Gauges", "Filter  /", "Move"} {
		at := strings.Index(frame, title)
		if at < before {
			t.Errorf("%s comes too early", title)
		}
		before = at
	}
	for _, mark := range []string{
		"█ ", "▓ ", "▒ ", "░ ", "┊ ", "· ok", "! warning", "‼ critical", "✖ exhausted", "● ", "‖ ", "■ ", "▶ ", "≤ ", "api?", "suspected", "slow connect",
		"blocked for every", "upper row", "holds 333", "×7", "(ended)", "folded",
	} {
		if !strings.Contains(frame, mark) {
			t.Errorf("%q is not explained", mark)
		}
	}
	for _, s := range filterSigns() {
		if _, err := filter.Parse(s.mark.text); err != nil {
			t.Errorf("%q is no filter: %v", s.mark.text, err)
		}
		if !strings.Contains(frame, s.mark.text) {
			t.Errorf("%q is cut", s.mark.text)
		}
	}
}
