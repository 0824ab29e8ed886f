package report

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/ui/advice"
)

// translating is a host that gives out ports, of which so many are used.
func translating(used int, level model.Level) *model.State {
	st := busyHost()
	st.TCP.Pressure.Tuples[0].FirstHalf = 7
	st.NAT = &model.NATState{Level: level, NAT: &source.NAT{Netns: 7, Entries: used, Max: 262_144}, Pools: []model.NATPoolUse{{
		NATPool: &source.NATPool{
			Address: source.Addr4([4]byte{203, 0, 113, 7}), Remote: source.Addr4([4]byte{93, 184, 216, 34}), RemotePort: 443,
			Proto: source.TCP, Used: used, Evictable: 120, Unreplied: 5,
		},
		Level: level, Loss: 0.07,
		Holders: []model.NATHolder{
			{Client: source.Addr4([4]byte{10, 1, 0, 5}), Process: 0, Ports: used - 20},
			{Client: source.Addr4([4]byte{10, 1, 0, 6}), State: -1, Process: source.NoProcess, Ports: 20},
		},
	}}}
	st.NAT.Scope.Netns = 7
	st.Level = max(st.Level, level)
	return st
}

// Translated ports are judged where whatever is worst is, and told elsewhere.
func TestCheckOfTranslatedPorts(t *testing.T) {
	full := translating(262_144, model.LevelCritical)
	full.NAT.Pools[0].Level = model.LevelOK
	udp := translating(64_512, model.LevelExhausted)
	udp.NAT.Pools[0].Proto = source.UDP
	for want, c := range map[string]struct {
		st *model.State
		on CheckOn
	}{
		"EPHTOP CRITICAL - 88.5 % of 64,512 ports of SNAT on 203.0.113.7 to 93.184.216.34:443 used, most by ja/va | tuple=63.8%":                                                 {translating(57_120, model.LevelCritical), OnAny},
		"EPHTOP CRITICAL - no SNAT port of 64,512 is free on 203.0.113.7 to 93.184.216.34:443, most by ja/va | tuple=63.8%":                                                      {translating(64_512, model.LevelExhausted), OnAny},
		"EPHTOP CRITICAL - no UDP SNAT port of 64,512 is free on 203.0.113.7 to 93.184.216.34:443, most by ja/va | tuple=63.8%":                                                  {udp, OnAny},
		"EPHTOP CRITICAL - connection tracking is full: 262,144 of 262,144 entries | tuple=63.8%":                                                                                {full, OnAny},
		"EPHTOP WARNING - 63.8 % of 28,222 ports to 10.0.9.2:5432 used; but 88.5 % of 64,512 ports of SNAT on 203.0.113.7 to 93.184.216.34:443 used, see --on any | tuple=63.8%": {translating(57_120, model.LevelCritical), OnTuple},
	} {
		c.st.Processes[0].Name = "ja|va\x1b"
		var b bytes.Buffer
		if _, err := Check(&b, []*model.State{c.st}, nil, c.on); err != nil || !strings.HasPrefix(b.String(), want) ||
			strings.Contains(b.String(), " snat=") != (c.on == OnAny) {
			t.Errorf("%v: %s", err, &b)
		}
	}
}

// Who may not see translated ports is told so, and does not take them for free.
func TestCheckThatSeesNoTranslatedPorts(t *testing.T) {
	st := busyHost()
	st.Moment.Limits = append(st.Moment.Limits, source.Limit{Code: source.LimitNAT, Detail: "it needs CAP_NET_ADMIN"})
	for on, want := range map[CheckOn]bool{OnAny: true, OnTuple: false} {
		var b bytes.Buffer
		if _, err := Check(&b, []*model.State{st}, nil, on); err != nil || strings.HasSuffix(b.String(), " snat=U\n") != want {
			t.Errorf("%v: %s", err, &b)
		}
	}
}

func TestJSONOfTranslatedPorts(t *testing.T) {
	st := translating(57_120, model.LevelCritical)
	st.Processes[0].Name = "wor\x1bker"
	var b bytes.Buffer
	if err := JSON(&b, st, Options{}); err != nil {
		t.Fatal(err)
	}
	var page struct{ SNAT []jsonNAT }
	if err := json.Unmarshal(b.Bytes(), &page); err != nil || len(page.SNAT) != 1 {
		t.Fatalf("%v: %+v", err, page)
	}
	p := page.SNAT[0]
	if p.Address != "203.0.113.7" || p.Destination != "93.184.216.34" || p.Port != 443 || p.Proto != "tcp" || p.Used != 57_120 || p.Ports != 64_512 ||
		p.Evictable != 120 || p.Percent != 88.5 || p.Unreplied != 5 || p.Loss != 7 || p.Level != "critical" || p.Namespace == nil || p.Namespace.ID != 7 {
		t.Errorf("%+v", p)
	}
	if len(p.Holders) != 2 || p.Holders[0].Client != "10.1.0.5" || p.Holders[0].PID != st.Processes[0].PID || strings.ContainsRune(p.Holders[0].Name, 0x1b) ||
		p.Holders[0].Ports != 57_100 || p.Holders[1].PID != 0 || p.Holders[1].Name != "" {
		t.Errorf("%+v", p.Holders)
	}
}

// What each output says of a simulated host whose SNAT is about to run out: the
// namespace that translates is the worst, and its containers are named.
func TestSNAT(t *testing.T) {
	t.Parallel()
	host, err := demo.New(demo.Options{Scenario: "snat", Skip: 40 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	fleet := model.NewFleet(model.Options{})
	var o model.Overview
	for range 7 {
		var m source.Moment
		if err := host.Poll(context.Background(), &m); err != nil {
			t.Fatal(err)
		}
		fleet.Update(&m, &o)
	}
	st := o.States[o.Focus]
	status := source.Status{Outcome: source.OutcomeNotThere, Reason: "a simulated host has none"}
	ev := &source.Evidence{Firewall: source.Firewall{Status: status}, Log: source.SystemLog{Status: status}, Sysctls: source.Sysctls{Status: status}, OtherNAT: source.OtherNAT{Status: status}}
	for name, write := range map[string]func(io.Writer) error{
		"text":       func(w io.Writer) error { return Text(w, st, Options{Overview: &o}) },
		"markdown":   func(w io.Writer) error { return Markdown(w, st, Options{Overview: &o}) },
		"json":       func(w io.Writer) error { return JSON(w, st, Options{Overview: &o, Rows: []int32{}}) },
		"watch":      func(w io.Writer) error { return WatchText(w, st, watching) },
		"watch json": func(w io.Writer) error { return WatchJSON(w, st, watching) },
		"doctor": func(w io.Writer) error {
			return DoctorText(w, &Diagnosis{State: st, Evidence: ev, Sample: advice.Sample{Polls: 7, Span: 6 * time.Second}}, Options{Overview: &o})
		},
		"check": func(w io.Writer) error {
			level, err := Check(w, o.States, o.Quiet, OnAny)
			if level != model.LevelCritical {
				t.Errorf("check: %v", level)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var page bytes.Buffer
			if err := write(&page); err != nil {
				t.Fatal(err)
			}
			golden.RequireEqual(t, page.Bytes())
		})
	}
}
