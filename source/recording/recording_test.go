package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ephtop/source"
	"ephtop/source/recording"
)

// record writes moments and gives the recording.
func record(t testing.TB, list []*source.Moment) []byte {
	t.Helper()
	var out bytes.Buffer
	w := newWriter(t, &out)
	for i, m := range list {
		if err := w.Write(m); err != nil {
			t.Fatalf("write moment %d: %v", i, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// readAll reads to the end of a recording.
func readAll(t testing.TB, recorded []byte) ([]*source.Moment, error) {
	t.Helper()
	r := open(t, recorded)
	var list []*source.Moment
	for {
		var m source.Moment
		if err := r.Next(&m); err != nil {
			return list, err
		}
		list = append(list, &m)
	}
}

// differ tells how a moment that was read differs from the one that was
// written, but for what Write says.
func differ(written, read *source.Moment) string {
	return cmp.Diff(owned(written), owned(read), cmpopts.EquateEmpty(), cmp.Comparer(func(a, b ownedSocket) bool {
		off := int64(a.Expires) - int64(b.Expires)
		a.Expires, b.Expires = 0, 0
		return a == b && max(off, -off) <= recording.TimerTolerance.Milliseconds()
	}))
}

// ownedMoment is a moment whose sockets have their process instead of an
// index, in an order of their own.
type ownedMoment struct {
	source.Moment
	Sockets [][]ownedSocket
}

type ownedSocket struct {
	source.Socket
	Owner source.Process
}

func owned(m *source.Moment) *ownedMoment {
	o := &ownedMoment{Moment: *m}
	o.Room, o.Processes = nil, slices.Clone(m.Processes)
	sortByText(o.Processes, func(p source.Process) source.Process { return p })
	o.Snapshots = slices.Clone(m.Snapshots)
	for i := range o.Snapshots {
		var list []ownedSocket
		for _, k := range o.Snapshots[i].Sockets {
			with := ownedSocket{Socket: k}
			if k.Process != source.NoProcess {
				with.Owner = m.Processes[k.Process]
			}
			with.Process = 0
			list = append(list, with)
		}
		sortByText(list, func(k ownedSocket) ownedSocket {
			k.Expires = 0
			return k
		})
		o.Sockets = append(o.Sockets, list)
		o.Snapshots[i].Sockets = nil
	}
	return o
}

// sortByText sorts by all that there is in an element.
func sortByText[T comparable](list []T, essence func(T) T) {
	texts := make(map[T]string, len(list))
	for _, v := range list {
		texts[v] = fmt.Sprint(essence(v))
	}
	slices.SortFunc(list, func(a, b T) int { return strings.Compare(texts[a], texts[b]) })
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	cases := map[string][]*source.Moment{
		"a busy host":      moments(3, 80, 8, 130),
		"anything at all":  (&anything{rand: rand.New(rand.NewPCG(5, 5))}).moments(150),
		"one empty moment": {{Time: epoch}},
	}
	for name, written := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read, err := readAll(t, record(t, written))
			if err != io.EOF || len(read) != len(written) {
				t.Fatalf("%d moments of %d, then %v", len(read), len(written), err)
			}
			for i := range read {
				if d := differ(written[i], read[i]); d != "" {
					t.Fatalf("moment %d: %s", i, d)
				}
			}
		})
	}
}

// What is on a screen while it is recorded must stay as it is.
func TestWriteChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWriter(t, io.Discard)
	list := append(moments(4, 80, 12, 65), (&anything{rand: rand.New(rand.NewPCG(8, 5))}).moments(65)...)
	for i, m := range list {
		slices.Reverse(m.Processes)
		before := clone(m)
		if err := w.Write(m); err != nil {
			t.Fatal(err)
		}
		ignored := cmpopts.IgnoreFields(source.Moment{}, "Room")
		if d := cmp.Diff(before, m, ignored, cmp.Comparer(func(a, b source.Socket) bool { return a == b })); d != "" {
			t.Fatalf("moment %d: %s", i, d)
		}
	}
}

// What a reader gave stays as it is when it reads on into another moment.
func TestNextChangesNothingThatWasGiven(t *testing.T) {
	t.Parallel()
	r := open(t, record(t, (&anything{rand: rand.New(rand.NewPCG(2, 5))}).moments(70)))
	var before source.Moment
	text := fmt.Sprint(before)
	for n := 0; ; n++ {
		var m source.Moment
		if err := r.Next(&m); err != nil {
			break
		}
		if now := fmt.Sprint(before); now != text {
			t.Fatalf("moment %d was\n%s\nand then\n%s", n-1, text, now)
		}
		before, text = m, fmt.Sprint(m)
	}
}

// timed has a socket with a timer that runs out after so many milliseconds.
func timed(seconds float64, expires uint32) *source.Moment {
	m := &source.Moment{Time: epoch.Add(time.Duration(seconds * 1e9))}
	m.Add(source.Scope{}).Sockets = []source.Socket{{
		Proto: source.TCP, State: source.TimeWait, Timer: source.TimerTimeWait, Expires: expires, Cookie: 1, Process: source.NoProcess,
	}}
	return m
}

// Another source knows other things of each socket: its first moment stands alone.
func TestAMomentOfAnotherSourceStandsAlone(t *testing.T) {
	t.Parallel()
	places := func(sources ...string) int {
		list := moments(1, 40, 3, 50)
		for i, m := range list {
			m.Source = sources[i*len(sources)/len(list)]
		}
		b := record(t, list)
		p, err := recording.NewPlayer(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		return p.Points()
	}
	one, three := places("tables"), places("sockdiag", "tables", "sockdiag")
	if three != one+2 {
		t.Errorf("reading can begin at %d places, and of one source at %d", three, one)
	}
}

func TestTimersThatTickAreNotWrittenAgain(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		expires uint32 // after 2 s, of 60 s at first
		want    uint32
	}{
		{"as foretold", 58000, 58000},
		{"read a little late", 57960, 58000},
		{"at the tolerance", 57500, 58000},
		{"beyond it", 57499, 57499},
		{"begun anew", 60000, 60000},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			read, _ := readAll(t, record(t, []*source.Moment{timed(0, 60000), timed(2, c.expires)}))
			if got := read[1].Snapshots[0].Sockets[0].Expires; got != c.want {
				t.Errorf("%d ms left, want %d", got, c.want)
			}
		})
	}
}

// A timer may have 49 days left, and be set anew after a while.
func TestTheLongestTimers(t *testing.T) {
	t.Parallel()
	const most = math.MaxUint32
	written := []*source.Moment{timed(0, most), timed(1, most), timed(2, most), timed(3, most-1000), timed(4, 7), timed(5, 0), timed(6, most)}
	read, err := readAll(t, record(t, written))
	if err != io.EOF {
		t.Fatal(err)
	}
	for i := range written {
		if d := differ(written[i], read[i]); d != "" {
			t.Errorf("moment %d: %s", i, d)
		}
	}
}

func TestTheTimeLineIsTheMonotonicClock(t *testing.T) {
	t.Parallel()
	start := time.Now()
	list := []*source.Moment{{Time: start}, {Time: start.Add(1234567891)}, {Time: start.Add(time.Second)}}
	read, _ := readAll(t, record(t, list))
	if got := read[1].Time.Sub(read[0].Time); got != 1234567891 {
		t.Errorf("%v between the first two moments", got)
	}
	if got := read[2].Time.Sub(read[1].Time); got != 0 {
		t.Errorf("time went by %v where the source's went back, want 0", got)
	}
}

func TestTextsAreMadeValid(t *testing.T) {
	t.Parallel()
	const most = 128 << 10
	cases := []struct{ name, text, want string }{
		{"all that is valid", "a \"b\" \\ /\ttab\nnul\x00del\x7f grüße 你好 🙂 \u2028", "a \"b\" \\ /\ttab\nnul\x00del\x7f grüße 你好 🙂 \u2028"},
		{"no UTF-8", "bad \xff utf8 \xed\xb2\x80.", "bad \ufffd utf8 \ufffd."},
		{"too long", strings.Repeat("a", most+1), strings.Repeat("a", most)},
		{"cut before a character", strings.Repeat("a", most-2) + "你好", strings.Repeat("a", most-2)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			read, err := readAll(t, record(t, []*source.Moment{{Time: epoch, Processes: []source.Process{{Command: c.text}}}}))
			if len(read) != 1 {
				t.Fatal(err)
			}
			if got := read[0].Processes[0].Command; got != c.want || !utf8.ValidString(got) {
				t.Errorf("%d bytes, %.60q; want %d, %.60q", len(got), got, len(c.want), c.want)
			}
		})
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w, err := recording.NewWriter(&out, recording.Header{Program: "ephtop 1.2", Anonymized: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(&source.Moment{Time: epoch}); err != nil {
		t.Fatal(err)
	}
	want := recording.Header{Version: recording.Version, Start: epoch, Program: "ephtop 1.2", Anonymized: true}
	if d := cmp.Diff(want, open(t, out.Bytes()).Header()); d != "" {
		t.Error(d)
	}
}

func TestNoMomentNoFile(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := newWriter(t, &out).Close(); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 0 {
		t.Errorf("%d bytes were written", out.Len())
	}
}

// TestWhatCantBeReadIsNotWritten writes moments that a reader would refuse.
func TestWhatCantBeReadIsNotWritten(t *testing.T) {
	t.Parallel()
	socket := func(s source.Socket) *source.Moment {
		m := &source.Moment{Time: epoch}
		m.Add(source.Scope{}).Sockets = []source.Socket{s}
		return m
	}
	event := func(e source.Event) *source.Moment { return &source.Moment{Time: epoch, Events: []source.Event{e}} }
	many := &source.Moment{Time: epoch, Snapshots: make([]source.Snapshot, 1<<17)}
	twice := &source.Moment{Time: epoch}
	twice.Add(source.Scope{Netns: 7, Name: "a"})
	twice.Add(source.Scope{Netns: 7, Name: "b"})
	cases := map[string]*source.Moment{
		"a socket without a protocol":     socket(source.Socket{State: source.Listen}),
		"a socket of an unknown state":    socket(source.Socket{Proto: source.TCP, State: source.NumStates}),
		"an event without a protocol":     event(source.Event{Kind: source.Closed}),
		"an event of an unknown kind":     event(source.Event{Kind: 7, Tuple: source.Tuple{Proto: source.TCP}}),
		"more namespaces than can be":     many,
		"one namespace twice":             twice,
		"a time in the year 10000":        {Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"a time before there were years":  {Time: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)},
		"a year that is 10000 east of it": {Time: time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC)},
	}
	for name, m := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out counter
			w := newWriter(t, &out)
			err := w.Write(m)
			if err == nil || strings.Contains(err.Error(), "\n") || out.bytes > 0 {
				t.Errorf("error %v, %d bytes", err, out.bytes)
			}
			if m == many && !errors.Is(err, recording.ErrTooLarge) {
				t.Errorf("error %v, want %v", err, recording.ErrTooLarge)
			}
			if again := w.Write(&source.Moment{Time: epoch}); again != err {
				t.Errorf("then %v, want the error again", again)
			}
		})
	}
}
