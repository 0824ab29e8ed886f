package model

import (
	"net/netip"
	"slices"
	"time"

	"ephtop/source"
)

// The tests' host has a range of 100 ports, as the measurements of doc.go.
var epoch = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func testSettings() source.Settings {
	return source.Settings{
		Range: source.PortRange{Low: 40000, High: 40099}, Default: source.PortRange{Low: 32768, High: 60999},
		TimeWait: time.Minute, ReuseTimeWait: 2, ReuseDelay: time.Second, Timestamps: 1, MaxTimeWait: 1 << 16, Parity: true,
	}
}

// moment is a look so many seconds after the epoch.
func moment(seconds float64, sockets ...source.Socket) *source.Moment {
	return &source.Moment{
		Time: epoch.Add(time.Duration(seconds * float64(time.Second))),
		Snapshots: []source.Snapshot{{
			Settings: testSettings(), Sockets: sockets, BoundListed: true, Inodes: true,
		}},
	}
}

// socket makes a TCP socket from addresses as people write them; "" is no
// peer.
func socket(state source.State, local, remote string) source.Socket {
	s := source.Socket{Proto: source.TCP, State: state, Process: source.NoProcess, Inode: 1}
	s.Local, s.LocalPort = endpoint(local)
	if remote != "" {
		s.Remote, s.RemotePort = endpoint(remote)
	} else if s.Local.Is4() {
		s.Remote = source.Addr4([4]byte{})
	}
	if state == source.TimeWait {
		s.Inode, s.Timer, s.Expires = 0, source.TimerTimeWait, 30000
	}
	return s
}

func endpoint(s string) (source.Addr, uint16) {
	ap := netip.MustParseAddrPort(s)
	return source.AddrFrom(ap.Addr()), ap.Port()
}

// with changes one socket on its way into a moment.
func with(s source.Socket, change func(*source.Socket)) source.Socket {
	change(&s)
	return s
}

func owned(s source.Socket, cookie uint64, process int32) source.Socket {
	s.Cookie, s.Process = cookie, process
	return s
}

// connections makes n sockets of consecutive local ports.
func connections(n int, state source.State, ip string, port int, step int, remote string) []source.Socket {
	like := socket(state, netip.AddrPortFrom(netip.MustParseAddr(ip), 0).String(), remote)
	list := slices.Repeat([]source.Socket{like}, n)
	for i := range list {
		list[i].LocalPort = uint16(port + i*step)
	}
	return list
}

// update is the state of one moment without a past.
func update(m *source.Moment) *State { return story(m) }

// teller follows one host.
type teller struct {
	fleet    *Fleet
	overview Overview
}

func newTeller() *teller { return &teller{fleet: NewFleet(Options{})} }

// tell gives the state of the next moment.
func (t *teller) tell(m *source.Moment) *State {
	t.fleet.Update(m, &t.overview)
	return t.overview.States[0]
}

// tuple finds what is known towards a destination.
func tuple(st *State, src, dst string) *TupleUse {
	a, port := endpoint(dst)
	from := source.AddrFrom(netip.MustParseAddr(src))
	for i := range st.TCP.Pressure.Tuples {
		if t := &st.TCP.Pressure.Tuples[i]; t.TupleKey == (TupleKey{Source: from, Destination: a, Port: port}) {
			return t
		}
	}
	return nil
}
