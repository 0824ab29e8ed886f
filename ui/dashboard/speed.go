package dashboard

import (
	tea "github.com/charmbracelet/bubbletea"

	"ephtop/ui/text"
)

// speeds are the steps of < and >.
var speeds = [...]float64{0.25, 0.5, 1, 2, 4, 8, 16}

// boundedSpeed is a speed within those that there are, 1 for none.
func boundedSpeed(speed float64) float64 {
	if speed == 0 {
		return 1
	}
	return min(max(speed, speeds[0]), speeds[len(speeds)-1])
}

// changeSpeed takes the next higher (+1) or lower (-1) speed.
func (m *Model) changeSpeed(direction int) tea.Cmd {
	next := step(speeds[:], m.view.Speed, direction)
	m.view.Speed = next
	m.view.Notice = "speed " + text.Times(next)
	if m.replay == nil || m.replay.past != nil {
		return nil // it holds from the next poll on
	}
	now := m.jobs.now()
	m.replay.setSpeed(next, now)
	return m.waitForNext(now)
}
