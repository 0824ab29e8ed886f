package dashboard

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/muesli/termenv"

	"ephtop/source/demo"
	"ephtop/source/race"
	"ephtop/ui/theme"
)

// sizes are the terminals that a screen must be right on.
var sizes = [...][2]int{{1, 1}, {40, 10}, {80, 24}, {100, 30}, {120, 40}, {160, 50}, {200, 60}}

// TestScreens draws what a person sees of simulated hosts, each at all sizes.
func TestScreens(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool) // by scenario
	for _, screen := range []struct {
		name, scenario string
		at             time.Duration // of the story
		keys           []string
		after          time.Duration // that passes once they were pressed
		theme          string        // in colour; "" has none
		ascii          bool
	}{
		{name: "healthy", scenario: "browsing", at: 30 * time.Second},
		{name: "warning", scenario: "no-pool", at: 49 * time.Second},
		{name: "exhausted", scenario: "no-pool", at: 70 * time.Second},
		{name: "leak", scenario: "leak", at: 60 * time.Second},
		{name: "blocked", scenario: "blocked", at: 60 * time.Second},
		{name: "namespaces", scenario: "containers", at: 50 * time.Second, keys: []string{"3"}},
		{name: "snat", scenario: "snat", at: 46 * time.Second},
		{name: "snat exhausted", scenario: "snat", at: 60 * time.Second, keys: []string{"3"}},
		{name: "snat pool", scenario: "snat", at: 46 * time.Second, keys: []string{"3", "down", "enter"}},
		{name: "snat dark", scenario: "snat", at: 90 * time.Second, keys: []string{"3"}, theme: "default"},
		{name: "snat light", scenario: "snat", at: 46 * time.Second, keys: []string{"3"}, theme: "light"},
		{name: "snat ascii", scenario: "snat", at: 46 * time.Second, keys: []string{"3"}, ascii: true},
		{name: "destinations", scenario: "busy", at: 60 * time.Second, keys: []string{"2"}},
		{name: "paused", scenario: "no-pool", at: 46 * time.Second, keys: []string{"space"}, after: 12 * time.Second},
		{name: "looking back", scenario: "no-pool", at: 46 * time.Second, keys: []string{"space", "left", "left", "left"}, after: 2 * time.Second},
		{name: "findings", scenario: "no-pool", at: 46 * time.Second, keys: []string{"f", "enter"}},
		{name: "findings unfolded", scenario: "no-pool", at: 46 * time.Second, keys: []string{"f"}},
		{name: "help", scenario: "no-pool", at: 46 * time.Second, keys: []string{"?"}},
		{name: "dark", scenario: "no-pool", at: 60 * time.Second, theme: "default"},
		{name: "light", scenario: "no-pool", at: 60 * time.Second, theme: "light"},
		{name: "mono", scenario: "no-pool", at: 60 * time.Second, theme: "mono"},
		{name: "ascii", scenario: "no-pool", at: 60 * time.Second, ascii: true},
	} {
		again := seen[screen.scenario]
		seen[screen.scenario] = true
		t.Run(screen.name, func(t *testing.T) {
			t.Parallel()
			if race.Enabled && (again || screen.scenario == "containers" || screen.scenario == "busy" || screen.scenario == "snat") {
				t.Skip("the race detector would find nothing more on other screens of a host, nor on larger hosts")
			}
			cfg := Config{ASCII: screen.ascii}
			if screen.theme != "" {
				var err error
				if cfg.Theme, err = theme.ByName(screen.theme, termenv.TrueColor); err != nil {
					t.Fatal(err)
				}
			}
			frames := make(map[string]string)
			runDemo(t, screen.scenario, screen.at, cfg, func(h *harness) {
				h.press(screen.keys...)
				h.sleep(screen.after)
				for _, size := range sizes {
					h.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
					frame := h.m.View()
					wantSize(t, frame, size[0], size[1])
					frames[fmt.Sprintf("%dx%d", size[0], size[1])] = frame
				}
			})
			for name, frame := range frames {
				t.Run(name, func(t *testing.T) { golden.RequireEqual(t, frame) })
			}
		})
	}
}

// wantSize checks that a frame fills the screen, and no more.
func wantSize(t *testing.T, frame string, width, height int) {
	t.Helper()
	lines := strings.Split(frame, "\n")
	if len(lines) != height {
		t.Errorf("%d lines at %dx%d", len(lines), width, height)
	}
	for i, line := range lines {
		if got := ansi.StringWidth(line); got != width {
			t.Errorf("line %d has %d columns at %dx%d", i, got, width, height)
		}
	}
}

// runDemo runs a model on a simulated host, from ten seconds before a time of its story
// on, so that there is a past.
func runDemo(t *testing.T, scenario string, at time.Duration, cfg Config, body func(h *harness)) {
	t.Helper()
	const past = 10 * time.Second
	synctest.Test(t, func(t *testing.T) {
		host, err := demo.New(demo.Options{Scenario: scenario, Seed: 7, Skip: at - past})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Source, cfg.Stepper, cfg.Out = host, host, io.Discard
		cfg.Getenv = func(string) string { return "" }
		m, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		h := &harness{T: t, m: m, msgs: make(chan tea.Msg)}
		go h.loop()
		h.spawn(m.Init())
		h.send(tea.WindowSizeMsg{Width: 120, Height: 40})
		h.sleep(past)
		body(h)
		if !m.Stop(time.Second) {
			t.Error("a poll did not end when it was cancelled")
		}
		close(h.msgs)
	})
}
