package model

import (
	"slices"
	"time"

	"ephtop/source"
)

// Problem says what a finding is about.
type Problem uint8

// The problems. Which fields of a Finding hold stands behind each, beside
// Level.
const (
	// ConnectsFail: connect() or bind() was seen to fail for want of a port. Count
	// in all, Of lately; Process and Tuple of the worst: the destination that it
	// wanted to connect to, or the source that it wanted to bind, and port 0.
	ConnectsFail Problem = iota
	// TupleFull: a tuple is past a threshold, or will be full soon. Tuple, Count used of Of, Rate of
	// growth, Span until it is full; Process holds most of it.
	TupleFull
	// PoolFull: the pool of Proto is past a threshold, where the pool is the
	// limit. Count used of Of.
	PoolFull
	// SlowConnect: connect() to Tuple passes many ports in vain. Count used of Of
	// ports of the first half.
	SlowConnect
	// BoundFirst: ports are bound before they are connected. Count bound for
	// certain, all there are where Exact, Suspected suspected, Of usable; Process
	// holds most of them; Tuple.Source is the address whose bind pool is fullest
	// of those where many were bound, with Pool used. A connection accepted from a listener that is gone counts
	// too, for it blocks its port as they do.
	BoundFirst
	// NoPooling: Process opens and closes many connections to Tuple. Rate of
	// closes, Count in TIME_WAIT, Live alive, Span is a connection's mean life,
	// Plateau is where its ports will settle.
	NoPooling
	// CloseWait: Process does not close what its peers have closed. Count, and
	// Rate of growth; Outside of them hold no ephemeral port, as on a server's own
	// one.
	CloseWait
	// SynSent: connects to Tuple's destination are not answered. Count, Span is
	// the age of the oldest, or where SinceStart the least that it can be.
	SynSent
	// Orphans: Count sockets wait for their peers after the process is gone
	// from them, FinWait2 of them in FIN_WAIT2.
	Orphans
	// TimeWaitBuckets: Count TIME_WAIT of Of that the kernel keeps.
	TimeWaitBuckets
	// ListenerInRange: servers listen on ports of the range. Ports, Process of
	// the first.
	ListenerInRange
	// NarrowRange: the range has Count ports, the system's default Of.
	NarrowRange
	// ReservedPorts: Count reserved ports of Of in the range.
	ReservedPorts
	// ReuseOff: TIME_WAIT cannot be reused, and Count of Of ports towards Tuple
	// are held by it.
	ReuseOff
	// PrivatePool: the ports that Process has for itself (Limit), to Tuple, are
	// past a threshold, or there is one only. Count used of Of, Rate and Span as
	// of TupleFull.
	PrivatePool
	// AddressRefused: connect() or bind() was seen to fail for want of an address,
	// and not of a port. Count lately; Process and Tuple of the call: what it wanted
	// to reach, or to bind and then port 0; Index into Failures.RefusedBy.
	AddressRefused
	// StolenPort: a server wants Ports[0], of the range, and Process has it for an
	// outgoing connection of Tuple. Count binds were refused lately; Index into
	// State.Stolen.
	StolenPort
	// NATFull: NATPool is past a threshold. Count used of Of; Process holds most of it,
	// where that is a process of this host.
	NATFull
	// NATLoss: new connections of NATPool lose their first packets, though ports are
	// free. Count used of Of, Rate of packets that were dropped a second.
	NATLoss
	// TrackingFull: the table of NAT has no room, and drops. Count entries of Of, Rate.
	TrackingFull
	// TrackingRace: packets are dropped as two of them raced to make one entry of NAT.
	// Rate.
	TrackingRace
	// WayFull: Way, what a NAT on the way has for Tuple's destination, is past a
	// threshold. Count used of Of, Live of them for certain; Process holds most of it.
	WayFull
	// WayLimit: Live connections to Tuple's destination were answered, and Count
	// further ones are not, for Span, while Outside other destinations answer; of
	// Process. Pool connects to it were answered since.
	WayLimit

	numProblems = iota
)

// String names the problem in the JSON.
func (p Problem) String() string {
	names := [numProblems]string{
		"connects-fail", "tuple-full", "pool-full", "slow-connect", "bound-first", "no-pooling", "close-wait",
		"syn-sent", "orphans", "time-wait-buckets", "listener-in-range", "narrow-range", "reserved-ports", "reuse-off",
		"private-pool",
		"address-refused", "stolen-port",
		"snat-full", "snat-loss", "conntrack-full", "conntrack-race",
		"nat-on-the-way-full", "limit-on-the-way",
	}
	if int(p) < len(names) {
		return names[p]
	}
	return "unknown"
}

// Finding is something that a person should know, in figures; package
// ui/advice puts it into words. LevelOK means that it is worth knowing and no
// more.
type Finding struct {
	Problem Problem
	Level   Level
	// State is the one that the finding is about: an index into
	// Overview.States.
	State int
	Proto source.Proto
	Tuple TupleKey
	Limit Limit
	// Process is an index into State.Processes, or source.NoProcess.
	Process int32
	Tier    Tier
	// Seen of the sockets that the finding lays to Process were seen with it, and
	// Likely are inferred to be its own.
	Seen, Likely int

	// Past says that no call that the finding is about was seen to fail in the last
	// FailureSpan, where it is about such calls.
	Past bool
	// Exact says that the kernel told of every port that Count counts and of no
	// other, so that nothing is suspected.
	Exact bool
	// SinceStart says that what Span is the age of was there at the first look.
	SinceStart bool

	Count, Of, Live, Outside, Suspected, FinWait2, Pool, Plateau int
	Rate                                                         float64
	Span                                                         time.Duration
	// Ports are sorted.
	Ports []uint16
	// Index says which of a list of the State it is about, for some problems.
	Index int
	// NAT and NATPool are those that a finding about connection tracking is about; of
	// one about a destination, those that its connections pass, where these end first
	// or lose them. Else nil: they lie in Overview.NATs.
	NAT     *NATState
	NATPool *NATPoolUse
	// Way is the pool that WayFull is about, or which ends first as NATPool does; else
	// nil: it lies in Overview.Ways.
	Way *WayPool
}

// What a host must show before it is worth a word.
const (
	minChurnShare   = 0.01 // of the usable ports, at the plateau
	minChurnWait    = 20   // sockets in TIME_WAIT
	minCloseWait    = 10   // growing
	stuckCloseWait  = 100  // growing or not
	closeWaitGrowth = 0.2  // sockets per second
	lingering       = 3 * time.Second
	lingeringMany   = 10
	minOrphans      = 100
	minBoundShare   = 0.05
	manyBoundShare  = 0.2
	bucketsShare    = 0.8
	maxTupleReports = 5
	soon            = 5 * time.Minute
	minSoonPercent  = 10

	maxRefusedReports = 3
	maxStolenReports  = 5

	maxUnanswered = 16 // destinations that are named
	reservedShare = 0.05
)

// find fills in st.Findings from what was counted: no finding goes through the
// sockets again, so that a host in trouble costs no more than a healthy one.
func (st *State) find(t *tracker) {
	list := findRefused(st, findFailures(st, st.Findings[:0]))
	for i := range list { // whose process may hold no socket any more
		if p := list[i].Process; p != source.NoProcess {
			t.ownership.registry.keep(p, t.turn)
		}
	}
	list = t.tcp.findTuples(st, list)
	list = findPrivate(st, list)
	list = findPools(st, list)
	list = t.tcp.findBound(st, list)
	list = findChurn(st, list)
	list = findCloseWait(st, list)
	signs := &t.ownership.scratch.signs
	list = signs.findSynSent(st, list)
	list = signs.findOrphans(st, list)
	list = findBuckets(st, list)
	list = signs.findListeners(st, list)
	list = findStolen(st, list)
	list = findSettings(st, list)
	slices.SortStableFunc(list, compareFindings)
	st.Findings = list
}

func findFailures(st *State, list []Finding) []Finding {
	f := &st.Failures
	if f.Count == 0 || f.ago > HistorySpan {
		return list
	}
	found := Finding{Problem: ConnectsFail, Level: LevelWarning, Process: source.NoProcess, Count: f.Count, Of: f.Recent, Past: f.Recent == 0}
	switch {
	case f.Recent > 0:
		found.Level = LevelExhausted
	case st.idle():
		found.Level = LevelOK
	}
	if len(f.By) > 0 {
		worst := &f.By[0]
		found.Proto = worst.Proto
		found.Tuple = TupleKey{Source: worst.Local, Destination: worst.Destination, Port: worst.Port}
		found.Process = st.indexOf(&worst.Process)
	}
	return append(list, found)
}

func (c *census) findTuples(st *State, list []Finding) []Finding {
	p := &st.TCP.Pressure
	if p.PoolOnly {
		return list
	}
	for i := range p.Tuples[:min(len(p.Tuples), maxTupleReports)] {
		t := &p.Tuples[i]
		if t.Pool != PoolRange {
			continue
		}
		if t.Level > LevelOK || t.fullSoon() {
			f := Finding{
				Problem: TupleFull, Level: max(t.Level, LevelWarning), Tuple: t.TupleKey, Count: t.Used, Of: t.Used + t.Free,
				Rate: t.Outlook.Rate, Span: t.Outlook.Left(),
			}
			c.lay(&f, t)
			list = append(list, f)
		}
		if t.SlowConnect() {
			f := Finding{Problem: SlowConnect, Level: LevelWarning, Tuple: t.TupleKey, Count: t.FirstHalf, Of: t.FirstHalfSize}
			c.lay(&f, t)
			list = append(list, f)
		}
	}
	return list
}

// fullSoon reports whether connect() will find no port in a few minutes. What
// has only begun to rise is no reason to speak.
func (t *TupleUse) fullSoon() bool {
	left := t.Outlook.Left()
	return left > 0 && left <= soon && t.Percent() >= minSoonPercent
}

// lay lays a finding to whoever holds the most of a tuple.
func (c *census) lay(f *Finding, t *TupleUse) {
	place := &c.tuples.tuples[c.tuples.index[t.TupleKey]]
	f.Process, f.Tier, f.Seen, f.Likely = t.Process, t.Tier, place.most-place.inferred, place.inferred
}

func findPools(st *State, list []Finding) []Finding {
	for _, p := range []*Pressure{&st.TCP.Pressure, &st.UDP.Pressure} {
		if h := p.Headline(); h.Scope == ScopePool && h.Level > LevelOK {
			list = append(list, Finding{
				Problem: PoolFull, Level: h.Level, Proto: p.Proto, Process: source.NoProcess, Count: h.Used(), Of: p.Usable,
			})
		}
	}
	return list
}

// findBound finds callers that bind before they connect. The process that holds
// most of the bound ports is the one of whom most are known.
func (c *census) findBound(st *State, list []Finding) []Finding {
	p := &st.TCP.Pressure
	most, ports := source.NoProcess, 0
	for i := range st.TCP.Consumers[ByProcess] {
		if c := &st.TCP.Consumers[ByProcess][i]; c.Process != source.NoProcess && c.bound > ports {
			most, ports = c.Process, c.bound
		}
	}
	bound := c.counted.boundPorts
	share := float64(bound+p.Suspected) / float64(max(1, p.Usable))
	if share < minBoundShare {
		return list
	}
	f := Finding{
		Problem: BoundFirst, Process: most, Tier: OwnerObserved, Exact: c.known, Count: bound, Suspected: p.Suspected, Of: p.Usable,
	}
	if b := p.boundPool(); b != nil {
		f.Tuple.Source, f.Pool, f.Level = b.Local, b.Used, b.Level
	}
	// A pool that fills up is trouble for all, however much of it is left.
	fills := p.Headline().Scope == ScopeBind && st.Outlook.Trend == TrendFull && st.Outlook.In < time.Hour
	if share >= manyBoundShare || fills {
		f.Level = max(f.Level, LevelWarning)
	}
	return append(list, f)
}

func findChurn(st *State, list []Finding) []Finding {
	usable := st.TCP.Pressure.Usable
	for i := range st.Churn {
		c := &st.Churn[i]
		if float64(c.Plateau) < minChurnShare*float64(usable) || c.TimeWait < max(minChurnWait, 4*c.Live) || c.CloseRate <= 0 {
			continue
		}
		level := min(LevelCritical, st.Thresholds.Level(min(c.Plateau, usable), usable))
		if c.Reusable {
			level = LevelOK
		} else if c.full >= LevelWarning {
			// Whatever the rate of now: these closes have filled the tuple.
			level = max(level, min(LevelCritical, c.full))
		}
		list = append(list, Finding{
			Problem: NoPooling, Level: level, Tuple: c.Tuple, Process: c.Process, Tier: c.Tier, Rate: c.CloseRate,
			Seen: c.TimeWait - c.Likely, Likely: c.Likely,
			Count: c.TimeWait, Live: c.Live, Of: usable, Span: c.Life(), Plateau: c.Plateau,
		})
	}
	return list
}

func findCloseWait(st *State, list []Finding) []Finding {
	usable := st.TCP.Pressure.Usable
	for i := range st.TCP.Consumers[ByProcess] {
		c := &st.TCP.Consumers[ByProcess][i]
		n := c.States[source.CloseWait]
		if n < minCloseWait || n < stuckCloseWait && c.CloseWaitRate < closeWaitGrowth {
			continue
		}
		level := min(LevelCritical, max(LevelWarning, st.Thresholds.Level(min(c.closeWaitPorts, usable), usable)))
		list = append(list, Finding{
			Problem: CloseWait, Level: level, Process: c.Process, Tier: tierOf(c.Process, n, 0), Count: n, Outside: n - c.closeWaitPorts, Rate: c.CloseWaitRate, Of: usable,
		})
	}
	return list
}

func findBuckets(st *State, list []Finding) []Finding {
	most, n := st.Snapshot.Settings.MaxTimeWait, st.TCP.States[source.TimeWait]
	if most <= 0 || float64(n) < bucketsShare*float64(most) {
		return list
	}
	level := LevelWarning
	if n >= most {
		level = LevelCritical
	}
	return append(list, Finding{Problem: TimeWaitBuckets, Level: level, Process: source.NoProcess, Count: n, Of: most})
}

func (s *signs) findListeners(st *State, list []Finding) []Finding {
	if len(s.listeners) == 0 {
		return list
	}
	first := &st.Rows[s.listeners[0]]
	f := Finding{Problem: ListenerInRange, Process: first.Process, Tier: first.Tier}
	for _, row := range s.listeners {
		f.Ports = append(f.Ports, st.Snapshot.Sockets[row].LocalPort)
	}
	slices.Sort(f.Ports)
	return append(list, f)
}

func findSettings(st *State, list []Finding) []Finding {
	set := &st.Snapshot.Settings
	normal := set.Default.Count()
	pressed, t := st.TCP.Pressure.PoolLevel, st.TCP.Pressure.WorstOfRange()
	if !st.TCP.Pressure.PoolOnly && t != nil {
		pressed = t.Level
	}
	pressed = min(pressed, LevelWarning)
	if n := set.Range.Count(); n < normal && !set.Assumed {
		list = append(list, Finding{Problem: NarrowRange, Level: pressed, Process: source.NoProcess, Count: n, Of: normal})
	}
	if n := set.ReservedInRange(); float64(n) >= reservedShare*float64(set.Range.Count()) {
		list = append(list, Finding{Problem: ReservedPorts, Level: pressed, Process: source.NoProcess, Count: n, Of: set.Range.Count()})
	}
	if t == nil || pressed == LevelOK || t.TimeWait*5 < st.TCP.Pressure.Usable {
		return list
	}
	if set.ReuseTimeWait == 0 || set.Timestamps == 0 {
		list = append(list, Finding{
			Problem: ReuseOff, Level: LevelWarning, Tuple: t.TupleKey, Process: source.NoProcess, Count: t.TimeWait, Of: st.TCP.Pressure.Usable,
		})
	}
	return list
}
