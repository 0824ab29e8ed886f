package dashboard

import (
	"slices"

	"ephtop/model"
	"ephtop/model/filter"
	"ephtop/model/list"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/session"
)

// choice is what the user wants to see of a state.
type choice struct {
	filter filter.Filter
	// orders are those of the faces, of which face is on screen.
	orders [paint.NumFaces]list.Order
	face   paint.Face
	// fold says that connections in TIME_WAIT are folded.
	fold  bool
	proto paint.ProtoChoice
	group model.Grouping
	// scope is the namespace that was chosen, if one was.
	scope  source.Scope
	chosen bool
	// version counts the changes: readings that were made for another version
	// are out of date.
	version uint64
}

func (c *choice) tcp() bool { return c.proto != paint.ProtoUDP }
func (c *choice) udp() bool { return c.proto != paint.ProtoTCP }

// reading is one poll's data and what was chosen of it. It belongs to one hand at
// a time: to the command that polls into it, then to the model, which shows it
// and hands it out for another poll only when it no longer shows it.
type reading struct {
	look  *session.Look
	state *model.State // of the namespace that is shown
	// sentence is what is read first.
	sentence advice.Sentence
	advice   []advice.Advice // of the state's findings, if advised
	advised  bool

	version   uint64 // of the choice that the following were made for
	list      list.List
	total     int
	states    model.StateCounts
	consumers []model.Consumer
	// destinations are made for their list alone.
	destinations []int32
	// namespaces are those that there are, gone says that the chosen one is none.
	namespaces []paint.NamespaceLine
	gone       bool
	waits      bool // for the source to look at the chosen one
}

// take makes the reading of what its look saw.
func (r *reading) take(c *choice, sel *list.Selection) {
	r.choose(c, sel)
}

// turn turns to the namespace to show: the chosen one, or that which the model
// would have looked at.
func (r *reading) turn(c *choice) {
	o := &r.look.Overview
	at := o.Focus
	r.gone, r.waits = false, false
	if found := o.Find(c.scope); c.chosen && found >= 0 {
		at = found
	} else if c.chosen {
		r.waits = slices.ContainsFunc(o.Quiet, func(q source.Brief) bool { return q.Scope.Same(&c.scope) })
		r.gone = !r.waits
	}
	r.state, r.advised = o.States[at], false
	r.sentence = advice.SentenceOf(o, r.state)
}

// words puts what is wrong into words. That costs: it is for who looks.
func (r *reading) words() []advice.Advice {
	if !r.advised {
		r.advice, r.advised = r.advice[:0], true
		for i := range r.findings() {
			f := &r.findings()[i]
			st := r.look.Overview.States[f.State]
			r.advice = append(r.advice, advice.Of(st, f))
		}
	}
	return r.advice
}

// findings are those of all namespaces.
func (r *reading) findings() []model.Finding { return r.look.Overview.Findings }

// choose makes the reading's lists, with the memory of sel.
func (r *reading) choose(c *choice, sel *list.Selection) {
	r.version = c.version
	r.turn(c)
	r.listNamespaces(c)
	sel.Filter, sel.Order, sel.TCP, sel.UDP, sel.Fold = c.filter, c.orders[paint.FaceConnections], c.tcp(), c.udp(), c.fold
	sel.List(&r.list, r.state)
	r.destinations = r.destinations[:0]
	if c.face == paint.FaceDestinations {
		r.destinations = sel.Destinations(r.destinations, r.state, c.orders[c.face])
	}
	r.states = model.StateCounts{}
	for _, p := range r.protocols(c) {
		for s, n := range r.state.Of(p).States {
			r.states[s] += n
		}
	}
	r.total = r.states.Total()
	r.group(c)
}

// group makes the list of consumers, which depends on less than the others.
func (r *reading) group(c *choice) {
	r.consumers = r.state.AppendConsumers(r.consumers[:0], c.group, r.protocols(c)...)
	// They stand most ports first. Who holds none has no part in this.
	if n := slices.IndexFunc(r.consumers, func(c model.Consumer) bool { return c.Ports == 0 }); n >= 0 {
		r.consumers = r.consumers[:n]
	}
	if c.group == model.ByProcess {
		r.consumers = r.state.FoldSmall(r.consumers)
	}
}

func (r *reading) protocols(c *choice) []source.Proto {
	switch c.proto {
	case paint.ProtoTCP:
		return []source.Proto{source.TCP}
	case paint.ProtoUDP:
		return []source.Proto{source.UDP}
	}
	return []source.Proto{source.TCP, source.UDP}
}
