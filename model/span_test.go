package model

import (
	"math"
	"testing"
	"time"
	"unsafe"
)

// A Span is exact to a hundredth of a second, and none is negative or goes round.
func TestSpan(t *testing.T) {
	t.Parallel()
	const most = math.MaxUint32 * spanTick
	for _, c := range []struct{ of, want time.Duration }{
		{0, 0}, {-time.Hour, 0}, {spanTick - 1, 0}, {1234567 * time.Microsecond, 1230 * time.Millisecond},
		{most, most}, {most + 1, most}, {math.MaxInt64, most}, {math.MinInt64, 0},
	} {
		if got := SpanOf(c.of).Duration(); got != c.want {
			t.Errorf("%v is %v, want %v", c.of, got, c.want)
		}
	}
}

// There are hundreds of thousands of these.
func TestSizes(t *testing.T) {
	t.Parallel()
	if row, memory, identity, holder := unsafe.Sizeof(Row{}), unsafe.Sizeof(memory{}), unsafe.Sizeof(identity{}), unsafe.Sizeof(holder{}); row > 16 || memory > 16 || identity > 16 || holder > 24 {
		t.Errorf("a Row takes %d bytes, a memory %d and %d, a holder %d; want 16, 16 and 16, 24", row, memory, identity, holder)
	}
}
