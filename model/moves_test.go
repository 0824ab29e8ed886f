package model

import (
	"testing"
	"time"

	"ephtop/source"
)

// A client that closes what it has and opens nothing takes no new port, however many
// it closes a second: those that it held are held in TIME_WAIT.
func TestADrainFillsNothing(t *testing.T) {
	t.Parallel()
	const held, atOnce = 11_000, 1800
	for _, churns := range []int{0, 100} { // of these, each is closed for a new one
		w := newTeller()
		for second := range 12 {
			closed := max(0, min(second-2, 6)) * atOnce
			sockets := connections(held-closed, source.Established, "10.0.0.9", 32768+closed, 1, "10.0.9.2:5432")
			sockets = append(sockets, drainedBy(closed, second, 32768, atOnce)...)
			for k := range second + 1 {
				sockets = append(sockets, ofAge(connections(churns, source.TimeWait, "10.0.0.9", 50_000+k*churns, 1, "10.0.9.2:5432"), time.Duration(second-k)*time.Second)...)
			}
			m := moment(float64(second), sockets...)
			m.Snapshots[0].Settings.Range = m.Snapshots[0].Settings.Default
			st := w.tell(m)
			use := st.TCP.Pressure.Worst()
			if use.Outlook.Trend == TrendFull {
				t.Errorf("%d churn, second %d: %d live, %d in TIME_WAIT: %+v", churns, second, use.Live, use.TimeWait, use.Outlook)
			}
			for _, f := range st.Findings {
				if f.Problem == NoPooling && f.Rate > float64(2*max(churns, 100)) || f.Problem == TupleFull && f.Span > 0 {
					t.Errorf("%d churn, second %d: %+v", churns, second, f)
				}
			}
		}
	}
}

// drainedBy are the sockets that a drain has closed, so many each second since the third.
func drainedBy(closed, second, low, atOnce int) (list []source.Socket) {
	for k := 0; k*atOnce < closed; k++ {
		list = append(list, ofAge(connections(atOnce, source.TimeWait, "10.0.0.9", low+k*atOnce, 1, "10.0.9.2:5432"), time.Duration(second-3-k)*time.Second)...)
	}
	return list
}

// ofAge gives TIME_WAIT that age.
func ofAge(list []source.Socket, age time.Duration) []source.Socket {
	for i := range list {
		s := &list[i]
		s.Inode, s.Process, s.Timer, s.Expires = 0, source.NoProcess, source.TimerTimeWait, uint32((time.Minute-age)/time.Millisecond)
	}
	return list
}
