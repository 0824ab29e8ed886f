package command

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ephtop/source/race"
	"ephtop/source/recording"
)

// TestRecordingThatWasCut cuts a recording at many lengths: what is left of it
// is as good as a whole one, down to its first moment.
func TestRecordingThatWasCut(t *testing.T) {
	t.Parallel()
	cut := filepath.Join(t.TempDir(), "cut")
	recordSpanning(t, cut, recording.FullEvery+5)
	data, err := os.ReadFile(cut)
	if err != nil {
		t.Fatal(err)
	}
	const (
		inside = ": the recording was cut inside its first moment: nothing can be shown\n"
		later  = ": the recording was cut: this is its last whole moment\n"
	)
	words := inside
	// Cut in its index, or in the checksum of its last frame, it is whole.
	end := bytes.LastIndex(data, []byte("\x5e\x2a\x4d\x18")) - 4
	cuts := 150
	if race.Enabled {
		cuts = 20 // one goroutine reads each
	}
	for n := 1; n < end; n += max(1, len(data)/cuts) {
		if err := os.WriteFile(cut, data[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout bytes.Buffer
		status, stderr := runOn(nil, &stdout, "snapshot", "--from", cut)
		if words == inside && status == 0 {
			words = later // from here on, there is a whole moment
		}
		if stderr != "ephtop: "+cut+words || (status == 0) != (words == later) || (stdout.Len() > 0) != (status == 0) {
			t.Fatalf("snapshot of %d of %d bytes: status %d, %d bytes, stderr %q", n, len(data), status, stdout.Len(), stderr)
		}
		for _, command := range []string{"check", "doctor"} {
			var stdout bytes.Buffer
			got, stderr := runOn(nil, &stdout, command, "--from", cut)
			want, said := 0, "ephtop: "+cut+words
			switch {
			case words == inside && command == "check":
				want, said = 3, ""
				if line := fmt.Sprint("EPHTOP UNKNOWN - ", cut, words); stdout.String() != line {
					t.Errorf("check says %q, want %q", &stdout, line)
				}
			case words == inside:
				want = 3
			}
			if got != want || stderr != said {
				t.Fatalf("%s of %d of %d bytes: status %d, stderr %q; want %d, %q", command, n, len(data), got, stderr, want, said)
			}
			if words == later && strings.Count(stdout.String(), "\n") == 0 {
				t.Errorf("%s of %d of %d bytes writes nothing", command, n, len(data))
			}
		}
	}
	if words == inside {
		t.Error("no cut leaves a moment")
	}
}
