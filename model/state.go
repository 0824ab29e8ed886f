package model

import (
	"math"
	"time"

	"ephtop/source"
)

// State is what one snapshot, a network namespace at one moment, means in the
// light of those before it. Nothing changes it until its Overview is passed to
// [Fleet.Update] again.
type State struct {
	Moment   *source.Moment
	Snapshot *source.Snapshot
	// Elapsed is the time since the snapshot before, 0 at the first one.
	Elapsed time.Duration
	// Clock is when the snapshot was, in nanoseconds: it begins as the time
	// since 1970 and goes on by Elapsed, whatever happens to the wall clock.
	Clock int64

	// Rows says more about each socket of the snapshot, by the same index.
	Rows []Row
	// Processes are those that Rows point to, and Exits says who of them has
	// ended; see Overview.Processes.
	Processes []source.Process
	Exits     []time.Time
	// Cgroups are those that sockets and Processes point to; see
	// Overview.Cgroups.
	Cgroups []source.Cgroup

	// Thresholds are the ones that the levels below were computed with.
	Thresholds Thresholds

	TCP, UDP Protocol

	// History holds the samples of the last HistorySpan, oldest first, this
	// moment's last. Hour is the summary of the last HourSpan, but for the stretch
	// that is not over.
	History, Hour []Sample
	// Outlook is that of the headline: TCP.Pressure.Headline.
	Outlook Outlook
	// Churn is who opens and closes connections to the worst destinations, most
	// closes first.
	Churn []Churn
	// Failures are the connects and binds that failed.
	Failures Failures
	// Stolen are ports of the range that servers want, most wanted first.
	Stolen []Stolen
	// Findings say what is wrong or will be, most urgent first.
	Findings []Finding
	// NAT is what connection tracking of the namespace means, nil where nothing is
	// known of it. It lies in Overview.NATs.
	NAT *NATState
	// NATElsewhere is the worst of what translates in other namespaces of the host, nil
	// where all of that is well. It lies in Overview.NATs.
	NATElsewhere *NATState
	// Way is the fullest pool of a NAT on the way of those that the namespace holds
	// the most of, nil for none. It lies in Overview.Ways.
	Way *WayPool
	// Level is the worst of PortsLevel, that of NAT and that of Way; at least
	// LevelWarning where a limit on the way shows.
	Level Level

	turn    uint32       // of the Fleet, when it was last lent
	waiting []unanswered // of the signs
}

// Protocol is what is known of one transport protocol.
type Protocol struct {
	Pressure Pressure
	// States counts the sockets by state, ephemeral or not; it agrees with ss.
	States StateCounts
	// Consumers are the holders of ports for each Grouping, most ports first.
	Consumers [NumGroupings][]Consumer
}

// Worse gives what is known of the ports of the protocol that Level is about: UDP
// where that is in more trouble, else TCP; and the outlook of its headline. That of
// UDP is known where no port is left only.
func (st *State) Worse() (*Pressure, Outlook) {
	udp := &st.UDP.Pressure
	if udp.Level <= st.TCP.Pressure.Level {
		return &st.TCP.Pressure, st.Outlook
	}
	if h := udp.Headline(); h.Free == 0 {
		return udp, Outlook{Trend: TrendFull, Plateau: h.Used()}
	}
	return udp, Outlook{}
}

// PortsLevel is the worst of the two protocols' levels, and LevelExhausted where a
// connect or a bind has just failed.
func (st *State) PortsLevel() Level {
	if st.Failures.Recent > 0 {
		return LevelExhausted
	}
	return max(st.TCP.Pressure.Level, st.UDP.Pressure.Level)
}

// Of gives what is known of one protocol.
func (st *State) Of(p source.Proto) *Protocol {
	if p == source.UDP {
		return &st.UDP
	}
	return &st.TCP
}

// Row is what the model adds to one socket.
type Row struct {
	// Process is an index into State.Processes, or source.NoProcess.
	Process int32
	Tier    Tier
	// Blocking says for certain that the socket blocks its port for everyone:
	// it listens, came in through a listener, or was bound before it was
	// connected, if it is. Suspected says that the last is likely; it is false
	// where it is known (Snapshot.BlockedKnown).
	Blocking, Suspected bool
	// Ephemeral says that the local port is in the range and not reserved.
	Ephemeral bool
	// Outgoing says that it is ephemeral and held towards a destination: the
	// socket has a peer, and is no server's.
	Outgoing bool
	// SinceStart says that the socket was there at the first poll, so that its
	// true age is larger than Age tells.
	SinceStart bool
	// Age is how long the socket has been seen, at the moment of the state.
	Age Span
}

// Age is how long the socket has been seen, at the moment of the state.
func (st *State) Age(row int) time.Duration { return st.Rows[row].Age.Duration() }

// Process gives the process of a row, or nil.
func (st *State) Process(row int) *source.Process {
	p := st.Rows[row].Process
	if p == source.NoProcess {
		return nil
	}
	return &st.Processes[p]
}

// Exit returns when a process was found to have ended, and false for one that
// lives, as far as is known.
func (st *State) Exit(process int32) (time.Time, bool) {
	if process < 0 || int(process) >= len(st.Exits) {
		return time.Time{}, false
	}
	return st.Exits[process], !st.Exits[process].IsZero()
}

// Tier says how sure an owner is.
type Tier uint8

// The tiers, from not known to surest.
const (
	OwnerUnknown  Tier = iota
	OwnerInferred      // likely, from who was seen with the same destination
	OwnerObserved      // a poll saw the socket alive with its process
	OwnerTraced        // the kernel told who closed it, or who connected it
)

// String gives the tier as in JSON and in the filter key owner:.
func (t Tier) String() string {
	switch t {
	case OwnerInferred:
		return "inferred"
	case OwnerObserved:
		return "observed"
	case OwnerTraced:
		return "traced"
	}
	return "unknown"
}

// Level says how bad it is.
type Level uint8

// The levels, in rising order. Exhausted is only said where no port is free
// or a connect was seen to fail.
const (
	LevelOK Level = iota
	LevelWarning
	LevelCritical
	LevelExhausted
)

// String gives "ok", "warning", "critical" or "exhausted".
func (l Level) String() string {
	return [...]string{"ok", "warning", "critical", "exhausted"}[min(l, LevelExhausted)]
}

// LevelChange is a moment from which another level holds.
type LevelChange struct {
	Time  time.Time
	Level Level
}

// Thresholds are the percentages of used ports from which a level holds.
type Thresholds struct {
	Warning, Critical float64
}

// DefaultThresholds warn at 60 % and are critical at 80 %.
var DefaultThresholds = Thresholds{Warning: 60, Critical: 80}

// Level grades used of total ports.
func (t Thresholds) Level(used, total int) Level {
	percent := Percent(used, total)
	switch {
	case used >= total:
		return LevelExhausted
	case percent >= t.Critical:
		return LevelCritical
	case percent >= t.Warning:
		return LevelWarning
	}
	return LevelOK
}

// Below returns a percentage as it is to be shown in whole figures: one that is
// below a threshold is not rounded up to it, for it would belie its level.
func (t Thresholds) Below(percent float64) float64 {
	for _, limit := range [...]float64{t.Warning, t.Critical} {
		if percent < limit && math.Round(percent) >= limit {
			return math.Floor(percent)
		}
	}
	return percent
}

// Quiet reports whether it is certain that a namespace which was not looked at
// is below the warning: by what is known of its range, and of its sockets.
func (t Thresholds) Quiet(b *source.Brief) bool {
	return !b.Assumed && Percent(b.Bound, b.Usable) < t.Warning
}

// Percent is part of total in percent; of nothing, everything is used.
func Percent(part, total int) float64 {
	if total <= 0 {
		return 100
	}
	return 100 * float64(part) / float64(total)
}
