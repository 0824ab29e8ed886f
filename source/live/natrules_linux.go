package live

import (
	"context"
	"time"

	"ephtop/source"
	"ephtop/source/conntrack"
	"ephtop/source/evidence/firewall"
	"ephtop/source/guard"
)

// rules are what the firewall of a namespace says of the ports that it gives out.
// They are asked for beside the polls, for that runs programs.
type rules struct {
	coming chan answer // nil where nobody was asked
	stop   context.CancelFunc
	asked  time.Time
	late   bool // the programs did not tell in time
}

// answer is what they tell.
type answer struct {
	rules []source.SNATRule
	late  bool
}

const (
	// rulesEvery is how often they are asked for again, and rulesSoon how often where
	// much of a pool is in use: somebody may be widening it.
	rulesEvery = 5 * time.Minute
	rulesSoon  = 30 * time.Second
	// rulesTimeout bounds the programs that tell.
	rulesTimeout = 3 * time.Second
)

// keep hands the reader what has come, and has the rules asked for where they are
// old. share is that of the fullest pool.
func (r *rules) keep(reader *conntrack.Reader, away func(func() error) error, share float64) {
	select {
	case a := <-r.coming:
		r.take(reader, a)
	default:
	}
	age := rulesEvery
	if share >= 0.5 || r.late {
		age = rulesSoon
	}
	if r.coming != nil || !r.asked.IsZero() && time.Since(r.asked) < age {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), rulesTimeout)
	coming := make(chan answer, 1)
	r.asked, r.stop, r.coming = time.Now(), stop, coming
	go func() {
		var list []source.SNATRule
		_ = guard.Do(func() error {
			return away(func() error {
				list = firewall.SNAT(ctx)
				return nil
			})
		}) // what is not known is taken as usual
		coming <- answer{list, ctx.Err() != nil}
	}()
}

// take hands the reader an answer. One that is late says nothing: what was known
// holds.
func (r *rules) take(reader *conntrack.Reader, a answer) {
	if r.end(); !a.late {
		reader.SetRules(a.rules)
	}
	r.late = a.late
}

// wait waits for the answer, and reports whether one came.
func (r *rules) wait(ctx context.Context, reader *conntrack.Reader) bool {
	if r.coming == nil {
		return false
	}
	select {
	case a := <-r.coming:
		r.take(reader, a)
		return true
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
