package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// State is the state of a socket. The numbers are those of the kernel
// (include/net/tcp_states.h), so that a dump needs no translation but for
// Bound.
type State uint8

// The states. SynRecv stands for TCP_NEW_SYN_RECV too, which the kernel
// reports as TCP_SYN_RECV. Bound is a socket that has a port and no peer: TCP
// bound and not connected (TCP_BOUND_INACTIVE, which a dump shows as
// TCP_CLOSE), and UDP not connected.
const (
	Unknown     State = 0
	Established State = 1
	SynSent     State = 2
	SynRecv     State = 3
	FinWait1    State = 4
	FinWait2    State = 5
	TimeWait    State = 6
	Close       State = 7
	CloseWait   State = 8
	LastAck     State = 9
	Listen      State = 10
	Closing     State = 11
	Bound       State = 12

	// NumStates is one more than the largest State.
	NumStates = 13
)

var stateNames = [NumStates]string{
	"UNKNOWN", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
	"CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "BOUND",
}

// String gives netstat's name of the state, as in the JSON of `ephtop snapshot`.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return stateNames[Unknown]
}

// short forms, as people type them.
var stateAliases = map[string]State{
	"ESTAB": Established, "EST": Established, "TW": TimeWait, "CW": CloseWait, "SYNSENT": SynSent,
	"SYNRECV": SynRecv, "FINWAIT1": FinWait1, "FINWAIT2": FinWait2, "TIMEWAIT": TimeWait,
	"CLOSED": Close, "CLOSEWAIT": CloseWait, "LASTACK": LastAck, "LISTENING": Listen,
	"SYN_RECEIVED": SynRecv, "FIN_WAIT_1": FinWait1, "FIN_WAIT_2": FinWait2, "UNCONN": Bound,
}

// ParseState reads a state as netstat, ss or a person writes it: "TIME_WAIT",
// "time-wait" and "tw" are one.
func ParseState(name string) (State, error) {
	up := strings.ReplaceAll(strings.ToUpper(strings.TrimSpace(name)), "-", "_")
	for s, n := range stateNames {
		if n == up && State(s) != Unknown {
			return State(s), nil
		}
	}
	if s, ok := stateAliases[up]; ok {
		return s, nil
	}
	return Unknown, fmt.Errorf("unknown state %q: use one of %s", name, strings.Join(stateNames[1:], ", "))
}

// StateWords returns the words that ParseState reads, sorted.
func StateWords() []string {
	words := slices.Concat(stateNames[1:], slices.Collect(maps.Keys(stateAliases)))
	slices.Sort(words)
	return words
}
