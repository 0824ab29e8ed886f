package export_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"ephtop/source/race"
	"ephtop/ui/export"
	"ephtop/ui/export/internal/filmtest"
)

// TestDemo plays .github/demo.keys, and looks for each part of its story, in this
// order.
func TestDemo(t *testing.T) {
	t.Parallel()
	if race.Enabled {
		t.Skip("one goroutine draws all of it: it runs without the race detector")
	}
	script, err := os.ReadFile("../../.github/demo.keys")
	if err != nil {
		t.Fatal(err)
	}
	o := export.Options{Speed: 8, Keys: filmtest.Keys(t, string(script))}
	rest := shots(t, filmtest.Demo("no-pool", 220), o)
	for _, beat := range []struct {
		name  string
		shows []string
	}{
		{"the gauge climbs", []string{"▶ replay 2×", "· ok", "full in"}},
		{"warning", []string{"▶ replay 2×", "! warning"}},
		{"top consumer", []string{"by destination", "10.0.9.2:5432"}},
		{"filter by process", []string{"▸ api", "filter: pid:3120"}},
		{"filter by state", []string{"filter: pid:3120 state:tw", "TIME_WAIT"}},
		{"details", []string{"─ Connection ─", "api, pid 3120", "time left"}},
		{"no port left", []string{"✖ exhausted"}},
		{"findings", []string{"─ Findings ─", "fails for want of a port", "EADDRNOTAVAIL", "→ pool the database connections"}},
		{"recovery", []string{"▶ replay 8×", "· ok", "drains to"}},
	} {
		i := slices.IndexFunc(rest, func(s shot) bool {
			return !slices.ContainsFunc(beat.shows, func(words string) bool { return !s.has(words) })
		})
		if i < 0 {
			t.Fatalf("%s: never %q on the screen from %v on, but at last\n%s", beat.name, beat.shows, rest[0].at, rest[len(rest)-1].text)
		}
		rest = rest[i:]
	}
	if end := rest[len(rest)-1]; end.at > time.Minute {
		t.Errorf("the story takes %v", end.at)
	}
}
