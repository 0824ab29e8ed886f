package paint

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"ephtop/model"
	"ephtop/model/list"
	"ephtop/source"
	"ephtop/ui/advice"
)

// sampleTime is the moment that the sample state is of.
var sampleTime = time.Date(2026, 11, 22, 12, 4, 31, 120e6, time.UTC)

// sampleView is a busy host on a screen of the given size: one destination
// takes most of the range. It is made up by hand, so that what is drawn does
// not hang on how the model counts.
func sampleView(width, height int) *View {
	st := sampleState(400)
	v := &View{
		Width: width, Height: height, State: st, Total: 18_317,
		Status: StatusLive, Interval: time.Second, Now: sampleTime.Add(200 * time.Millisecond),
		Focus:     PaneConnections,
		Consumers: st.TCP.Consumers[model.ByProcess],
	}
	v.List, v.Folded = foldedList(st), true
	for i := range st.TCP.Pressure.Tuples {
		v.Destinations = append(v.Destinations, int32(i))
	}
	v.Sentence = advice.Sentence{Level: model.LevelWarning, Text: "api (pid 3120) is using up ports to 10.0.9.2:5432: full in 1m 26s"}
	v.ListStates(&st.TCP.States)
	v.Hints, v.Help = sampleKeys("live")
	return v
}

// plainList lists the sockets as they stand.
func plainList(st *model.State) list.List {
	l := list.List{Sockets: len(st.Rows), Waiting: len(st.Rows) / 2}
	for i := range st.Rows {
		l.Rows = append(l.Rows, list.Row(i))
	}
	return l
}

// foldedList lists them folded, and otherwise as they stand, so that all kinds are
// in sight: the folds come third and fifth.
func foldedList(st *model.State) list.List {
	var l list.List
	s := list.Selection{Order: list.Order{Column: list.ColumnWorst}, TCP: true, Fold: true}
	s.List(&l, st)
	folds := 0
	slices.SortFunc(l.Rows, func(a, b list.Row) int { return int(l.Socket(a)) - int(l.Socket(b)) })
	for i, r := range l.Rows {
		if at := min(2+2*folds, i); r < 0 {
			l.Rows = slices.Insert(slices.Delete(l.Rows, i, i+1), at, r)
			folds++
		}
	}
	return l
}

// sampleKeys are keys as the dashboard has them shown: a tested golden file of
// its, a key a line with its group; those without one stand in the footer.
func sampleKeys(name string) (hints []Hint, help []HelpGroup) {
	k := map[string]func() keys{"live": liveKeys, "replay": replayKeys}[name]()
	return slices.Clone(k.hints), slices.Clone(k.help)
}

type keys struct {
	hints []Hint
	help  []HelpGroup
}

var (
	liveKeys   = sync.OnceValue(func() keys { return readKeys("live") })
	replayKeys = sync.OnceValue(func() keys { return readKeys("replay") })
)

func readKeys(name string) (k keys) {
	data, err := os.ReadFile("../testdata/TestKeysAsShown/" + name + ".golden")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		group, h := fields[0], Hint{fields[1], fields[2]}
		if group == "" {
			k.hints = append(k.hints, h)
			continue
		}
		if n := len(k.help); n == 0 || k.help[n-1].Title != group {
			k.help = append(k.help, HelpGroup{Title: group})
		}
		last := &k.help[len(k.help)-1]
		last.Keys = append(last.Keys, h)
	}
	return k
}

func addr(s string) source.Addr { return source.AddrFrom(netip.MustParseAddr(s)) }

// sampleState has so many connections in its list.
func sampleState(sockets int) *model.State {
	settings := source.Settings{
		Range: source.PortRange{Low: 32768, High: 60999}, TimeWait: time.Minute, ReuseTimeWait: 2, Timestamps: 1,
		Default: source.PortRange{Low: 32768, High: 60999}, Parity: true,
	}
	st := &model.State{
		Moment: &source.Moment{
			Time: sampleTime, Took: 41 * time.Millisecond, Host: "web-01", OS: "linux", Kernel: "6.18", Source: "sockdiag",
		},
		Snapshot:   &source.Snapshot{Settings: settings, BoundListed: true, Inodes: true},
		Clock:      sampleTime.UnixNano(),
		Elapsed:    time.Second,
		Thresholds: model.DefaultThresholds,
		Level:      model.LevelWarning,
		Processes: []source.Process{
			{PID: 3120, Start: 1, Name: "api", Command: "/usr/bin/java -Xmx4g -jar /opt/api/api.jar --port 8080", UID: 33, User: "www-data"},
			{PID: 881, Start: 2, Name: "envoy", Command: "envoy -c /etc/envoy/envoy.yaml --concurrency 4", UID: 101, User: "envoy"},
			{PID: 9203, Start: 3, Name: "curl", Command: "curl -s https://example.org/feed", UID: 1000, User: "ada"},
		},
	}
	samplePressure(st)
	sampleConsumers(st)
	for i := range 300 {
		at := sampleTime.Add(time.Duration(i-299) * time.Second)
		used := 5200 + (18_006-5200)*i*i/(299*299)
		st.History = append(st.History, model.Sample{
			Clock: at.UnixNano(), Used: uint16(used), Usable: 28_232, Pool: uint16(used + 4000), UDP: uint16(200 + i%20), Level: st.Thresholds.Level(used, 28_232),
		})
	}
	st.Outlook = model.Outlook{Trend: model.TrendFull, In: 86 * time.Second, Rate: 118, CloseRate: 352, Sustainable: 333, Plateau: 28_232}
	for i := range st.TCP.Pressure.Tuples {
		t := &st.TCP.Pressure.Tuples[i]
		t.Outlook, t.Process = model.Outlook{Trend: model.TrendSteady, Rate: float64(-i)}, min(int32(i), 2)
	}
	st.TCP.Pressure.Tuples[0].Outlook, st.TCP.Pressure.Tuples[0].Tier = st.Outlook, model.OwnerInferred
	for at := sampleTime.Add(-time.Hour).Truncate(model.HourStep); at.Before(sampleTime.Add(-model.HourStep)); at = at.Add(model.HourStep) {
		used := 4800 + int(at.Unix()/10%40)*10
		if i := 300 - int(sampleTime.Sub(at).Seconds()); i > 0 {
			used = 5200 + (18_006-5200)*i*i/(299*299)
		}
		st.Hour = append(st.Hour, model.Sample{Clock: at.UnixNano(), Used: uint16(used), Usable: 28_232, Level: st.Thresholds.Level(used, 28_232)})
	}
	st.Snapshot.Sockets, st.Rows = make([]source.Socket, 0, sockets), make([]model.Row, 0, sockets)
	for i := range sockets {
		addSocket(st, i)
	}
	return st
}

func samplePressure(st *model.State) {
	tuple := func(to string, port uint16, live, timeWait, first int) model.TupleUse {
		used := live + timeWait + 14
		return model.TupleUse{
			TupleKey: model.TupleKey{Source: addr("10.0.4.7"), Destination: addr(to), Port: port},
			Live:     live, TimeWait: timeWait, Blocked: 14, Used: used, Free: 28_232 - used,
			FirstHalf: first, FirstHalfSize: 14_116, Level: st.Thresholds.Level(used, 28_232),
		}
	}
	words, worst := samplePorts()
	st.TCP = model.Protocol{Pressure: model.Pressure{
		Proto: source.TCP, Usable: 28_232, InUse: 22_320, Live: 11_902, TimeWait: 10_404, Blocked: 14,
		Tuples: []model.TupleUse{
			tuple("10.0.9.2", 5432, 8188, 9804, 13_800), tuple("10.0.9.3", 6379, 3020, 404, 2600),
			tuple("2001:db8::9f01", 443, 702, 311, 800), tuple("93.184.216.34", 443, 96, 12, 100),
			tuple("10.0.9.17", 9092, 48, 0, 40),
		},
		BindPools: []model.BindPool{{Local: addr("10.0.4.7"), Used: 22_320, Free: 5912, Level: model.LevelWarning}},
		Map:       model.PortMap{Low: 32768, High: 60999, Words: words},
		WorstMap:  model.PortMap{Low: 32768, High: 60999, Words: worst},
		Level:     model.LevelWarning, PoolLevel: model.LevelWarning,
	}}
	st.TCP.States = model.StateCounts{
		source.Bound: 12, source.SynSent: 168, source.Established: 5871, source.CloseWait: 702, source.FinWait2: 61,
		source.TimeWait: 11_204, source.Listen: 14, source.LastAck: 3,
	}
	st.UDP = model.Protocol{Pressure: model.Pressure{
		Proto: source.UDP, Usable: 28_232, InUse: 212, Live: 212,
		BindPools: []model.BindPool{{Local: addr("10.0.4.7"), Used: 180, Free: 28_052}},
		Map:       model.PortMap{Low: 32768, High: 60999, Words: make([]uint64, 442)},
	}}
	st.UDP.States = model.StateCounts{source.Bound: 140, source.Established: 88}
}

// samplePorts are the words of the two maps of ports.
var samplePorts = sync.OnceValues(func() (words, worst []uint64) {
	words, worst = make([]uint64, 442), make([]uint64, 442)
	for at := range 28_232 {
		if at%2 == 0 && (at < 24_000 || at*7919%28_232 > at) || at%2 != 0 && (at*7919)%100 < 24+at%14 {
			words[at/64] |= 1 << (at % 64)
			if at%2 == 0 || at%3 == 0 {
				worst[at/64] |= 1 << (at % 64)
			}
		}
	}
	return words, worst
})

func sampleConsumers(st *model.State) {
	db := model.TupleKey{Source: addr("10.0.4.7"), Destination: addr("10.0.9.2"), Port: 5432}
	redis := model.TupleKey{Source: addr("10.0.4.7"), Destination: addr("10.0.9.3"), Port: 6379}
	web := model.TupleKey{Source: addr("10.0.4.7"), Destination: addr("93.184.216.34"), Port: 443}
	st.TCP.Consumers[model.ByProcess] = []model.Consumer{
		{Process: 0, Tier: model.OwnerObserved, Ports: 11_843, Likely: 3641, Sockets: 12_051, Rate: 118, Most: db},
		{Process: 1, Tier: model.OwnerObserved, Ports: 3020, Sockets: 3340, Most: redis},
		{Process: source.NoProcess, Ports: 311, Sockets: 311, Rate: -1, Most: db},
		{Process: 2, Tier: model.OwnerObserved, Ports: 96, Sockets: 96, Rate: 1, Most: web},
	}
	st.TCP.Consumers[model.ByDestination] = []model.Consumer{
		{Process: source.NoProcess, Destination: db.Destination, Port: 5432, Ports: 17_992, Rate: 118, Most: db},
		{Process: source.NoProcess, Destination: addr("2001:db8:85a3:8d3:1319:8a2e:370:7348"), Port: 443, Ports: 702},
		{Process: source.NoProcess, Ports: 12},
	}
	st.TCP.Consumers[model.ByService] = []model.Consumer{
		{Process: source.NoProcess, Port: 5432, Ports: 17_992, Rate: 118, Most: db},
		{Process: source.NoProcess, Port: 6379, Ports: 3020, Most: redis},
	}
	st.TCP.Consumers[model.ByUser] = []model.Consumer{
		{Process: source.NoProcess, User: "www-data", Ports: 8202, Most: db},
		{Process: source.NoProcess, Ports: 311, Most: db},
	}
	st.UDP.Consumers[model.ByProcess] = []model.Consumer{{Process: 1, Tier: model.OwnerObserved, Ports: 212, Sockets: 228}}
}

// sampleFindings are one of each weight: long words, several remedies, and
// none.
func sampleFindings() ([]model.Finding, []advice.Advice) {
	return []model.Finding{{Level: model.LevelCritical}, {Level: model.LevelWarning}, {Level: model.LevelOK}}, []advice.Advice{
		{
			Title: "api: 312 closes/s to 10.0.9.2:5432, each for a new connection",
			Seen:  "api (pid 3120) closes 312 connections/s to 10.0.9.2:5432: 8,188 open, 9,804 in TIME_WAIT",
			Why:   "Each connection that is closed here keeps its port towards this destination for 60 s.",
			Remedies: []advice.Remedy{
				{What: "pool the database connections", Config: "pgbouncer.ini: pool_mode = transaction\npool_size = 20",
					Effect: "ends 9,804 TIME_WAIT", Risk: "one that is too small makes callers wait"},
				{What: "let connect() take over TIME_WAIT ports that are a second old, where both sides use timestamps",
					Command: "sysctl -w net.ipv4.tcp_tw_reuse=1 net.ipv4.tcp_timestamps=1 && " +
						"printf 'net.ipv4.tcp_tw_reuse = 1\\n' >/etc/sysctl.d/60-ports.conf",
					Effect: "+9,804 ports"},
			},
		},
		{
			Title: "connect() to 10.0.9.2:5432 will be slow soon", Seen: "13,800 of the 14,116 ports that it tries first are used",
			Remedies: []advice.Remedy{{What: "widen the range", Command: `sysctl -w net.ipv4.ip_local_port_range="10240 65535"`}},
		},
		{Title: "1 server listens on a port of the range: 41000", Seen: "envoy (pid 881)"},
	}
}

// showFindings opens the findings with the cursor somewhere and some unfolded.
func showFindings(v *View, at Stop, unfolded ...int) {
	v.Overlay, v.Stop = OverlayFindings, at
	v.Findings, v.Advice = sampleFindings()
	v.Unfolded = make([]bool, len(v.Findings))
	for _, i := range unfolded {
		v.Unfolded[i] = true
	}
}

// The ends of the connections.
var (
	hostAddr, hostAddr6     = addr("10.0.4.7"), addr("2001:db8::4:7")
	databaseAddr, redisAddr = addr("10.0.9.2"), addr("10.0.9.3")
	webAddr, sixAddr        = addr("93.184.216.34"), addr("2001:db8::9f01")
)

// addSocket adds the i-th connection: a few kinds take turns.
func addSocket(st *model.State, i int) {
	s := source.Socket{
		Local: hostAddr, LocalPort: uint16(41_822 + 2*i), Proto: source.TCP, State: source.Established,
		Process: source.NoProcess, UID: 33, Inode: uint32(70_000 + i), Cookie: uint64(0x5c00 + i),
		Remote: databaseAddr, RemotePort: 5432,
	}
	row := model.Row{Process: 0, Tier: model.OwnerObserved, Ephemeral: true, Outgoing: true}
	age := 41 * time.Second
	switch i % 8 {
	case 1, 2, 6:
		s.State, s.Timer, s.Expires, s.UID, s.Inode = source.TimeWait, source.TimerTimeWait, 48_000-uint32(i%50)*700, 0, 0
		if i%8 == 2 {
			row.Tier = model.OwnerInferred
		} else if i%8 == 6 {
			row.Process, row.Tier = source.NoProcess, model.OwnerUnknown
		}
	case 3:
		s.State, s.Remote, s.RemotePort, age = source.CloseWait, sixAddr, 443, 3*time.Minute
		s.Local, row.Process, s.ReceiveQueue = hostAddr6, 1, 1
	case 4:
		s.State, s.Remote, s.RemotePort, age = source.SynSent, webAddr, 443, 7*time.Second
		row.Process, s.Timer, s.Expires, s.Retransmits = 2, source.TimerRetransmit, 900, 2
	case 5:
		s.Remote, s.RemotePort, age, row.SinceStart, row.Process = redisAddr, 6379, 2*time.Hour, true, 1
	case 7:
		s.State, s.LocalPort, s.Remote, s.RemotePort = source.Listen, 8080, source.Addr4([4]byte{}), 0
		s.Local, row.Ephemeral, row.Outgoing, row.SinceStart, s.SendQueue = s.Remote, false, false, true, 4096
	}
	row.Age = model.SpanOf(age)
	st.Snapshot.Sockets = append(st.Snapshot.Sockets, s)
	st.Rows = append(st.Rows, row)
}

// emptyState is a host without a connection.
func emptyState() *model.State {
	st := sampleState(0)
	free := func(p source.Proto) model.Protocol {
		return model.Protocol{Pressure: model.Pressure{
			Proto: p, Usable: 28_232, Map: model.PortMap{Low: 32768, High: 60999, Words: make([]uint64, 442)},
		}}
	}
	st.TCP, st.UDP = free(source.TCP), free(source.UDP)
	st.Hour = nil
	st.History, st.Outlook, st.Level = st.History[:1], model.Outlook{Trend: model.TrendSteady, Sustainable: 470}, model.LevelOK
	st.History[0] = model.Sample{Clock: sampleTime.UnixNano(), Usable: 28_232}
	return st
}

// showState puts another state into a view.
func showState(v *View, st *model.State) {
	v.State, v.List, v.Total, v.Destinations = st, foldedList(st), len(st.Snapshot.Sockets), nil
	v.ListStates(&st.TCP.States)
	v.Consumers = st.TCP.Consumers[v.Group]
	if st.Level == model.LevelOK {
		v.Sentence = advice.Sentence{Text: "nothing is wrong", Finding: -1}
	}
}

// showDetail opens the details of a connection, by its row.
func showDetail(v *View, row int) {
	v.Overlay = OverlayDetails
	v.Detail = Detail{Tuple: v.State.Snapshot.Sockets[row].Tuple(), Row: row, Use: -1}
	t := &v.Detail.Tuple
	for i, use := range v.State.TCP.Pressure.Tuples {
		if use.Destination == t.Remote && use.Port == t.RemotePort && use.Source == t.Local {
			v.Detail.Use = i
		}
	}
}

// showWho has who there can be: one that has ended, one that is likely, several
// of one name, and which container and unit they are of.
func showWho(v *View) {
	st := v.State
	st.Cgroups = []source.Cgroup{
		{ID: 1, Container: "shop/api-7d9f", Kind: source.ScopePod}, {ID: 2, Unit: "envoy.service"}, {ID: 3, Container: "web", Kind: source.ScopeContainer},
	}
	for i := range st.Processes {
		st.Processes[i].Cgroup = uint64(i + 1)
	}
	st.Exits = make([]time.Time, len(st.Processes))
	st.Exits[0] = sampleTime.Add(-80 * time.Second)
	list := st.TCP.Consumers[model.ByProcess]
	list[1].Tier = model.OwnerInferred
	list[3] = model.Consumer{Process: source.NoProcess, Tier: model.OwnerObserved, Name: "curl", Processes: 7, Ended: 5, Ports: 9, Sockets: 9}
	v.Consumers = append(list, model.Consumer{
		Process: source.NoProcess, Tier: model.OwnerObserved, Name: "a-long-name-of-15", Processes: 1204, Ended: 1204, Ports: 4, Sockets: 4,
	})
}

// showNobody has TIME_WAIT of which nobody knows whose they were.
func showNobody(v *View) {
	v.State.TCP.Pressure.Worst().Process = source.NoProcess
	v.Consumers = []model.Consumer{{Process: source.NoProcess, Ports: 11_204, Sockets: 11_204}, v.Consumers[0]}
}
