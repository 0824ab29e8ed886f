package recording_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"ephtop/source/race"
)

// childVariable names the recording that a child process is to copy.
const childVariable = "EPHTOP_TEST_HOSTILE"

// TestHostileRecordings copies each in a process of its own, and asks the kernel
// for the most memory that this ever had.
func TestHostileRecordings(t *testing.T) {
	if path := os.Getenv(childVariable); path != "" {
		debug.SetGCPercent(40) // as in main
		err := copyAll(path)
		status, _ := os.ReadFile("/proc/self/status")
		_, most, _ := strings.Cut(string(status), "VmHWM:")
		most, _, _ = strings.Cut(strings.TrimSpace(most), " ")
		fmt.Printf("\nused %s kB\nended %v\nPASS\n", most, err)
		return
	}
	if race.Enabled {
		t.Skip("they take minutes with the race detector, which has a memory of its own")
	}
	t.Parallel()
	dir := t.TempDir()
	for i, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			path := filepath.Join(dir, fmt.Sprint(i))
			if err := os.WriteFile(path, h.make(), 0o600); err != nil {
				t.Fatal(err)
			}
			child := exec.Command(os.Args[0], "-test.run=^TestHostileRecordings$")
			child.Env = append(os.Environ(), childVariable+"="+path, "GOMEMLIMIT=off")
			out, err := child.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			var used int
			_, text, _ := strings.Cut(string(out), "\nused ")
			if _, err := fmt.Sscanf(text, "%d kB", &used); err != nil {
				t.Fatalf("%v: %.500s", err, out)
			}
			if used > 256<<10 {
				t.Errorf("%d MB of memory, want at most 256", used>>10)
			}
			_, text, _ = strings.Cut(text, "\nended ")
			ended, _, _ := strings.Cut(text, "\nPASS\n")
			if !strings.Contains(ended, h.want.Error()) || len(ended) > 500 || strings.Contains(ended, "\n") {
				t.Errorf("it ends with %.500q, want one line with %q", ended, h.want)
			}
		})
	}
}
