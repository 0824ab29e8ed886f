package fleet

import (
	"slices"
	"time"
)

// Table is what is known of hosts. None is ever removed. The zero Table is empty
// and ready, but for its Patience.
type Table struct {
	// Patience is how long a figure holds: the host is silent after.
	Patience time.Duration

	hosts map[string]*Host
	since map[string]time.Time // a trouble began
	fault Fault
	lack  error
	told  bool
}

// Fault is why a feed as a whole fails, and since when. Err is nil where it does
// not.
type Fault struct {
	Err   error
	Since time.Time
}

// Await notes hosts of which nothing is known yet.
func (t *Table) Await(names ...string) {
	for _, name := range names {
		if t.hosts[name] == nil {
			t.put(&Host{Name: name})
		}
	}
}

func (t *Table) put(h *Host) {
	if t.hosts == nil {
		t.hosts, t.since = make(map[string]*Host), make(map[string]time.Time)
	}
	t.hosts[h.Name] = h
}

// Take notes what a feed tells. A host that has a trouble keeps the figures that it
// had; so do all hosts where the feed fails.
func (t *Table) Take(r Report, now time.Time) {
	switch {
	case r.Fault == nil:
		t.fault = Fault{}
	case t.fault.Err == nil:
		t.fault = Fault{r.Fault, now}
	default:
		t.fault.Err = r.Fault
	}
	if r.Fault == nil {
		t.lack, t.told = r.Lack, true
	}
	for _, h := range r.Hosts {
		before := t.hosts[h.Name]
		t.put(&h)
		if h.Trouble.Kind == NoTrouble {
			delete(t.since, h.Name)
			continue
		}
		if before != nil && h.Time.IsZero() {
			h.Summary, h.Time = before.Summary, before.Time
		}
		if _, ok := t.since[h.Name]; !ok {
			t.since[h.Name] = now
		}
	}
}

// Fault tells whether the feed fails.
func (t *Table) Fault() Fault { return t.fault }

// Lack tells what is missing of what the feed tells; nil for nothing.
func (t *Table) Lack() error { return t.lack }

// Told reports whether a feed has told anything yet, be it that there is no host.
func (t *Table) Told() bool { return t.told }

// Len is how many hosts there are.
func (t *Table) Len() int { return len(t.hosts) }

// Row is a host and how it stands.
type Row struct {
	*Host
	Standing Standing
	// Age is that of the figures, where there are any.
	Age time.Duration
	// Since is when a trouble began.
	Since time.Time
}

// Heard reports whether there are figures.
func (r *Row) Heard() bool { return !r.Host.Time.IsZero() }

// Answers reports whether the figures are those of now.
func (r *Row) Answers() bool { return r.Standing != StandingSilent && r.Standing != StandingAwaited }

// Standing is how bad a host stands. Of one that does not answer that is not known:
// it is below those that are sick, or will be within minutes, and above those that
// are not.
type Standing uint8

// The standings, the worst first.
const (
	StandingExhausted Standing = iota
	StandingCritical
	StandingWarning
	StandingFilling // the level is ok still, and no port is left soon
	StandingSilent
	StandingOK
	StandingAwaited // nothing was heard yet, well or ill

	NumStandings = int(iota)
)

// Rows appends all hosts to rows, worst first.
func (t *Table) Rows(rows []Row, now time.Time) []Row {
	start := len(rows)
	for name, h := range t.hosts {
		r := Row{Host: h, Since: t.since[name]}
		if r.Heard() {
			r.Age = max(0, now.Sub(h.Time))
		}
		r.Standing = t.standing(&r)
		rows = append(rows, r)
	}
	slices.SortFunc(rows[start:], compareWorst)
	return rows
}

// standing judges a row. While the feed fails, all stand as they did.
func (t *Table) standing(r *Row) Standing {
	switch {
	case r.Trouble.Kind != NoTrouble:
		return StandingSilent
	case !r.Heard():
		return StandingAwaited
	case r.Age > t.Patience && t.fault.Err == nil:
		return StandingSilent
	}
	if r.Level == LevelOK && r.Verdict == VerdictFull && r.In <= soon && r.Percent() >= leastSoon {
		return StandingFilling
	}
	return standings[min(r.Level, LevelExhausted)]
}

// soon is when it is the time that makes it urgent, and not the share. What has only
// begun to rise is no reason to speak: as for the findings of the model, there are
// so many percent at least.
const (
	soon      = 5 * time.Minute
	leastSoon = 10
)

var standings = [...]Standing{LevelOK: StandingOK, LevelWarning: StandingWarning, LevelCritical: StandingCritical, LevelExhausted: StandingExhausted}
