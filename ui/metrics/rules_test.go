package metrics

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	rules     = "../../.packaging/prometheus/ephtop.rules.yml"
	dashboard = "../../.packaging/grafana/ephtop.json"
)

// The rules are right, and say what they should of the figures of demos.
func TestRules(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is not installed (Debian: prometheus)")
	}
	for _, args := range [][]string{{"check", "rules", rules}, {"test", "rules", strings.Replace(rules, ".rules.", ".test.", 1)}} {
		if out, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// What rules and dashboard ask for is on some demo's page.
func TestRulesAskForWhatThereIs(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("testdata/TestPages/*.golden")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	name := regexp.MustCompile(`\bephtop_[a-z_]+`)
	names := func(path string) []string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return name.FindAllString(string(text), -1)
	}
	there := []string{"ephtop_flight_recording_info"} // where recordings are kept
	for _, page := range pages {
		there = append(there, names(page)...)
	}
	for _, asked := range append(names(rules), names(dashboard)...) {
		if !slices.Contains(there, asked) {
			t.Errorf("%s is on no page", asked)
		}
	}
}

// The dashboard's questions are PromQL, and its panels don't lie on each other.
func TestDashboard(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(dashboard)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	taken := make(map[[2]int]string)
	asked := "groups: [{name: dashboard, rules: ["
	for i, p := range d.Panels {
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other := taken[at]; other != "" || at[0] >= 24 {
					t.Errorf("%q and %q are at %v", p.Title, other, at)
				}
				taken[at] = p.Title
			}
		}
		if len(p.Targets) == 0 {
			t.Errorf("%q asks for nothing", p.Title)
		}
		for j, target := range p.Targets {
			expr := strings.NewReplacer("$instance", ".*", "$__rate_interval", "5m").Replace(target.Expr)
			asked += fmt.Sprintf("{record: 'panel_%d_%d', expr: %q},", i, j, expr)
		}
	}
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is not installed (Debian: prometheus)")
	}
	path := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(path, []byte(asked+"]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("promtool", "check", "rules", path).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}
