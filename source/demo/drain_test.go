package demo_test

import (
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/demo"
)

// Who starts ephtop just after an exhaustion sees the second half of the range
// full of TIME_WAIT, and the first half empty: no sign of ports bound first.
func TestNobodyIsSuspectedAfterAnExhaustion(t *testing.T) {
	t.Parallel()
	host := newHost(t, demo.Options{Scenario: "no-pool", Skip: 95 * time.Second})
	for _, wait := range []time.Duration{0, 15 * time.Second, 10 * time.Second} {
		host.SetStep(wait)
		var snap source.Moment
		poll(t, host, &snap)
		var o model.Overview
		model.NewFleet(model.Options{}).Update(&snap, &o) // which has seen nothing before
		// The pool that was opened while the first half was full may stand on
		// ports of the second.
		if n := o.States[0].TCP.Pressure.Suspected; n > 100 {
			t.Errorf("at %v: %d ports suspected of having been bound first", snap.Time, n)
		}
	}
}
