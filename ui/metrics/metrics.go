// Package metrics says in Prometheus's language what the polls came to: a
// [Collector] is told of each poll, and renders the last one for whoever asks.
//
//	polls ─▶ Observe ─▶ page, never changed once made ─▶ Collect, any number at once
//
// Collect waits for nothing and reads nothing of the host, so that a scrape costs
// the same whatever a poll does meanwhile.
//
// What there is a series of is bounded. Lists (destinations, processes, addresses,
// namespaces) have those that hold a share worth a series, at most so many; who
// has one keeps it for a while, so that few begin (see keeper). Counters have no
// label of a list, and never go back. Names in labels are made fit to be read, and
// cut.
//
// It depends on packages model and source, on ui/advice and ui/text for names, and
// on client_golang. It must not know how polls come about, nor how the page is
// handed out.
package metrics

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"ephtop/model"
	"ephtop/source"
)

// Options say what the page tells. The zero Options are not useful.
type Options struct {
	// Version is that of the program.
	Version string
	// Top is the most destinations, processes and namespaces that have series.
	Top int
	// MinShare is the share of the ports, in percent, from which they have.
	MinShare float64
	// OneNetns says that one network namespace was asked for: what failed in
	// others is not counted.
	OneNetns bool
	// NoDestinations leaves out to whom the host connects.
	NoDestinations bool
}

// DefaultOptions are those where nothing is asked for.
var DefaultOptions = Options{Top: 10, MinShare: 10}

// Poll is a poll that succeeded.
type Poll struct {
	Overview *model.Overview
	// About is the namespace that everything without a label for it is about.
	About *model.State
	// At is when the poll began, by the wall clock.
	At time.Time
	// Interval is how long after it the next one begins, 0 where there is none.
	Interval time.Duration
}

// Collector is a [prometheus.Collector] of the polls that it is told of. Collect
// may be called at any time and from any goroutine; calls of the other methods
// must not overlap.
type Collector struct {
	options Options
	lists   lists
	counts  counts
	last    source.Moment // but for its lists: when it was
	clock   time.Duration // of what was polled, since the first moment
	gauges  []prometheus.Metric
	page    atomic.Pointer[[]prometheus.Metric]
}

// New makes a Collector that has seen no poll yet.
func New(o Options) *Collector {
	c := &Collector{options: o, lists: newLists(o)}
	c.publish()
	return c
}

// Observe notes a poll. Nothing of it is kept.
func (c *Collector) Observe(p Poll) {
	m := p.Overview.Moment
	var passed time.Duration
	if c.counts.polls > c.counts.failed {
		passed = m.Since(&c.last)
	}
	c.clock += passed
	c.last = source.Moment{Time: m.Time, Mono: m.Mono}
	c.counts.add(p.Overview, passed, c.options.OneNetns)
	c.gauges = c.render(p)
	c.publish()
}

// Failed notes a poll that failed: the figures are those of the poll before.
func (c *Collector) Failed() {
	c.counts.polls++
	c.counts.failed++
	c.publish()
}

// Recorded notes how many recordings of trouble there were so far, and the path
// of the last one; "" for none.
func (c *Collector) Recorded(n int, last string) {
	c.counts.keeps, c.counts.recordings, c.counts.recording = true, n, last
	c.publish()
}

func (c *Collector) publish() {
	page := pen{list: append([]prometheus.Metric(nil), c.gauges...)}
	c.counts.render(&page)
	c.page.Store(&page.list)
}

// Describe says nothing beforehand: which labels there are depends on the host.
func (c *Collector) Describe(chan<- *prometheus.Desc) {}

// Collect hands out the last page.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	for _, m := range *c.page.Load() {
		out <- m
	}
}

// Once writes the page of a single poll, as a file for Prometheus's eyes. It has
// no counters, which take more than one.
func Once(w io.Writer, o Options, p Poll) error {
	c := New(o)
	list := c.render(p)
	c.page.Store(&list)
	registry := prometheus.NewRegistry()
	if err := registry.Register(c); err != nil {
		return fmt.Errorf("make a page of metrics: %w", err)
	}
	return Write(w, registry)
}

// Write writes what there is to gather, as text.
func Write(w io.Writer, from prometheus.Gatherer) error {
	families, err := from.Gather()
	if err != nil {
		return fmt.Errorf("gather the metrics: %w", err)
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return err
		}
	}
	return nil
}
