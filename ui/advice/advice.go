package advice

import (
	"slices"

	"ephtop/model"
	"ephtop/source"
)

// Advice is a finding in words. None of them holds a control character.
type Advice struct {
	// Title names the problem and whom it concerns in one line of at most
	// TitleWidth columns.
	Title string
	// Seen is the figures, and Why what they mean, in a sentence or two.
	Seen, Why string
	// Remedies are what would help, what helps most first.
	Remedies []Remedy
}

// Remedy is one thing that would help.
type Remedy struct {
	What string `json:"what"`
	// Command is what can be typed, a line each; "" where nothing can. Words in
	// capitals stand for what only the reader knows.
	Command string `json:"command"`
	// Config is what to write into a configuration or a program, a line each; ""
	// for nothing.
	Config string `json:"config"`
	// Effect is what it changes on this host.
	Effect string `json:"effect"`
	// Risk is what can go wrong.
	Risk string `json:"risk"`
	// OfRange says that it is about the ports of the namespace itself.
	OfRange bool `json:"-"`
}

// TitleWidth is how many columns a title takes at most.
const TitleWidth = 76

// Of puts a finding of the state into words.
func Of(st *model.State, f *model.Finding) Advice {
	t := newTeller(st, f)
	tell := map[model.Problem]func() Advice{
		model.ConnectsFail:    t.connectsFail,
		model.TupleFull:       t.tupleFull,
		model.PoolFull:        t.poolFull,
		model.SlowConnect:     t.slowConnect,
		model.BoundFirst:      t.boundFirst,
		model.NoPooling:       t.noPooling,
		model.CloseWait:       t.closeWait,
		model.SynSent:         t.synSent,
		model.Orphans:         t.orphans,
		model.TimeWaitBuckets: t.timeWaitBuckets,
		model.ListenerInRange: t.listenerInRange,
		model.NarrowRange:     t.narrowRange,
		model.ReservedPorts:   t.reservedPorts,
		model.ReuseOff:        t.reuseOff,
		model.PrivatePool:     t.privatePool,
		model.AddressRefused:  t.addressRefused,
		model.StolenPort:      t.stolenPort,
		model.NATFull:         t.natFull,
		model.NATLoss:         t.natLoss,
		model.TrackingFull:    t.trackingFull,
		model.TrackingRace:    t.trackingRace,
		model.WayFull:         t.wayFull,
		model.WayLimit:        t.wayLimit,
	}[f.Problem]
	if tell == nil {
		return Advice{Title: f.Problem.String()}
	}
	a := tell()
	t.aim(a.Remedies)
	return t.behind(a)
}

// teller knows what the words are about.
type teller struct {
	*model.Finding
	st  *model.State
	set *source.Settings
	// scope is where remedies are typed: the namespace of st, or that which
	// translates for it.
	scope *source.Scope
	// use is what is known of the finding's tuple, or nil.
	use *model.TupleUse
}

func newTeller(st *model.State, f *model.Finding) *teller {
	t := &teller{Finding: f, st: st, set: &st.Snapshot.Settings, scope: &st.Snapshot.Scope}
	i := slices.IndexFunc(st.TCP.Pressure.Tuples, func(use model.TupleUse) bool {
		key := use.TupleKey
		if f.Problem == model.ConnectsFail { // which knows neither
			key.Source, key.Interface = f.Tuple.Source, f.Tuple.Interface
		}
		return key == f.Tuple
	})
	if i >= 0 {
		t.use = &st.TCP.Pressure.Tuples[i]
	}
	return t
}

func (t *teller) pressure() *model.Pressure { return &t.st.Of(t.Proto).Pressure }

// gather leaves out the remedies that do not apply, which have no name.
func gather(remedies ...Remedy) []Remedy {
	return slices.DeleteFunc(remedies, func(r Remedy) bool { return r.What == "" })
}
