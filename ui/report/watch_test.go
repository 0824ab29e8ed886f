package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/fleet"
)

var watching = WatchOptions{Version: "v1.2.3", Watched: time.Hour}

// watchStates are hosts whose lines differ.
func watchStates() map[string]*model.State {
	failing := busyHost()
	failing.Level = model.LevelExhausted
	failing.TCP.Pressure.Tuples[0].Process, failing.TCP.Pressure.Tuples[0].Tier = java, model.OwnerInferred
	failing.TCP.Pressure.Tuples[0].Outlook.CloseRate = 412.34
	failing.Outlook = model.Outlook{Trend: model.TrendFull, In: 86 * time.Second, Plateau: 45864, CloseRate: 412.34}
	failing.Failures = model.Failures{Observed: true, Count: 90, By: []model.Failure{
		{Kind: source.ConnectFailed, Proto: source.TCP, Count: 40}, {Kind: source.ConnectFailed, Proto: source.TCP, Count: 2},
		{Kind: source.BindFailed, Proto: source.TCP, Count: 7}, {Kind: source.ConnectFailed, Proto: source.UDP, Count: 5},
	}}
	failing.Snapshot.Scope = source.Scope{Netns: 4026532453, Name: "shop/api-7d9f", Kind: source.ScopePod}
	udp := busyHost()
	udp.Level, udp.UDP.Pressure.Level, udp.UDP.Pressure.PoolLevel = model.LevelExhausted, model.LevelExhausted, model.LevelExhausted
	udp.UDP.Pressure.InUse, udp.UDP.Pressure.Live = 28222, 28222
	busy := busyHost()
	busy.TCP.Pressure.Tuples[0].Tier = model.OwnerObserved
	return map[string]*model.State{"busy": busy, "failing": failing, "udp": udp, "idle": idleHost(), "translating": translating(57_120, model.LevelCritical)}
}

func TestWatch(t *testing.T) {
	for name, st := range watchStates() {
		for kind, write := range map[string]func(*bytes.Buffer) error{
			"text": func(b *bytes.Buffer) error { return WatchText(b, st, watching) },
			"json": func(b *bytes.Buffer) error { return WatchJSON(b, st, watching) },
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				var line bytes.Buffer
				if err := write(&line); err != nil {
					t.Fatal(err)
				}
				if n := bytes.Count(line.Bytes(), []byte("\n")); n != 1 || kind == "json" && !json.Valid(line.Bytes()) {
					t.Errorf("%d lines, or no JSON: %s", n, &line)
				}
				golden.RequireEqual(t, line.Bytes())
			})
		}
	}
}

// Whatever things call themselves, it is one line, of which there is not much.
func TestWatchIsShort(t *testing.T) {
	t.Parallel()
	for _, name := range []string{`"`, "\\", "\n", "<", "\x1b[31m", "\xff", "é", "\U0001f98a"} {
		st := watchStates()["failing"]
		long := strings.Repeat(name, 300)
		st.Moment.Host, st.Snapshot.Scope.Name, st.Processes[java].Name = long, long, long
		st.TCP.Pressure.Tuples[0].Source, st.TCP.Pressure.Tuples[0].Destination = addr("2001:db8:ffff:ffff:ffff:ffff:ffff:9f01"), addr("2001:db8:ffff:ffff:ffff:ffff:ffff:9f02")
		st.TCP.Pressure.Tuples[0].Port, st.Processes[java].PID, st.Failures.By[0].Count = 65535, 4194303, 1<<30
		st.Outlook.Plateau, st.Outlook.CloseRate, st.Outlook.In = 1<<30, 1e6/3, 24*time.Hour
		o := WatchOptions{Version: long, Watched: time.Hour}
		var object, text bytes.Buffer
		if err := WatchJSON(&object, st, o); err != nil {
			t.Fatal(err)
		}
		if err := WatchText(&text, st, o); err != nil {
			t.Fatal(err)
		}
		if object.Len() > 900 || !json.Valid(object.Bytes()) || text.Len() > 900 || bytes.Count(text.Bytes(), []byte("\n")) != 1 {
			t.Errorf("%q: %d and %d bytes:\n%s%s", name, object.Len(), text.Len(), &object, &text)
		}
	}
}

// Who reads a line learns what the state says, in the same words.
func TestWatchIsRead(t *testing.T) {
	t.Parallel()
	for l := model.LevelOK; l <= model.LevelExhausted; l++ {
		if got := fleet.Level(l).String(); got != l.String() {
			t.Errorf("%v is read as %s", l, got)
		}
	}
	for name, st := range watchStates() {
		var line bytes.Buffer
		if err := WatchJSON(&line, st, watching); err != nil {
			t.Fatal(err)
		}
		got, err := fleet.ParseLine(line.Bytes())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		s := got.Summary()
		worse, outlook := st.Worse()
		h := worse.Headline()
		used, usable := h.Used(), h.Used()+h.Free
		if nat := st.NATPool(); nat != nil {
			used, usable, outlook = nat.Used, nat.Capacity(), nat.Outlook
		}
		if s.Level != fleet.Level(st.Level) || s.Used != used || s.Usable != usable || string(s.Verdict) != outlook.Trend.String() {
			t.Errorf("%s: %s is read as %+v", name, &line, s)
		}
	}
}
