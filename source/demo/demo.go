package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"ephtop/source"
)

// SourceName is what moments of this package say that they come from, but for
// those that hold what source tables gives: of the scenarios bound-first,
// containers and snat.
const SourceName = "demo"

const tablesName = "tables"

// DefaultScenario is the scenario of Options that name none.
const DefaultScenario = "no-pool"

// defaultStart is the time of the first moment where Options give none. It
// never changes, so that the same seed gives the same moments on any day.
var defaultStart = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// before is how long the host has run at the first moment.
const before = 90 * time.Second

// Options say which host to simulate.
type Options struct {
	// Scenario is one of Scenarios, DefaultScenario if empty.
	Scenario string
	// Seed makes one run differ from another.
	Seed uint64
	// Start is the time of the first moment; a fixed day if zero.
	Start time.Time
	// Step is the simulated time from poll to poll: the interval times the
	// speed. 1 s if zero.
	Step time.Duration
	// Skip is how much of the scenario has passed at the first moment.
	Skip time.Duration
}

// Scenario is a story that a simulated host can tell.
type Scenario struct {
	Name string
	// Title says in one line what is to be seen.
	Title string
}

// Scenarios lists the scenarios.
func Scenarios() []Scenario {
	var list []Scenario
	for _, s := range scenarios {
		list = append(list, s.Scenario)
	}
	return list
}

// Host is a simulated host. It is not safe for concurrent use.
type Host struct {
	spaces []space
	router *router // in the first of them; nil for none
	name   string
	source string
	step   time.Duration
	polled bool
}

// New makes a host at the beginning of a scenario.
func New(o Options) (*Host, error) {
	if o.Scenario == "" {
		o.Scenario = DefaultScenario
	}
	if o.Start.IsZero() {
		o.Start = defaultStart
	}
	if o.Step == 0 {
		o.Step = time.Second
	}
	if o.Step < 0 || o.Skip < 0 {
		return nil, fmt.Errorf("simulate a host: step %v and skip %v must not be negative", o.Step, o.Skip)
	}
	for _, s := range scenarios {
		if s.Name == o.Scenario {
			return newHost(s, o), nil
		}
	}
	var names []string
	for _, s := range scenarios {
		names = append(names, s.Name)
	}
	return nil, fmt.Errorf("unknown scenario %q: use %s", o.Scenario, strings.Join(names, ", "))
}

func newHost(s scenario, o Options) *Host {
	if s.spaces != nil {
		return newNode(s.host, s.spaces, o)
	}
	k := newKernel(defaultSettings(), o.Start, rand.New(rand.NewPCG(o.Seed, 0)))
	k.scope = source.Scope{Host: s.host}
	k.tables = s.tables
	k.now = -before
	m := &machine{kernel: k, local: s.local}
	s.begin(m)
	k.run(o.Skip)
	k.events = nil
	h := &Host{spaces: []space{{kernel: k}}, name: s.host, source: SourceName, step: o.Step}
	if s.tables {
		h.source = tablesName
	}
	return h
}

// defaultSettings are those of a Linux host that nobody has tuned.
func defaultSettings() source.Settings {
	return source.Settings{
		Range: source.PortRange{Low: 32768, High: 60999}, Default: source.PortRange{Low: 32768, High: 60999},
		TimeWait: 60 * time.Second, ReuseTimeWait: 2, ReuseDelay: time.Second, Timestamps: 1, MaxTimeWait: 262144,
		Parity: true,
	}
}

// Poll lets one step of simulated time go by, but for the first poll, and
// fills m with it. It takes no longer than the simulation needs: to
// wait between polls is up to the caller.
func (h *Host) Poll(ctx context.Context, m *source.Moment) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("poll the simulated host: %w", err)
	}
	if h.polled {
		h.run(h.step)
	}
	h.polled = true
	m.Reset()
	m.Host, m.OS, m.Kernel, m.Source = h.name, "linux", "6.18.0", h.source
	h.dump(m)
	return nil
}

// run lets so much time go by.
func (h *Host) run(step time.Duration) {
	kernels := make([]*kernel, len(h.spaces))
	for i := range h.spaces {
		kernels[i] = h.spaces[i].kernel
	}
	runAll(kernels[0].now+step, kernels...)
}

// SetStep changes the simulated time from poll to poll, from the next poll on.
// Nothing changes if it is not positive.
func (h *Host) SetStep(step time.Duration) {
	if step > 0 {
		h.step = step
	}
}

// Close does nothing: a simulated host holds nothing but memory.
func (h *Host) Close() error { return nil }
