package page

import (
	"bufio"
	"io"
	"testing"
)

// What is too large for a browser is an error that says what to do, as soon as it
// is.
func TestMaxSize(t *testing.T) {
	t.Parallel()
	p := pen{bufio.NewWriter(&sizedWriter{w: io.Discard})}
	part := make([]byte, 1<<20)
	for range MaxSize / len(part) {
		if _, err := p.Write(part); err != nil {
			t.Fatalf("before it is too large: %v", err)
		}
	}
	p.WriteString("more")
	if err := p.Flush(); err != errSize {
		t.Errorf("when it is too large: %v, want %v", err, errSize)
	}
	if _, err := p.Write(nil); err != errSize {
		t.Errorf("after that: %v, want %v", err, errSize)
	}
}
