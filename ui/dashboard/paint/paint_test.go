package paint

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/muesli/termenv"

	"ephtop/model"
	"ephtop/model/filter"
	"ephtop/model/list"
	"ephtop/source"
	"ephtop/source/race"
	"ephtop/ui/screen"
	"ephtop/ui/theme"
)

// showFailures is a host whose connects fail, watched by a tracer.
func showFailures(v *View) {
	v.State.Moment.Traced, v.State.Level = true, model.LevelExhausted
	v.State.Failures = model.Failures{Observed: true, Count: 30, Recent: 12}
}

// requireFrame compares a frame with its golden file, and wants every line to
// be as wide as the screen.
func requireFrame(t *testing.T, p *Painter, v *View) {
	t.Helper()
	frame := p.Frame(v)
	requireSize(t, frame, v.Width, v.Height)
	golden.RequireEqual(t, frame)
}

func requireSize(t *testing.T, frame string, width, height int) {
	t.Helper()
	lines := strings.Split(frame, "\n")
	if len(lines) != height {
		t.Fatalf("%dx%d: %d lines", width, height, len(lines))
	}
	for i, line := range lines {
		if w := ansi.StringWidth(line); w != width {
			t.Fatalf("%dx%d: line %d is %d wide: %q", width, height, i, w, line)
		}
	}
}

func plain() *Painter { return New(theme.Theme{}, false) }

func coloured(t testing.TB, name string, p termenv.Profile) *Painter {
	t.Helper()
	th, err := theme.ByName(name, p)
	if err != nil {
		t.Fatal(err)
	}
	return New(th, false)
}

func TestFrameAtEachSize(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{1, 1}, {20, 5}, {40, 10}, {40, 40}, {60, 20}, {80, 24}, {80, 50}, {100, 30}, {120, 40}, {160, 50}, {200, 60}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			requireFrame(t, plain(), sampleView(size[0], size[1]))
		})
	}
}

// frameStates are the states of the screen that must look different.
var frameStates = []struct {
	name          string
	width, height int
	change        func(v *View)
}{
	{"waiting", 80, 24, func(v *View) { *v = View{Width: 80, Height: 24, Hints: v.Hints, Focus: PaneConnections} }},
	{"waiting 40x10", 40, 10, func(v *View) { *v = View{Width: 40, Height: 10, Hints: v.Hints, Focus: PaneConnections} }},
	{"first poll failed", 80, 24, func(v *View) {
		*v = View{Width: 80, Height: 24, Status: StatusStale, Err: errors.New("dump tcp sockets: operation not permitted")}
		v.ErrSince, v.Now = sampleTime, sampleTime.Add(3*time.Second)
	}},
	{"paused", 80, 24, func(v *View) {
		v.Status, v.PausedSince, v.Now = StatusPaused, v.Now, v.Now.Add(14*time.Second)
	}},
	{"paused 40x10", 40, 10, func(v *View) {
		v.Status, v.PausedSince, v.Now = StatusPaused, v.Now, v.Now.Add(14*time.Second)
	}},
	{"slowed down", 80, 24, func(v *View) { v.Interval, v.Slowed = 4*time.Second, "209,000 sockets" }},
	{"slowed down 120x40", 120, 40, func(v *View) { v.Interval, v.Slowed = 4*time.Second, "209,000 sockets" }},
	{"stale", 80, 24, func(v *View) {
		v.Status, v.Now, v.ErrSince = StatusStale, sampleTime.Add(19*time.Second), sampleTime.Add(time.Second)
		v.Err = errors.New("dump tcp sockets: no buffer space available")
	}},
	{"ended", 80, 24, func(v *View) { v.Status = StatusEnded }},
	{"filtered", 80, 24, func(v *View) { v.Filter.Text, v.List.Rows, v.Sockets = "state:tw rport:5432", v.Rows[:3], 151 }},
	{"filter without a match", 80, 24, func(v *View) { v.Filter.Text, v.List = "proc:nothing", list.List{} }},
	{"filter being edited", 80, 24, func(v *View) {
		v.Filter = FilterLine{Editing: true, Input: "state:tw rport:5432", Pos: 8}
	}},
	{"filter with an error", 80, 24, func(v *View) {
		_, err := filter.Parse("!state:tw prt:5432")
		v.Filter = FilterLine{Editing: true, Text: "!state:tw", Input: "!state:tw prt:5432", Pos: 18, Err: err}
	}},
	{"filter longer than the line", 60, 20, func(v *View) {
		long := strings.Repeat("remote:10.0.0.0/8 ", 6)
		v.Filter = FilterLine{Editing: true, Input: long, Pos: len(long)}
	}},
	{"notice", 80, 24, func(v *View) { v.Notice = "copied 10.0.4.7:41822 → 10.0.9.2:5432" }},
	{"empty", 80, 24, func(v *View) { showState(v, emptyState()) }},
	{"empty 200x60", 200, 60, func(v *View) { showState(v, emptyState()) }},
	{"degraded", 80, 24, func(v *View) {
		v.State.Moment.Limits = []source.Limit{{Detail: "processes of other users are hidden: run as root to see them"}}
	}},
	{"degraded twice 40x10", 40, 10, func(v *View) { v.State.Moment.Limits = []source.Limit{{Detail: "a"}, {Detail: "b"}} }},
	{"udp", 80, 24, func(v *View) {
		v.Proto, v.Consumers = ProtoUDP, v.State.UDP.Consumers[model.ByProcess]
		v.ListStates(&v.State.UDP.States)
	}},
	{"exhausted", 80, 24, func(v *View) {
		w := v.State.TCP.Pressure.Worst()
		w.Live, w.TimeWait, w.Used, w.Free, w.Level = 12_000, 16_218, 28_232, 0, model.LevelExhausted
		w.FirstHalf = w.FirstHalfSize
		v.State.Outlook = model.Outlook{Trend: model.TrendFull, CloseRate: 270, Sustainable: 270, Plateau: 28_232}
	}},
	{"slow connect", 120, 40, func(v *View) {
		w := v.State.TCP.Pressure.Worst()
		w.FirstHalf, v.State.Outlook.In = w.FirstHalfSize, 7*time.Minute
	}},
	{"udp from one percent on", 80, 24, func(v *View) {
		v.State.UDP.Pressure.InUse, v.State.UDP.Pressure.Live = 20_000, 20_000
		v.State.UDP.Pressure.PoolLevel, v.State.History[3].UDP = model.LevelWarning, 300
	}},
	{"bind", 120, 40, func(v *View) {
		v.State.TCP.Pressure.BindPools[0].Bound, v.State.TCP.Pressure.BindPools[0].TimeWait = 9000, 4000
	}},
	{"a pool of its own", 120, 40, func(v *View) {
		p := &v.State.TCP.Pressure
		w := p.Worst()
		w.Pool, w.Limit = model.PoolSourcePorts, model.Limit{Kind: model.PoolSourcePorts, Low: 2001, High: 2020}
		w.Live, w.TimeWait, w.Blocked, w.Used, w.Free, w.FirstHalf, w.FirstHalfSize, w.Level = 15, 2, 0, 17, 3, 0, 0, model.LevelCritical
		p.WorstMap = model.PortMap{Low: 2001, High: 2020, Words: []uint64{0x3fffe << 17}}
	}},
	{"a sentence longer than the line", 80, 24, func(v *View) { v.Sentence.Text += strings.Repeat(" and on", 9) }},
	{"a sentence longer than two lines 40x30", 40, 30, func(v *View) { v.Sentence.Text += strings.Repeat(" and off", 9) }},
	{"leak", 80, 24, func(v *View) {
		v.Findings = []model.Finding{{Problem: model.CloseWait, Level: model.LevelWarning}, {Problem: model.Orphans, Level: model.LevelWarning}}
		v.Sentence.Text = "702 connections in CLOSE_WAIT: the application does not close them"
		v.ListStates(&v.State.TCP.States)
	}},
	{"slow polls and a gap", 120, 40, func(v *View) {
		h := v.State.History
		kept := []model.Sample{h[20], h[28], h[36]}
		for i := 160; i < 300; i += 8 {
			kept = append(kept, h[i])
		}
		v.State.History = kept
	}},
	{"pool only", 80, 24, func(v *View) { v.State.TCP.Pressure.PoolOnly = true }},
	{"names", 120, 40, func(v *View) { v.Names = true }},
	{"by destination", 120, 40, func(v *View) {
		v.Group, v.Consumers = model.ByDestination, v.State.TCP.Consumers[model.ByDestination]
	}},
	{"by service", 80, 24, func(v *View) { v.Group, v.Consumers = model.ByService, v.State.TCP.Consumers[model.ByService] }},
	{"by user", 80, 24, func(v *View) { v.Group, v.Consumers = model.ByUser, v.State.TCP.Consumers[model.ByUser] }},
	{"who 80x24", 80, 24, showWho},
	{"who 120x40", 120, 40, showWho},
	{"who 200x60", 200, 60, showWho},
	{"nobody knows who", 80, 24, showNobody},
	{"nobody knows who, but by tracing 120x40", 120, 40, func(v *View) { showNobody(v); v.Tracing.State = source.TraceOff }},
	{"details of an ended process", 80, 24, func(v *View) { showWho(v); showDetail(v, 0) }},
	{"focus on states", 80, 24, func(v *View) { v.Focus, v.Cursors[PaneStates].Line = PaneStates, 2 }},
	{"focus on consumers", 120, 40, func(v *View) { v.Focus, v.Cursors[PaneConsumers].Line = PaneConsumers, 1 }},
	{"scrolled to the end", 80, 24, func(v *View) {
		v.Cursors[PaneConnections] = Cursor{Line: len(v.Rows) - 1, Top: len(v.Rows) - 7}
		v.Order = list.Order{Column: list.ColumnRemote}
	}},
	{"help", 80, 24, func(v *View) { v.Overlay = OverlayHelp }},
	{"help 120x40", 120, 40, func(v *View) {
		v.Overlay = OverlayHelp
		v.State.Moment.Limits = []source.Limit{{Detail: "processes of other users are hidden: run as root to see them"}}
	}},
	{"help 160x50", 160, 50, func(v *View) { v.Overlay = OverlayHelp }},
	{"help 40x10", 40, 10, func(v *View) { v.Overlay = OverlayHelp }},
	{"details", 80, 24, func(v *View) { showDetail(v, 0) }},
	{"details scrolled 60x10", 60, 10, func(v *View) {
		showDetail(v, 0)
		v.Scroll = 4
	}},
	{"details of a TIME_WAIT", 120, 40, func(v *View) {
		showDetail(v, 2)
	}},
	{"details of a listener", 120, 40, func(v *View) {
		showDetail(v, 7)
	}},
	{"details of a socket that has gone", 80, 24, func(v *View) {
		showDetail(v, 0)
		v.Detail.Tuple.LocalPort, v.Detail.Row = 5, -1
	}},
	{"findings", 80, 24, func(v *View) { showFindings(v, Stop{0, -1, 0}, 0) }},
	{"findings 120x40", 120, 40, func(v *View) { showFindings(v, Stop{0, 1, 0}, 0, 1) }},
	{"findings 160x50", 160, 50, func(v *View) { showFindings(v, Stop{1, -1, 0}, 0, 1, 2) }},
	{"findings 40x10", 40, 10, func(v *View) { showFindings(v, Stop{0, -1, 0}, 0) }},
	{"findings folded", 80, 24, func(v *View) { showFindings(v, Stop{1, -1, 0}) }},
	{"findings folded 160x50", 160, 50, func(v *View) { showFindings(v, Stop{1, -1, 0}) }},
	{"findings scrolled 60x20", 60, 20, func(v *View) {
		showFindings(v, Stop{0, 1, 0}, 0)
		v.Scroll = 7
	}},
	{"findings of several namespaces", 120, 40, func(v *View) {
		showFindings(v, Stop{0, -1, 0})
		pod := *v.State
		pod.Snapshot = &source.Snapshot{Scope: source.Scope{Kind: source.ScopePod, Name: "shop/api-7d9f", PID: 5}}
		v.Overview = &model.Overview{States: []*model.State{&pod, v.State}}
		v.State.Snapshot.Scope.Kind = source.ScopeHost
		v.Findings[1].State = 1
	}},
	{"no findings", 80, 24, func(v *View) { v.Overlay = OverlayFindings }},
	{"no findings while traced", 80, 24, func(v *View) { v.Overlay, v.State.Failures.Observed = OverlayFindings, true }},
	{"number of findings", 80, 24, func(v *View) { v.Findings, v.Advice = sampleFindings() }},
	{"number of findings 40x10", 40, 10, func(v *View) { v.Findings, v.Advice = sampleFindings() }},
	{"a finding of no weight, degraded", 80, 24, func(v *View) {
		v.Findings, v.Advice = sampleFindings()
		v.Findings = v.Findings[2:]
		v.State.Moment.Limits = []source.Limit{{Detail: "processes of other users are hidden: run as root to see them"}}
	}},
	{"failed connects", 80, 24, showFailures},
	{"failed connects 120x40", 120, 40, showFailures},
	{"failed connects 40x10", 40, 10, func(v *View) {
		showFailures(v)
		v.Findings, v.Advice = sampleFindings()
	}},
	{"failed connects of the past", 80, 24, func(v *View) {
		showFailures(v)
		v.State.Failures.Recent, v.State.Level = 0, model.LevelWarning
	}},
	{"lost events", 120, 40, func(v *View) { v.State.Moment.Traced, v.State.Moment.LostEvents = true, 1200 }},
	{"suspected", 120, 40, func(v *View) {
		w := v.State.TCP.Pressure.Worst()
		w.Suspected, w.Used, w.Free = 2000, w.Used+2000, w.Free-2000
	}},
	{"details of a suspected port", 80, 24, func(v *View) {
		showDetail(v, 0)
		v.State.Rows[0].Suspected, v.State.Rows[0].Tier = true, model.OwnerTraced
		v.State.TCP.Pressure.Worst().Suspected = 1
	}},
	{"would take more than there is", 120, 40, func(v *View) {
		v.State.Outlook = model.Outlook{Trend: model.TrendFull, In: 20 * time.Second, Rate: 0.4, CloseRate: 520, Sustainable: 333, Plateau: 39_388}
	}},
	{"few ports in use", 120, 40, func(v *View) {
		for i := range v.State.History {
			s := &v.State.History[i]
			s.Used, s.Level = uint16(12+i%9), model.LevelOK
		}
	}},
	{"another system 120x40", 120, 40, func(v *View) {
		v.State.Moment.OS, v.State.Moment.Kernel = "darwin", "25.1.0"
		v.State.TCP.Pressure.PoolOnly, v.State.Snapshot.Settings.Parity = true, false
		for i := range v.State.TCP.Pressure.Tuples {
			v.State.TCP.Pressure.Tuples[i].FirstHalfSize = 0
		}
	}},
	{"details on another system", 80, 24, func(v *View) {
		showDetail(v, 0)
		v.State.TCP.Pressure.Worst().FirstHalfSize = 0
	}},
	{"small range", 120, 40, func(v *View) {
		v.State.Snapshot.Settings.Range = source.PortRange{Low: 40_000, High: 40_019}
		v.State.Snapshot.Settings.Assumed = true
		v.State.TCP.Pressure.WorstMap = model.PortMap{Low: 40_000, High: 40_019, Words: []uint64{0b1101}}
	}},
}

func TestFrameOfEachState(t *testing.T) {
	t.Parallel()
	for _, test := range frameStates {
		t.Run(test.name, func(t *testing.T) {
			v := sampleView(test.width, test.height)
			test.change(v)
			requireFrame(t, plain(), v)
		})
	}
}

// The states are told apart by what is written, not by colour.
func TestStatesDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, test := range frameStates {
		v := sampleView(80, 24)
		v.Width, v.Height = test.width, test.height
		test.change(v)
		v.Width, v.Height = 80, 24
		frame := plain().Frame(v)
		if v.Status == StatusWaiting || strings.HasSuffix(test.name, "0") {
			continue // the same at another size
		}
		if other, ok := seen[frame]; ok {
			t.Errorf("%q looks like %q", test.name, other)
		}
		seen[frame] = test.name
	}
}

func TestFrameInColour(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		theme   string
		profile termenv.Profile
	}{{"default", termenv.ANSI}, {"colorblind", termenv.TrueColor}, {"mono", termenv.ANSI256}} {
		t.Run(test.theme, func(t *testing.T) {
			requireFrame(t, coloured(t, test.theme, test.profile), sampleView(80, 24))
		})
	}
}

func TestNoColourWritesNoEscape(t *testing.T) {
	t.Parallel()
	if frame := coloured(t, "default", termenv.Ascii).Frame(sampleView(200, 60)); strings.Contains(frame, "\x1b") {
		t.Errorf("an escape sequence in %q", frame)
	}
}

func TestASCII(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{80, 24}, {200, 60}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			v := sampleView(size[0], size[1])
			v.State.Processes[1].Name = "größe数据"
			showWho(v)
			p := New(theme.Theme{}, true)
			frame := p.Frame(v)
			if i := strings.IndexFunc(frame, func(r rune) bool { return r > 0x7e }); i >= 0 {
				t.Errorf("%q is not ASCII", frame[i:i+4])
			}
			requireFrame(t, p, v)
		})
	}
}

func TestSmallestScreenStillSaysIt(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{40, 10}, {40, 3}, {40, 1}} {
		const want = "64% of 28,232 to 10.0.9.2:5432"
		if frame := plain().Frame(sampleView(size[0], size[1])); !strings.Contains(frame, want) {
			t.Errorf("%v: no %q in\n%s", size, want, frame)
		}
	}
}

func TestFrameIsExactlyTheScreen(t *testing.T) {
	t.Parallel()
	p := plain()
	states := []func(v *View){func(*View) {}}
	for _, s := range frameStates {
		states = append(states, s.change)
	}
	i, apart := 0, 1
	if race.Enabled {
		apart = 5 // one goroutine draws all: fewer sizes tell the race detector as much
	}
	for width := 1; width <= 220; width += apart + width/40 {
		for height := 1; height <= 70; height += apart + height/12 {
			v := sampleView(width, height)
			states[i%len(states)](v)
			i++
			v.Width, v.Height = width, height
			requireSize(t, p.Frame(v), width, height)
		}
	}
}

func FuzzFrameIsExactlyTheScreen(f *testing.F) {
	f.Add(uint8(80), uint8(24), "java", "java -jar x", "web-01")
	f.Add(uint8(120), uint8(40), "\x1b[31mred", "数据库 👩‍🚀 e\u0301", "\u202eabc\xff")
	f.Add(uint8(200), uint8(60), "🇩🇪🇩", "\u0600\u0601 ก\u0e33", "a\u200db")
	f.Fuzz(func(t *testing.T, width, height uint8, name, command, host string) {
		w, h := 1+int(width)%220, 1+int(height)%70
		v := sampleView(w, h)
		v.State.Processes[0].Name, v.State.Processes[1].Name = name, command+name
		v.State.Processes[0].Command, v.State.Processes[2].Command = command, name+command
		v.State.Moment.Host, v.Notice = host, command
		v.State.Moment.Limits = []source.Limit{{Detail: name + host}}
		p := plain()
		frame := p.Frame(v)
		requireSize(t, frame, w, h)
		showDetail(v, 0)
		requireSize(t, p.Frame(v), w, h)
		v.Overlay = OverlayFindings
		v.Findings, v.Advice = sampleFindings()
		v.Advice[0].Title, v.Advice[1].Remedies[0].Command = name, command
		requireSize(t, p.Frame(v), w, h)
		for _, r := range frame {
			if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 {
				t.Fatalf("%U reached the screen", r)
			}
		}
	})
}

// An overlay can be scrolled to its last line and no farther.
func TestLastScroll(t *testing.T) {
	t.Parallel()
	v := sampleView(80, 12)
	v.Overlay = OverlayHelp
	v.Scroll = v.LastScroll()
	last := plain().Frame(v)
	v.Scroll += 100
	if plain().Frame(v) != last {
		t.Error("scrolling beyond the end changes the frame")
	}
	v.Scroll = v.LastScroll() - 1
	if plain().Frame(v) == last {
		t.Error("the last line is in sight before the end")
	}
	v.Width, v.Height = 200, 70
	if n := v.LastScroll(); n != 0 {
		t.Errorf("an overlay that fits can be scrolled to line %d", n)
	}
}

// A line of a list takes no memory of its own.
func TestAllocationsOfAFrame(t *testing.T) {
	v, p := sampleView(200, 60), coloured(t, "default", termenv.ANSI)
	var c screen.Canvas
	if n := testing.AllocsPerRun(10, func() { p.Draw(&c, v) }); n > 100 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	for _, size := range [][2]int{{80, 24}, {200, 60}} {
		for _, sockets := range []int{300, 200_000} {
			b.Run(fmt.Sprintf("%dx%d/%d", size[0], size[1], sockets), func(b *testing.B) {
				st := sampleState(sockets)
				v := sampleView(size[0], size[1])
				v.State, v.List = st, plainList(st)
				th, err := theme.ByName("default", termenv.ANSI)
				if err != nil {
					b.Fatal(err)
				}
				p := New(th, false)
				var c screen.Canvas
				var out []byte
				b.ReportAllocs()
				for b.Loop() {
					p.Draw(&c, v)
					out = c.Append(out[:0], th.Inks)
				}
			})
		}
	}
}

// The time of day has its zone, where that takes nothing else away.
func TestZoneOfTheTime(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		width     int
		recording bool
		zone      string
		want      string
	}{
		{80, false, "CET", "12:04:31 CET "}, {80, false, "+0530", "12:04:31 +0530 "}, {60, false, "CET", "12:04:31 CET "},
		{60, true, "CET", "12:04:31 "}, {40, false, "CET", "12:04:31 "},
	} {
		v := sampleView(test.width, 24)
		v.State.Moment.Time = time.Date(2026, 11, 22, 12, 4, 31, 0, time.FixedZone(test.zone, 3600))
		v.Recording = Recording{On: test.recording, Since: v.Now, Size: 1 << 20}
		header, _, _ := strings.Cut(plain().Frame(v), "\n")
		if !strings.HasSuffix(header, "  "+test.want) {
			t.Errorf("%+v: the header is %q", test, header)
		}
	}
}

// A seek may lead to the moment on screen again with another past behind it,
// and so with other findings.
func TestFindingsOfTheSameMoment(t *testing.T) {
	t.Parallel()
	p, v := plain(), sampleView(80, 24)
	v.Overlay = OverlayFindings
	findings, words := sampleFindings()
	v.Findings, v.Advice = findings[:1], words[:1]
	p.Frame(v)
	v.Findings, v.Advice = findings[2:], words[2:]
	if frame, want := p.Frame(v), "1 server listens"; !strings.Contains(frame, want) {
		t.Errorf("no %q in\n%s", want, frame)
	}
}

// BenchmarkChanges is a frame that goes out to the terminal: a second has
// passed, and sixty connections at the top of the list have gone, so that a
// connection of another kind comes to stand in every row: the worst case.
func BenchmarkChanges(b *testing.B) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 60}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			th, err := theme.ByName("default", termenv.ANSI)
			if err != nil {
				b.Fatal(err)
			}
			p, v := New(th, false), sampleView(size[0], size[1])
			var shown, next screen.Canvas
			var out []byte
			rows, all := v.Rows, 0
			first, second := *v.State.Moment, *v.State.Moment
			second.Time = first.Time.Add(time.Second)
			p.Draw(&shown, v)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				v.Rows, *v.State.Moment = rows, first
				if i%2 == 0 {
					v.Rows, *v.State.Moment = rows[60:], second
				}
				p.Draw(&next, v)
				out = next.AppendChanges(out[:0], &shown, th.Inks)
				shown, next = next, shown
				all += len(out)
			}
			b.ReportMetric(float64(all)/float64(b.N), "bytes/frame")
		})
	}
}
