package dashboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source"
	"ephtop/ui/dashboard/paint"
	"ephtop/ui/internal/keys"
)

// fakeSource answers polls with what its moment says at that time.
type fakeSource struct {
	mu      sync.Mutex
	sockets []source.Socket
	err     error
	takes   time.Duration
	hangs   bool // until the context is cancelled
	// portRange is the default one if zero.
	portRange source.PortRange
	// more adds namespaces to the moment.
	more func(*source.Moment)
	// tracing is heeded, and ends as trace says.
	tracing *source.Tracing
	trace   source.TraceState
	why     string

	starts  []time.Time
	running atomic.Int32
	overlap atomic.Bool
	closed  atomic.Bool
}

func (s *fakeSource) set(change func(*fakeSource)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// started gives when each poll began.
func (s *fakeSource) started() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.starts)
}

func (s *fakeSource) polls() int { return len(s.started()) }

func (s *fakeSource) Poll(ctx context.Context, snap *source.Moment) error {
	if s.running.Add(1) > 1 {
		s.overlap.Store(true)
	}
	defer s.running.Add(-1)
	if s.closed.Load() {
		return errors.New("polled after Close")
	}
	s.mu.Lock()
	s.starts = append(s.starts, time.Now())
	sockets, err, takes, hangs, more := slices.Clone(s.sockets), s.err, s.takes, s.hangs, s.more
	s.heed()
	s.mu.Unlock()

	// Whoever still shows this memory will see it spoilt.
	spoilt := snap.Room[:cap(snap.Room)]
	for i := range spoilt {
		spoilt[i] = source.Socket{LocalPort: 6666, Process: 1 << 20}
	}
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	s.fill(snap, time.Now(), sockets)
	if more != nil {
		more(snap)
	}
	return nil
}

// fill makes it a moment with these sockets.
func (s *fakeSource) fill(snap *source.Moment, at time.Time, sockets []source.Socket) {
	snap.Reset()
	snap.Time = at
	snap.Host, snap.OS, snap.Source = "test", "linux", "fake"
	only := snap.Add(source.Scope{})
	ports := source.PortRange{Low: 32768, High: 60999}
	only.Settings = source.Settings{
		Range: cmp.Or(s.portRange, ports), TimeWait: time.Minute, ReuseDelay: time.Second,
		Default: ports, Parity: true,
	}
	snap.Processes = append(snap.Processes[:0],
		source.Process{PID: 100, Start: 1, Name: "api", UID: 33, User: "www"},
		source.Process{PID: 200, Start: 2, Name: "curl", User: "root"})
	snap.Room = append(snap.Room[:0], sockets...)
	only.Sockets, only.Inodes = snap.Room, true
}

// heed begins what is to be traced. s.mu is held.
func (s *fakeSource) heed() {
	switch {
	case s.tracing == nil:
	case s.tracing.Take():
		s.tracing.Settle(s.trace, s.why)
	case s.trace == source.TraceOn:
		s.tracing.Settle(source.TraceOff, "")
	default:
		s.tracing.Settle(s.trace, s.why)
	}
}

func (s *fakeSource) Close() error {
	if s.running.Load() > 0 {
		return errors.New("closed during a poll")
	}
	s.closed.Store(true)
	return nil
}

// tcp is a TCP socket of process number p (-1 for none).
func tcp(port uint16, remote string, state source.State, p int32) source.Socket {
	addr, rport, _ := strings.Cut(remote, " ")
	a := source.AddrFrom(netip.MustParseAddr(addr))
	var n uint16
	if _, err := fmt.Sscan(rport, &n); err != nil {
		panic(err)
	}
	return source.Socket{
		Proto: source.TCP, State: state, Local: source.Addr4([4]byte{10, 0, 0, 9}), LocalPort: port,
		Remote: a, RemotePort: n, Process: p, Inode: uint32(port), Cookie: uint64(port),
	}
}

func udp(port uint16, remote string, p int32) source.Socket {
	s := tcp(port, remote, source.Established, p)
	s.Proto = source.UDP
	return s
}

// some is a small host: ports from 40001 on, all to one database.
func some(n int) []source.Socket {
	var all []source.Socket
	for i := range n {
		all = append(all, tcp(uint16(40001+i), "10.0.9.2 5432", source.Established, 0))
	}
	return all
}

// harness runs a model as Bubble Tea does: one goroutine for Update and View,
// one for each command. It lives in the time of a synctest bubble.
type harness struct {
	*testing.T
	m     *Model
	src   *fakeSource
	out   *strings.Builder
	msgs  chan tea.Msg
	quit  bool
	execs int
	// shown is called when the model has taken a message; nil for nothing.
	shown func(*Model)
}

// run starts a model in a bubble, at 120x40, and lets the first poll answer.
func run(t *testing.T, sockets []source.Socket, body func(h *harness)) {
	t.Helper()
	runConfig(t, sockets, Config{}, body)
}

func runConfig(t *testing.T, sockets []source.Socket, cfg Config, body func(h *harness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, cfg, &fakeSource{sockets: sockets})
		body(h)
		h.end()
	})
}

// newHarness starts a model in the bubble of the caller, who ends it.
func newHarness(t *testing.T, cfg Config, src *fakeSource) *harness {
	t.Helper()
	h := &harness{T: t, src: src, out: &strings.Builder{}, msgs: make(chan tea.Msg)}
	cfg.Source, cfg.Out = h.src, h.out
	cfg.Getenv = func(string) string { return "" }
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.m = m
	go h.loop()
	h.spawn(m.Init())
	h.send(tea.WindowSizeMsg{Width: 120, Height: 40})
	return h
}

func (h *harness) end() {
	h.Helper()
	if h.src.overlap.Load() {
		h.Error("two polls ran at the same time")
	}
	if !h.m.Stop(time.Second) {
		h.Error("a poll did not end when it was cancelled")
	}
	close(h.msgs)
}

func (h *harness) loop() {
	for msg := range h.msgs {
		switch msg := msg.(type) {
		case nil:
			continue
		case tea.QuitMsg:
			h.quit = true
			continue
		case tea.BatchMsg:
			for _, cmd := range msg {
				h.spawn(cmd)
			}
			continue
		}
		if fmt.Sprintf("%T", msg) == "tea.execMsg" {
			h.execs++
		}
		_, cmd := h.m.Update(msg)
		h.spawn(cmd)
		h.m.View()
		if h.shown != nil {
			h.shown(h.m)
		}
	}
}

func (h *harness) spawn(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		msg := cmd()
		if h.m.jobs.ctx.Err() == nil {
			h.msgs <- msg
		}
	}()
}

func (h *harness) send(msg tea.Msg) {
	h.msgs <- msg
	synctest.Wait()
}

// sleep lets time pass. The empty message orders what the test has read before
// what the model writes next, for the race detector.
func (h *harness) sleep(d time.Duration) {
	h.msgs <- nil
	time.Sleep(d)
	synctest.Wait()
}

func keyMsg(name string) tea.KeyMsg { return keys.Msg(name) }

// press sends keys by name.
func (h *harness) press(names ...string) {
	for _, n := range names {
		h.send(keyMsg(n))
	}
}

// pressUntil presses a key until something holds.
func (h *harness) pressUntil(name string, holds func() bool) {
	h.Helper()
	for range 20 {
		if holds() {
			return
		}
		h.press(name)
	}
	h.Fatalf("pressing %s leads nowhere", name)
}

// typeText sends each letter of a text.
func (h *harness) typeText(text string) {
	for _, r := range text {
		if r == ' ' {
			h.press("space")
		} else {
			h.press(string(r))
		}
	}
}

// ports gives the local ports of the connections listed, in their order.
func (h *harness) ports() []uint16 {
	var all []uint16
	for _, r := range h.m.view.Rows {
		all = append(all, h.m.view.State.Snapshot.Sockets[h.m.view.Socket(r)].LocalPort)
	}
	return all
}

// port is the local port under the cursor.
func (h *harness) port() uint16 {
	if s := h.m.selectedSocket(); s != nil {
		return s.LocalPort
	}
	return 0
}

// line is the cursor of the pane in focus.
func (h *harness) cursor() paint.Cursor { return h.m.view.Cursors[h.m.view.Focus] }

func (h *harness) wantStatus(want paint.Status) {
	h.Helper()
	if got := h.m.view.Status; got != want {
		h.Errorf("status %d, want %d", got, want)
	}
}

var errFake = errors.New("netlink is sulking")
