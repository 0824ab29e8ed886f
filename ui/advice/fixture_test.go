package advice_test

import (
	"net/netip"
	"slices"
	"time"

	"ephtop/model"
	"ephtop/source"
)

// The fixture's processes, by index.
const (
	java = iota
	hostile
	postgres
)

var (
	database = tuple("10.0.0.9", "10.0.9.2:5432")
	loopback = tuple("127.0.0.1", "127.0.0.1:6379")
	six      = tuple("2001:db8:12:3400:5678:9abc:def0:1234", "[2001:db8:ffff:ffff:ffff:ffff:ffff:9f01]:44300")
)

func tuple(from, to string) model.TupleKey {
	ap := netip.MustParseAddrPort(to)
	return model.TupleKey{
		Source: source.AddrFrom(netip.MustParseAddr(from)), Destination: source.AddrFrom(ap.Addr()), Port: ap.Port(),
	}
}

// host is a Linux host with the default range.
func host() *model.State {
	st := &model.State{
		Moment: &source.Moment{OS: "linux", Kernel: "6.18.1", Source: "sockdiag"},
		Snapshot: &source.Snapshot{
			Settings: source.Settings{
				Range: source.PortRange{Low: 32768, High: 60999}, TimeWait: time.Minute,
				ReuseTimeWait: 2, ReuseDelay: time.Second, Timestamps: 1, MaxTimeWait: 131072,
				Default: source.PortRange{Low: 32768, High: 60999}, Parity: true,
			},
		},
		Processes: []source.Process{
			java:     {PID: 3120, Name: "java"},
			hostile:  {PID: 666, Name: "a\x1b[2Jb\nc\u202e" + "a very long name that no kernel would keep"},
			postgres: {PID: 77, Name: "postgres"},
		},
		Thresholds: model.DefaultThresholds,
	}
	st.TCP.Pressure = model.Pressure{Proto: source.TCP, Usable: 28232}
	st.UDP.Pressure = model.Pressure{Proto: source.UDP, Usable: 28232}
	return st
}

// with changes a state.
func with(st *model.State, changes ...func(*model.State)) *model.State {
	for _, change := range changes {
		change(st)
	}
	return st
}

// towards adds a tuple with live ports and TIME_WAIT, of which as many as
// said are older than a second.
func towards(key model.TupleKey, live, waiting, old int) func(*model.State) {
	return func(st *model.State) {
		p := &st.TCP.Pressure
		used := live + waiting
		p.Tuples = append(p.Tuples, model.TupleUse{
			TupleKey: key, Live: live, TimeWait: waiting, Used: used, Free: p.Usable - used, Closing: 590, Process: source.NoProcess,
			Outlook:   model.Outlook{CloseRate: 118, Plateau: live + int(118*st.Snapshot.Settings.TimeWait.Seconds()), Keeps: st.Snapshot.Settings.TimeWait},
			FirstHalf: min(used, p.Usable/2), FirstHalfSize: p.Usable / 2,
		})
		st.Snapshot.Sockets, st.Rows = slices.Grow(st.Snapshot.Sockets, waiting), slices.Grow(st.Rows, waiting)
		for i := range waiting {
			s := source.Socket{
				Proto: source.TCP, State: source.TimeWait, Timer: source.TimerTimeWait, Expires: 59_500,
				Local: key.Source, LocalPort: st.Snapshot.Settings.Range.Low + uint16(i), Remote: key.Destination, RemotePort: key.Port,
			}
			if i < old {
				s.Expires = 20_000
			}
			st.Snapshot.Sockets = append(st.Snapshot.Sockets, s)
			st.Rows = append(st.Rows, model.Row{Process: source.NoProcess, Tier: model.OwnerObserved, Ephemeral: true})
		}
	}
}

func add(s source.Socket, process int32) func(*model.State) {
	return func(st *model.State) {
		st.Snapshot.Sockets = append(st.Snapshot.Sockets, s)
		st.Rows = append(st.Rows, model.Row{Process: process, Tier: model.OwnerObserved})
	}
}

// listens adds a server.
func listens(proto source.Proto, port uint16, process int32) func(*model.State) {
	s := source.Socket{Proto: proto, State: source.Listen, LocalPort: port}
	if proto == source.UDP {
		s.State = source.Bound
	}
	return add(s, process)
}

func settings(change func(*source.Settings)) func(*model.State) {
	return func(st *model.State) {
		change(&st.Snapshot.Settings)
		usable := st.Snapshot.Settings.Usable()
		st.TCP.Pressure.Usable, st.UDP.Pressure.Usable = usable, usable
		st.TCP.Pressure.PoolOnly = st.Snapshot.Settings.PoolOnly
	}
}

// on makes it a host of another system with a range and a TIME_WAIT.
func on(system string, low, high uint16, wait time.Duration) func(*model.State) {
	return func(st *model.State) {
		st.Moment.OS, st.Moment.Kernel = system, ""
		settings(func(s *source.Settings) {
			*s = source.Settings{
				Range: source.PortRange{Low: low, High: high}, TimeWait: wait, PoolOnly: system == "darwin",
				ReuseTimeWait: source.UnknownSetting, Timestamps: source.UnknownSetting, MaxTimeWait: source.UnknownSetting,
			}
		})(st)
	}
}

func uses(proto source.Proto, port uint16, n int) func(*model.State) {
	return func(st *model.State) {
		list := &st.Of(proto).Consumers[model.ByService]
		*list = append(*list, model.Consumer{Port: port, Ports: n, Sockets: n})
	}
}
