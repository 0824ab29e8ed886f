package paint

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/muesli/termenv"

	"ephtop/model"
	"ephtop/source/fleet"
	"ephtop/ui/screen"
	"ephtop/ui/theme"
)

// The first words say how many are in which trouble, or were today.
func TestFleetSentence(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		tally fleet.Tally
		past  int
		level model.Level
		want  string
	}{
		{fleet.Tally{3, 2, 0, 0, 1, 994}, 0, model.LevelExhausted, "3 of 1,000 hosts exhausted, 2 critical, 1 doesn't answer"},
		{fleet.Tally{1, 0, 0, 0, 0, 11}, 2, model.LevelExhausted, "1 of 12 hosts exhausted, 11 well"},
		{fleet.Tally{0, 1, 2, 0, 3, 4, 5}, 0, model.LevelCritical, "1 of 15 hosts is critical, 2 at warning, 3 don't answer, 5 not heard yet"},
		{fleet.Tally{0, 0, 2, 1, 0, 1}, 0, model.LevelWarning, "2 of 4 hosts are at warning, 1 full within minutes"},
		{fleet.Tally{0, 0, 0, 1, 0, 1}, 0, model.LevelWarning, "1 of 2 hosts is full within minutes, 1 well"},
		{fleet.Tally{0, 0, 0, 0, 2, 1}, 0, model.LevelWarning, "2 of 3 hosts don't answer, 1 well"},
		{fleet.Tally{0, 0, 0, 0, 0, 12}, 0, model.LevelOK, "all 12 hosts are well"},
		{fleet.Tally{0, 0, 0, 0, 0, 3}, 1, model.LevelOK, "all 3 hosts are well; 1 was without a port in the last 24 h"},
		{fleet.Tally{0, 0, 0, 0, 0, 3}, 2, model.LevelOK, "all 3 hosts are well; 2 were without a port in the last 24 h"},
		{fleet.Tally{0, 0, 0, 0, 0, 1}, 0, model.LevelOK, "the host is well"},
		{fleet.Tally{0, 0, 0, 0, 0, 1}, 1, model.LevelOK, "the host is well; it was without a port in the last 24 h"},
		{fleet.Tally{0, 0, 0, 0, 0, 1, 2}, 0, model.LevelOK, "1 well, 2 not heard yet"},
		{fleet.Tally{0, 0, 0, 0, 0, 0, 2}, 0, model.LevelOK, "asking 2 hosts"},
		{fleet.Tally{}, 0, model.LevelOK, "no host yet"},
	} {
		if level, got := fleetSentence(test.tally, test.past); level != test.level || got != test.want {
			t.Errorf("%v: %v %q, want %v %q", test.tally, level, got, test.level, test.want)
		}
	}
}

// A host without a port has no outlook that could be unknown; any other keeps its
// figure in whatever width the column has.
func TestHostOutlook(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		level                fleet.Level
		verdict              fleet.Verdict
		used, plateau, fails int
		want                 string
	}{
		{fleet.LevelExhausted, fleet.VerdictUnknown, 1000, 0, 0, "no port free"}, {fleet.LevelExhausted, fleet.VerdictUnknown, 995, 0, 9, "full now"},
		{fleet.LevelExhausted, fleet.VerdictUnknown, 700, 0, 9, "connects fail"}, {fleet.LevelExhausted, fleet.VerdictDrains, 890, 100, 9, "drains to 10 %"},
		{fleet.LevelWarning, fleet.VerdictUnknown, 700, 0, 0, "not known yet"}, {fleet.LevelOK, fleet.VerdictLevelsOff, 100, 500, 0, "levels off 50 %"},
		{fleet.LevelExhausted, fleet.VerdictLevelsOff, 100, 1000, 0, "levels off 100 %"},
	} {
		r := fleet.Row{Host: &fleet.Host{Summary: fleet.Summary{
			Level: test.level, Verdict: test.verdict, Used: test.used, Usable: 1000, Plateau: test.plateau, Failed: test.fails, Observed: true, In: time.Second,
		}}}
		v := &View{Fleet: &Fleet{Thresholds: model.DefaultThresholds}}
		if r.Verdict == fleet.VerdictUnknown {
			r.In = 0
		}
		p, w := plain(), layoutHosts(75, false, 0).outlook
		p.canvas = new(screen.Canvas)
		p.canvas.Reset(w, 1, false)
		p.phrases(0, 0, w, [][]segment{hostOutlook(v, &r, r.Usable-r.Used)})
		if got := strings.TrimSpace(string(p.canvas.Append(nil, nil))); got != test.want {
			t.Errorf("%+v: %q in %d columns", test, got, w)
		}
	}
}

// What the table is sorted by is on screen, as soon as there is room for anything.
func TestWhatAFleetIsSortedByIsShown(t *testing.T) {
	t.Parallel()
	for width := 50; width <= 200; width += 5 {
		for column := fleet.ColumnHost; int(column) < fleet.NumColumns; column++ {
			v := sampleFleet(width, 24)
			showDay(v)
			v.Fleet.Order = fleet.Order{Column: column}
			if frame := plain().Frame(v); !strings.Contains(frame, string(direction(v.Fleet.Order.Descending()))+column.String()) {
				t.Errorf("%d columns, by %v:\n%s", width, column, frame)
			}
		}
	}
}

// What is spare on a wide screen goes to words that need it: the level stays near to
// the name.
func TestSpareWidthOfAFleet(t *testing.T) {
	t.Parallel()
	for width := 60; width <= 300; width++ {
		for _, day := range []bool{false, true} {
			c := layoutHosts(width, day, fleet.ColumnWorst)
			sum := -1
			for _, h := range c.headers() {
				if h.w > 0 {
					sum += h.w + 1
				}
			}
			if sum > width || width >= 110 && (sum != width || c.name > 34) {
				t.Errorf("%d columns, day %v: %d of %+v", width, day, sum, c)
			}
		}
	}
}

// The host under the cursor keeps the colours of how bad it stands.
func TestASelectedHostKeepsItsColours(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		theme   string
		profile termenv.Profile
	}{{"default", termenv.ANSI}, {"default", termenv.TrueColor}, {"light", termenv.TrueColor}, {"mono", termenv.ANSI256}} {
		p := coloured(t, test.theme, test.profile)
		v := sampleFleet(120, 24)
		row := strings.Split(p.Frame(v), "\n")[4]
		ink := func(r theme.Role) string { return p.inks[r].SGR }
		for _, want := range []string{ink(theme.Selected) + "m▸", ink(theme.Exhausted) + "m✖ exhausted", ink(theme.Exhausted) + "m100 %", ink(theme.Critical) + "mno port free", ink(theme.Critical) + "m1,042"} {
			if !strings.Contains(row, want) {
				t.Errorf("%s, %v: no %q in %q", test.theme, test.profile, want, row)
			}
		}
	}
}

// Why there is no host stands in the middle, whole and once.
func TestWhyThereIsNoHost(t *testing.T) {
	t.Parallel()
	const why = "Prometheus at http://prometheus.monitoring.example.org:9090/prefix: it answers HTTP 404: is this Prometheus?"
	for _, test := range []struct {
		change func(*View)
		want   []string
	}{
		{func(v *View) { v.Status, v.Err, v.ErrSince = StatusStale, errors.New(why), v.Now }, []string{"! no data", "no host can be told of"}},
		{func(v *View) { v.Fleet.Lack = errors.New(why) }, []string{"● live", "no host is told of"}},
	} {
		v := sampleFleet(80, 24)
		v.Fleet.Rows, v.Fleet.Tally = nil, fleet.Tally{}
		test.change(v)
		lines := strings.Split(plain().Frame(v), "\n")
		var inside []string
		for _, line := range lines[3:22] {
			inside = append(inside, strings.Fields(strings.Trim(line, "│"))...)
		}
		if got := strings.Join(inside, " "); got != why {
			t.Errorf("in the middle stands %q", got)
		}
		for _, want := range test.want {
			if frame := strings.Join(lines, "\n"); !strings.Contains(frame, want) || strings.Contains(lines[23]+lines[22], "Prometheus") {
				t.Errorf("no %q, or it is said twice:\n%s", want, frame)
			}
		}
	}
}

// The help and the border say of when the failed connects are, each feed its own.
func TestWhenConnectsFailed(t *testing.T) {
	t.Parallel()
	for _, day := range []bool{false, true} {
		v := sampleFleet(160, 60)
		v.Fleet.Day = day
		border := plain().Frame(v)
		help := fmt.Sprint(v.fleetLegend(bars))
		if strings.Contains(border, "last 24 h") != day || strings.Contains(border, "failed: last 5m") == day {
			t.Errorf("day %v: the border of\n%s", day, border)
		}
		if strings.Contains(help, "last 5 minutes") == day || strings.Contains(help, "last 24 hours") != day || strings.Contains(help, "EXHAUSTED") != day {
			t.Errorf("day %v: the help\n%s", day, help)
		}
	}
}
