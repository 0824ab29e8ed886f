package session

import (
	"testing"
	"time"
)

// polls are so many polls that take as long as each other.
func polls(n int, d time.Duration) []time.Duration {
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = d
	}
	return all
}

func TestPacerAtMost(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		asked, want time.Duration
	}{
		{"polls that cost much are no farther apart", 2 * time.Second, 5 * time.Second},
		{"unless that was asked for", 8 * time.Second, 8 * time.Second},
	} {
		p := NewPacer(test.asked, 0.02).AtMost(5 * time.Second)
		for range 3 {
			p.Took(900 * time.Millisecond)
		}
		if got := p.Interval(); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestPacer(t *testing.T) {
	t.Parallel()
	const s, ms = time.Second, time.Millisecond
	for _, test := range []struct {
		name  string
		asked time.Duration
		share float64
		took  [][]time.Duration
		want  time.Duration
	}{
		{"polls that cost little", s, OwnShare, [][]time.Duration{polls(9, 90*ms)}, s},
		{"more than the share of the interval", s, OwnShare, [][]time.Duration{polls(3, 320*ms)}, 4 * s},
		{"one poll that was held up", s, OwnShare, [][]time.Duration{polls(5, 20*ms), polls(1, 3*s), polls(1, 20*ms)}, s},
		{"a first poll that takes long finds out what later ones know", s, OwnShare, [][]time.Duration{polls(1, 400*ms)}, s},
		{"a first poll that takes longer than the interval", s, OwnShare, [][]time.Duration{polls(1, 1200*ms)}, 3 * s},
		{"it comes back", s, OwnShare, [][]time.Duration{polls(9, 320*ms), polls(3, 20*ms)}, s},
		{"it comes back as far as it may", s, OwnShare, [][]time.Duration{polls(9, 720*ms), polls(3, 220*ms)}, 3 * s},
		{"it does not waver between two steps", s, OwnShare, [][]time.Duration{polls(3, 301*ms), polls(3, 299*ms)}, 4 * s},
		{"never longer than a minute", s, OwnShare, [][]time.Duration{polls(3, 9*s)}, time.Minute},
		{"never shorter than asked for", time.Hour, OwnShare, [][]time.Duration{polls(3, 9*s)}, time.Hour},
		{"asked for by hand: twice what a poll takes", 100 * ms, AskedShare, [][]time.Duration{polls(3, 140*ms)}, 300 * ms},
		{"asked for by hand, and it can be had", 100 * ms, AskedShare, [][]time.Duration{polls(3, 49*ms)}, 100 * ms},
		{"without a bound", 100 * ms, 0, [][]time.Duration{polls(3, 9*s)}, 100 * ms},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := NewPacer(test.asked, test.share)
			for _, some := range test.took {
				for _, d := range some {
					p.Took(d)
				}
			}
			if got := p.Interval(); got != test.want || p.Slowed() != (got > test.asked) {
				t.Errorf("after %v: every %v, slowed %v, want every %v", test.took, got, p.Slowed(), test.want)
			}
		})
	}
}

func TestPacerIsAskedForAnotherInterval(t *testing.T) {
	t.Parallel()
	p := NewPacer(time.Second, OwnShare)
	for _, d := range polls(3, 320*time.Millisecond) {
		p.Took(d)
	}
	for _, test := range []struct{ asked, want time.Duration }{
		{time.Second, time.Second}, {500 * time.Millisecond, 700 * time.Millisecond}, {10 * time.Second, 10 * time.Second},
	} {
		if p.Ask(test.asked); p.Interval() != test.want || p.Slowed() != (test.want > test.asked) {
			t.Errorf("polls that take 320 ms, every %v asked for: every %v, want %v", test.asked, p.Interval(), test.want)
		}
	}
}
