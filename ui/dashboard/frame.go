package dashboard

import (
	"slices"

	"ephtop/model"
	"ephtop/model/filter"
	"ephtop/model/list"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/dashboard/paint"
)

// choice is what the user wants to see of a state.
type choice struct {
	filter filter.Filter
	order  list.Order
	proto  paint.ProtoChoice
	group  model.Grouping
	// version counts the changes: frames that were made for another version
	// are out of date.
	version uint64
}

func (c *choice) tcp() bool { return c.proto != paint.ProtoUDP }
func (c *choice) udp() bool { return c.proto != paint.ProtoTCP }

// frame is one poll's data and what was chosen of it. It belongs to one hand at
// a time: to the command that polls into it, then to the model, which shows it
// and hands it out for another poll only when it no longer shows it.
type frame struct {
	moment   source.Moment
	overview model.Overview
	state    *model.State // of the namespace that is shown
	findings []paint.Finding

	version   uint64 // of the choice that the following were made for
	rows      []int32
	total     int
	states    model.StateCounts
	consumers []model.Consumer
	merged    []model.Consumer // memory for consumers of both protocols
}

// update says what the frame's moment means.
func (f *frame) update(fleet *model.Fleet) {
	fleet.Update(&f.moment, &f.overview)
	f.state = f.overview.States[0]
}

// advise looks for what is wrong, and puts it into words.
func (f *frame) advise() {
	f.findings = f.findings[:0]
	for i := range f.state.Findings {
		found := &f.state.Findings[i]
		f.findings = append(f.findings, paint.Finding{Level: found.Level, Advice: advice.Of(f.state, found)})
	}
}

// choose makes the frame's lists, with the memory of sel.
func (f *frame) choose(c *choice, sel *list.Selection) {
	f.version = c.version
	sel.Filter, sel.Order, sel.TCP, sel.UDP = c.filter, c.order, c.tcp(), c.udp()
	f.rows = sel.Rows(f.rows[:0], f.state)
	f.states = model.StateCounts{}
	for _, p := range f.protocols(c) {
		for s, n := range p.States {
			f.states[s] += n
		}
	}
	f.total = f.states.Total()
	f.group(c)
}

// group makes the list of consumers, which depends on less than the others.
func (f *frame) group(c *choice) {
	switch protocols := f.protocols(c); len(protocols) {
	case 1:
		f.consumers = protocols[0].Consumers[c.group]
	default:
		f.merged = mergeConsumers(f.merged[:0], f.state, c.group)
		f.consumers = f.merged
	}
	// They stand most ports first. Who holds none has no part in this.
	if n := slices.IndexFunc(f.consumers, func(c model.Consumer) bool { return c.Ports == 0 }); n >= 0 {
		f.consumers = f.consumers[:n]
	}
}

func (f *frame) protocols(c *choice) []*model.Protocol {
	switch c.proto {
	case paint.ProtoTCP:
		return []*model.Protocol{&f.state.TCP}
	case paint.ProtoUDP:
		return []*model.Protocol{&f.state.UDP}
	}
	return []*model.Protocol{&f.state.TCP, &f.state.UDP}
}
