// Package modeltest makes states by hand, for the tests of what reads them.
package modeltest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"ephtop/model"
	"ephtop/source"
)

// now is the moment of the states.
var now = time.Date(2026, 11, 22, 12, 4, 31, 0, time.UTC)

// Socket is a socket as a test writes it.
type Socket struct {
	Proto         source.Proto // 0 stands for TCP
	Local, Remote string       // host:port; "" for the wildcard of IPv4 with port 0
	State         source.State
	Process       int32 // index into the processes, or source.NoProcess
	Tier          model.Tier
	Age           time.Duration
	UID, Inode    uint32
	Cookie        uint64
	Left          time.Duration // of a TIME_WAIT
	Server        bool          // that it came in through a listener
}

// State makes a state of processes and their sockets.
func State(processes []source.Process, sockets ...Socket) *model.State {
	st := &model.State{Moment: &source.Moment{Time: now}, Snapshot: new(source.Snapshot), Clock: now.UnixNano(), Processes: processes}
	for _, t := range sockets {
		s := source.Socket{Proto: t.Proto, State: t.State, Process: t.Process, UID: t.UID, Inode: t.Inode, Cookie: t.Cookie}
		s.Local, s.LocalPort = end(t.Local)
		s.Remote, s.RemotePort = end(t.Remote)
		if s.Proto == 0 {
			s.Proto = source.TCP
		}
		if t.Left > 0 {
			s.Timer, s.Expires = source.TimerTimeWait, uint32(t.Left/time.Millisecond)
		}
		st.Snapshot.Sockets = append(st.Snapshot.Sockets, s)
		st.Rows = append(st.Rows, model.Row{
			Process: t.Process, Tier: t.Tier, Age: model.SpanOf(t.Age), Outgoing: s.RemotePort != 0 && !t.Server,
		})
	}
	return st
}

func end(s string) (source.Addr, uint16) {
	if s == "" {
		return source.Addr4([4]byte{}), 0
	}
	e := netip.MustParseAddrPort(s)
	return source.AddrFrom(e.Addr()), e.Port()
}

// Random makes a state such as a busy client host has: few destinations,
// most sockets in TIME_WAIT, a tenth of them IPv6.
func Random(n int) *model.State {
	r := rand.New(rand.NewPCG(1, 2))
	st := &model.State{Moment: &source.Moment{Time: now}, Snapshot: new(source.Snapshot), Clock: now.UnixNano()}
	for i := range 200 {
		st.Processes = append(st.Processes, source.Process{
			PID: int32(r.IntN(1 << 22)), Name: fmt.Sprintf("worker-%d", i%40), User: "www-data", UID: 33,
			Command: fmt.Sprintf("/usr/local/bin/worker --config /etc/worker/worker-%d.toml --verbose --listen 0.0.0.0:8080", i),
		})
	}
	states := []source.State{source.TimeWait, source.TimeWait, source.Established, source.CloseWait, source.SynSent}
	for i := range n {
		s := source.Socket{
			Proto: source.TCP, State: states[r.IntN(len(states))], Process: source.NoProcess, Cookie: uint64(i + 1), Inode: uint32(i + 1),
			Local: source.Addr4([4]byte{10, 0, 4, 7}), LocalPort: uint16(32768 + r.IntN(28232)),
			Remote: source.Addr4([4]byte{10, 0, 9, byte(r.IntN(20))}), RemotePort: 5432,
		}
		switch {
		case i%10 == 0:
			s.Local = source.Addr{0x20, 0x01, 0x0d, 0xb8, 15: 7}
			s.Remote = source.Addr{0x20, 0x01, 0x0d, 0xb8, 15: byte(r.IntN(20))}
		case i%50 == 1:
			s.Proto = source.UDP
		}
		row := model.Row{Process: source.NoProcess, Outgoing: true, Age: model.SpanOf(time.Duration(r.IntN(60)) * time.Second)}
		if r.IntN(4) > 0 {
			row.Process, row.Tier = int32(r.IntN(len(st.Processes))), model.OwnerObserved
		}
		st.Snapshot.Sockets = append(st.Snapshot.Sockets, s)
		st.Rows = append(st.Rows, row)
	}
	return st
}
