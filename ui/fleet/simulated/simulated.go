// Package simulated is a dozen hosts of which none exists: a feed for those who
// look at the table of hosts for the first time, and for pictures. Each tells one of
// the stories of source/demo, from some moment of it on, through the same lines as
// "ephtop watch" writes; two do not answer. The same hosts say the same at the same
// time of theirs.
package simulated

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"ephtop/source/demo"
	"ephtop/source/fleet"
	"ephtop/source/guard"
	"ephtop/ui/report"
	"ephtop/ui/session"
)

// host is a host and the story that it tells.
type host struct {
	name     string
	scenario string
	seed     uint64
	skip     time.Duration // of the story, when the feed begins
	trouble  fleet.Trouble
}

var hosts = [...]host{
	{name: "web-01", scenario: "no-pool", skip: 70 * time.Second},
	{name: "web-02", scenario: "no-pool", seed: 2, skip: 40 * time.Second},
	{name: "web-03", scenario: "no-pool", seed: 3, skip: 30 * time.Second},
	{name: "node-07", scenario: "containers", skip: 50 * time.Second},
	{name: "import-01", scenario: "bound-first", skip: 55 * time.Second},
	{name: "edge-01", scenario: "busy", skip: time.Minute},
	{name: "reports-01", scenario: "leak", skip: 3 * time.Minute},
	{name: "pay-01", scenario: "blocked", skip: time.Minute},
	{name: "desk-04", scenario: "browsing", skip: 20 * time.Second},
	{name: "desk-11", scenario: "browsing", seed: 2, skip: 30 * time.Second},
	{name: "db-old", trouble: fleet.Trouble{Kind: fleet.Unreachable, Detail: "connection timed out"}},
	{name: "vault", trouble: fleet.Trouble{Kind: fleet.NoEphtop, Detail: "not found there; --remote-command says where it is"}},
}

// Names are the hosts.
func Names() []string {
	var names []string
	for _, h := range hosts {
		names = append(names, h.name)
	}
	return names
}

// Feed is the feed of the hosts. Make it with [New].
type Feed struct {
	start, began time.Time
	interval     time.Duration
}

// New makes a feed whose time begins now, at start.
func New(start time.Time, interval time.Duration) *Feed { return &Feed{start, time.Now(), interval} }

// Now is the time of the hosts.
func (f *Feed) Now() time.Time { return f.start.Add(time.Since(f.began)) }

// warm is how much of the story is gone through at once when the feed begins, so
// that where it goes is known.
const warm = 10 * time.Second

// Run implements [fleet.Feed].
func (f *Feed) Run(ctx context.Context, tell func(fleet.Report)) {
	var following sync.WaitGroup
	for _, h := range hosts {
		told := func(t fleet.Host) { t.Name = h.name; tell(fleet.Report{Hosts: []fleet.Host{t}}) }
		if h.scenario == "" {
			told(fleet.Host{Trouble: h.trouble})
			continue
		}
		following.Add(1)
		go func() {
			defer following.Done()
			if err := guard.Do(func() error { return f.follow(ctx, h, told) }); err != nil && ctx.Err() == nil {
				told(fleet.Host{Trouble: fleet.Trouble{Kind: fleet.Failed, Detail: err.Error()}})
			}
		}()
	}
	following.Wait()
}

// follow tells the story of a host: up to where it is at the start at once, and then
// as time goes by.
func (f *Feed) follow(ctx context.Context, h host, tell func(fleet.Host)) error {
	w, err := newFollower(h, f.start, f.interval)
	if err != nil {
		return err
	}
	defer w.session.Close()
	ticks := time.NewTicker(f.interval)
	defer ticks.Stop()
	for {
		if err := w.next(ctx); err != nil {
			return err
		}
		tell(w.host)
		if w.host.Time.Add(f.interval).Before(f.Now()) {
			continue // it has to catch up
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// follower watches a simulated host.
type follower struct {
	session *session.Session
	look    session.Look
	began   time.Time
	host    fleet.Host
}

// newFollower makes one that begins a while before the start.
func newFollower(h host, start time.Time, interval time.Duration) (*follower, error) {
	behind := min(warm, h.skip)
	source, err := demo.New(demo.Options{Scenario: h.scenario, Seed: h.seed, Start: start.Add(-h.skip), Step: interval, Skip: h.skip - behind})
	if err != nil {
		return nil, err
	}
	return &follower{session: session.New(source, session.Options{}), began: start.Add(-behind)}, nil
}

// next polls once, and reads the line that a watch would write.
func (w *follower) next(ctx context.Context) error {
	if err := w.session.Look(ctx, &w.look); err != nil {
		return err
	}
	var line bytes.Buffer
	o := &w.look.Overview
	if err := report.WatchJSON(&line, o.States[o.Focus], report.WatchOptions{Watched: max(0, w.look.Moment.Time.Sub(w.began))}); err != nil {
		return err
	}
	l, err := fleet.ParseLine(line.Bytes())
	if err != nil {
		return fmt.Errorf("read a line of a watch: %w", err)
	}
	w.host.Summary, w.host.Time = l.Summary(), w.look.Moment.Time
	return nil
}

// Open opens a host where it is in its story, for the dashboard.
func (f *Feed) Open(name string, step time.Duration) (*demo.Host, error) {
	i := slices.IndexFunc(hosts[:], func(h host) bool { return h.name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no host %s", name)
	}
	h := &hosts[i]
	if h.scenario == "" {
		return nil, fmt.Errorf("%v", h.trouble)
	}
	return demo.New(demo.Options{Scenario: h.scenario, Seed: h.seed, Start: f.start.Add(-h.skip), Step: step, Skip: h.skip + f.Now().Sub(f.start)})
}
