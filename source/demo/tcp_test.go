package demo

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// look is a snapshot of the kernel.
func (b *bench) look() *source.Moment {
	var s source.Moment
	b.dump(&s)
	return &s
}

// only gives the one socket that there is.
func (b *bench) only() source.Socket {
	b.t.Helper()
	s := b.look()
	if len(s.Snapshots[0].Sockets) != 1 {
		b.t.Fatalf("%d sockets, want 1", len(s.Snapshots[0].Sockets))
	}
	return s.Snapshots[0].Sockets[0]
}

func TestLifeOfAConnectionThatWeClose(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.paths[there] = path{trip: 40 * time.Millisecond, linger: 3 * time.Second}
	s, err := b.connect(b.p, here, there, 80)
	if err != nil {
		t.Fatal(err)
	}
	b.after(time.Second, func() { b.close(s) })
	var states []source.State
	var cookies []uint64
	for _, at := range []time.Duration{
		10 * time.Millisecond, 100 * time.Millisecond, 1010 * time.Millisecond, 2 * time.Second, 5 * time.Second, 64 * time.Second,
	} {
		b.run(at)
		k := b.only()
		states, cookies = append(states, k.State), append(cookies, k.Cookie)
		if live := k.State == source.SynSent || k.State == source.Established; live != (k.Process != source.NoProcess && k.Inode != 0) {
			t.Errorf("%v has process %d and inode %d", k.State, k.Process, k.Inode)
		}
	}
	want := []source.State{
		source.SynSent, source.Established, source.FinWait1, source.FinWait2, source.TimeWait, source.TimeWait,
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if len(slices.Compact(cookies)) != 1 {
		t.Errorf("cookies %v, want one", cookies)
	}
	b.run(65 * time.Second)
	if n := len(b.table); n != 0 {
		t.Errorf("%d sockets after TIME_WAIT, want 0", n)
	}
	if n := b.connects(here, there, 80); n != 100 {
		t.Errorf("%d connects after that, want 100", n)
	}
}

func TestLifeOfAConnectionThatThePeerCloses(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	s, err := b.connect(b.p, here, there, 80)
	if err != nil {
		t.Fatal(err)
	}
	b.after(time.Second, func() { b.fin(s) })
	b.run(2 * time.Second)
	if k := b.only(); k.State != source.CloseWait || k.Process != 0 {
		t.Errorf("%v of process %d, want CLOSE_WAIT of 0", k.State, k.Process)
	}
	b.close(s)
	if k := b.only(); k.State != source.LastAck || k.Inode != 0 {
		t.Errorf("%v with inode %d, want LAST_ACK with 0", k.State, k.Inode)
	}
	b.run(3 * time.Second)
	if n := len(b.table); n != 0 {
		t.Errorf("%d sockets in the end, want no TIME_WAIT", n)
	}
}

func TestBothEndsOnThisHost(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	self := addr("127.0.0.1")
	l, err := b.listen(b.p, self, 8080, 16)
	if err != nil {
		t.Fatal(err)
	}
	var child *socket
	l.onAccept = func(s *socket) { child = s }
	client, err := b.connect(b.p, self, self, 8080)
	if err != nil {
		t.Fatal(err)
	}
	b.run(time.Second)
	if child == nil || child.RemotePort != client.LocalPort || child.State != source.Established {
		t.Fatalf("the listener's end is %+v", child)
	}
	b.close(client)
	b.run(2 * time.Second)
	if client.State != source.FinWait2 || child.State != source.CloseWait {
		t.Errorf("after our close: %v and %v, want FIN_WAIT2 and CLOSE_WAIT", client.State, child.State)
	}
	b.close(child)
	b.run(3 * time.Second)
	if client.State != source.TimeWait || child.index >= 0 {
		t.Errorf("after both: %v, the other gone: %v", client.State, child.index < 0)
	}
}

// The times are those of Linux 6.18, measured: ss -o on a SYN that nobody
// answers.
func TestUnansweredSYNsAreSentAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.paths[there] = path{trip: time.Millisecond, dropped: true}
	s, err := b.connect(b.p, here, there, 80)
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	s.onError = func(err error) { failed = err }
	var again []int
	sent := uint8(0)
	for second := 1; failed == nil && second < 200; second++ {
		b.run(time.Duration(second)*time.Second + 10*time.Millisecond)
		if failed != nil {
			if second != 131 {
				t.Errorf("given up after %d s, want 131", second)
			}
			break
		}
		if k := b.only(); k.Retransmits != sent {
			sent = k.Retransmits
			again = append(again, second)
			if k.State != source.SynSent || k.Timer != source.TimerRetransmit || k.Expires == 0 {
				t.Errorf("at %d s: %+v", second, k)
			}
		}
	}
	if diff := cmp.Diff([]int{1, 2, 3, 4, 5, 7, 11, 19, 35, 67}, again); diff != "" {
		t.Errorf("seconds of the retransmissions (-want +got):\n%s", diff)
	}
	if !errors.Is(failed, errTimedOut) || len(b.table) != 0 {
		t.Errorf("in the end %v and %d sockets, want %v and 0", failed, len(b.table), errTimedOut)
	}
}

func TestTimeWaitReuse(t *testing.T) {
	t.Parallel()
	self := addr("127.0.0.1")
	tests := []struct {
		name     string
		setting  int
		from, to source.Addr
		after    time.Duration
		want     int
	}{
		{"off", 0, self, self, 10 * time.Second, 0},
		{"on loopback, between loopback addresses", 2, self, self, 10 * time.Second, 100},
		{"on loopback, not old enough", 2, self, self, 500 * time.Millisecond, 0},
		{"on loopback, other addresses", 2, here, there, 10 * time.Second, 0},
		{"always, other addresses", 1, here, there, 10 * time.Second, 100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, func(s *source.Settings) { s.ReuseTimeWait = tt.setting })
			b.paths[tt.to] = path{trip: time.Millisecond}
			b.must(func(int) (*socket, error) { return b.connect(b.p, tt.from, tt.to, 80) }, b.closeLater)
			b.run(1010*time.Millisecond + tt.after)
			if n := b.in(source.TimeWait); n != 100 {
				t.Fatalf("%d in TIME_WAIT, want 100", n)
			}
			if n := b.connects(tt.from, tt.to, 80); n != tt.want {
				t.Errorf("%d connects, want %d", n, tt.want)
			}
			if n := len(b.table); n != 100 {
				t.Errorf("%d sockets, want 100", n)
			}
		})
	}
}

func TestTooManyTimeWaitsAreDropped(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(s *source.Settings) { s.MaxTimeWait = 30 })
	b.must(b.dial, b.closeLater)
	b.run(5 * time.Second)
	if n := b.in(source.TimeWait); n != 30 || len(b.table) != 30 {
		t.Errorf("%d in TIME_WAIT of %d sockets, want 30", n, len(b.table))
	}
}

func TestEventsOfATracedHost(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.trace = true
	b.must(b.dial, b.closeLater)
	b.run(500 * time.Millisecond)
	if n := b.connects(here, there, 80); n != 0 {
		t.Fatalf("%d connects, want 0", n)
	}
	b.run(3 * time.Second)
	s := b.look()
	if !s.Traced || len(s.Events) != 101 {
		t.Fatalf("traced %v, %d events, want 101", s.Traced, len(s.Events))
	}
	want := source.Event{
		Kind: source.ConnectFailed, Time: defaultStart.Add(500 * time.Millisecond), Process: b.p.Process,
		Tuple: source.Tuple{Local: here, Remote: there, RemotePort: 80, Proto: source.TCP},
	}
	if diff := cmp.Diff(want, s.Events[0]); diff != "" {
		t.Errorf("the failure (-want +got):\n%s", diff)
	}
	closed := make(map[source.Tuple]bool)
	for _, e := range s.Events[1:] {
		if e.Kind != source.Closed {
			t.Errorf("event %v, want %v", e.Kind, source.Closed)
		}
		closed[e.Tuple] = true
	}
	for i := range s.Snapshots[0].Sockets {
		if k := &s.Snapshots[0].Sockets[i]; k.State != source.TimeWait || !closed[k.Tuple()] {
			t.Errorf("%v in %v: told %v", k.Tuple(), k.State, closed[k.Tuple()])
		}
	}
	if n := len(b.look().Events); n != 0 {
		t.Errorf("%d events are told twice", n)
	}
}
