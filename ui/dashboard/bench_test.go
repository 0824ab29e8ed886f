package dashboard

import (
	"fmt"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"ephtop/source"
)

// many is a busy host: n connections from 28,000 ports to as many databases
// as that takes.
func many(n int) []source.Socket {
	all, like := make([]source.Socket, 0, n), tcp(0, "10.0.9.2 5432", source.Established, 0)
	for i := range n {
		s := like
		s.LocalPort, s.Process = uint16(32768+i%28000), int32(i%2)
		s.Remote = source.Addr4([4]byte{10, 1, 0, byte(i / 28000)})
		s.Cookie, s.Inode = uint64(i+1), uint32(i+1)
		if i%3 == 0 {
			s.State, s.Process = source.TimeWait, source.NoProcess
		}
		all = append(all, s)
	}
	return all
}

// BenchmarkKey is the time from a key press to the end of Update.
func BenchmarkKey(b *testing.B) {
	for _, n := range []int{300, 20_000, 200_000} {
		m, err := New(Config{Source: &fakeSource{sockets: many(n)}})
		if err != nil {
			b.Fatal(err)
		}
		m.Update(tea.WindowSizeMsg{Width: 120, Height: 40})
		m.Update(m.startPoll()())
		for _, bench := range []struct {
			name string
			keys []string
		}{
			{"move", []string{"j"}}, {"end", []string{"G", "g"}}, {"sort", []string{"s"}}, {"reverse", []string{"S"}},
			{"group", []string{"b"}}, {"filter", []string{"/", "4", "3", "2", "esc"}},
		} {
			b.Run(fmt.Sprintf("%s/%d", bench.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					m.Update(keyMsg(bench.keys[i%len(bench.keys)]))
				}
			})
		}
		m.Stop(time.Second)
	}
}

// BenchmarkShow is the time that Update takes for the answer of a poll.
func BenchmarkShow(b *testing.B) {
	for _, n := range []int{300, 20_000, 200_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m, err := New(Config{Source: &fakeSource{sockets: many(n)}})
			if err != nil {
				b.Fatal(err)
			}
			defer m.Stop(time.Second)
			m.Update(tea.WindowSizeMsg{Width: 120, Height: 40})
			m.Update(m.startPoll()())
			m.Update(keyMsg("G"))
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				msg := m.startPoll()()
				b.StartTimer()
				m.Update(msg)
			}
		})
	}
}

// exhausted is a host on which n sockets, most of them in TIME_WAIT, fill the
// ports to five destinations.
func exhausted(n int) []source.Socket {
	all := many(n)
	for i := range all {
		s := &all[i]
		s.LocalPort, s.Remote = uint16(32768+i/5), source.Addr4([4]byte{10, 1, 0, byte(i % 5)})
		if i%20 != 0 {
			s.State, s.Process, s.Inode = source.TimeWait, source.NoProcess, 0
		} else if i%40 == 0 {
			s.State = source.CloseWait
		}
	}
	return all
}

// BenchmarkPoll is what the dashboard does with a poll, up to the frame. The
// source allocates once.
func BenchmarkPoll(b *testing.B) {
	for _, bench := range []struct {
		name    string
		sockets []source.Socket
		keys    []string
	}{
		{"healthy", many(36_000), nil}, {"exhausted", exhausted(36_000), nil}, {"exhausted, findings open", exhausted(36_000), []string{"f"}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			m, err := New(Config{Source: &fakeSource{sockets: bench.sockets, portRange: source.PortRange{Low: 32768, High: 40000}}})
			if err != nil {
				b.Fatal(err)
			}
			defer m.Stop(time.Second)
			m.Update(tea.WindowSizeMsg{Width: 120, Height: 40})
			m.Update(m.startPoll()())
			for _, k := range bench.keys {
				m.Update(keyMsg(k))
			}
			b.ReportAllocs()
			for b.Loop() {
				m.Update(m.startPoll()())
			}
		})
	}
}
