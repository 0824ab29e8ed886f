// Package filmtest has recordings for tests of films. Only tests import it.
package filmtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/recording"
	"ephtop/ui/export"
	"ephtop/ui/screen"
)

// Start is when the recordings begin.
var Start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Demo records a simulated host for so many seconds.
func Demo(scenario string, moments int) []byte {
	h, err := demo.New(demo.Options{Scenario: scenario, Seed: 1, Step: time.Second})
	if err != nil {
		panic(err)
	}
	return Record(moments, func(_ int, m *source.Moment) {
		if err := h.Poll(context.Background(), m); err != nil {
			panic(err)
		}
	})
}

// Record records so many moments, as fill makes them.
func Record(moments int, fill func(i int, m *source.Moment)) []byte {
	var b bytes.Buffer
	var m source.Moment
	w, err := recording.NewWriter(&b, recording.Header{Program: "test", Start: Start})
	if err != nil {
		panic(err)
	}
	for i := range moments {
		m.Reset()
		fill(i, &m)
		if err := w.Write(&m); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// Named records a small host on which everything that has a name has this one:
// ports that run out within so many moments.
func Named(name string, moments int) []byte {
	ports := source.PortRange{Low: 40001, High: 40020}
	return Record(moments, func(i int, m *source.Moment) {
		m.Time = Start.Add(time.Duration(i) * time.Second)
		m.Host, m.OS, m.Kernel, m.Source = name, "linux", name, "test"
		m.Processes = append(m.Processes, source.Process{PID: 100, Start: 1, Name: name, Command: name, User: name})
		s := m.Add(source.Scope{Host: name, Netns: 7, Name: name})
		s.Settings = source.Settings{Range: ports, TimeWait: time.Minute, ReuseDelay: time.Second, Default: ports}
		for p := range min(2*i, 20) {
			m.Room = append(m.Room, source.Socket{
				Proto: source.TCP, State: source.Established, Local: source.Addr4([4]byte{10, 0, 0, 9}), LocalPort: uint16(40001 + p),
				Remote: source.AddrFrom(netip.MustParseAddr("10.0.9.2")), RemotePort: 5432, Inode: uint32(p + 1), Cookie: uint64(p + 1),
			})
		}
		s.Sockets, s.Inodes = m.Room, true
	})
}

// Player plays a recording, until the test ends.
func Player(t testing.TB, data []byte) *recording.Player {
	t.Helper()
	p, err := recording.NewPlayer(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// Open begins a film, which ends with the test.
func Open(t testing.TB, data []byte, o export.Options) *export.Film {
	t.Helper()
	f, err := export.Open(t.Context(), Player(t, data), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// Each hands use all frames of a film.
func Each(t testing.TB, f *export.Film, use func(i int, frame export.Frame)) {
	t.Helper()
	for i := 0; ; i++ {
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		use(i, frame)
	}
}

// Text is a canvas as text.
func Text(c *screen.Canvas) string { return string(c.Append(nil, nil)) }

// Keys is a script.
func Keys(t testing.TB, script string) export.Keys {
	t.Helper()
	k, err := export.ParseKeys(script)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
