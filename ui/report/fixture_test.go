package report

import (
	"net/netip"
	"time"

	"ephtop/model"
	"ephtop/source"
)

func addr(s string) source.Addr { return source.AddrFrom(netip.MustParseAddr(s)) }

// The fixture's processes, by index.
const (
	java = iota
	formula
	sshd
	resolver
)

// The fixture's sockets, by index.
const (
	established = iota
	timeWaitObserved
	timeWaitInferred
	timeWaitUnknown
	closeWait6
	listener
	orphan
	accepted
	resolving
)

// busyHost is a host in trouble: few sockets, but the figures of many.
func busyHost() *model.State {
	var (
		web, db     = addr("10.0.0.9"), addr("10.0.9.2")
		six, far    = addr("2001:db8:12:3400:5678:9abc:def0:1234"), addr("2001:db8:ffff:ffff:ffff:ffff:ffff:9f01")
		none        = source.NoProcess
		snap        = &source.Snapshot{}
		postgres    = model.TupleKey{Source: web, Destination: db, Port: 5432}
		https       = model.TupleKey{Source: six, Destination: far, Port: 44300}
		metrics     = model.TupleKey{Source: addr("127.0.0.1"), Destination: addr("127.0.0.1"), Port: 9090}
		tw          = source.TimerTimeWait
		mom         = &source.Moment{}
		st          = &model.State{Moment: mom, Snapshot: snap, Thresholds: model.DefaultThresholds, Level: model.LevelWarning}
		tcp, udp    = &st.TCP, &st.UDP
		reservation = []source.PortRange{{Low: 40000, High: 40009}, {Low: 1, High: 2}}
	)
	*mom = source.Moment{
		Time: time.Date(2026, 11, 22, 13, 4, 31, 120e6, time.FixedZone("CET", 3600)), Took: 41200 * time.Microsecond,
		Host: "web-01", OS: "linux", Kernel: "6.18", Source: "sockdiag",
		Limits: []source.Limit{{Detail: "processes of other users are hidden:\x1b[31m run as root to see them"}, {
			Detail: "bound and unconnected sockets are not listed by kernels before 6.8, so ports that are blocked for every destination may be missing",
		}},
	}
	*snap = source.Snapshot{
		Inodes: true,
		Settings: source.Settings{Range: source.PortRange{Low: 32768, High: 60999}, Reserved: reservation, TimeWait: time.Minute,
			ReuseTimeWait: 2, ReuseDelay: time.Second, Timestamps: 1,
			Default: source.PortRange{Low: 32768, High: 60999}, Parity: true},
		Sockets: []source.Socket{
			established:      {Proto: source.TCP, State: source.Established, Local: web, LocalPort: 41822, Remote: db, RemotePort: 5432, UID: 33, Inode: 501},
			timeWaitObserved: {Proto: source.TCP, State: source.TimeWait, Local: web, LocalPort: 41823, Remote: db, RemotePort: 5432, Timer: tw, Expires: 48000},
			timeWaitInferred: {Proto: source.TCP, State: source.TimeWait, Local: web, LocalPort: 41824, Remote: db, RemotePort: 5432, Timer: tw, Expires: 12000},
			timeWaitUnknown:  {Proto: source.TCP, State: source.TimeWait, Local: web, LocalPort: 41825, Remote: db, RemotePort: 5432, Timer: tw, Expires: 0},
			closeWait6: {Proto: source.TCP, State: source.CloseWait, Local: six, LocalPort: 60999, Remote: far, RemotePort: 44300, Family6: true,
				UID: 1000, Inode: 502, Timer: source.TimerKeepalive, Expires: 7000},
			listener:  {Proto: source.TCP, State: source.Listen, Local: addr("::"), LocalPort: 22, Family6: true, Inode: 503},
			orphan:    {Proto: source.TCP, State: source.FinWait1, Local: web, LocalPort: 41826, Remote: db, RemotePort: 5432, Timer: source.TimerRetransmit, Expires: 200},
			accepted:  {Proto: source.TCP, State: source.Established, Local: web, LocalPort: 22, Remote: addr("10.0.7.7"), RemotePort: 50122, Inode: 504},
			resolving: {Proto: source.UDP, State: source.Bound, Local: addr("0.0.0.0"), LocalPort: 40010, UID: 101, Inode: 505},
		},
	}
	st.Processes = []source.Process{
		java:     {PID: 3120, Name: "java", UID: 33, User: "www-data"},
		formula:  {PID: 4410, Name: "=HYPERLINK(\"http://x\",\"\x1b]0;owned\a\n<b>\")", UID: 1000, User: "-eve"},
		sshd:     {PID: 1, Name: "sshd", User: "root"},
		resolver: {PID: 77, Name: "resolved\xff", UID: 101, User: "systemd-resolve"},
	}
	st.Rows = []model.Row{
		established:      {Process: java, Tier: model.OwnerObserved, Ephemeral: true},
		timeWaitObserved: {Process: java, Tier: model.OwnerObserved, Ephemeral: true},
		timeWaitInferred: {Process: java, Tier: model.OwnerInferred, Ephemeral: true},
		timeWaitUnknown:  {Process: none, Ephemeral: true},
		closeWait6:       {Process: formula, Tier: model.OwnerObserved, Ephemeral: true},
		listener:         {Process: sshd, Tier: model.OwnerObserved},
		orphan:           {Process: none, Ephemeral: true},
		accepted:         {Process: sshd, Tier: model.OwnerObserved},
		resolving:        {Process: resolver, Tier: model.OwnerObserved, Ephemeral: true},
	}
	tcp.Pressure = model.Pressure{Proto: source.TCP, Usable: 28222, InUse: 18330, Live: 8530, TimeWait: 9800, Level: model.LevelWarning,
		Tuples: []model.TupleUse{
			{TupleKey: postgres, Live: 8202, TimeWait: 9804, Used: 18006, Free: 10216, FirstHalf: 14111, FirstHalfSize: 14111, Level: model.LevelWarning,
				Outlook: model.Outlook{Trend: model.TrendDrains, In: time.Minute, Plateau: 8202, Keeps: time.Minute, Sustainable: 333.67}},
			{TupleKey: https, Live: 311, Used: 311, Free: 27911, FirstHalf: 311, FirstHalfSize: 14111,
				Outlook: model.Outlook{Trend: model.TrendSteady, Plateau: 311, Keeps: time.Minute, Sustainable: 465.18}},
			{TupleKey: metrics, Live: 13, Used: 13, Free: 28209, Reusable: 0, FirstHalf: 12, FirstHalfSize: 14111,
				Outlook: model.Outlook{Trend: model.TrendSteady, Plateau: 13, Keeps: time.Minute, Sustainable: 470.15}},
		}}
	st.Outlook = tcp.Pressure.Tuples[0].Outlook
	tcp.Pressure.BindPools = []model.BindPool{{Local: web, Used: 18019, Free: 10203, Level: model.LevelWarning}}
	udp.Pressure = model.Pressure{Proto: source.UDP, Usable: 28222, InUse: 212,
		BindPools: []model.BindPool{{Local: addr("0.0.0.0"), Used: 212, Free: 28010}}}
	tcp.States = model.StateCounts{source.Established: 5871, source.TimeWait: 11204, source.CloseWait: 702, source.Listen: 14, source.FinWait1: 1}
	udp.States = model.StateCounts{source.Bound: 212, source.Established: 3}
	tcp.Consumers[model.ByProcess] = []model.Consumer{
		{Process: java, Tier: model.OwnerObserved, Ports: 11_843, Likely: 3641, Sockets: 12_051, States: model.StateCounts{source.Established: 5300, source.TimeWait: 6751}, Most: postgres},
		{Process: none, Tier: model.OwnerUnknown, Ports: 900, Sockets: 901},
		{Process: formula, Tier: model.OwnerObserved, Ports: 311, Sockets: 311, States: model.StateCounts{source.CloseWait: 311}, Most: https},
		{Process: sshd, Tier: model.OwnerObserved, Sockets: 2, States: model.StateCounts{source.Listen: 1, source.Established: 1}},
	}
	tcp.Consumers[model.ByService] = []model.Consumer{
		{Process: none, Port: 5432, Ports: 18006, Sockets: 18006}, {Process: none, Port: 44300, Ports: 311, Sockets: 311},
		{Process: none, Port: 9090, Ports: 13, Sockets: 14}, {Process: none, Ports: 7, Sockets: 7},
	}
	udp.Consumers[model.ByService] = []model.Consumer{{Process: none, Port: 53, Ports: 3, Sockets: 3}}
	udp.Consumers[model.ByProcess] = []model.Consumer{
		{Process: resolver, Tier: model.OwnerObserved, Ports: 200, Sockets: 210, States: model.StateCounts{source.Bound: 210}},
		{Process: java, Tier: model.OwnerObserved, Ports: 3, Sockets: 3, States: model.StateCounts{source.Established: 3}},
	}
	st.Findings = []model.Finding{
		{Problem: model.TupleFull, Level: model.LevelWarning, Tuple: postgres, Process: java, Tier: model.OwnerObserved, Count: 18006, Of: 28222},
		{Problem: model.SlowConnect, Level: model.LevelWarning, Tuple: postgres, Process: java, Tier: model.OwnerObserved, Count: 14111, Of: 14111},
		{Problem: model.CloseWait, Level: model.LevelWarning, Process: formula, Tier: model.OwnerObserved, Count: 311, Of: 28222},
	}
	return st
}

// idleHost has a range and nothing else.
func idleHost() *model.State {
	st := &model.State{Moment: &source.Moment{
		Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Host: "idle", OS: "darwin", Source: "portable",
	}, Snapshot: &source.Snapshot{
		Settings: source.Settings{Range: source.PortRange{Low: 49152, High: 65535}, Default: source.PortRange{Low: 49152, High: 65535}, Assumed: true,
			ReuseTimeWait: source.UnknownSetting, Timestamps: source.UnknownSetting},
	}}
	st.TCP.Pressure = model.Pressure{Proto: source.TCP, Usable: 16384}
	st.UDP.Pressure = model.Pressure{Proto: source.UDP, Usable: 16384}
	return st
}

// crowd is a host with n connections from one process to 50 destinations.
func crowd(n int) *model.State {
	st := busyHost()
	sockets := make([]source.Socket, n)
	st.Rows = make([]model.Row, n)
	index := make(map[model.TupleKey]bool)
	st.TCP.Pressure.Tuples = nil
	for i := range sockets {
		s := &sockets[i]
		*s = st.Snapshot.Sockets[i%2]
		s.Remote, s.LocalPort = source.Addr4([4]byte{10, 1, 0, byte(i % 50)}), uint16(32768+i/50%28232)
		st.Rows[i] = model.Row{Process: java, Tier: model.OwnerObserved, Ephemeral: true}
		key := model.TupleKey{Source: s.Local, Destination: s.Remote, Port: s.RemotePort}
		if !index[key] {
			index[key] = true
			st.TCP.Pressure.Tuples = append(st.TCP.Pressure.Tuples, model.TupleUse{TupleKey: key, Used: n / 50, Free: 28222 - n/50})
		}
	}
	st.Snapshot.Sockets = sockets
	return st
}

func allRows(st *model.State) []int32 {
	rows := make([]int32, len(st.Rows))
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}
