package model

import "testing"

func TestBelowAThreshold(t *testing.T) {
	t.Parallel()
	for percent, want := range map[float64]float64{59.4: 59.4, 59.6: 59, 60: 60, 60.6: 60.6, 79.5: 79, 99.7: 99.7, 0: 0} {
		if got := DefaultThresholds.Below(percent); got != want {
			t.Errorf("%v is shown as %v, want %v", percent, got, want)
		}
	}
}
