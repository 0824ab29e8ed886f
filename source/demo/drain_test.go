package demo_test

import (
	"context"
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
	for _, skip := range []time.Duration{95 * time.Second, 110 * time.Second, 120 * time.Second} {
		host, err := demo.New(demo.Options{Scenario: "no-pool", Skip: skip})
		if err != nil {
			t.Fatal(err)
		}
		var snap source.Moment
		if err := host.Poll(context.Background(), &snap); err != nil {
			t.Fatal(err)
		}
		var o model.Overview
		model.NewFleet(model.Options{}).Update(&snap, &o)
		// The pool that was opened while the first half was full may stand on
		// ports of the second.
		if n := o.States[0].TCP.Pressure.Suspected; n > 100 {
			t.Errorf("after %v: %d ports suspected of having been bound first", skip, n)
		}
	}
}
