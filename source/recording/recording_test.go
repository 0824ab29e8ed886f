package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ephtop/source"
	"ephtop/source/recording"
)

// same compares snapshots as those who read them see them.
var same = cmp.Options{cmpopts.EquateEmpty(), quick}

// quick spares cmp to look at the bytes of each address.
var quick = cmp.Comparer(func(a, b source.Addr) bool { return a == b })

// record writes snapshots and gives the recording, and what Write made of them.
func record(t testing.TB, list []*source.Snapshot) ([]byte, []*source.Snapshot) {
	t.Helper()
	var out bytes.Buffer
	w := newWriter(t, &out)
	var written []*source.Snapshot
	for i, s := range list {
		c := clone(s)
		if err := w.Write(c); err != nil {
			t.Fatalf("write moment %d: %v", i, err)
		}
		written = append(written, clone(c))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), written
}

// readAll reads to the end of a recording.
func readAll(t testing.TB, recorded []byte) ([]*source.Snapshot, error) {
	t.Helper()
	r := open(t, recorded)
	var list []*source.Snapshot
	for {
		var s source.Snapshot
		if err := r.Next(&s); err != nil {
			return list, err
		}
		list = append(list, &s)
	}
}

// hostMoments are moments of the made-up host.
func hostMoments(seed uint64, sockets, changes, n int) []*source.Snapshot {
	h := newHost(seed, sockets)
	var list []*source.Snapshot
	for range n {
		var s source.Snapshot
		h.snapshot(&s)
		list = append(list, &s)
		h.step(changes)
	}
	return list
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	cases := map[string]func() []*source.Snapshot{
		"a busy host": func() []*source.Snapshot { return hostMoments(3, 80, 8, 130) },
		"anything at all": func() []*source.Snapshot {
			m := anything{rand: rand.New(rand.NewPCG(5, 5))}
			return m.snapshots(150)
		},
		"one empty moment": func() []*source.Snapshot { return []*source.Snapshot{{Time: epoch}} },
	}
	for name, make := range cases {
		t.Run(name, func(t *testing.T) {
			recorded, written := record(t, make())
			read, err := readAll(t, recorded)
			if err != io.EOF {
				t.Errorf("ends with %v", err)
			}
			if d := cmp.Diff(written, read, same); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestWriteChangesOnlyWhatItSays compares what Write leaves in a snapshot with
// what the source gave.
func TestWriteChangesOnlyWhatItSays(t *testing.T) {
	m := anything{rand: rand.New(rand.NewPCG(8, 5))}
	for name, list := range map[string][]*source.Snapshot{
		"a busy host": hostMoments(4, 80, 12, 65), "anything at all": m.snapshots(100),
	} {
		t.Run(name, func(t *testing.T) {
			_, written := record(t, list)
			for i := range list {
				if d := cmp.Diff(sortedSockets(list[i]), sortedSockets(written[i]), same, timers); d != "" {
					t.Fatalf("moment %d, sockets: %s", i, d)
				}
				sorted := cmpopts.SortSlices(func(a, b source.Process) bool { return fmt.Sprint(a) < fmt.Sprint(b) })
				ignored := cmpopts.IgnoreFields(source.Snapshot{}, "Sockets")
				if d := cmp.Diff(list[i], written[i], same, sorted, ignored); d != "" {
					t.Fatalf("moment %d: %s", i, d)
				}
			}
		})
	}
}

// owned is a socket with its process instead of an index.
type owned struct {
	Socket  source.Socket
	Process source.Process
}

// timers lets the time left differ by the tolerance.
var timers = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Expires" },
	cmp.Comparer(func(a, b uint32) bool {
		return max(int64(a)-int64(b), int64(b)-int64(a)) <= recording.TimerTolerance.Milliseconds()
	}))

func sortedSockets(s *source.Snapshot) []owned {
	var list []owned
	for _, k := range s.Sockets {
		o := owned{Socket: k}
		if k.Process != source.NoProcess {
			o.Process = s.Processes[k.Process]
		}
		o.Socket.Process = 0
		list = append(list, o)
	}
	text := func(o owned) string {
		o.Socket.Expires = 0
		return fmt.Sprint(o)
	}
	slices.SortFunc(list, func(a, b owned) int { return strings.Compare(text(a), text(b)) })
	return list
}

// anything makes up snapshots that no host has, from all values that the types
// allow.
type anything struct {
	rand    *rand.Rand
	now     time.Time
	sockets []source.Socket
	procs   []source.Process
}

func (m *anything) snapshots(n int) []*source.Snapshot {
	m.now = epoch
	var list []*source.Snapshot
	for range n {
		list = append(list, m.snapshot())
	}
	return list
}

func (m *anything) snapshot() *source.Snapshot {
	r := m.rand
	m.now = m.now.Add(time.Duration(r.Int64N(3e9)))
	for len(m.procs) < 4 || r.IntN(4) == 0 {
		m.procs = append(m.procs, m.process())
	}
	if r.IntN(9) == 0 {
		m.procs[r.IntN(len(m.procs))].Command = m.text()
	}
	for range r.IntN(12) {
		m.sockets = append(m.sockets, m.socket())
	}
	for i := range m.sockets {
		if r.IntN(9) == 0 {
			id := m.sockets[i]
			m.sockets[i] = m.socket()
			m.sockets[i].Cookie, m.sockets[i].Local = id.Cookie, id.Local
		}
		m.sockets[i].Process = int32(r.IntN(len(m.procs)+1)) - 1
	}
	r.Shuffle(len(m.sockets), func(i, j int) { m.sockets[i], m.sockets[j] = m.sockets[j], m.sockets[i] })
	if n := len(m.sockets); n > 20 {
		m.sockets = m.sockets[:20]
	}
	s := &source.Snapshot{
		Time: m.now, Took: time.Duration(r.Int64N(1e9)), Host: m.text(), OS: "linux", Kernel: m.text(),
		Source: "portable", BoundListed: r.IntN(2) == 0, Traced: r.IntN(2) == 0, LostEvents: r.IntN(3),
		Settings: m.settings(), Sockets: slices.Clone(m.sockets), Processes: slices.Clone(m.procs),
	}
	for range r.IntN(3) {
		s.Degraded = append(s.Degraded, m.text())
	}
	for range r.IntN(4) {
		s.Events = append(s.Events, m.event())
	}
	return s
}

func (m *anything) text() string {
	texts := []string{"", "api", "a \"b\" \\ /", "tab\tline\nnul\x00del\x7f", "grüße 你好 🙂", "bad \xff\xc3 utf8 \xed\xb2\x80", "\u2028"}
	return texts[m.rand.IntN(len(texts))]
}

func (m *anything) addr() source.Addr {
	var a source.Addr
	switch m.rand.IntN(4) {
	case 0:
		return a
	case 1:
		return source.Addr4([4]byte{10, 0, byte(m.rand.IntN(3)), byte(m.rand.IntN(256))})
	case 2:
		return source.Addr{0: 0xfe, 1: 0x80, 15: byte(m.rand.IntN(256))}
	}
	for i := range a {
		a[i] = byte(m.rand.Uint32())
	}
	return a
}

func (m *anything) socket() source.Socket {
	r := m.rand
	s := source.Socket{
		Local: m.addr(), Remote: m.addr(), LocalPort: uint16(r.Uint32()), RemotePort: uint16(r.Uint32N(3)),
		Proto: source.TCP, State: source.State(r.IntN(source.NumStates)), Family6: r.IntN(2) == 0,
		Timer: source.Timer(r.IntN(7)), Retransmits: uint8(r.Uint32N(3)), Process: source.NoProcess,
		Interface: r.Uint32N(2), UID: r.Uint32(), Inode: r.Uint32(), Cgroup: r.Uint64() >> r.UintN(64),
		Cookie: uint64(r.UintN(2)) * (r.Uint64() >> (1 + r.UintN(62))), ReceiveQueue: r.Uint32() >> r.UintN(32), SendQueue: r.Uint32N(2),
		Expires: r.Uint32() >> r.UintN(32),
	}
	if r.IntN(2) == 0 {
		s.Proto = source.UDP
	}
	return s
}

func (m *anything) process() source.Process {
	r := m.rand
	return source.Process{
		PID: int32(r.Uint32N(6)) - 1, Start: r.Uint64() * uint64(r.UintN(2)), Name: m.text(), Command: m.text(), UID: r.Uint32(), User: m.text(),
	}
}

func (m *anything) settings() source.Settings {
	r := m.rand
	if r.IntN(3) > 0 {
		return settings()
	}
	return source.Settings{
		Range:   source.PortRange{Low: uint16(r.UintN(2)), High: uint16(r.Uint32())},
		Assumed: r.IntN(2) == 0, TimeWait: time.Duration(r.Int64N(1e11)), ReuseTimeWait: source.UnknownSetting,
		ReuseDelay: time.Duration(r.Int64N(1e10)), Timestamps: r.IntN(3), MaxTimeWait: r.IntN(1e6), PoolOnly: r.IntN(2) == 0,
	}
}

func (m *anything) event() source.Event {
	e := source.Event{
		Kind: source.EventKind(m.rand.IntN(2)), Process: m.process(),
		Tuple: source.Tuple{Local: m.addr(), Remote: m.addr(), LocalPort: 0, RemotePort: uint16(m.rand.Uint32()), Proto: source.TCP},
	}
	if m.rand.IntN(5) > 0 {
		e.Time = m.now.Add(-time.Duration(m.rand.Int64N(9e9)))
	}
	return e
}

func TestTimersThatTickAreNotWrittenAgain(t *testing.T) {
	moment := func(seconds float64, expires uint32) *source.Snapshot {
		return &source.Snapshot{
			Time: epoch.Add(time.Duration(seconds * 1e9)),
			Sockets: []source.Socket{{
				Proto: source.TCP, State: source.TimeWait, Timer: source.TimerTimeWait, Expires: expires, Cookie: 1, Process: source.NoProcess,
			}},
		}
	}
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
			recorded, _ := record(t, []*source.Snapshot{moment(0, 60000), moment(2, c.expires)})
			read, _ := readAll(t, recorded)
			if got := read[1].Sockets[0].Expires; got != c.want {
				t.Errorf("%d ms left, want %d", got, c.want)
			}
		})
	}
}

func TestTheTimeLineIsTheMonotonicClock(t *testing.T) {
	start := time.Now()
	list := []*source.Snapshot{{Time: start}, {Time: start.Add(1234567891)}, {Time: start.Add(time.Second)}}
	recorded, _ := record(t, list)
	read, _ := readAll(t, recorded)
	if got := read[1].Time.Sub(read[0].Time); got != 1234567891 {
		t.Errorf("%v between the first two moments", got)
	}
	if got := read[2].Time.Sub(read[1].Time); got != 0 {
		t.Errorf("time went by %v where the source's went back, want 0", got)
	}
}

func TestHeader(t *testing.T) {
	var out bytes.Buffer
	w, err := recording.NewWriter(&out, recording.Header{Program: "ephtop 1.2", Anonymized: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(&source.Snapshot{Time: epoch}); err != nil {
		t.Fatal(err)
	}
	want := recording.Header{Version: recording.Version, Start: epoch, Program: "ephtop 1.2", Anonymized: true}
	if d := cmp.Diff(want, open(t, out.Bytes()).Header()); d != "" {
		t.Error(d)
	}
}

func TestNoMomentNoFile(t *testing.T) {
	var out bytes.Buffer
	if err := newWriter(t, &out).Close(); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 0 {
		t.Errorf("%d bytes were written", out.Len())
	}
}

func TestWhatIsTooLargeIsRefused(t *testing.T) {
	w := newWriter(t, io.Discard)
	s := &source.Snapshot{Time: epoch, Degraded: make([]string, 5000)}
	if err := w.Write(s); !errors.Is(err, recording.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
}
