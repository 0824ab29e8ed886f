package command

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ephtop/source/race"
)

var update = flag.Bool("update", false, "write the README's picture anew")

// TestPictureOfTheREADME makes the README's picture again, as the file of its keys says
// how. -update writes it.
func TestPictureOfTheREADME(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine draws it, and it takes a minute with the race detector")
	}
	t.Parallel()
	const github = "../../.github/"
	dir := t.TempDir()
	film, made := filepath.Join(dir, "no-pool.eph"), filepath.Join(dir, "demo.svg")
	for _, args := range []string{
		"record --demo no-pool --seed 1 --speed max --duration 3m40s " + film,
		"export --speed 8 --keys " + github + "demo.keys " + film + " " + made,
	} {
		var said bytes.Buffer
		env := Env{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &said, Getenv: func(string) string { return "" }}
		if status := Run(strings.Fields(args), env); status != 0 {
			t.Fatalf("ephtop %s: status %d: %s", args, status, &said)
		}
	}
	got, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(github+"demo.svg", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(github + "demo.svg")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%sdemo.svg shows another program than this one: write it anew by go test ./ui/command -run %s -update", github, t.Name())
	}
}
