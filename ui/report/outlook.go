package report

import "ephtop/model"

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
