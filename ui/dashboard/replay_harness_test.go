package dashboard

import (
	"bytes"
	"context"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ephtop/model"
	"ephtop/model/list"
	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/recording"
	"ephtop/ui/session"
)

// record records so many moments.
func record(moments int, poll func(i int, m *source.Moment) error) []byte {
	var b bytes.Buffer
	w, err := recording.NewWriter(&b, recording.Header{Program: "test"})
	if err != nil {
		panic(err)
	}
	var m source.Moment
	for i := range moments {
		if err := poll(i, &m); err != nil {
			panic(err)
		}
		if err := w.Write(&m); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// recordDemo records a simulated host for so many moments.
func recordDemo(scenario string, step time.Duration, moments int) []byte {
	h, err := demo.New(demo.Options{Scenario: scenario, Seed: 7, Step: step})
	if err != nil {
		panic(err)
	}
	return record(moments, func(_ int, m *source.Moment) error { return h.Poll(context.Background(), m) })
}

// The recordings of the tests: 400 quiet seconds, and 200 s in which the ports
// run out and come back, which are few.
var (
	quiet   = sync.OnceValue(func() []byte { return recordDemo("browsing", time.Second, 400) })
	trouble = sync.OnceValue(func() []byte {
		const ports, moments = 20, 50
		s := &fakeSource{portRange: source.PortRange{Low: 40001, High: 40000 + ports}}
		start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		return record(moments, func(i int, m *source.Moment) error {
			s.fill(m, start.Add(time.Duration(i)*4*time.Second), some(min(i, moments-1-i, ports)))
			return nil
		})
	})
)

// replayHarness is a harness on a recording.
type replayHarness struct {
	*harness
	player *recording.Player
	data   []byte
	first  time.Time
}

// runReplay starts a model on a recording, at 120x40, and shows the first
// moment.
func runReplay(t *testing.T, data []byte, cfg Config, body func(h *replayHarness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, err := recording.NewPlayer(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		runPlayer(t, p, data, cfg, body)
	})
}

func runPlayer(t *testing.T, p *recording.Player, data []byte, cfg Config, body func(h *replayHarness)) {
	t.Helper()
	cfg.Replay, cfg.Out = p, io.Discard
	cfg.Getenv = func(string) string { return "" }
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := &replayHarness{&harness{T: t, m: m, msgs: make(chan tea.Msg)}, p, data, p.Header().Start}
	go h.loop()
	h.spawn(m.Init())
	h.send(tea.WindowSizeMsg{Width: 120, Height: 40})
	body(h)
	if !m.Stop(time.Second) {
		t.Error("the replay did not end when it was cancelled")
	}
	if err := m.session.Close(); err != nil {
		t.Error(err)
	}
	close(h.msgs)
	synctest.Wait()
}

// position is the time on screen since the start of the recording.
func (h *replayHarness) position() time.Duration {
	h.send(nil)
	return h.m.view.State.Moment.Time.Sub(h.first)
}

func (h *replayHarness) wantPosition(want time.Duration) {
	h.Helper()
	if got := h.position(); got != want {
		h.Errorf("at %v, want %v", got, want)
	}
	if got := h.m.view.Timeline.Position.Sub(h.first); got != want {
		h.Errorf("the time line says %v, want %v", got, want)
	}
}

// header is the first line of the screen, footer the last, timeline the one
// above.
func (h *replayHarness) line(n int) string {
	lines := strings.Split(h.m.View(), "\n")
	return lines[(n+len(lines))%len(lines)]
}

func (h *replayHarness) wantHeader(want string) {
	h.Helper()
	h.send(nil)
	if got := h.line(0); !strings.Contains(got, want) {
		h.Errorf("the header lacks %q: %q", want, got)
	}
}

func (h *replayHarness) wantFooter(want string) {
	h.Helper()
	h.send(nil)
	if got := h.line(-1); !strings.Contains(got, want) {
		h.Errorf("the footer lacks %q: %q", want, got)
	}
}

// wantStraight wants on screen just what a run from the first moment to this
// one shows, and the same state behind it.
func (h *replayHarness) wantStraight() {
	h.Helper()
	straight := h.straight()
	h.wantState(straight)
	h.wantScreen(straight)
}

// straight is a run from the first moment to the one on screen.
func (h *replayHarness) straight() *reading {
	h.Helper()
	at := h.position()
	file, err := recording.Open(bytes.NewReader(h.data))
	if err != nil {
		h.Fatal(err)
	}
	defer file.Close()
	l, fleet := new(session.Look), model.NewFleet(model.Options{})
	for l.Moment.Time.IsZero() || l.Moment.Time.Sub(h.first) < at {
		if err := file.Next(&l.Moment); err != nil {
			h.Fatalf("a straight run up to %v: %v", at, err)
		}
		fleet.Update(&l.Moment, &l.Overview)
	}
	r := &reading{look: l}
	r.take(&h.m.choice, new(list.Selection))
	return r
}

func (h *replayHarness) wantState(straight *reading, options ...cmp.Option) {
	h.Helper()
	options = append(options, unexported, numbers, cmpopts.EquateEmpty())
	if diff := cmp.Diff(straight.state, h.m.shown.state, options...); diff != "" {
		h.Errorf("the state at %v is not that of a straight run (-straight +this):\n%s", h.position(), diff)
	}
}

func (h *replayHarness) wantScreen(straight *reading) {
	h.Helper()
	shown := h.m.shown
	got := h.m.View()
	h.m.shown = straight
	h.m.refresh()
	if diff := cmp.Diff(strings.Split(h.m.View(), "\n"), strings.Split(got, "\n")); diff != "" {
		h.Errorf("the screen at %v is not that of a straight run (-straight +this):\n%s", h.position(), diff)
	}
	h.m.shown = shown
	h.m.refresh()
}

// unexported has cmp look into the model's own fields.
var unexported = cmp.Exporter(func(reflect.Type) bool { return true })

// seekForTest goes to a position, without a key.
func (m *Model) seekForTest(h *replayHarness, at time.Duration) {
	h.spawn(m.seekTo(h.first.Add(at)))
	synctest.Wait()
}

// numbers leaves out those that the model gives to what it remembers: they
// mean nothing outside, and depend on what it has forgotten.
var numbers = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".key" }, cmp.Ignore())
