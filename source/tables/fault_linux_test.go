//go:build amd64 || arm64

package tables

import (
	"errors"
	"testing"
	"time"

	"ephtop/source/guard"
)

// A fault in the goroutine that empties the ring is an error of each Drain, and
// not the end of the program; the programs can be taken out.
func TestAFaultOfTheEvents(t *testing.T) {
	t.Parallel()
	e, err := Load()
	if err != nil {
		t.Skip(err)
	}
	defer e.Close()
	events, err := e.Trace()
	if err != nil {
		t.Skip(err)
	}
	events.mu.Lock()
	reader := events.reader
	events.reader = nil
	events.mu.Unlock()
	for broken := false; !broken; time.Sleep(emptying / 10) {
		events.mu.Lock()
		broken = events.broken != nil
		events.mu.Unlock()
	}
	var fault *guard.Panic
	if _, _, err := events.Drain(nil); !errors.As(err, &fault) {
		t.Errorf("Drain: %v, want the fault", err)
	}
	events.reader = reader
	for range 2 {
		if err := events.Close(); err != nil {
			t.Error(err)
		}
	}
}
