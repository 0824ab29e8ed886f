package metrics

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const rules = "../../.packaging/prometheus/ephtop.rules.yml"

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

// What the rules ask for is on some demo's page.
func TestRulesAskForWhatThereIs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("testdata/TestPages/*.golden")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	name := regexp.MustCompile(`\bephtop_[a-z_]+`)
	var there []string
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		there = append(there, name.FindAllString(string(text), -1)...)
	}
	there = append(there, "ephtop_flight_recording_info") // where recordings are kept
	for _, asked := range name.FindAllString(string(text), -1) {
		if strings.HasPrefix(asked, "ephtop_snat_") {
			continue // of boxes that translate
		}
		if !slices.Contains(there, asked) {
			t.Errorf("%s is on no page", asked)
		}
	}
}
