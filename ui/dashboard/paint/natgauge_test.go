package paint

import (
	"strings"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
)

// onTheWay is what a NAT on the way has of 1,024 ports.
func onTheWay(level model.Level, live, timeWait int) *model.WayPool {
	return &model.WayPool{
		Remote: source.Addr4([4]byte{93, 184, 216, 34}), RemotePort: 443, Proto: source.TCP, Ports: 1024, Live: live, TimeWait: timeWait, Level: level,
	}
}

// A NAT on the way has a gauge, the first one where it is worse than the range.
func TestGaugeOfNATOnTheWay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		width, height int
		way           *model.WayPool
	}{
		{"little used", 80, 24, onTheWay(model.LevelOK, 31, 0)},
		{"critical", 80, 24, onTheWay(model.LevelCritical, 850, 100)},
		{"most may be free again", 80, 24, onTheWay(model.LevelWarning, 30, 2000)},
		{"most may be free again at 120x40", 120, 40, onTheWay(model.LevelWarning, 30, 2000)},
		{"exhausted", 120, 40, onTheWay(model.LevelExhausted, 1024, 9)},
		{"exhausted at 40x10", 40, 10, onTheWay(model.LevelExhausted, 1024, 9)},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := sampleView(test.width, test.height)
			if v.State.Way = test.way; strings.HasPrefix(test.name, "most may") { // which then leads
				v.State.TCP.Pressure.Tuples[0].Level = model.LevelOK
			}
			requireFrame(t, plain(), v)
		})
	}
}

// A pool is but ok so far where it will be full in minutes, as the range is: each by its
// own outlook.
func TestGaugeThatFillsSoon(t *testing.T) {
	t.Parallel()
	fills := model.Outlook{Trend: model.TrendFull, In: 40 * time.Second}
	pool := model.NATPoolUse{NATPool: &source.NATPool{Proto: source.TCP, Used: 40_000}}
	soon := pool
	soon.Outlook = fills
	for _, test := range []struct {
		name        string
		ports       bool
		pool        model.NATPoolUse
		first, last string // words of the two gauges
	}{
		{"neither", false, pool, "· ok", "· ok"},
		{"the pool", false, soon, "· ok", "· ok so far"},
		{"the range", true, pool, "· ok so far", "· ok"},
		{"both", true, soon, "· ok so far", "· ok so far"},
	} {
		v := sampleView(120, 40)
		v.State.TCP.Pressure.Tuples[0].Level, v.State.Outlook = model.LevelOK, model.Outlook{}
		if test.ports {
			v.State.Outlook, v.Sentence.Level = fills, model.LevelWarning
		}
		v.State.NAT = &model.NATState{NAT: &source.NAT{}, Pools: []model.NATPoolUse{test.pool}}
		all := gauges(v, 60)
		if first, last := all[0].word().text, all[len(all)-1].word().text; first != test.first || last != test.last {
			t.Errorf("%s: %q and %q, want %q and %q", test.name, first, last, test.first, test.last)
		}
	}
}

// Of what this host gives out and what a NAT on the way has, the worse one is shown.
func TestWorseNATHasTheGauge(t *testing.T) {
	t.Parallel()
	own := func(level model.Level, used int) *model.NATState {
		return &model.NATState{Level: level, NAT: &source.NAT{}, Pools: []model.NATPoolUse{{Level: level, NATPool: &source.NATPool{
			Address: source.Addr4([4]byte{203, 0, 113, 7}), Remote: source.Addr4([4]byte{10, 0, 0, 1}), RemotePort: 80, Proto: source.TCP, Used: used,
		}}}}
	}
	for _, test := range []struct {
		nat  *model.NATState
		way  *model.WayPool
		want string
	}{
		{own(model.LevelCritical, 60_000), onTheWay(model.LevelWarning, 700, 0), "SNAT 203.0.113.7 → 10.0.0.1:80"},
		{own(model.LevelWarning, 40_000), onTheWay(model.LevelCritical, 900, 0), "NAT on the way → 93.184.216.34:443 of 1,024"},
		{own(model.LevelOK, 100), onTheWay(model.LevelOK, 0, 0), "NAT on the way → 93.184.216.34:443 of 1,024"},
		{own(model.LevelOK, 20_000), nil, "SNAT 203.0.113.7 → 10.0.0.1:80"},
		{nil, nil, ""},
	} {
		v := sampleView(120, 40)
		v.State.NAT, v.State.Way = test.nat, test.way
		if g, ok := v.translated(60); g.label != test.want || ok != (test.want != "") {
			t.Errorf("%q, want %q", g.label, test.want)
		}
		if frame := plain().Frame(v); !strings.Contains(frame, test.want) {
			t.Errorf("no %q in\n%s", test.want, frame)
		}
		if v.Proto = ProtoUDP; v.State.Way != nil {
			if _, ok := v.translated(60); ok {
				t.Error("a view of UDP has it too")
			}
		}
	}
}
