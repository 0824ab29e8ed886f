package model

import (
	"cmp"
	"slices"
	"time"

	"ephtop/source"
)

// NATState is what connection tracking of a network namespace means.
type NATState struct {
	NAT *source.NAT
	// Scope is the namespace, with its name where that is known, and State its index
	// in Overview.States, -1 where it has none: nothing of it need have a socket.
	Scope source.Scope
	State int
	// Level is that of the fullest pool, or of the table.
	Level Level
	// Pools are those of NAT, the fullest first.
	Pools []NATPoolUse
	// Rates are how fast the counters rise, over the last NATSpan or as long as it is
	// known, and Drops says why connections are dropped, if they are.
	Rates NATRates
	Drops NATDrops
}

// NATSpan is the time over which the rates of a NATState are taken.
const NATSpan = 10 * time.Second

// NATRates are per second (source.NATCounters).
type NATRates struct {
	Known                                               bool
	Found, InsertFailed, Drop, EarlyDrop, ClashResolved float64
}

// NATPoolUse is what a pool of translated ports means.
type NATPoolUse struct {
	*source.NATPool
	Level Level
	// Loss is the share of new connections whose first packet finds no port, though
	// some are free: they are made a second later, or three.
	Loss float64
	// Outlook is where the ports are going that do not give way to new connections, as
	// they grow. Of the closes nothing is known: it has no CloseRate.
	Outlook Outlook
	// Holders are whose connections hold the ports, as far as these are sockets of a
	// namespace of this host, by the flows of the pool: the most first.
	Holders []NATHolder
}

// Percent is the used share.
func (p *NATPoolUse) Percent() float64 { return Percent(p.Used, p.Capacity()) }

// NATPool is the pool of translated ports that Level is about: the fullest where the
// namespace's own ports are better, and else the one that ends before they do. It is nil
// where Level is about something else.
func (st *State) NATPool() *NATPoolUse {
	n := st.NAT
	if n == nil || len(n.Pools) == 0 {
		return nil
	}
	if st.Level > st.PortsLevel() {
		if n.Pools[0].Level == st.Level {
			return &n.Pools[0]
		}
		return nil
	}
	var first *NATPoolUse
	_, own := st.Worse()
	nearest := nearness(own.Left())
	for i := range n.Pools {
		if p := &n.Pools[i]; p.Level == st.Level && p.FullSoon() && nearness(p.Outlook.Left()) < nearest {
			first, nearest = p, nearness(p.Outlook.Left())
		}
	}
	return first
}

// NATHolder holds ports of a pool.
type NATHolder struct {
	// Client is where the connections come from, before they are translated.
	Client source.Addr
	// State is the namespace in which they are sockets: an index into
	// Overview.States, -1 where none has them. Process is an index into
	// Overview.Processes, or source.NoProcess, and Tier says how sure it is.
	State   int
	Process int32
	Tier    Tier
	// Ports is how many it holds, by its part in the flows.
	Ports int
}

// NATDrops says why connections get no entry.
type NATDrops uint8

// The causes.
const (
	NoDrops        NATDrops = iota
	DropsExhausted          // no port was found for them
	DropsRace               // two packets raced to make one entry
	DropsTableFull          // the table has no room
	DropsOtherwise          // none of these
)

// String names the cause in the JSON.
func (d NATDrops) String() string {
	return [...]string{"none", "exhausted", "race", "table-full", "otherwise"}[min(d, DropsOtherwise)]
}

const (
	// lossFrom is the share of a pool, in percent, from which on connections are
	// lost.
	lossFrom = 85
	// tableFull is the share of the entries that may be, in percent, from which on
	// drops are those of a full table.
	tableFull = 99
	// exhaustedFrom is the share of a pool in percent from which on drops are those
	// of a pool.
	exhaustedFrom = 90
	// lossWorth is the share of new connections without a port that is worth a
	// finding: it is a thousand times as much a tenth of the pool later.
	lossWorth = 0.0001
	// triedWhole is how many ports a pool may have for the kernel to try them all
	// (nf_nat_l4proto_unique_tuple).
	triedWhole = 128
)

// lossAt are the shares of new connections that find no port at a share of a pool
// in use, both in percent: measured on Linux 6.18, for 64,512 ports that were given
// out one after the other, for the ports in use then stand close together. Where
// connections come and go it is a tenth of it. In between it is a straight line.
// It stands in where the ports were not looked at one by one.
var lossAt = [...]struct{ used, lost float64 }{{lossFrom, 0}, {90, 0.2}, {93, 0.8}, {96, 7}, {98, 22}, {99, 40}, {100, 100}}

// natLoss is the share of new connections that find no port.
func natLoss(p *source.NATPool) float64 {
	if p.LossKnown {
		return max(0, min(p.Loss, 1))
	}
	if free := p.Capacity() - (p.Used - p.Evictable); p.Capacity() <= triedWhole && free > 0 {
		return 0
	}
	used := Percent(p.Used-p.Evictable, p.Capacity())
	for i := 1; i < len(lossAt); i++ {
		if from, to := lossAt[i-1], lossAt[i]; used < to.used {
			return max(0, from.lost+(used-from.used)*(to.lost-from.lost)/(to.used-from.used)) / 100
		}
	}
	return 1
}

// natMemory is what is remembered of a namespace's counters.
type natMemory struct {
	turn   uint32
	cookie uint64
	shown  bool       // it has a State
	past   []natCount // at most of NATSpan, oldest first
	pools  map[natKey]*natGrowth
}

type natCount struct {
	clock    int64
	counters source.NATCounters
}

// follow takes the counters of now and gives how fast they rise.
func (n *natMemory) follow(c source.NATCounters, clock int64) NATRates {
	if !c.Known {
		n.past = n.past[:0]
		return NATRates{}
	}
	if k := len(n.past); k > 0 && (c.Drop < n.past[k-1].counters.Drop || c.InsertFailed < n.past[k-1].counters.InsertFailed) {
		n.past = n.past[:0] // counted anew
	}
	n.past = append(n.past, natCount{clock, c})
	for len(n.past) > 2 && clock-n.past[1].clock >= int64(NATSpan) {
		n.past = slices.Delete(n.past, 0, 1)
	}
	first := n.past[0]
	span := time.Duration(clock - first.clock).Seconds()
	if span <= 0 {
		return NATRates{}
	}
	rate := func(now, then uint64) float64 { return float64(now-min(now, then)) / span }
	was := &first.counters
	return NATRates{
		true, rate(c.Found, was.Found), rate(c.InsertFailed, was.InsertFailed), rate(c.Drop, was.Drop),
		rate(c.EarlyDrop, was.EarlyDrop), rate(c.ClashResolved, was.ClashResolved),
	}
}

// drops tells the causes apart.
func (s *NATState) drops() NATDrops {
	r, fullest := &s.Rates, 0.0
	for i := range s.Pools {
		fullest = max(fullest, s.Pools[i].Percent())
	}
	full := s.TableFull()
	switch c := &s.NAT.Counters; {
	case full && !r.Known && (c.Drop > c.InsertFailed || c.EarlyDrop > 0): // at some time, and it is full now
		return DropsTableFull
	case r.Drop == 0 && r.InsertFailed == 0 && r.EarlyDrop == 0:
		return NoDrops
	case full && (r.Drop > r.InsertFailed || r.EarlyDrop > 0):
		return DropsTableFull
	case r.InsertFailed > 0 && fullest >= exhaustedFrom:
		return DropsExhausted
	case r.ClashResolved > 0:
		return DropsRace
	case full:
		return DropsTableFull
	}
	return DropsOtherwise
}

// TableFull reports whether the table has no room for another entry, or next to none.
func (s *NATState) TableFull() bool {
	return s.NAT.Max > 0 && Percent(s.NAT.Entries, s.NAT.Max) >= tableFull
}

// Dropping reports whether packets are being dropped for want of a port, as far as is
// known in this pool: it is the fullest.
func (s *NATState) Dropping(p *NATPoolUse) bool {
	return s.Drops == DropsExhausted && len(s.Pools) > 0 && p.NATPool == s.Pools[0].NATPool && s.Rates.Drop > 0
}

// nats gives each namespace that translates its part, when all States are there.
func (o *Overview) nats() {
	for i := range o.NATs {
		o.natScope(&o.NATs[i])
	}
	routes := o.joinNATs()
	slices.SortStableFunc(o.NATs, func(a, b NATState) int { return cmp.Compare(b.Level, a.Level) })
	for i := range o.NATs {
		if s := &o.NATs[i]; s.State >= 0 {
			st := o.States[s.State]
			st.Findings = s.find(st.Findings)
			slices.SortStableFunc(st.Findings, compareFindings)
			st.NAT, st.Level = s, max(st.Level, s.Level)
		}
	}
	for i, st := range o.States {
		if at := slices.IndexFunc(o.NATs, func(n NATState) bool { return n.State != i && n.Level > LevelOK }); at >= 0 {
			st.NATElsewhere = &o.NATs[at]
		}
	}
	o.behindNAT(routes)
	o.behindTables()
}

// renumberNATs follows the States, which have changed places.
func (o *Overview) renumberNATs(before []*State) {
	moved := func(i int) int {
		if i < 0 {
			return i
		}
		return slices.Index(o.States, before[i])
	}
	for i := range o.NATs {
		s := &o.NATs[i]
		s.State = moved(s.State)
		for j := range s.Pools {
			for k := range s.Pools[j].Holders {
				h := &s.Pools[j].Holders[k]
				h.State = moved(h.State)
			}
		}
	}
}

// maxNATReports is how many pools are reported.
const maxNATReports = 5

// find adds what a person should know of what connection tracking says.
func (s *NATState) find(list []Finding) []Finding {
	begin := Finding{Process: source.NoProcess, NAT: s, Rate: s.Rates.Drop}
	for i := range s.Pools[:min(len(s.Pools), maxNATReports)] {
		p := &s.Pools[i]
		if !p.worth() {
			continue
		}
		f := begin
		f.Problem, f.Level, f.Span, f.Proto, f.Count, f.Of, f.NATPool = NATFull, max(p.Level, LevelWarning), p.Outlook.Left(), p.Proto, p.Used, p.Capacity(), p
		f.Tuple = TupleKey{Source: p.Address, Destination: p.Remote, Port: p.RemotePort}
		if len(p.Holders) > 0 {
			f.Process, f.Tier = p.Holders[0].Process, p.Holders[0].Tier
		}
		list = append(list, f)
		if p.Loss >= lossWorth && p.Level < LevelExhausted {
			f.Problem, f.Level = NATLoss, LevelWarning
			list = append(list, f)
		}
	}
	if f := begin; s.TableFull() {
		f.Problem, f.Level, f.Count, f.Of = TrackingFull, s.tableLevel(), s.NAT.Entries, s.NAT.Max
		list = append(list, f)
	}
	if f := begin; s.Drops == DropsRace {
		f.Problem, f.Level = TrackingRace, LevelWarning
		list = append(list, f)
	}
	return list
}

// tableLevel grades the table.
func (s *NATState) tableLevel() Level {
	switch {
	case s.Drops == DropsTableFull:
		return LevelCritical
	case s.TableFull():
		return LevelWarning
	}
	return LevelOK
}

// natScope finds what a namespace is called.
func (o *Overview) natScope(s *NATState) {
	for i, st := range o.States {
		if scope := &st.Snapshot.Scope; s.is(scope) {
			s.Scope, s.State = *scope, i
			return
		}
	}
	for i := range o.Quiet {
		if o.Quiet[i].Scope.Netns == s.Scope.Netns {
			s.Scope = o.Quiet[i].Scope
			return
		}
	}
}

func (f *Fleet) natMemory(s *source.Scope) *natMemory {
	key := scopeKeyOf(s)
	n := f.tracked[key]
	if n == nil || n.cookie != s.Cookie {
		if f.tracked == nil {
			f.tracked = make(map[scopeKey]*natMemory)
		}
		n = &natMemory{cookie: s.Cookie}
		f.tracked[key] = n
	}
	n.turn = f.turn
	return n
}

// natPool grades a pool. One that is full of what gives way is not exhausted.
func (f *Fleet) natPool(p *source.NATPool) NATPoolUse {
	use := NATPoolUse{NATPool: p, Level: f.thresholds.Level(p.Used, p.Capacity()), Loss: natLoss(p)}
	if use.Level == LevelExhausted && p.Evictable > 0 {
		use.Level = LevelCritical
	}
	return use
}
