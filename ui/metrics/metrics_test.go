package metrics

import (
	"bytes"
	"math"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"
	"github.com/prometheus/client_golang/prometheus"

	"ephtop/source/demo"
	"ephtop/source/race"
	"ephtop/ui/session"
)

// watched is a simulated host and the collector that is told of its polls.
type watched struct {
	*Collector
	session *session.Session
	look    session.Look
}

// interval is that of the polls.
const interval = 2 * time.Second

func watch(t *testing.T, scenario string, o Options) *watched {
	t.Helper()
	return watchSession(t, scenario, o, session.Options{})
}

func watchSession(t *testing.T, scenario string, o Options, so session.Options) *watched {
	t.Helper()
	host, err := demo.New(demo.Options{Scenario: scenario, Step: interval})
	if err != nil {
		t.Fatal(err)
	}
	o.Version = "v1.2.3"
	return &watched{Collector: New(o), session: session.New(host, so)}
}

// until polls until so much of the story has passed.
func (w *watched) until(t *testing.T, passed time.Duration) *watched {
	t.Helper()
	for w.clock < passed {
		w.poll(t)
	}
	return w
}

func (w *watched) poll(t *testing.T) {
	t.Helper()
	if err := w.session.Look(t.Context(), &w.look); err != nil {
		t.Fatal(err)
	}
	w.Observe(w.seen())
}

func (w *watched) seen() Poll {
	o := &w.look.Overview
	return Poll{Overview: o, About: o.States[o.Focus], At: o.Moment.Time, Interval: interval}
}

// gathered is the page as a scrape has it.
func gathered(t testing.TB, c *Collector) []byte {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	var page bytes.Buffer
	if err := Write(&page, registry); err != nil {
		t.Fatal(err)
	}
	return page.Bytes()
}

var builtWith = regexp.MustCompile(`goversion="[^"]*"`)

// figures are the samples of a page by name and labels, as they are written.
func figures(page []byte) map[string]string {
	all := make(map[string]string)
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "#") {
			at := strings.LastIndexByte(line, ' ')
			all[line[:at]] = strings.TrimSpace(line[at:])
		}
	}
	return all
}

// families counts the samples by name.
func families(page []byte) map[string]int {
	counts := make(map[string]int)
	for series := range figures(page) {
		name, _, _ := strings.Cut(series, "{")
		counts[name]++
	}
	return counts
}

// bounds are how many samples of a name a page may have.
var bounds = map[string]int{
	"build_info": 1, "polls_total": 1, "poll_failures_total": 1, "trace_lost_events_total": 1,
	"poll_duration_seconds": 1, "poll_interval_seconds": 1, "last_poll_timestamp_seconds": 1, "limits": 1, "trace_enabled": 1,
	"range_low_port": 1, "range_high_port": 1, "reserved_ports": 1, "usable_ports": 1,
	"pool_used_ports": 2, "blocked_ports": 2,
	"worst_used_ports": 1, "worst_time_wait_ports": 1, "worst_reusable_ports": 1, "worst_plateau_ports": 1, "worst_closes_per_second": 1,
	"worst_sustainable_closes_per_second": 1, "worst_exhaustion_seconds": 1, "worst_first_half_used_ratio": 1,
	"time_wait_started_total": 1, "level": 1, "level_seconds_total": 4, "connect_failures_total": 1, "sockets": 13,
	"time_wait_limit_sockets": 1, "tuples": 1, "tuples_exported": 1,
	"tuple_used_ports": 10, "tuple_time_wait_ports": 10, "tuple_closes_per_second": 10, "tuple_first_half_used_ratio": 10,
	"process_ports": 10, "bind_pool_used_ports": 5, "netns_worst_used_ratio": 10, "netns_level": 10, "findings": 15, "snat_used_ports": 5, "snat_ports": 5,
	"nat_on_the_way_used_ports": 5, "nat_on_the_way_ports": 5,
}

func wantBounded(t *testing.T, page []byte) {
	t.Helper()
	for name, n := range families(page) {
		if most := bounds[strings.TrimPrefix(name, prefix)]; n > most {
			t.Errorf("%d series of %s, want %d at most", n, name, most)
		}
	}
}

// Every demo's page, when it is in its trouble: promtool has nothing to say to it.
func TestPages(t *testing.T) {
	for _, s := range demo.Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			if race.Enabled && s.Name != demo.DefaultScenario {
				t.Skip("the race detector has seen one page")
			}
			wantPage(t, watch(t, s.Name, DefaultOptions))
		})
	}
	t.Run("NAT on the way", func(t *testing.T) {
		if race.Enabled {
			t.Skip("the race detector has seen one page")
		}
		wantPage(t, watchSession(t, demo.DefaultScenario, DefaultOptions, session.Options{NATPorts: 20_000}))
	})
}

// wantPage compares the page of a later moment with its golden.
func wantPage(t *testing.T, w *watched) {
	t.Helper()
	page := gathered(t, w.until(t, 80*time.Second).Collector)
	wantBounded(t, page)
	golden.RequireEqual(t, builtWith.ReplaceAll(page, []byte(`goversion="go"`)))
	promtool(t, page)
}

// promtool has the page checked by Prometheus's own tool.
func promtool(t *testing.T, page []byte) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("needs promtool (Debian's package prometheus)")
	}
	cmd := exec.Command(tool, "check", "metrics")
	cmd.Stdin = bytes.NewReader(page)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v: %s\n%s", err, out, page)
	}
}

// The outlook that the alert on predictions goes by is there while a leak lasts, and
// gone soon after: the demo's ends at the process's limit of descriptors.
func TestOutlookOfALeak(t *testing.T) {
	t.Parallel()
	w := watch(t, "leak", DefaultOptions)
	outlook := func(at time.Duration) float64 {
		t.Helper()
		left, err := strconv.ParseFloat(figures(gathered(t, w.until(t, at).Collector))["ephtop_worst_exhaustion_seconds"], 64)
		if err != nil {
			t.Fatal(err)
		}
		return left
	}
	for at := time.Minute; at <= 3*time.Minute; at += 30 * time.Second {
		if left := outlook(at); left <= 0 || left >= 3600 {
			t.Errorf("at %v no port is left in %v s, want less than an hour", at, left)
		}
	}
	if left := outlook(4 * time.Minute); !math.IsInf(left, 1) {
		t.Errorf("when it has stopped, no port is left in %v s, want +Inf", left)
	}
}

// One poll has the gauges of many, and no counters.
func TestOnce(t *testing.T) {
	t.Parallel()
	w := watch(t, "no-pool", DefaultOptions).until(t, 70*time.Second)
	var page bytes.Buffer
	if err := Once(&page, Options{Version: "v1.2.3", Top: 10, MinShare: 10}, w.seen()); err != nil {
		t.Fatal(err)
	}
	many, once := figures(gathered(t, w.Collector)), figures(page.Bytes())
	for series, figure := range many {
		if got, counter := once[series], strings.Contains(series, "_total"); counter != (got == "") || !counter && got != figure {
			t.Errorf("%s is %q, and of many polls %q", series, got, figure)
		}
	}
	promtool(t, page.Bytes())
}

// Before the first poll there are counters, at nothing.
func TestBeforeAPoll(t *testing.T) {
	t.Parallel()
	page := figures(gathered(t, New(DefaultOptions)))
	for _, series := range []string{"ephtop_polls_total", `ephtop_level_seconds_total{level="exhausted"}`} {
		if page[series] != "0" {
			t.Errorf("%s is %q, want 0", series, page[series])
		}
	}
	if len(page) != 8 {
		t.Errorf("%d series, want those of 4 counters without labels and 4 levels: %v", len(page), page)
	}
}

// A poll that fails is counted, and leaves the figures of the one before.
func TestFailedPoll(t *testing.T) {
	t.Parallel()
	w := watch(t, "no-pool", DefaultOptions).until(t, 30*time.Second)
	before := figures(gathered(t, w.Collector))
	w.Failed()
	after := figures(gathered(t, w.Collector))
	for series, figure := range before {
		want := map[string]string{"ephtop_polls_total": "17", "ephtop_poll_failures_total": "1"}[series]
		if want == "" {
			want = figure
		}
		if after[series] != want {
			t.Errorf("%s is %q, want %q", series, after[series], want)
		}
	}
}

// To whom the host connects is not said where it is not to be.
func TestNoDestinations(t *testing.T) {
	t.Parallel()
	o := DefaultOptions
	o.NoDestinations = true
	page := string(gathered(t, watch(t, "no-pool", o).until(t, 40*time.Second).Collector))
	if strings.Contains(page, "destination=") || strings.Contains(page, "10.0.9.2") || !strings.Contains(page, "ephtop_tuple_used_ports{") {
		t.Errorf("the page says to whom, or nothing of tuples:\n%s", page)
	}
}

// Scrapes go on beside polls, as many as like.
func TestScrapesBesidePolls(t *testing.T) {
	t.Parallel()
	w := watch(t, "containers", DefaultOptions)
	registry := prometheus.NewRegistry()
	registry.MustRegister(w)
	done := make(chan struct{})
	var scrapes sync.WaitGroup
	for range 4 {
		scrapes.Go(func() {
			for {
				if _, err := registry.Gather(); err != nil {
					t.Error(err)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	w.until(t, 20*time.Second)
	close(done)
	scrapes.Wait()
}
