package conntrack

import (
	"math"
	"testing"

	"ephtop/source"
)

// The share of new connections that find no port is that of the kernel's search.
func TestLoss(t *testing.T) {
	t.Parallel()
	span := func(low, high uint16) source.PortRange { return source.PortRange{Low: low, High: high} }
	// every gives the ports of a range but each nth.
	every := func(r source.PortRange, n int) (ports []uint16) {
		for i := range r.Count() {
			if n == 0 || i%n != 0 {
				ports = append(ports, r.Low+uint16(i))
			}
		}
		return ports
	}
	for _, c := range []struct {
		name      string
		span      source.PortRange
		ports     []uint16
		evictable int // the first of them
		want      float64
	}{
		{"nothing is used", span(40000, 40019), nil, 0, 0},
		{"a small range is tried whole", span(40000, 40127), every(span(40000, 40127), 0)[1:], 0, 0},
		{"all are used", span(40000, 40127), every(span(40000, 40127), 0), 0, 1},
		{"all of a large range are used", span(1024, 65535), every(span(1024, 65535), 0), 0, 1},
		{"the usual range", source.PortRange{}, every(span(1024, 65535), 0), 0, 1},
		{"each tenth is free", span(1024, 65535), every(span(1024, 65535), 10), 0, 0},
		// One port is free of 256, so each row of n tries misses it from 256-n on.
		{"one is free", span(40000, 40255), every(span(40000, 40255), 0)[1:], 0,
			(1 - 128./256) * (1 - 64./256) * (1 - 32./256) * (1 - 16./256) * (1 - 8./256)},
		{"three that are over", span(40000, 40002), every(span(40000, 40002), 0), 3, 1. / 8},
		{"one of three that is over", span(40000, 40002), every(span(40000, 40002), 0), 1, 1. / 2},
		// Only the last 32 of 128 tries take it: from a quarter of the ports on.
		{"one of 128 that is over", span(40000, 40127), every(span(40000, 40127), 0), 1, 1 - 32./128/2},
		{"ports outside of the range", span(40000, 40002), every(span(50000, 50100), 0), 0, 0},
		{"the highest port", span(65534, 65535), []uint16{65534, 65535}, 0, 1},
	} {
		p := &pool{rule: &rule{span: c.span}}
		if c.span == (source.PortRange{}) {
			p.rule = nil
		}
		all := []taken{{new(pool), c.span.Low, false, false}} // another pool's
		for i, port := range c.ports {
			all = append(all, taken{p, port, i < c.evictable, false})
		}
		if got := new(search).loss(all, p); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v lost, want %v", c.name, got, c.want)
		}
	}
}

// What gives way to new connections is told by the kernel's rule, and by its version.
func TestWhatGivesWay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		state  uint8
		status uint32
		proto  source.Proto
		want   bool
	}{
		{"TIME_WAIT", 7, statusSNAT, source.TCP, true},
		{"CLOSE", 8, statusSNAT | statusSeenReply, source.TCP, true},
		{"LAST_ACK", 6, statusSNAT, source.TCP, false},
		{"ESTABLISHED", 3, statusSNAT, source.TCP, false},
		{"not translated", 7, statusSeenReply, source.TCP, false},
		{"in a flow table", 7, statusSNAT | 1<<14, source.TCP, false},
		{"with a fixed timeout", 7, statusSNAT | 1<<10, source.TCP, false},
		{"UDP", 0, statusSNAT, source.UDP, false},
	} {
		f := flow{reply: source.Tuple{Proto: c.proto, RemotePort: 40000}, tcpState: c.state, status: c.status}
		for _, evicts := range []bool{true, false} {
			counted := tally{evicts: evicts}
			counted.reset()
			counted.nats[source.Addr{}] = true
			counted.add(&f)
			got := counted.give(1, nil)
			if len(got) != 1 || got[0].Used != 1 || (got[0].Evictable == 1) != (c.want && evicts) {
				t.Errorf("%s, by a kernel that evicts: %t: %+v", c.name, evicts, got)
			}
		}
	}
}
