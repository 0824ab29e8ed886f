package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"ephtop/model"
	"ephtop/source"
)

// behindNAT is a host that holds ports of a NAT on the way.
func behindNAT(level model.Level, live, timeWait, unanswered int) *model.State {
	st := busyHost()
	st.TCP.Pressure.Tuples[0].FirstHalf = 7
	st.Way = &model.WayPool{
		Remote: source.Addr4([4]byte{93, 184, 216, 34}), RemotePort: 443, Proto: source.TCP, Ports: 55_000,
		Live: live, Opening: unanswered, Unanswered: unanswered, TimeWait: timeWait, Gone: 10, Level: level,
	}
	st.Level = max(st.Level, level)
	return st
}

// A NAT on the way is judged where whatever is worst is, and so is a limit that shows
// without one.
func TestCheckOfNATOnTheWay(t *testing.T) {
	t.Parallel()
	limited := busyHost()
	limited.TCP.Pressure.Level, limited.Level = model.LevelOK, model.LevelWarning
	limited.Findings = []model.Finding{{
		Problem: model.WayLimit, Level: model.LevelWarning, Live: 20, Count: 6,
		Tuple: model.TupleKey{Destination: source.Addr4([4]byte{93, 184, 216, 34}), Port: 443},
	}}
	for want, c := range map[string]struct {
		st  *model.State
		on  CheckOn
		nat string
	}{
		"EPHTOP CRITICAL - 81.8 to 91.1 % of 55,000 ports of the NAT on the way to 93.184.216.34:443 used | tuple=63.8%":                                                              {behindNAT(model.LevelCritical, 45_000, 5_111, 0), OnAny, " nat=81.8%;60;80;0;100 nat_most=91.1%;60;;0;100\n"},
		"EPHTOP CRITICAL - no port of 55,000 of the NAT on the way is free to 93.184.216.34:443, 7 connects without an answer | tuple=63.8%":                                          {behindNAT(model.LevelExhausted, 55_000, 0, 7), OnAny, " nat=100%;60;80;0;100 nat_most=100%;60;;0;100\n"},
		"EPHTOP WARNING - 63.8 % of 28,222 ports to 10.0.9.2:5432 used; but 72.7 to 82 % of 55,000 ports of the NAT on the way to 93.184.216.34:443 used, see --on any | tuple=63.8%": {behindNAT(model.LevelCritical, 40_000, 5_111, 0), OnTuple, ""},
		"EPHTOP WARNING - a limit on the way to 93.184.216.34:443, it seems: 20 connections live, 6 connects without an answer | tuple=":                                              {limited, OnAny, ""},
	} {
		var b bytes.Buffer
		if _, err := Check(&b, []*model.State{c.st}, nil, c.on); err != nil || !strings.HasPrefix(b.String(), want) ||
			!strings.HasSuffix(b.String(), c.nat) || strings.Contains(b.String(), " nat=") != (c.nat != "") {
			t.Errorf("%v: %s", err, &b)
		}
	}
	var b bytes.Buffer
	if err := WatchText(&b, behindNAT(model.LevelCritical, 40_000, 5_111, 0), WatchOptions{}); err != nil || !strings.Contains(b.String(), "CRITICAL: 72.7 to 82 % of 55,000 ports of the NAT") {
		t.Errorf("%v: %s", err, &b)
	}
}

func TestJSONOfNATOnTheWay(t *testing.T) {
	t.Parallel()
	st := behindNAT(model.LevelWarning, 30_000, 9_000, 3)
	st.Processes[0].Name = "wor\x1bker"
	var b bytes.Buffer
	if err := JSON(&b, st, Options{}); err != nil {
		t.Fatal(err)
	}
	var page struct {
		Ways []jsonWay `json:"nat_on_the_way"`
	}
	if err := json.Unmarshal(b.Bytes(), &page); err != nil || len(page.Ways) != 1 {
		t.Fatalf("%v: %+v", err, page)
	}
	p := page.Ways[0]
	if p.Destination != "93.184.216.34" || p.Port != 443 || p.Proto != "tcp" || p.Used != 39_013 || p.Ports != 55_000 || p.Percent != 70.9 || p.Live != 30_000 ||
		p.Opening != 3 || p.Unanswered != 3 || p.TimeWait != 9_000 || p.Closed != 10 || p.Level != "warning" {
		t.Errorf("%+v", p)
	}
	if p.Process == nil || p.Process.PID != st.Processes[0].PID || strings.ContainsRune(p.Process.Name, 0x1b) {
		t.Errorf("%+v", p.Process)
	}
	b.Reset()
	if err := JSON(&b, busyHost(), Options{}); err != nil || strings.Contains(b.String(), "nat_on_the_way") {
		t.Errorf("%v: there is none, and it is told of", err)
	}
}

func TestPagesOfNATOnTheWay(t *testing.T) {
	t.Parallel()
	st := behindNAT(model.LevelWarning, 30_000, 9_000, 3)
	var page, markdown bytes.Buffer
	if err := Text(&page, st, Options{}); err != nil || !strings.Contains(page.String(), "NAT     on the way: 55 to 71 % of 55,000 TCP ports to 93.184.216.34:443 used,\n        warning\n") {
		t.Errorf("%v: %s", err, &page)
	}
	if err := Markdown(&markdown, st, Options{}); err != nil || !strings.Contains(markdown.String(), "| NAT on the way to 93.184.216.34:443 | 30,000 to 39,013 | 15,987 to 25,000 | 54.5 to 70.9 % |") {
		t.Errorf("%v: %s", err, &markdown)
	}
}
