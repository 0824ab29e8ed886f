package recording_test

import (
	"math/rand/v2"
	"slices"
	"time"

	"ephtop/source"
)

// anything makes up moments that no host has, from all values that the types
// allow.
type anything struct {
	rand   *rand.Rand
	now    time.Time
	scopes map[uint64][]source.Socket
	procs  []source.Process
}

func (m *anything) moments(n int) []*source.Moment {
	m.now, m.scopes = epoch, make(map[uint64][]source.Socket)
	var list []*source.Moment
	for range n {
		list = append(list, m.moment())
	}
	return list
}

func (m *anything) moment() *source.Moment {
	r := m.rand
	m.now = m.now.Add(time.Duration(r.Int64N(3e9)))
	for len(m.procs) < 4 || r.IntN(4) == 0 {
		m.procs = append(m.procs, m.process())
	}
	for len(m.procs) > 12 {
		m.procs = slices.Delete(m.procs, 0, 3)
	}
	if r.IntN(9) == 0 {
		m.procs[r.IntN(len(m.procs))].Command = m.text()
	}
	mo := &source.Moment{
		Time: m.now, Mono: time.Duration(r.Int64N(3)), Took: time.Duration(r.Int64N(1e9)), Host: m.text(), OS: "linux",
		Kernel: m.text(), Source: "portable", Traced: r.IntN(2) == 0, LostEvents: r.IntN(3), Processes: slices.Clone(m.procs),
	}
	for netns := range uint64(4) {
		if r.IntN(3) > 0 {
			s := mo.Add(source.Scope{Host: "h", Netns: netns, Name: m.text(), Kind: source.ScopeKind(r.IntN(8))})
			s.BoundListed, s.Inodes, s.Age = r.IntN(2) == 0, r.IntN(2) == 0, time.Duration(r.Int64N(3))
			s.Settings = m.settings()
			s.Sockets = m.sockets(netns)
			s.BlockedKnown, s.Blocked = r.IntN(2) == 0, m.ports()
			for in := range uint32(3) {
				if list := m.ports(); len(list) > 0 {
					s.VRFs = append(s.VRFs, source.VRF{Interface: in, Blocked: list})
				}
			}
		}
	}
	for i := range uint64(r.IntN(3)) {
		mo.Quiet = append(mo.Quiet, source.Brief{Scope: source.Scope{Netns: 9 + i, Name: m.text(), PID: r.Int32N(9)}, Bound: r.IntN(99), Usable: r.IntN(99)})
		mo.Cgroups = append(mo.Cgroups, source.Cgroup{ID: i, Path: m.text(), Unit: m.text(), Container: m.text(), Kind: source.ScopeKind(r.IntN(8))})
	}
	for range r.IntN(3) {
		mo.Limit(source.LimitCode(m.text()), m.text())
	}
	for range r.IntN(4) {
		mo.Events = append(mo.Events, m.event())
	}
	return mo
}

func (m *anything) sockets(netns uint64) []source.Socket {
	r, list := m.rand, m.scopes[netns]
	for range r.IntN(12) {
		list = append(list, m.socket())
	}
	for i := range list {
		if r.IntN(9) == 0 {
			id := list[i]
			list[i] = m.socket()
			list[i].Cookie, list[i].Local = id.Cookie, id.Local
		}
		list[i].Process = int32(r.IntN(len(m.procs)+1)) - 1
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	m.scopes[netns] = list[:min(20, len(list))]
	return slices.Clone(m.scopes[netns])
}

// ports are few or many, apart or side by side.
func (m *anything) ports() []uint16 {
	var list []uint16
	odds := []int{0, 1, 3, 40, 64}[m.rand.IntN(5)]
	for p := range 64 {
		if m.rand.IntN(64) < odds {
			list = append(list, uint16(65472+p))
		}
	}
	return list
}

func (m *anything) text() string {
	texts := []string{"", "api", "a \"b\" \\ /", "tab\tline\nnul\x00del\x7f", "grüße 你好 🙂", "\u2028"}
	return texts[m.rand.IntN(len(texts))]
}

func (m *anything) addr() source.Addr {
	var a source.Addr
	switch m.rand.IntN(4) {
	case 0:
		return a
	case 1:
		return source.Addr4([4]byte{10, 0, byte(m.rand.IntN(3)), byte(m.rand.IntN(256))})
	case 2:
		return source.Addr{0: 0xfe, 1: 0x80, 15: byte(m.rand.IntN(256))}
	}
	for i := range a {
		a[i] = byte(m.rand.Uint32())
	}
	return a
}

func (m *anything) socket() source.Socket {
	r := m.rand
	s := source.Socket{
		Local: m.addr(), Remote: m.addr(), LocalPort: uint16(r.Uint32()), RemotePort: uint16(r.Uint32N(3)),
		Proto: source.TCP, State: source.State(r.IntN(source.NumStates)), Family6: r.IntN(2) == 0,
		Timer: source.Timer(r.IntN(9)), Retransmits: uint8(r.Uint32N(3)), Process: source.NoProcess,
		Bind: source.Bind(r.IntN(4)), Stamps: source.Stamps(r.IntN(3)), Interface: r.Uint32N(2), UID: r.Uint32(), Inode: r.Uint32(), Cgroup: r.Uint64() >> r.UintN(64),
		Cookie:       uint64(r.UintN(2)) * (r.Uint64() >> (1 + r.UintN(62))),
		ReceiveQueue: r.Uint32() >> r.UintN(32), SendQueue: r.Uint32N(2), Expires: r.Uint32() >> r.UintN(32),
	}
	if r.IntN(2) == 0 {
		s.Proto = source.UDP
	}
	return s
}

func (m *anything) process() source.Process {
	r := m.rand
	return source.Process{
		PID: int32(r.Uint32N(6)) - 1, Start: r.Uint64() * uint64(r.UintN(2)), Name: m.text(), Command: m.text(), UID: r.Uint32(), User: m.text(),
		NSPID: r.Int32N(3), Cgroup: uint64(r.UintN(3)),
	}
}

func (m *anything) settings() source.Settings {
	r := m.rand
	if r.IntN(3) > 0 {
		return settings()
	}
	return source.Settings{
		Range:   source.PortRange{Low: 1, High: uint16(1 + r.UintN(65535))},
		Assumed: r.IntN(2) == 0, TimeWait: time.Duration(r.Int64N(1e11)), ReuseTimeWait: source.UnknownSetting,
		ReuseDelay: time.Duration(r.Int64N(1e10)), Timestamps: r.IntN(3), MaxTimeWait: r.IntN(1e6), PoolOnly: r.IntN(2) == 0,
	}
}

func (m *anything) event() source.Event {
	e := source.Event{
		Kind: source.EventKind(m.rand.IntN(5)), Process: m.process(), Netns: m.rand.Uint64(),
		Tuple: source.Tuple{Local: m.addr(), Remote: m.addr(), LocalPort: 0, RemotePort: uint16(m.rand.Uint32()), Proto: source.TCP},
	}
	if m.rand.IntN(5) > 0 {
		e.Time = m.now.Add(-time.Duration(m.rand.Int64N(9e9)))
	}
	return e
}
