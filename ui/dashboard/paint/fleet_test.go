package paint

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/fleet"
	"ephtop/ui/theme"
)

// sampleFleet is a dozen hosts on a screen of the given size, in all the ways that
// they can stand in.
func sampleFleet(width, height int) *View {
	to := source.Addr4([4]byte{10, 0, 9, 2})
	host := func(name string, level fleet.Level, used, waiting, plateau int, verdict fleet.Verdict, in time.Duration, holder string) fleet.Host {
		return fleet.Host{Name: name, Time: sampleTime, Summary: fleet.Summary{
			Level: level, Destination: to, Port: 5432, Used: used, Usable: 28232, TimeWait: waiting, Plateau: plateau,
			Verdict: verdict, In: in, Holder: holder, Observed: true,
		}}
	}
	full := host("web-01", fleet.LevelExhausted, 28232, 16218, 45864, fleet.VerdictFull, 0, "api")
	full.Failed, full.Time = 1042, sampleTime.Add(-2*time.Second)
	pod := host("node-07", fleet.LevelCritical, 24100, 9000, 31000, fleet.VerdictFull, 86*time.Second, "checkout")
	pod.Namespace, pod.Likely = "shop/checkout-7d9f", true
	udp := host("dns-03", fleet.LevelWarning, 18006, 0, 0, fleet.VerdictUnknown, 0, "unbound")
	udp.Destination, udp.UDP, udp.Observed = source.Addr{}, true, false
	idle := host("batch-11", fleet.LevelOK, 12, 3, 12, fleet.VerdictSteady, 0, "")
	idle.Destination, idle.Port = source.Addr{}, 0
	six := host("edge-02.example.org", fleet.LevelOK, 9000, 4000, 9400, fleet.VerdictLevelsOff, 40*time.Second, "envoy")
	six.Destination = addr("2001:db8::9f01")
	table := &fleet.Table{Patience: time.Minute}
	table.Await("new-01", "new-02")
	table.Take(fleet.Report{Hosts: []fleet.Host{
		full, pod, udp, idle, six, host("pay-01", fleet.LevelOK, 3000, 10, 200, fleet.VerdictDrains, time.Minute, "java"),
		host("web-02", fleet.LevelCritical, 23000, 12000, 23100, fleet.VerdictLevelsOff, time.Minute, "api"), host("was-well", fleet.LevelOK, 2000, 0, 2000, fleet.VerdictSteady, 0, "cron"),
		{Name: "db-old", Trouble: fleet.Trouble{Kind: fleet.NoEphtop, Detail: "not found there; --remote-command says where it is"}},
		{Name: "vault", Trouble: fleet.Trouble{Kind: fleet.Denied, Detail: "by publickey"}},
	}}, sampleTime)
	table.Take(fleet.Report{Hosts: []fleet.Host{{Name: "was-well", Trouble: fleet.Trouble{Kind: fleet.Unreachable, Detail: "connection refused"}}}}, sampleTime)
	now := sampleTime.Add(3 * time.Second)
	v := &View{Width: width, Height: height, Status: StatusLive, Now: now}
	v.Fleet = &Fleet{Rows: table.Rows(nil, now), Feed: "ssh", Thresholds: model.DefaultThresholds}
	v.Fleet.Tally = fleet.Count(v.Fleet.Rows)
	v.Hints = []Hint{{"/", "filter"}, {"↵", "open"}, {"s", "sort"}, {"?", "help"}, {"q", "quit"}}
	v.Help = []HelpGroup{{"Move", []Hint{{"↑/k", "up"}}}}
	return v
}

func showDay(v *View) {
	v.Fleet.Day, v.Fleet.Feed = true, "Prometheus at http://prometheus:9090"
	for i := range v.Fleet.Rows {
		h := *v.Fleet.Rows[i].Host
		h.Day, h.Exhausted = true, time.Duration(i%3)*90*time.Second
		v.Fleet.Rows[i].Host = &h
	}
}

func TestFleetAtEachSize(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{1, 1}, {20, 5}, {40, 10}, {60, 15}, {80, 24}, {100, 30}, {120, 40}, {200, 60}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			requireFrame(t, plain(), sampleFleet(size[0], size[1]))
		})
	}
}

var fleetStates = []struct {
	name          string
	width, height int
	change        func(v *View)
}{
	{"asking", 80, 24, func(v *View) {
		table := new(fleet.Table)
		table.Await("web-01", "web-02")
		v.Status, v.Fleet.Rows = StatusWaiting, table.Rows(nil, v.Now)
		v.Fleet.Tally = fleet.Count(v.Fleet.Rows)
	}},
	{"nothing yet", 60, 15, func(v *View) { v.Status, v.Fleet = StatusWaiting, &Fleet{Feed: "Prometheus at http://prometheus:9090"} }},
	{"the feed fails", 80, 24, func(v *View) {
		v.Status, v.Err, v.ErrSince = StatusStale, errors.New("Prometheus at http://prometheus:9090: it answers HTTP 500: no such disk"), v.Now.Add(-9*time.Second)
	}},
	{"the last day", 100, 30, showDay},
	{"the last day 160x20", 160, 20, showDay},
	{"the last day is not known", 120, 20, func(v *View) {
		showDay(v)
		v.Fleet.Lack = errors.New("Prometheus at http://prometheus:9090: the last day is not known: it refuses: too many samples")
	}},
	{"the last day, sorted by it", 80, 24, func(v *View) {
		showDay(v)
		v.Fleet.Order = fleet.Order{Column: fleet.ColumnExhausted}
		v.Fleet.Order.Sort(v.Fleet.Rows)
	}},
	{"no Prometheus there", 80, 24, func(v *View) {
		v.Status, v.ErrSince, v.Fleet = StatusStale, v.Now.Add(-9*time.Second), &Fleet{Feed: "Prometheus at http://127.0.0.1:9100", Day: true}
		v.Err = errors.New("Prometheus at http://127.0.0.1:9100: it answers HTTP 404: is this Prometheus?")
	}},
	{"nothing matches", 80, 24, func(v *View) {
		v.Fleet = &Fleet{Feed: "Prometheus at http://127.0.0.1:9090", Day: true}
		v.Fleet.Lack = errors.New("Prometheus at http://127.0.0.1:9090: it has no figures of ephtop serve, or none that --match picks")
	}},
	{"fills up soon", 120, 20, func(v *View) {
		soon := fleet.Host{Name: "web-03", Time: sampleTime, Summary: fleet.Summary{
			Used: 14400, Usable: 28232, TimeWait: 9000, Plateau: 45864, Verdict: fleet.VerdictFull, In: 18 * time.Second, Holder: "api",
		}}
		table := &fleet.Table{Patience: time.Minute}
		for _, r := range v.Fleet.Rows {
			table.Take(fleet.Report{Hosts: []fleet.Host{*r.Host}}, v.Now)
		}
		table.Take(fleet.Report{Hosts: []fleet.Host{soon}}, v.Now)
		v.Fleet.Rows = table.Rows(nil, v.Now)
		v.Fleet.Tally = fleet.Count(v.Fleet.Rows)
		v.Fleet.Cursor.Line = 4
	}},
	{"filtered", 80, 24, func(v *View) { v.Filter.Text, v.Fleet.Rows = "web", v.Fleet.Rows[:2] }},
	{"filter without a match", 80, 24, func(v *View) { v.Filter.Text, v.Fleet.Rows = "nothing", nil }},
	{"filter being typed", 80, 24, func(v *View) { v.Filter = FilterLine{Editing: true, Input: "web !ok", Pos: 3, Text: "web !ok"} }},
	{"filter to type", 80, 24, func(v *View) { v.Filter = FilterLine{Editing: true} }},
	{"sorted by what is used", 120, 20, func(v *View) {
		v.Fleet.Order = fleet.Order{Column: fleet.ColumnUsed}
		v.Fleet.Order.Sort(v.Fleet.Rows)
	}},
	{"sorted by what has no column", 60, 15, func(v *View) { v.Fleet.Order = fleet.Order{Column: fleet.ColumnHolder, Reverse: true} }},
	{"scrolled", 80, 12, func(v *View) { v.Fleet.Cursor = Cursor{Line: 7, Top: 4} }},
	{"notice", 80, 24, func(v *View) { v.Notice = "vault: denied: by publickey" }},
	{"help", 80, 24, func(v *View) { v.Overlay = OverlayHelp }},
	{"help 120x40", 120, 40, func(v *View) { v.Overlay = OverlayHelp; showDay(v) }},
}

func TestFleetOfEachState(t *testing.T) {
	t.Parallel()
	for _, test := range fleetStates {
		t.Run(test.name, func(t *testing.T) {
			v := sampleFleet(test.width, test.height)
			test.change(v)
			requireFrame(t, plain(), v)
		})
	}
}

func TestFleetInColour(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		theme   string
		profile termenv.Profile
	}{{"default", termenv.ANSI}, {"light", termenv.TrueColor}, {"mono", termenv.ANSI256}} {
		t.Run(test.theme, func(t *testing.T) {
			requireFrame(t, coloured(t, test.theme, test.profile), sampleFleet(80, 24))
		})
	}
}

func TestFleetInASCII(t *testing.T) {
	t.Parallel()
	p, v := New(theme.Theme{}, true), sampleFleet(120, 24)
	if frame := p.Frame(v); strings.ContainsFunc(frame, func(r rune) bool { return r > 0x7e }) {
		t.Error("not ASCII")
	}
	requireFrame(t, p, v)
}

func TestFleetIsExactlyTheScreen(t *testing.T) {
	t.Parallel()
	p := plain()
	for width := 1; width <= 220; width += 3 {
		for height := 1; height <= 50; height += 7 {
			test := fleetStates[(width+height)%len(fleetStates)]
			v := sampleFleet(width, height)
			test.change(v)
			requireSize(t, p.Frame(v), width, height)
		}
	}
}

func FuzzFleetIsExactlyTheScreen(f *testing.F) {
	f.Add(uint8(80), uint8(24), "web-01", "java", "no route")
	f.Add(uint8(120), uint8(40), "\x1b[31mred", "数据库 👩‍🚀 e\u0301", "\u202eabc\xff")
	f.Fuzz(func(t *testing.T, width, height uint8, name, holder, why string) {
		v := sampleFleet(int(width)+1, int(height)+1)
		h := *v.Fleet.Rows[0].Host
		h.Name, h.Holder, h.Namespace = name, holder, why
		v.Fleet.Rows[0].Host = &h
		silent := *v.Fleet.Rows[5].Host
		silent.Name, silent.Trouble.Detail = holder, why
		v.Fleet.Rows[5].Host = &silent
		v.Filter.Text, v.Fleet.Feed = why, name
		frame := plain().Frame(v)
		requireSize(t, frame, v.Width, v.Height)
		if strings.ContainsAny(ansi.Strip(frame), "\x1b\u202e\x07") {
			t.Errorf("%q", frame)
		}
	})
}

// BenchmarkFleet draws a frame of so many hosts, from the table on.
func BenchmarkFleet(b *testing.B) {
	for _, hosts := range []int{12, 1000} {
		b.Run(fmt.Sprint(hosts), func(b *testing.B) {
			sample := sampleFleet(120, 40)
			table := &fleet.Table{Patience: time.Minute}
			for i := range hosts {
				h := *sample.Fleet.Rows[i%len(sample.Fleet.Rows)].Host
				h.Name = fmt.Sprintf("%s-%d", h.Name, i)
				table.Take(fleet.Report{Hosts: []fleet.Host{h}}, sample.Now)
			}
			p, v := coloured(b, "default", termenv.TrueColor), sample
			for b.Loop() {
				v.Fleet.Rows = table.Rows(v.Fleet.Rows[:0], v.Now)
				v.Fleet.Tally = fleet.Count(v.Fleet.Rows)
				p.Frame(v)
			}
		})
	}
}
