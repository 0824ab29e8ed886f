package recording

import (
	"errors"
	"testing"

	"ephtop/source"
	"ephtop/source/guard"
)

// A fault in the goroutine that reads a pipe is an error of each poll, and not the
// end of the program.
func TestAFaultOfTheFeed(t *testing.T) {
	t.Parallel()
	f := newFeed(nil)
	defer f.stop()
	for range 2 {
		var fault *guard.Panic
		if err := f.next(t.Context(), new(source.Moment)); !errors.As(err, &fault) {
			t.Errorf("%v, want the fault", err)
		}
	}
}
