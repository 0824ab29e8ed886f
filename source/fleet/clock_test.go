package fleet

import (
	"slices"
	"testing"
	"time"
)

// A line is as old as it waited, however wrong the clock of its host is.
func TestClock(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		written, read []int // seconds
		want          []int // old
	}{
		{"in step", []int{0, 2, 4, 6}, []int{0, 2, 4, 6}, []int{0, 0, 0, 0}},
		{"of a clock that is behind", []int{-240, -238, -236}, []int{0, 2, 4}, []int{0, 0, 0}},
		{"of a clock that is ahead", []int{7200, 7202, 7204}, []int{0, 2, 4}, []int{0, 0, 0}},
		{"waited while we were stopped", []int{0, 2, 4, 100, 200, 300, 302}, []int{0, 300, 300, 300, 301, 301, 302}, []int{0, 298, 296, 200, 101, 1, 0}},
		{"waited, of a clock that is behind", []int{-60, -58, 0, 240}, []int{0, 300, 300, 300}, []int{0, 298, 240, 0}},
		{"the host stood still", []int{0, 2, 4, 6, 8}, []int{0, 302, 304, 306, 308}, []int{0, 300, 300, 0, 0}},
		{"the clock was set back", []int{0, 2, -600, -598}, []int{0, 2, 4, 6}, []int{0, 0, 0, 0}},
		{"the clock was set forward", []int{0, 2, 600, 602}, []int{0, 2, 4, 6}, []int{0, 0, 0, 0}},
		{"the clock was set back a little", []int{0, 10, 11, 21, 31, 41}, []int{0, 10, 20, 30, 40, 50}, []int{0, 0, 9, 0, 0, 0}},
		{"the clock stands", []int{0, 0, 0, 0, 0}, []int{0, 2, 4, 6, 8}, []int{0, 0, 0, 0, 0}},
	} {
		var c clock
		var got []int
		for i := range test.written {
			at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
			got = append(got, int(c.age(at(test.written[i]), at(test.read[i])).Seconds()))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
