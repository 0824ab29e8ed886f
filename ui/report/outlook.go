package report

import (
	"ephtop/model"
)

// closeRate is the closes per second towards a tuple, seen in its youngest
// TIME_WAIT.
func closeRate(t *model.TupleUse) float64 { return float64(t.Closing) / model.ClosingSpan.Seconds() }

// sustainable is the closes per second that a tuple can bear for good beside
// what is live and blocked now: each keeps its port for the time of a
// TIME_WAIT.
func (m *moment) sustainable(t *model.TupleUse) float64 {
	wait := m.Snapshot.Settings.TimeWait.Seconds()
	if wait <= 0 {
		return 0
	}
	return float64(t.TimeWait+t.Free) / wait
}

// plateau is the ports that a tuple settles at if it goes on closing as now.
func (m *moment) plateau(t *model.TupleUse) int {
	wait := m.Snapshot.Settings.TimeWait.Seconds()
	return t.Live + t.Blocked + t.Suspected + int(closeRate(t)*wait+0.5)
}

// secondsToFull is the time until no port is free, nil where that is not
// known or does not come.
func (m *moment) secondsToFull(t *model.TupleUse) *float64 {
	head := m.TCP.Pressure.Headline()
	if head.Scope != model.ScopeTuple || head.Key != t.TupleKey || m.Forecast.Full <= 0 {
		return nil
	}
	seconds := tenth(m.Forecast.Full.Seconds())
	return &seconds
}
