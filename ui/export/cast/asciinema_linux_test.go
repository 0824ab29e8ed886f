package cast_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"ephtop/source/race"
	"ephtop/ui/export"
	"ephtop/ui/export/cast"
	"ephtop/ui/export/internal/filmtest"
)

// The asciinema of Debian 12 writes what the last frame is made of.
func TestAsciinema(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine draws all of it: it runs without the race detector")
	}
	t.Parallel()
	tool, err := exec.LookPath("asciinema")
	if err != nil {
		t.Skip("asciinema is not installed")
	}
	data := filmtest.Named("api", 15)
	b, r := written(t, data, export.Options{}, cast.Options{})
	path := filepath.Join(t.TempDir(), "film.cast")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool, "cat", path)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "LC_ALL=C.UTF-8")
	console, terminal, err := pty.Open() // it asks for one, and reads keys from it
	if err != nil {
		t.Skipf("there is no pseudo-terminal: %v", err)
	}
	defer console.Close()
	defer terminal.Close()
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Run(); err != nil {
		t.Fatalf("asciinema cat: %v\n%s", err, errs.String())
	}
	var want strings.Builder
	for _, e := range r.events {
		if e.kind == "o" {
			want.WriteString(e.data)
		}
	}
	if diff := cmp.Diff(want.String(), out.String()); diff != "" {
		t.Errorf("(-written +asciinema):\n%s", diff)
	}
}
