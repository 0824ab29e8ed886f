package recording_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/race"
	"ephtop/source/recording"
)

// Events that were noted are told with the next moment, before its own.
func TestNotedEventsAreThoseOfTheNextMoment(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 300, 3000} { // of a piece, and of several
		if race.Enabled && n > 300 {
			continue // one goroutine computes all of it
		}
		list := moments(1, 20, 2, 3)
		for i := range n {
			list[1].Events = append(list[1].Events, source.Event{
				Kind: source.Closed, Time: list[0].Time.Add(time.Duration(i) * time.Microsecond), Netns: 9,
				Tuple:   source.Tuple{Proto: source.TCP, LocalPort: uint16(i), RemotePort: 443},
				Process: source.Process{PID: int32(i), Name: strings.Repeat("ab", i%7)},
			})
		}
		for _, rest := range []int{0, n / 3, n} {
			var out bytes.Buffer
			w := newWriter(t, &out)
			for i, m := range list {
				if i == 1 {
					short := *m
					noted := m.Events[:n-rest]
					short.Events = m.Events[n-rest:]
					for len(noted) > 0 {
						k := min(len(noted), 71)
						if err := w.Note(noted[:k]); err != nil {
							t.Fatal(err)
						}
						noted = noted[k:]
					}
					if w.Noted() != n-rest {
						t.Errorf("%d events are noted, want %d", w.Noted(), n-rest)
					}
					m = &short
				}
				if err := w.Write(m); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if whole := record(t, list); n-rest == 0 && !bytes.Equal(out.Bytes(), whole) {
				t.Error("without a note the recording is another")
			}
			read, _ := readAll(t, out.Bytes())
			if len(read) != len(list) {
				t.Fatalf("%d moments", len(read))
			}
			for i := range list {
				if diff := differ(list[i], read[i]); diff != "" {
					t.Errorf("%d noted, %d not: moment %d (-written +read):\n%s", n-rest, rest, i, diff)
				}
			}
		}
	}
}

// A moment holds so many events even where they pack to next to nothing.
func TestFreeEvents(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine writes all of them: fewer tell the race detector as much")
	}
	t.Parallel()
	list := moments(1, 20000, 0, 2)
	same := source.Event{Kind: source.ConnectFailed, Time: list[0].Time, Tuple: source.Tuple{Proto: source.TCP}}
	list[1].Events = make([]source.Event, recording.FreeEvents)
	for i := range list[1].Events {
		list[1].Events[i] = same
	}
	read, _ := readAll(t, record(t, list))
	if len(read) != 2 || len(read[1].Events) != recording.FreeEvents {
		t.Errorf("%d moments", len(read))
	}
}

// There must be a moment to count from, and an event must be one.
func TestNoteRefuses(t *testing.T) {
	t.Parallel()
	w := newWriter(t, new(bytes.Buffer))
	if err := w.Note(make([]source.Event, 1)); err == nil {
		t.Error("an event is noted before the first moment")
	}
	if err := w.Write(moments(1, 1, 0, 1)[0]); err == nil {
		t.Error("the error did not stay")
	}
	w = newWriter(t, new(bytes.Buffer))
	if err := w.Write(moments(1, 1, 0, 1)[0]); err != nil {
		t.Fatal(err)
	}
	if err := w.Note([]source.Event{{Kind: 99, Tuple: source.Tuple{Proto: source.TCP}}}); err == nil {
		t.Error("an event of an unknown kind is noted")
	}
}
