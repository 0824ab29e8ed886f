package live

import (
	"context"
	"slices"
	"time"

	"ephtop/source"
	"ephtop/source/conntrack"
	"ephtop/source/evidence/firewall"
	"ephtop/source/guard"
)

// rules are what the firewall of a namespace says of the ports that it gives out.
// They are asked for beside the polls, for that runs programs: when they are old, and,
// where they are of nf_tables, when one was changed.
type rules struct {
	coming chan answer // nil where nobody was asked
	stop   context.CancelFunc
	asked  time.Time
	late   bool   // the programs did not tell in time
	told   answer // the last one in time
	// gap is how often at most they are asked for where they change, 0 before the first
	// answer, and rest after which time that is again.
	gap, rest time.Duration
}

// answer is what they tell.
type answer struct {
	rules      []source.SNATRule
	generation uint32 // of nf_tables, right before; 0 where it is not known
	took       time.Duration
	late       bool
}

const (
	// rulesEvery is how often they are asked for again, and rulesSoon how often where
	// much of a pool is in use: somebody may be widening it.
	rulesEvery = 5 * time.Minute
	rulesSoon  = 30 * time.Second
	// rulesGap is how often at most since one was changed. It becomes twice as long, up
	// to rulesSoon, with each change that is of other rules: on some hosts there is one
	// each second. To ask takes no more than one part in rulesShare of the time.
	rulesGap   = 5 * time.Second
	rulesShare = 50
	// rulesTimeout bounds the programs that tell.
	rulesTimeout = 3 * time.Second
)

// keep hands the reader what has come, reports whether that is new, and has the rules
// asked for where that is due. share is that of the fullest pool.
func (r *rules) keep(ctx context.Context, reader *conntrack.Reader, away func(func() error) error, share float64) (news bool) {
	select {
	case a := <-r.coming:
		news = r.take(reader, a)
	default:
	}
	if r.coming == nil && r.due(ctx, reader, share) {
		r.ask(away)
	}
	return news
}

// due reports whether the rules are old, or one was changed.
func (r *rules) due(ctx context.Context, reader *conntrack.Reader, share float64) bool {
	age, every := time.Since(r.asked), rulesEvery
	if share >= 0.5 || r.late {
		every = rulesSoon
	}
	switch {
	case r.asked.IsZero() || age >= every:
		return true
	case r.told.generation == 0 || age < r.rest:
		return false
	}
	generation, err := reader.Generation(ctx)
	return err == nil && generation != r.told.generation
}

// ask has the rules asked for.
func (r *rules) ask(away func(func() error) error) {
	ctx, stop := context.WithTimeout(context.Background(), rulesTimeout)
	coming, tables := make(chan answer, 1), r.told.generation != 0
	r.asked, r.stop, r.coming = time.Now(), stop, coming
	go func() {
		a, began := answer{}, time.Now()
		_ = guard.Do(func() error {
			return away(func() error {
				if tables = tables || firewall.Tables(); tables {
					a.generation = generationHere(ctx)
				}
				a.rules = firewall.SNAT(ctx, tables)
				return nil
			})
		}) // what is not known is taken as usual
		a.took, a.late = time.Since(began), ctx.Err() != nil
		coming <- a
	}()
}

// generationHere is that of the namespace of the calling thread, 0 where the kernel does
// not tell.
func generationHere(ctx context.Context) uint32 {
	reader, err := conntrack.Open(nil)
	if err != nil {
		return 0
	}
	defer reader.Close() // of files that were read only
	generation, _ := reader.Generation(ctx)
	return generation
}

// take hands the reader an answer, and reports whether that is new to it. One that is
// late says nothing: what was known holds.
func (r *rules) take(reader *conntrack.Reader, a answer) (news bool) {
	r.end()
	if r.late = a.late; !a.late {
		news = r.gap == 0 || !slices.Equal(a.rules, r.told.rules)
		if !news && a.generation != r.told.generation {
			r.gap = min(2*r.gap, rulesSoon)
		} else {
			r.gap = rulesGap
		}
		r.told = a
	}
	if news {
		reader.SetRules(a.rules)
	}
	r.rest = max(r.gap, rulesShare*a.took)
	return news
}

// known reports whether an answer came in time, ever.
func (r *rules) known() bool { return r.gap > 0 }

// wait waits for the answer, and reports whether one came that is new.
func (r *rules) wait(ctx context.Context, reader *conntrack.Reader) (news bool) {
	if r.coming == nil {
		return false
	}
	select {
	case a := <-r.coming:
		return r.take(reader, a)
	case <-ctx.Done():
		return false
	}
}

// end has nobody wait for an answer any more.
func (r *rules) end() {
	if r.stop != nil {
		r.stop()
	}
	r.coming, r.stop = nil, nil
}
