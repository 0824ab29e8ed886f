package model

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"

	"ephtop/source"
)

// picked is the nth port that connect() picks of the default range: those of the
// low end's parity come first.
func picked(n int) uint16 {
	const half = 28232 / 2
	return uint16(32768 + n%half*2 + n/half%2)
}

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
			Cookie: uint64(i + 1), LocalPort: picked(i / 40), RemotePort: uint16(5000 + i%10),
			Local:  source.AddrFrom(netip.AddrFrom4([4]byte{10, 0, 0, 1})),
			Remote: source.AddrFrom(netip.AddrFrom4([4]byte{10, 0, 9, byte(i % 40)})),
		}
		if i%2 == 0 {
			k.State, k.Timer, k.Expires, k.Inode, k.Process = source.TimeWait, source.TimerTimeWait, uint32(i%60000), 0, source.NoProcess
		}
		s.Sockets = append(s.Sockets, k)
	}
	// The kernel's order is that of a hash.
	rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) { s.Sockets[i], s.Sockets[j] = s.Sockets[j], s.Sockets[i] })
	return m
}

func BenchmarkUpdate(b *testing.B) {
	for _, n := range []int{300, 36000, 200000, 500000} {
		b.Run(fmt.Sprintf("sockets=%d", n), func(b *testing.B) { benchmarkUpdate(b, busyHost(n)) })
	}
}

// BenchmarkContainers is a host whose processes are in control groups, and whose
// sockets say so.
func BenchmarkContainers(b *testing.B) {
	m := busyHost(36000)
	for i := range m.Processes {
		m.Cgroups = append(m.Cgroups, source.Cgroup{ID: uint64(100 + 7*i), Unit: fmt.Sprintf("docker-%d.scope", i), Container: fmt.Sprintf("web-%d", i/2)})
		m.Processes[i].Cgroup = m.Cgroups[i].ID
	}
	for i := range m.Snapshots[0].Sockets {
		if k := &m.Snapshots[0].Sockets[i]; k.Process != source.NoProcess {
			k.Cgroup = m.Processes[k.Process].Cgroup
		}
	}
	benchmarkUpdate(b, m)
}

// BenchmarkKnown is a host whose blocked ports are known, of which it has many.
func BenchmarkKnown(b *testing.B) {
	m := busyHost(36000)
	m.Snapshots[0].BlockedKnown = true
	for port := uint16(33000); port < 38000; port++ {
		m.Snapshots[0].Blocked = append(m.Snapshots[0].Blocked, port)
	}
	benchmarkUpdate(b, m)
}

// exhausted is a host with n connections that all go to so many destinations,
// each of which is full: every finding that can be made is made.
func exhausted(n, destinations int) *source.Moment {
	m := busyHost(n)
	s := &m.Snapshots[0]
	for i := range s.Sockets {
		k := &s.Sockets[i]
		k.LocalPort = picked(i / destinations)
		k.Remote, k.RemotePort = source.Addr4([4]byte{10, 0, 9, byte(i % destinations)}), 5432
	}
	return m
}

// A host in trouble must cost no more than a healthy one of the same size.
func BenchmarkExhausted(b *testing.B) {
	for _, c := range []struct{ sockets, destinations int }{{36000, 1}, {130000, 5}} {
		name := fmt.Sprintf("sockets=%d/full=%d", c.sockets, c.destinations)
		b.Run(name, func(b *testing.B) { benchmarkUpdate(b, exhausted(c.sockets, c.destinations)) })
		b.Run(name+"/healthy", func(b *testing.B) { benchmarkUpdate(b, busyHost(c.sockets)) })
	}
}

func benchmarkUpdate(b *testing.B, m *source.Moment) {
	b.ReportAllocs()
	fleet := NewFleet(Options{})
	var o Overview
	fleet.Update(m, &o)
	for b.Loop() {
		m.Time = m.Time.Add(1e9)
		fleet.Update(m, &o)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(m.Snapshots[0].Sockets)), "ns/socket")
	b.ReportMetric(float64(len(o.Findings)), "findings")
}

// BenchmarkNamespaces is a host with many small containers. It measures the
// memory of all that is remembered, too.
func BenchmarkNamespaces(b *testing.B) {
	const namespaces, each = 300, 20
	m := moment(0)
	m.Snapshots = m.Snapshots[:0]
	for i := range namespaces {
		for p := range int32(2) {
			m.Processes = append(m.Processes, source.Process{PID: int32(2*i) + p + 100, Start: 1, Name: "svc"})
		}
		small := busyHost(each)
		s := m.Add(source.Scope{Netns: uint64(1 + i)})
		s.Settings, s.Sockets = small.Snapshots[0].Settings, small.Snapshots[0].Sockets
		for j := range s.Sockets {
			k := &s.Sockets[j]
			k.Cookie += uint64(i * each)
			k.Remote, k.RemotePort = source.Addr4([4]byte{10, 0, 9, byte(j % 4)}), 5432
			k.LocalPort = uint16(32768 + 7*j)
			if k.Process != source.NoProcess {
				k.Process = int32(2*i + j/2%2)
			}
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	fleet := NewFleet(Options{})
	var o [2]Overview
	for i := range 310 {
		m.Time = m.Time.Add(1e9)
		fleet.Update(m, &o[i%2])
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Time = m.Time.Add(1e9)
		fleet.Update(m, &o[i%2])
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/update")
	runtime.KeepAlive(fleet)
}

// BenchmarkManyEvents is a second in which 10,000 connections were closed by
// processes that had ended, on a host with 2,000 others.
func BenchmarkManyEvents(b *testing.B) {
	m := moment(0)
	for i := range 2000 {
		m.Processes = append(m.Processes, source.Process{PID: int32(10000 + i), Start: 1, Name: "worker"})
	}
	for i := range 10000 {
		e := closed("10.0.0.1:40000", db, source.Process{PID: int32(20000 + i), Name: "curl"})
		e.Tuple.LocalPort += uint16(i)
		m.Events = append(m.Events, e)
	}
	fleet := NewFleet(Options{})
	var o Overview
	for b.Loop() {
		m.Time = m.Time.Add(1e9)
		fleet.Update(m, &o)
	}
}
