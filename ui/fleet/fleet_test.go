package fleet

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/fleet"
	"ephtop/ui/dashboard"
	"ephtop/ui/internal/keys"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// silentFeed tells nothing by itself: tests tell.
type silentFeed struct{}

func (silentFeed) Run(ctx context.Context, _ func(fleet.Report)) { <-ctx.Done() }

// harness is a model on a screen of 80x24 at noon, whose commands run as Bubble Tea
// would run them.
type harness struct {
	*testing.T
	m    *Model
	now  time.Time
	msgs chan tea.Msg
	quit bool
}

func newHarness(t *testing.T, open func(context.Context, string) (dashboard.Config, error)) *harness {
	h := &harness{T: t, now: noon, msgs: make(chan tea.Msg, 100)}
	h.m = New(Config{
		Feed: silentFeed{}, Where: "ssh", Await: []string{"a", "b", "c", "d", "e"}, Patience: time.Minute,
		Open: open, Now: func() time.Time { return h.now },
	})
	t.Cleanup(h.m.Stop)
	h.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	return h
}

// send gives the model a message, and runs what comes of it.
func (h *harness) send(msg tea.Msg) {
	_, cmd := h.m.Update(msg)
	h.start(cmd)
}

// start runs a command in a goroutine.
func (h *harness) start(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		switch msg := cmd().(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range msg {
				h.start(c)
			}
		default:
			h.msgs <- msg
		}
	}()
}

// settle takes the messages that come, until none does.
func (h *harness) settle() {
	for {
		synctest.Wait()
		select {
		case msg := <-h.msgs:
			if _, quits := msg.(tea.QuitMsg); quits {
				h.quit = true
				return
			}
			h.send(msg)
		default:
			return
		}
	}
}

func (h *harness) press(names ...string) {
	for _, n := range names {
		h.send(keys.Msg(n))
	}
	h.settle()
}

// tell tells of hosts, and has the table show them.
func (h *harness) tell(hosts ...fleet.Host) {
	h.m.Tell(fleet.Report{Hosts: hosts})
	h.send(clockMsg{})
}

func figures(name string, level fleet.Level, used int) fleet.Host {
	return fleet.Host{Name: name, Time: noon, Summary: fleet.Summary{
		Level: level, Used: used, Usable: 28232, Destination: source.Addr4([4]byte{10, 0, 9, 2}), Port: 5432, Holder: "api",
	}}
}

// names are the hosts on screen, the one under the cursor in brackets.
func (h *harness) names() string {
	var all []string
	for i, r := range h.m.fleet.Rows {
		name := r.Name
		if i == h.m.fleet.Cursor.Line {
			name = "[" + name + "]"
		}
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func (h *harness) wantNames(want string) {
	h.Helper()
	if got := h.names(); got != want {
		h.Errorf("on screen are %s, want %s", got, want)
	}
}

func (h *harness) wantFrame(want ...string) {
	h.Helper()
	frame := h.m.View()
	for _, words := range want {
		if !strings.Contains(frame, words) {
			h.Errorf("no %q on screen:\n%s", words, frame)
		}
	}
}

// The table goes on by itself: a cursor that was not moved stays at the worst, one
// that was on its host.
func TestTableGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, nil)
		h.wantFrame("asking 5 hosts", "asking…")
		h.tell(figures("a", fleet.LevelOK, 100), figures("b", fleet.LevelWarning, 17000))
		h.wantNames("[b] a c d e")
		h.tell(figures("c", fleet.LevelExhausted, 28232))
		h.wantNames("[c] b a d e")
		h.wantFrame("✖ 1 of 5 hosts exhausted, 1 at warning, 2 not heard yet")
		h.press("j", "j")
		h.wantNames("c b [a] d e")
		h.tell(figures("a", fleet.LevelExhausted, 28232), figures("c", fleet.LevelOK, 1))
		h.wantNames("[a] b c d e")
		h.press("G", "k")
		h.wantNames("a b c [d] e")
		h.press("home")
		h.tell(figures("e", fleet.LevelExhausted, 28232), figures("a", fleet.LevelOK, 1))
		h.wantNames("[e] b a c d")
	})
}

// A host that does not answer, and a feed that fails, are lines on screen, beside
// what was known.
func TestTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, nil)
		h.tell(figures("a", fleet.LevelCritical, 25000), fleet.Host{Name: "b", Trouble: fleet.Trouble{Kind: fleet.Denied, Detail: "by \x1b[31mpublickey"}})
		h.wantFrame("1 of 5 hosts is critical, 1 doesn't answer", "? denied: by publickey", "● live")
		h.now = noon.Add(10 * time.Second)
		h.m.Tell(fleet.Report{Fault: errors.New("Prometheus at http://p:9090: it answers\nHTTP 500")})
		h.now = noon.Add(5 * time.Minute)
		h.send(clockMsg{})
		h.wantFrame("! stale since 12:00:10", "✖ Prometheus at http://p:9090: it answers HTTP 500  4m 50s ago", "‼", "5m")
		h.tell(figures("b", fleet.LevelOK, 1))
		h.wantFrame("● live", "2 of 5 hosts don't answer, 3 not heard yet", "? no answer · was critical, 89 % to 10.0.9.2:5432")
	})
}

func TestKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, nil)
		h.tell(figures("a", fleet.LevelOK, 300), figures("b", fleet.LevelOK, 9000), figures("c", fleet.LevelCritical, 25000),
			figures("d", fleet.LevelOK, 1), figures("e", fleet.LevelOK, 2))
		h.press("s")
		h.wantNames("[a] b c d e")
		h.press("S")
		h.wantNames("[e] d c b a")
		h.press("s")
		h.wantNames("[c] b a e d")
		h.wantFrame("by used ▾")
		h.press("s", "s", "s", "s", "s", "s")
		h.wantNames("[c] b a d e")
		h.press("/", "c", "r", "i", "t")
		h.wantNames("[c]")
		h.wantFrame("/ crit")
		h.press("enter")
		h.wantFrame("filter: crit", "1–1 of 1 · 5 without the filter")
		h.press("/", "x", "esc")
		h.wantNames("[c]")
		h.press("esc")
		h.wantNames("[c] b a d e")
		h.press("?")
		h.wantFrame("Levels, as the host finds them")
		h.press("q")
		h.wantNames("[c] b a d e")
		h.press("x")
		h.wantFrame("x does nothing · ? help")
		h.press("q")
		if !h.quit {
			t.Error("q does not quit")
		}
	})
}

// simulatedHost opens a demo, and tells when it is closed.
type simulatedHost struct {
	*demo.Host
	closed *int
}

func (s simulatedHost) Close() error { *s.closed++; return s.Host.Close() }

// Enter opens a host, on which keys are the dashboard's; esc leads back, and the
// table has gone on meanwhile. What is still told of a host that was left does not
// matter.
func TestOpenAHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := 0
		h := newHarness(t, func(_ context.Context, name string) (dashboard.Config, error) {
			host, err := demo.New(demo.Options{Scenario: "leak"})
			return dashboard.Config{Source: simulatedHost{host, &closed}}, err
		})
		h.tell(figures("a", fleet.LevelOK, 1), figures("b", fleet.LevelOK, 2))
		h.press("j", "enter")
		h.wantFrame("demo-reports-01", "Connections", "esc back to the hosts")
		h.press("2")
		h.wantFrame("Destinations")
		h.press("?", "q", "/", "4", "enter", "esc")
		h.wantFrame("demo-reports-01")
		h.tell(figures("c", fleet.LevelExhausted, 28232))
		h.wantFrame("demo-reports-01")
		h.press("esc")
		h.wantFrame("1 of 5 hosts exhausted")
		h.wantNames("c a [b] d e")
		if closed != 1 {
			t.Errorf("it was closed %d times", closed)
		}
		for range 5 { // what is under way of the host that was left
			time.Sleep(time.Second)
			h.settle()
		}
		h.wantFrame("1 of 5 hosts exhausted")
		h.press("enter", "q")
		if !h.quit {
			t.Error("q in a host does not quit")
		}
		h.m.Stop()
		if closed != 2 {
			t.Errorf("at the end it was closed %d times", closed)
		}
	})
}

// A report is of a host: in the table E means nothing, and in a host it is written,
// and told of at the end.
func TestReportOfAHost(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, func(context.Context, string) (dashboard.Config, error) {
			host, err := demo.New(demo.Options{Scenario: "leak"})
			return dashboard.Config{Source: host, RecordDir: dir}, err
		})
		h.tell(figures("a", fleet.LevelOK, 1))
		h.press("E")
		h.wantFrame("E does nothing · ? help")
		for _, key := range []string{"enter", "E", "esc"} {
			h.press(key)
			time.Sleep(time.Second)
			h.settle()
		}
		h.m.Stop()
		files, err := filepath.Glob(filepath.Join(dir, "ephtop-host-1-*.md"))
		if said := h.m.farewell.lines; err != nil || len(files) != 1 || len(said) != 1 || said[0] != "anonymous report in "+files[0] {
			t.Errorf("files %q, %v; it says %q", files, err, said)
		}
	})
}

// A host that can't be opened says why, and stays.
func TestAHostThatCannotBeOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, func(context.Context, string) (dashboard.Config, error) {
			return dashboard.Config{}, errors.New("unreachable: connection \x1b[31mrefused")
		})
		h.tell(figures("a", fleet.LevelOK, 1))
		h.press("enter")
		h.wantFrame("a: unreachable: connection refused", "Hosts")
		h.wantNames("[a] b c d e")
	})
}

// While a host is being opened, which may take for ever, the table goes on; esc
// gives up, as does opening another one, and the end.
func TestAHostThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var opened, given atomic.Int32
		h := newHarness(t, func(ctx context.Context, name string) (dashboard.Config, error) {
			opened.Add(1)
			<-ctx.Done()
			given.Add(1)
			return dashboard.Config{}, ctx.Err()
		})
		h.tell(figures("a", fleet.LevelOK, 1))
		h.press("enter")
		h.wantFrame("opening a · esc gives up")
		h.now = noon.Add(3 * time.Second)
		h.tell(figures("b", fleet.LevelExhausted, 28232))
		h.wantFrame("opening a for 3s · esc gives up", "1 of 5 hosts exhausted")
		h.press("esc")
		if frame := h.m.View(); strings.Contains(frame, "opening") || given.Load() != 1 {
			t.Errorf("given up %d times:\n%s", given.Load(), frame)
		}
		h.press("enter", "j", "enter")
		if opened.Load() != 3 || given.Load() != 2 {
			t.Errorf("opened %d, given up %d", opened.Load(), given.Load())
		}
		h.m.Stop()
		if given.Load() != 3 {
			t.Errorf("at the end given up %d", given.Load())
		}
	})
}

// One that is there when nobody wants it any more is closed.
func TestAHostThatIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := 0
		h := newHarness(t, func(ctx context.Context, name string) (dashboard.Config, error) {
			time.Sleep(time.Second)
			host, err := demo.New(demo.Options{Scenario: "leak"})
			return dashboard.Config{Source: simulatedHost{host, &closed}}, err
		})
		h.press("enter", "esc")
		time.Sleep(2 * time.Second)
		h.settle()
		h.press("enter")
		time.Sleep(2 * time.Second)
		synctest.Wait() // it has landed, and nobody takes it
		h.m.Stop()
		if closed != 2 {
			t.Errorf("closed %d of 2", closed)
		}
	})
}

// However many hosts tell however often, there are no more than a few frames a
// second.
func TestNewsAreTakenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, nil)
		h.start(h.m.listen())
		frames := 0
		for i := range 200 {
			h.m.Tell(fleet.Report{Hosts: []fleet.Host{figures(fmt.Sprint("h", i), fleet.LevelOK, 1)}})
			time.Sleep(10 * time.Millisecond)
			synctest.Wait()
			for len(h.msgs) > 0 {
				frames++
				h.send(<-h.msgs)
			}
		}
		if frames < 4 || frames > 9 {
			t.Errorf("%d frames in 2 s", frames)
		}
		h.m.Stop()
	})
}

// BenchmarkNews is the time from news of a thousand hosts to the end of Update.
func BenchmarkNews(b *testing.B) {
	m := New(Config{Feed: silentFeed{}, Patience: time.Hour, Now: func() time.Time { return noon }})
	defer m.Stop()
	m.Update(tea.WindowSizeMsg{Width: 120, Height: 40})
	for i := range 1000 {
		m.Tell(fleet.Report{Hosts: []fleet.Host{figures(fmt.Sprint("host-", i), fleet.Level(i%4), 20*i)}})
	}
	for b.Loop() {
		m.Update(newsMsg{})
		m.View()
	}
}
