package recording_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/race"
	"ephtop/source/recording"
)

// ringOf writes moments into a Ring.
func ringOf(t *testing.T, length time.Duration, most int, list []*source.Moment) *recording.Ring {
	t.Helper()
	r, err := recording.NewRing(length, most)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range list {
		if err := r.Write(m); err != nil {
			t.Fatalf("write moment %d: %v", i, err)
		}
	}
	return r
}

// played plays a Ring to its end, and wants the last of the moments written. It
// returns how many these are, and the size of what is held.
func played(t *testing.T, r *recording.Ring, written []*source.Moment) (moments, size int) {
	t.Helper()
	file, bytes := r.Copy()
	p, err := recording.NewPlayer(file, bytes)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	first, last := p.Span()
	if !last.Equal(written[len(written)-1].Time) {
		t.Errorf("it ends at %v, want %v", last, written[len(written)-1].Time)
	}
	for n := range written {
		if written[n].Time.Before(first) {
			continue
		}
		var m source.Moment
		if err := p.Poll(t.Context(), &m); err != nil {
			t.Fatalf("moment %d: %v", n, err)
		}
		if moments%30 == 0 {
			if d := differ(written[n], &m); d != "" {
				t.Fatalf("moment %d: %s", n, d)
			}
		}
		moments++
	}
	if err := p.Poll(t.Context(), new(source.Moment)); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	return moments, int(bytes)
}

func TestRingHoldsALengthOfTime(t *testing.T) {
	t.Parallel()
	written := moments(21, 40, 8, 400)
	for n, want := range map[int]int{1: 1, 59: 59, 60: 60, 150: 150, 200: 140, 400: 160} {
		r := ringOf(t, 2*time.Minute, 1<<20, written[:n])
		if got, _ := played(t, r, written[:n]); got != want {
			t.Errorf("of %d moments it holds %d, want %d", n, got, want)
		}
	}
}

// Where there is no room for the length of time, it holds what there is room for.
func TestRingHoldsNoMoreThanItMay(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine computes all of it: it runs without the race detector")
	}
	t.Parallel()
	written := moments(22, 200, 200, 200)
	for _, most := range []int{40_000, 100_000} {
		r := ringOf(t, time.Hour, most, written)
		got, size := played(t, r, written)
		if size > most || size < most/4 || got < 3 {
			t.Errorf("%d moments of %d bytes, at most %d wanted", got, size, most)
		}
	}
}

// Told to take less, it drops what is old, but never gets too small for what it is
// to hold.
func TestRingWithinLess(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine computes all of it: it runs without the race detector")
	}
	t.Parallel()
	written := moments(22, 200, 200, 200)
	wide := ringOf(t, time.Hour, 1<<20, written)
	_, all := played(t, wide, written)
	for _, within := range []int{all / 2, 1} {
		r := ringOf(t, time.Hour, 1<<20, written[:150])
		r.Within(within)
		for _, m := range written[150:] {
			if err := r.Write(m); err != nil {
				t.Fatal(err)
			}
		}
		if got, size := played(t, r, written); size > max(within, all/3) || got < 3 || got == len(written) {
			t.Errorf("within %d of %d bytes, it holds %d moments in %d", within, all, got, size)
		}
	}
}

func TestRingIsTooSmall(t *testing.T) {
	t.Parallel()
	r, err := recording.NewRing(time.Hour, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range moments(23, 400, 0, 2) {
		if err := r.Write(m); !errors.Is(err, recording.ErrTooLarge) {
			t.Errorf("error %v", err)
		}
	}
}

// What was copied stays as it was, whatever is written later.
func TestCopyOfARing(t *testing.T) {
	t.Parallel()
	written := moments(24, 40, 8, 200)
	r := ringOf(t, time.Minute, 1<<20, written[:90])
	file, size := r.Copy()
	for _, m := range written[90:] {
		if err := r.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	p, err := recording.NewPlayer(file, size)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, at := range []int{0, 89, 61, 60, 30} {
		if err := p.Seek(written[at].Time); err != nil {
			t.Fatal(err)
		}
		var m source.Moment
		if err := p.Poll(t.Context(), &m); err != nil {
			t.Fatal(err)
		}
		if d := differ(written[at], &m); d != "" {
			t.Errorf("moment %d: %s", at, d)
		}
	}
}

// A Ring can be saved, again and again: what it holds, and what is written until
// the end. What comes out is whole, and the Ring goes on.
func TestRingIsSaved(t *testing.T) {
	t.Parallel()
	written := moments(25, 40, 8, 400)
	r := ringOf(t, time.Minute, 1<<20, written[:130])
	end := 130
	for _, until := range []int{190, 190, 250, 251} { // nothing in between, too
		var out bytes.Buffer
		first := r.First()
		file, size := r.Copy()
		if _, err := io.Copy(&out, io.NewSectionReader(file, 0, size)); err != nil {
			t.Fatal(err)
		}
		r.SaveTo(&out)
		for ; end < until; end++ {
			if err := r.Write(written[end]); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.EndSave(); err != nil {
			t.Fatal(err)
		}
		saved, err := readAll(t, out.Bytes())
		if err != io.EOF || len(saved) == 0 || !saved[0].Time.Equal(first) {
			t.Fatalf("until %d: %d moments, then %v", until, len(saved), err)
		}
		for i, m := range saved {
			if d := differ(written[end-len(saved)+i], m); d != "" {
				t.Fatalf("until %d, moment %d: %s", until, i, d)
			}
		}
		played(t, r, written[:end])
	}
}

// A disk that is full ends what is saved, and nothing else.
func TestRingThatCannotBeSaved(t *testing.T) {
	t.Parallel()
	written := moments(26, 40, 8, 100)
	r := ringOf(t, time.Minute, 1<<20, written[:50])
	full := errors.New("no space left on device")
	r.SaveTo(fullDisk{full})
	for _, m := range written[50:] {
		if err := r.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.SaveErr(); err != full {
		t.Errorf("SaveErr gives %v", err)
	}
	if err := r.EndSave(); err != full {
		t.Errorf("EndSave gives %v", err)
	}
	played(t, r, written)
}

type fullDisk struct{ err error }

func (f fullDisk) Write([]byte) (int, error) { return 0, f.err }
