package metrics

import (
	"cmp"
	"math"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"

	"ephtop/model"
	"ephtop/source"
)

// render makes the gauges of a poll.
func (c *Collector) render(poll Poll) []prometheus.Metric {
	o, st, p := poll.Overview, poll.About, new(pen)
	m := o.Moment
	p.gauge("build_info", "1, with what the program is and was built with.", 1, "version", c.options.Version, "goversion", runtime.Version())
	p.gauge("poll_duration_seconds", "How long the last look took.", m.Took.Seconds())
	if poll.Interval > 0 {
		p.gauge("poll_interval_seconds", "Time from one look to the next.", poll.Interval.Seconds())
	}
	p.gauge("last_poll_timestamp_seconds", "When the last look that succeeded began, in seconds since 1970.", float64(poll.At.UnixMilli())/1000)
	p.gauge("limits", "Things that could not be seen; ephtop snapshot names them.", float64(len(m.Limits)))
	p.gauge("trace_enabled", "1 where the kernel tells of closes and of connects that fail.", one(m.Traced))
	p.gauge("level", "The worst of all namespaces: 0 ok, 1 warning, 2 critical, 3 exhausted.", float64(o.Level))
	p.settings(st)
	p.pools(st)
	p.worst(st)
	p.sockets(st)
	p.findings(o)
	c.lists.render(p, c.clock, o, st)
	return p.list
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (p *pen) settings(st *model.State) {
	set := &st.Snapshot.Settings
	p.gauge("range_low_port", "The lowest port that the system picks.", float64(set.Range.Low))
	p.gauge("range_high_port", "The highest port that the system picks.", float64(set.Range.High))
	p.gauge("reserved_ports", "Ports of the range that are reserved, and so never picked.", float64(set.ReservedInRange()))
	p.gauge("usable_ports", "Ports that can be picked towards each destination: the range less what is reserved.", float64(set.Usable()))
	if set.MaxTimeWait > 0 {
		p.gauge("time_wait_limit_sockets", "TIME_WAIT that the kernel keeps at most (tcp_max_tw_buckets).", float64(set.MaxTimeWait))
	}
}

func (p *pen) pools(st *model.State) {
	for _, proto := range [...]source.Proto{source.TCP, source.UDP} {
		p.gauge("pool_used_ports", "Distinct usable ports that any socket holds.", float64(st.Of(proto).Pressure.InUse), "proto", proto.String())
	}
	const help = "Usable ports that connect() skips whatever the destination: known to be bound or listened on, or suspected to be bound before they were connected."
	p.gauge("blocked_ports", help, float64(st.TCP.Pressure.Blocked), "certainty", "known")
	p.gauge("blocked_ports", help, float64(st.TCP.Pressure.Suspected), "certainty", "suspected")
}

// worst is about the figure that says when connect() fails first, of the protocol
// that the level is about.
func (p *pen) worst(st *model.State) {
	worse, o := st.Worse()
	head := worse.Headline()
	tuple := cmp.Or(worse.TupleOf(&head), new(model.TupleUse))
	in := math.Inf(1)
	switch {
	case head.Free == 0 && head.Used() > 0:
		in = 0
	case o.Trend == model.TrendFull:
		in = o.In.Seconds()
	}
	p.gauge("worst_used_ports", "Ports that cannot be had towards the destination where connect() fails first (the worst).", float64(head.Used()))
	p.gauge("worst_time_wait_ports", "Ports in TIME_WAIT towards the worst destination.", float64(head.TimeWait))
	p.gauge("worst_reusable_ports", "Ports in TIME_WAIT towards the worst destination that connect() may take over (tcp_tw_reuse).", float64(tuple.Reusable))
	p.gauge("worst_plateau_ports", "Where the used ports of the worst destination settle if connections go on closing as now, or how many that would take.", float64(o.Plateau))
	p.gauge("worst_closes_per_second", "Connections to the worst destination that close in a second.", o.CloseRate)
	p.gauge("worst_sustainable_closes_per_second", "Closes a second that the range can bear towards the worst destination; 0 where that is not known.", o.Sustainable)
	p.gauge("worst_exhaustion_seconds", "Time until no port can be had towards the worst destination, 0 where none can be now, +Inf where that does not come or is not known.", in)
	p.gauge("worst_first_half_used_ratio", "Used part of the ports that connect() tries first (one parity of the range) towards the worst destination; connect() is slow where that is 1.", tuple.FirstHalfPercent()/100)
}

// states are those that have series: all that a socket is found in.
var states = map[source.Proto][]source.State{
	source.TCP: {
		source.Bound, source.SynSent, source.SynRecv, source.Established, source.CloseWait, source.FinWait1, source.FinWait2,
		source.Closing, source.LastAck, source.TimeWait, source.Listen,
	},
	source.UDP: {source.Bound, source.Established},
}

func (p *pen) sockets(st *model.State) {
	for proto, list := range states {
		for _, s := range list {
			p.gauge("sockets", "Sockets by state, in the range or not.", float64(st.Of(proto).States[s]), "proto", proto.String(), "state", s.String())
		}
	}
}

// troubles are the problems that have series: all but those that say how the host
// is set up, and those of translated ports, which have series of their own.
var troubles = [...]model.Problem{
	model.ConnectsFail, model.TupleFull, model.PoolFull, model.SlowConnect, model.BoundFirst, model.NoPooling, model.CloseWait, model.SynSent,
	model.Orphans, model.TimeWaitBuckets, model.ReuseOff, model.PrivatePool, model.AddressRefused, model.StolenPort, model.WayLimit,
}

func (p *pen) findings(o *model.Overview) {
	var counts [256]int
	for i := range o.Findings {
		if f := &o.Findings[i]; f.Level > model.LevelOK {
			counts[f.Problem]++
		}
	}
	for _, problem := range troubles {
		p.gauge("findings", "What is wrong, of all namespaces, as ephtop doctor says: findings of level warning or worse.", float64(counts[problem]), "problem", problem.String())
	}
}
