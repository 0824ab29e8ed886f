package model

import (
	"fmt"
	"net/netip"
	"testing"

	"ephtop/source"
)

// busyHost is a host with n sockets: half of them TIME_WAIT, of 50 processes
// that talk to 40 destinations.
func busyHost(n int) *source.Moment {
	m := moment(0)
	s := &m.Snapshots[0]
	s.Settings.Range = source.PortRange{Low: 32768, High: 60999}
	for i := range 50 {
		m.Processes = append(m.Processes, source.Process{PID: int32(1000 + i), Start: uint64(i), Name: fmt.Sprintf("svc-%d", i)})
	}
	for i := range n {
		k := source.Socket{
			Proto: source.TCP, State: source.Established, Process: int32(i % 50), Inode: uint32(i + 1),
			Cookie: uint64(i + 1), LocalPort: uint16(32768 + (i/40)%28232), RemotePort: uint16(5000 + i%10),
			Local:  source.AddrFrom(netip.AddrFrom4([4]byte{10, 0, 0, 1})),
			Remote: source.AddrFrom(netip.AddrFrom4([4]byte{10, 0, 9, byte(i % 40)})),
		}
		if i%2 == 0 {
			k.State, k.Timer, k.Expires, k.Inode, k.Process = source.TimeWait, source.TimerTimeWait, uint32(i%60000), 0, source.NoProcess
		}
		s.Sockets = append(s.Sockets, k)
	}
	return m
}

func BenchmarkUpdate(b *testing.B) {
	for _, n := range []int{300, 36000, 200000} {
		b.Run(fmt.Sprintf("sockets=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			s := busyHost(n)
			fleet := NewFleet(Options{})
			var o Overview
			fleet.Update(s, &o)
			for b.Loop() {
				s.Time = s.Time.Add(1e9)
				fleet.Update(s, &o)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/socket")
		})
	}
}
