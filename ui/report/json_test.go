package report

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"
	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/source"
)

func TestJSON(t *testing.T) {
	for _, c := range []struct {
		name  string
		state *model.State
		o     Options
	}{
		{"busy", busyHost(), Options{Rows: allRows(busyHost())}},
		{"udp", busyHost(), Options{Rows: []int32{resolving}, Protocols: []source.Proto{source.UDP}}},
		{"both", busyHost(), Options{Rows: []int32{}, Protocols: []source.Proto{source.TCP, source.UDP}}},
		{"idle", idleHost(), Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			golden.RequireEqual(t, written(t, JSON, c.state, c.o))
		})
	}
}

// contract is the stable part of the output, as programs know it.
type contract struct {
	Time   string `json:"time"`
	Host   string `json:"host"`
	OS     string `json:"os"`
	Source string `json:"source"`
	Range  struct {
		Low      int `json:"low"`
		High     int `json:"high"`
		Ports    int `json:"ports"`
		Reserved int `json:"reserved"`
		Usable   int `json:"usable"`
	} `json:"range"`
	Pool map[string]struct {
		InUse   int     `json:"in_use"`
		Percent float64 `json:"percent"`
	} `json:"pool"`
	Level    string `json:"level"`
	Findings []struct {
		Problem  string `json:"problem"`
		Level    string `json:"level"`
		Title    string `json:"title"`
		Seen     string `json:"seen"`
		Why      string `json:"why"`
		Remedies []struct {
			What    string `json:"what"`
			Command string `json:"command"`
			Config  string `json:"config"`
			Effect  string `json:"effect"`
			Risk    string `json:"risk"`
		} `json:"remedies"`
	} `json:"findings"`
	Kinds []struct {
		Proto   string `json:"proto"`
		Kind    string `json:"kind"`
		Ports   int    `json:"ports"`
		Likely  int    `json:"likely"`
		Sockets int    `json:"sockets"`
	} `json:"kinds"`
	BindPools map[string][]struct {
		Address string  `json:"address"`
		Used    int     `json:"used"`
		Free    int     `json:"free"`
		Percent float64 `json:"percent"`
		Level   string  `json:"level"`
	} `json:"bind_pools"`
	Tuples []struct {
		Source           string   `json:"source"`
		Destination      string   `json:"destination"`
		Port             int      `json:"port"`
		Used             int      `json:"used"`
		Free             int      `json:"free"`
		Percent          float64  `json:"percent"`
		Blocked          int      `json:"blocked"`
		Suspected        int      `json:"suspected"`
		Closes           float64  `json:"closes_per_second"`
		Sustainable      float64  `json:"sustainable_closes_per_second"`
		Plateau          int      `json:"plateau"`
		SecondsToFull    *float64 `json:"seconds_to_full"`
		TimeWait         int      `json:"time_wait"`
		Reusable         int      `json:"reusable"`
		FirstHalfPercent float64  `json:"first_half_percent"`
		SlowConnect      bool     `json:"slow_connect"`
		Interface        uint32   `json:"interface"`
		Limit            *struct {
			Kind string `json:"kind"`
			Low  uint16 `json:"low"`
			High uint16 `json:"high"`
		} `json:"limit"`
		Level     string `json:"level"`
		Processes []struct {
			PID   int    `json:"pid"`
			Name  string `json:"name"`
			Ports int    `json:"ports"`
		} `json:"processes"`
	} `json:"tuples"`
	States    map[string]int `json:"states"`
	Processes []struct {
		PID     int            `json:"pid"`
		Name    string         `json:"name"`
		Ports   int            `json:"ports"`
		Likely  int            `json:"likely"`
		Sockets int            `json:"sockets"`
		States  map[string]int `json:"states"`
	} `json:"processes"`
	Connections []contractConnection `json:"connections"`
	Failures    struct {
		Observed bool `json:"observed"`
		Count    int  `json:"count"`
		By       []struct {
			PID         int    `json:"pid"`
			Name        string `json:"name"`
			Destination string `json:"destination"`
			Port        int    `json:"port"`
			Count       int    `json:"count"`
		} `json:"by"`
	} `json:"failures"`
	Degraded []string        `json:"degraded"`
	Outlook  contractOutlook `json:"outlook"`
	SNAT     []jsonNAT       `json:"snat"`
}

type contractOutlook struct {
	Verdict   string   `json:"verdict"`
	InSeconds *float64 `json:"in_seconds"`
	SettlesAt *float64 `json:"settles_at"`
}

type contractConnection struct {
	Proto     string  `json:"proto"`
	State     string  `json:"state"`
	Local     string  `json:"local"`
	Remote    string  `json:"remote"`
	Ephemeral *bool   `json:"ephemeral"`
	PID       *int    `json:"pid"`
	Process   *string `json:"process"`
	Owner     string  `json:"owner"`
	UID       *int    `json:"uid"`
	Inode     *int    `json:"inode"`
	ExpiresMS *int    `json:"expires_ms"`
}

func decode(t *testing.T, out []byte) contract {
	t.Helper()
	var c contract
	d := json.NewDecoder(bytes.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		t.Fatalf("decode: %v\n%s", err, out)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Fatalf("there is more after the object: %v", err)
	}
	return c
}

func ptr[T any](v T) *T { return &v }

func TestJSONConnectionKeepsTheContract(t *testing.T) {
	state := busyHost()
	connections := decode(t, written(t, JSON, state, Options{Rows: allRows(state)})).Connections
	for _, c := range []struct {
		name string
		row  int
		want contractConnection
	}{
		{"a live socket has the kernel's uid and inode, and no end", established, contractConnection{
			Proto: "tcp", State: "ESTABLISHED", Local: "10.0.0.9:41822", Remote: "10.0.9.2:5432", Ephemeral: ptr(true),
			PID: ptr(3120), Process: ptr("java"), Owner: "observed", UID: ptr(33), Inode: ptr(501)}},
		{"TIME_WAIT has the uid of the observed process", timeWaitObserved, contractConnection{
			Proto: "tcp", State: "TIME_WAIT", Local: "10.0.0.9:41823", Remote: "10.0.9.2:5432", Ephemeral: ptr(true),
			PID: ptr(3120), Process: ptr("java"), Owner: "observed", UID: ptr(33), Inode: ptr(0), ExpiresMS: ptr(48000)}},
		{"an inferred owner is named but lends no uid", timeWaitInferred, contractConnection{
			Proto: "tcp", State: "TIME_WAIT", Local: "10.0.0.9:41824", Remote: "10.0.9.2:5432", Ephemeral: ptr(true),
			PID: ptr(3120), Process: ptr("java"), Owner: "inferred", Inode: ptr(0), ExpiresMS: ptr(12000)}},
		{"an unknown owner is left out, an end right now is not", timeWaitUnknown, contractConnection{
			Proto: "tcp", State: "TIME_WAIT", Local: "10.0.0.9:41825", Remote: "10.0.9.2:5432", Ephemeral: ptr(true),
			Owner: "unknown", Inode: ptr(0), ExpiresMS: ptr(0)}},
		{"IPv6 has brackets, a name keeps no escape sequence, keepalive is no end", closeWait6, contractConnection{
			Proto: "tcp", State: "CLOSE_WAIT", Local: "[2001:db8:12:3400:5678:9abc:def0:1234]:60999",
			Remote: "[2001:db8:ffff:ffff:ffff:ffff:ffff:9f01]:44300", Ephemeral: ptr(true),
			PID: ptr(4410), Process: ptr(`=HYPERLINK("http://x"," <b>")`), Owner: "observed", UID: ptr(1000), Inode: ptr(502)}},
		{"root's uid 0 is printed where the kernel says so", listener, contractConnection{
			Proto: "tcp", State: "LISTEN", Local: "[::]:22", Remote: "[::]:0", Ephemeral: ptr(false),
			PID: ptr(1), Process: ptr("sshd"), Owner: "observed", UID: ptr(0), Inode: ptr(503)}},
		{"an orphan's uid is a filler", orphan, contractConnection{
			Proto: "tcp", State: "FIN_WAIT1", Local: "10.0.0.9:41826", Remote: "10.0.9.2:5432", Ephemeral: ptr(true),
			Owner: "unknown", Inode: ptr(0)}},
		{"UDP", resolving, contractConnection{
			Proto: "udp", State: "BOUND", Local: "0.0.0.0:40010", Remote: "[::]:0", Ephemeral: ptr(true),
			PID: ptr(77), Process: ptr("resolved�"), Owner: "observed", UID: ptr(101), Inode: ptr(505)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, connections[c.row]); diff != "" {
				t.Errorf("connection (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJSONCountsByProtocol(t *testing.T) {
	for _, c := range []struct {
		name      string
		protocols []source.Proto
		states    map[string]int
		ports     []int // of the processes
	}{
		{"TCP when nothing is said", nil,
			map[string]int{"ESTABLISHED": 5871, "TIME_WAIT": 11204, "CLOSE_WAIT": 702, "LISTEN": 14, "FIN_WAIT1": 1}, []int{8202, 311, 0}},
		{"UDP", []source.Proto{source.UDP},
			map[string]int{"BOUND": 212, "ESTABLISHED": 3}, []int{200, 3}},
		{"both are added up", []source.Proto{source.TCP, source.UDP},
			map[string]int{"BOUND": 212, "ESTABLISHED": 5874, "TIME_WAIT": 11204, "CLOSE_WAIT": 702, "LISTEN": 14, "FIN_WAIT1": 1}, []int{8205, 311, 200, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := decode(t, written(t, JSON, busyHost(), Options{Protocols: c.protocols}))
			var ports []int
			for _, p := range got.Processes {
				ports = append(ports, p.Ports)
			}
			if diff := cmp.Diff(c.states, got.States); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.ports, ports); diff != "" {
				t.Errorf("ports of the processes (-want +got):\n%s", diff)
			}
		})
	}
}

// A port of the range that is reserved is not ephemeral, wherever that is said.
func TestReservedPortsAreNotEphemeral(t *testing.T) {
	t.Parallel()
	m := new(source.Moment)
	snap := m.Add(source.Scope{})
	snap.Settings = source.Settings{
		Range: source.PortRange{Low: 40000, High: 40003}, Reserved: []source.PortRange{{Low: 40001, High: 40002}},
	}
	for port := uint16(39999); port <= 40004; port++ {
		snap.Sockets = append(snap.Sockets, source.Socket{Proto: source.TCP, State: source.Established, Process: source.NoProcess,
			Local: addr("10.0.0.9"), LocalPort: port, Remote: addr("10.0.9.2"), RemotePort: 5432})
	}
	var o model.Overview
	model.NewFleet(model.Options{}).Update(m, &o)
	st := o.States[0]
	rows := Options{Rows: allRows(st)}
	var inRow, inJSON, inCSV []bool
	for i, c := range decode(t, written(t, JSON, st, rows)).Connections {
		inRow, inJSON = append(inRow, st.Rows[i].Ephemeral), append(inJSON, *c.Ephemeral)
	}
	for line := range strings.Lines(string(written(t, CSV, st, rows))) {
		if field := strings.Split(line, ",")[6]; field != "ephemeral" {
			inCSV = append(inCSV, field == "true")
		}
	}
	want := []bool{false, true, false, false, true, false}
	for _, got := range [][]bool{inRow, inJSON, inCSV} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ephemeral: ports 39999 to 40004 (-want +got):\n%s", diff)
		}
	}
}

func TestJSONHoldersOfATuple(t *testing.T) {
	state := busyHost()
	// A second socket on the same port (SO_REUSEPORT on two devices) is no
	// second port, and a port outside the range none at all.
	for _, s := range []struct {
		port      uint16
		process   int32
		ephemeral bool
	}{{41822, java, true}, {50001, sshd, true}, {50002, sshd, true}, {50003, sshd, true}, {1000, java, false}} {
		extra := state.Snapshot.Sockets[established]
		extra.LocalPort = s.port
		state.Snapshot.Sockets = append(state.Snapshot.Sockets, extra)
		state.Rows = append(state.Rows, model.Row{Process: s.process, Tier: model.OwnerTraced, Ephemeral: s.ephemeral})
	}
	got := decode(t, written(t, JSON, state, Options{})).Tuples
	type held struct {
		PID   int
		Ports int
	}
	var lists [][]held
	for _, tuple := range got {
		list := []held{}
		for _, p := range tuple.Processes {
			list = append(list, held{p.PID, p.Ports})
		}
		lists = append(lists, list)
	}
	want := [][]held{{{1, 3}, {3120, 2}}, {{4410, 1}}, {}}
	if diff := cmp.Diff(want, lists); diff != "" {
		t.Errorf("processes of the tuples, most ports first, inferred ones left out (-want +got):\n%s", diff)
	}
}

func TestJSONFailures(t *testing.T) {
	state := busyHost()
	state.Failures = model.Failures{Observed: true, Count: 30, Recent: 2, Last: state.Moment.Time, By: []model.Failure{
		{Process: source.Process{PID: 9203, Name: "cu\x1b[mrl"}, Destination: addr("10.0.9.2"), Port: 5432, Count: 30},
	}}
	got := decode(t, written(t, JSON, state, Options{})).Failures
	if !got.Observed || got.Count != 30 || len(got.By) != 1 || got.By[0].Name != "curl" || got.By[0].Count != 30 {
		t.Errorf("failures = %+v, want 30 of curl, observed", got)
	}
	want := "\nfailed  30 connects for want of a port\n        30 by curl 9203 to 10.0.9.2:5432\n"
	if out := written(t, Text, state, Options{}); !bytes.Contains(out, []byte(want)) {
		t.Errorf("no word of the failures in\n%s", out)
	}
}

// largest remembers the size of the largest write.
type largest int

func (l *largest) Write(b []byte) (int, error) {
	*l = max(*l, largest(len(b)))
	return len(b), nil
}

func TestJSONIsWrittenPieceByPiece(t *testing.T) {
	state := crowd(20_000)
	var size largest
	if err := JSON(&size, state, Options{Rows: allRows(state)}); err != nil {
		t.Fatal(err)
	}
	if size > 64<<10 {
		t.Errorf("the largest write has %d bytes, so the whole was held in memory", size)
	}
}

func BenchmarkJSON(b *testing.B) {
	state := crowd(20_000)
	o := Options{Rows: allRows(state)}
	b.ReportAllocs()
	for b.Loop() {
		if err := JSON(io.Discard, state, o); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkJSONByReflection encodes the same rows with encoding/json, to
// compare: it is why connections are appended by hand.
func BenchmarkJSONByReflection(b *testing.B) {
	state := crowd(20_000)
	var out bytes.Buffer
	if err := JSON(&out, state, Options{Rows: allRows(state)}); err != nil {
		b.Fatal(err)
	}
	var c contract
	if err := json.Unmarshal(out.Bytes(), &c); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		e := json.NewEncoder(io.Discard)
		for i := range c.Connections {
			if err := e.Encode(&c.Connections[i]); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func TestJSONOutlook(t *testing.T) {
	number := func(n float64) *float64 { return &n }
	for _, c := range []struct {
		name      string
		outlook   model.Outlook
		want      contractOutlook
		seconds   *float64 // to full
		closes    float64
		sustained float64
	}{
		{"full, in a while", model.Outlook{Trend: model.TrendFull, In: 86500 * time.Millisecond, Plateau: 36000, CloseRate: 240.04, Sustainable: 333.67},
			contractOutlook{"full", number(86.5), nil}, number(86.5), 240, 333.7},
		{"full now", model.Outlook{Trend: model.TrendFull, Plateau: 28222}, contractOutlook{"full", number(0), nil}, nil, 0, 0},
		{"levels off", model.Outlook{Trend: model.TrendLevelsOff, In: 50 * time.Second, Plateau: 20000, CloseRate: 20}, contractOutlook{"levels_off", number(50), number(20000)}, nil, 20, 0},
		{"drains", model.Outlook{Trend: model.TrendDrains, In: 30 * time.Second, Plateau: 8202}, contractOutlook{"drains", number(30), number(8202)}, nil, 0, 0},
		{"steady", model.Outlook{Trend: model.TrendSteady, Plateau: 18006}, contractOutlook{"steady", nil, number(18006)}, nil, 0, 0},
		{"not known", model.Outlook{Plateau: 18006}, contractOutlook{"unknown", nil, nil}, nil, 0, 0},
	} {
		state := busyHost()
		state.Outlook, state.TCP.Pressure.Tuples[0].Outlook = c.outlook, c.outlook
		got := decode(t, written(t, JSON, state, Options{}))
		if diff := cmp.Diff(c.want, got.Outlook); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		first, second := &got.Tuples[0], &got.Tuples[1]
		if first.Closes != c.closes || first.Sustainable != c.sustained || first.Plateau != c.outlook.Plateau {
			t.Errorf("%s: the worst tuple is %+v", c.name, *first)
		}
		if diff := cmp.Diff(c.seconds, first.SecondsToFull); diff != "" || second.SecondsToFull != nil {
			t.Errorf("%s: seconds_to_full (-want +got):\n%s, of another tuple %v", c.name, diff, second.SecondsToFull)
		}
	}
}

func TestJSONFindings(t *testing.T) {
	state := busyHost()
	got := decode(t, written(t, JSON, state, Options{})).Findings
	if len(got) == 0 || got[0].Problem != "tuple-full" || got[0].Level != "warning" {
		t.Fatalf("findings = %+v, want the full tuple first", got)
	}
	for _, f := range got {
		if f.Title == "" || f.Seen == "" || f.Why == "" || len(f.Remedies) == 0 {
			t.Errorf("something is left out of %+v", f)
		}
	}
}

// A share is 100 % where all is used, and not before.
func TestShareTenth(t *testing.T) {
	t.Parallel()
	for share, want := range map[float64]float64{0: 0, 63.78: 63.8, 99.94: 99.9, 99.996: 99.9, 100: 100, 117.66: 117.7} {
		if got := shareTenth(share); got != want {
			t.Errorf("%v is written as %v, want %v", share, got, want)
		}
	}
}
