package model

import "ephtop/source"

// StateCounts counts sockets by state.
type StateCounts [source.NumStates]int

// Total is the number of sockets in all states.
func (c *StateCounts) Total() int {
	n := 0
	for _, v := range c {
		n += v
	}
	return n
}

// Stage is where a state stands in the life of an ephemeral port: available,
// assigned, active, TIME_WAIT, available again.
type Stage uint8

// The stages, in the order of a port's life.
const (
	StageAvailable Stage = iota
	StageAssigned        // a socket has the port, no connection yet
	StageActive          // connected, or half closed
	StageTimeWait
	StageServer // LISTEN: no part of an ephemeral port's life
)

// String names the stage.
func (s Stage) String() string {
	return [...]string{"available", "assigned", "active", "TIME_WAIT", "server"}[min(s, StageServer)]
}

// LifeOrder is the states in the order of a port's life, LISTEN last.
var LifeOrder = [...]source.State{
	source.Bound, source.SynSent, source.SynRecv, source.Established, source.CloseWait, source.FinWait1,
	source.FinWait2, source.Closing, source.LastAck, source.TimeWait, source.Close, source.Listen, source.Unknown,
}

// StageOf tells the stage of a state.
func StageOf(s source.State) Stage {
	switch s {
	case source.Bound, source.SynSent, source.SynRecv:
		return StageAssigned
	case source.TimeWait:
		return StageTimeWait
	case source.Listen:
		return StageServer
	case source.Close, source.Unknown:
		return StageAvailable
	}
	return StageActive
}
