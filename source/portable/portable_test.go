package portable

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gnet "github.com/shirou/gopsutil/v3/net"

	"ephtop/source"
	"ephtop/source/procfs"
)

var _ source.Source = (*Source)(nil)

// fakeHost is a system of the tests' making.
type fakeHost struct {
	rows      []gnet.ConnectionStat
	procs     map[int32]source.Process
	described []int32 // the pids that were looked up, in order
	silent    string  // what does not answer
}

func (h *fakeHost) start(_ context.Context, pid int32) (uint64, error) {
	if p, ok := h.procs[pid]; ok {
		return p.Start, nil
	}
	return 0, errors.New("no such process")
}

func (h *fakeHost) describe(_ context.Context, pid int32) (source.Process, bool) {
	h.described = append(h.described, pid)
	p, ok := h.procs[pid]
	return p, ok
}

func (h *fakeHost) late() string { return h.silent }

func (h *fakeHost) source(goos string, root bool) *Source {
	return &Source{
		goos: goos, root: root, scope: source.Scope{Host: "web-01"}, kernel: "6.18",
		list: func(context.Context) ([]gnet.ConnectionStat, error) { return h.rows, nil },
		settings: func(_ context.Context, m *source.Moment, s *source.Snapshot) error {
			s.Settings.Range = source.PortRange{Low: 32768, High: 60999}
			m.Limit(source.LimitRange, "")
			return nil
		},
		processes: newProcesses(h),
		seen:      make(map[identity]struct{}),
	}
}

var (
	api   = source.Process{PID: 7, Start: 100, Name: "api", Command: "api -v", UID: 33, User: "www"}
	envoy = source.Process{PID: 8, Start: 200, Name: "envoy", UID: 34, User: "envoy"}
)

func poll(t *testing.T, p *Source, s *source.Moment) {
	t.Helper()
	if err := p.Poll(context.Background(), s); err != nil {
		t.Fatal(err)
	}
}

func TestPoll(t *testing.T) {
	h := &fakeHost{
		rows: []gnet.ConnectionStat{
			row(v4, tcp, "10.0.0.9", 41823, "10.0.9.2", 5432, "ESTABLISHED", 8),
			row(v4, tcp, "10.0.0.9", 41824, "10.0.9.2", 5432, "TIME_WAIT", 0),
			row(v4, tcp, "nonsense", 41825, "10.0.9.2", 5432, "ESTABLISHED", 7),
			row(v4, tcp, "10.0.0.9", 41826, "10.0.9.2", 5432, "ESTABLISHED", 7),
			row(v4, tcp, "10.0.0.9", 41827, "10.0.9.2", 5432, "ESTABLISHED", 8),
			row(v4, tcp, "10.0.0.9", 41828, "10.0.9.2", 5432, "ESTABLISHED", 9),
		},
		procs: map[int32]source.Process{7: api, 8: envoy}, // 9 has gone
	}
	var s source.Moment
	s.Room = make([]source.Socket, 50) // of a poll before
	p := h.source("linux", true)
	poll(t, p, &s)

	if diff := cmp.Diff([]source.Process{envoy, api}, s.Processes); diff != "" {
		t.Errorf("processes (-want +got):\n%s", diff)
	}
	type brief struct {
		Port    uint16
		State   string
		Process int32
		UID     uint32
	}
	var got []brief
	for _, k := range s.Snapshots[0].Sockets {
		got = append(got, brief{k.LocalPort, k.State.String(), k.Process, k.UID})
	}
	want := []brief{
		{41823, "ESTABLISHED", 0, 34},
		{41824, "TIME_WAIT", source.NoProcess, 0},
		{41826, "ESTABLISHED", 1, 33},
		{41827, "ESTABLISHED", 0, 34},
		{41828, "ESTABLISHED", source.NoProcess, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sockets (-want +got):\n%s", diff)
	}
	if s.Source != "portable" || s.Host != "web-01" || s.OS != "linux" || s.Kernel != "6.18" || s.Time.IsZero() || s.Snapshots[0].BoundListed || s.Snapshots[0].Inodes {
		t.Errorf("source %q, host %q, OS %q, kernel %q, time %v, bound listed %v, inodes %v", s.Source, s.Host, s.OS, s.Kernel, s.Time, s.Snapshots[0].BoundListed, s.Snapshots[0].Inodes)
	}
	if l := s.Limits; l[0].Code != source.LimitRange || l[len(l)-1] != (source.Limit{Code: source.LimitUnreadable, Detail: "1"}) {
		t.Errorf("limits %q, want the settings' first and 1 socket left out last", l)
	}
}

func TestProcessesAreLookedUpOnce(t *testing.T) {
	h := &fakeHost{procs: map[int32]source.Process{7: api}}
	h.rows = []gnet.ConnectionStat{
		row(v4, tcp, "10.0.0.9", 41823, "10.0.9.2", 5432, "ESTABLISHED", 7),
		row(v4, tcp, "10.0.0.9", 41824, "10.0.9.2", 5432, "ESTABLISHED", 7),
	}
	p := h.source("linux", true)
	steps := []struct {
		name   string
		change func()
		looked []int32 // in this poll
		owner  string
	}{
		{"first", func() {}, []int32{7}, "api"},
		{"again", func() {}, nil, "api"},
		{"it dies while the list is made", func() { delete(h.procs, 7) }, nil, "api"},
		{"another one has its pid", func() { h.procs[7] = source.Process{PID: 7, Start: 300, Name: "curl"} }, []int32{7}, "curl"},
		{"it holds no socket any more", func() { h.rows = nil }, nil, ""},
		{"it is back", func() { h.rows = []gnet.ConnectionStat{row(v4, tcp, "10.0.0.9", 1, "10.0.9.2", 2, "ESTABLISHED", 7)} }, []int32{7}, "curl"},
	}
	for _, step := range steps {
		step.change()
		h.described = nil
		var s source.Moment
		poll(t, p, &s)
		if diff := cmp.Diff(step.looked, h.described); diff != "" {
			t.Errorf("%s: looked up (-want +got):\n%s", step.name, diff)
		}
		owner := ""
		if len(s.Processes) > 0 {
			owner = s.Processes[0].Name
		}
		if owner != step.owner {
			t.Errorf("%s: process %q, want %q", step.name, owner, step.owner)
		}
	}
}

func TestAProcessThatHasGoneIsTriedAgain(t *testing.T) {
	h := &fakeHost{procs: map[int32]source.Process{}}
	h.rows = []gnet.ConnectionStat{row(v4, tcp, "10.0.0.9", 41823, "10.0.9.2", 5432, "ESTABLISHED", 7)}
	p := h.source("linux", true)
	var s source.Moment
	poll(t, p, &s)
	if len(s.Processes) != 0 || s.Snapshots[0].Sockets[0].Process != source.NoProcess {
		t.Errorf("processes %v, want none", s.Processes)
	}
	h.procs[7] = source.Process{PID: 7, Name: "zero"} // its start cannot be told from 0
	poll(t, p, &s)
	if len(s.Processes) != 1 {
		t.Errorf("processes %v, want the new one", s.Processes)
	}
}

func TestLsofRepeatsForkedSockets(t *testing.T) {
	h := &fakeHost{
		rows: []gnet.ConnectionStat{
			row(v4, tcp, "*", 80, "", 0, "LISTEN", 7),
			row(v4, tcp, "*", 80, "", 0, "LISTEN", 8),
			row(v6, tcp, "*", 80, "", 0, "LISTEN", 8),
			row(v4, udp, "*", 80, "", 0, "", 8),
		},
		procs: map[int32]source.Process{7: api, 8: envoy},
	}
	for goos, want := range map[string]int{"darwin": 3, "freebsd": 3, "windows": 4, "linux": 4} {
		p := h.source(goos, true)
		for range 2 {
			var s source.Moment
			poll(t, p, &s)
			if len(s.Snapshots[0].Sockets) != want {
				t.Errorf("%s: %d sockets, want %d", goos, len(s.Snapshots[0].Sockets), want)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	type codes = []source.LimitCode
	const (
		time, bound, lsof = source.LimitNoTimers, source.LimitNoBound, source.LimitOpenFiles
		shared, left      = source.LimitMerged, source.LimitUnreadable
		procs, socks      = source.LimitHidden, source.LimitOthersSockets
	)
	user := procfs.Rights{Missing: []string{"CAP_SYS_PTRACE"}}
	tests := []struct {
		name, goos string
		root       bool
		lost       losses
		want       codes
	}{
		{"Linux as root", "linux", true, losses{ownerless: 5}, codes{time, bound, shared}},
		{"Linux as a user, all its own", "linux", false, losses{}, codes{time, bound, shared}},
		{"Linux as a user", "linux", false, losses{ownerless: 5}, codes{time, bound, shared, procs}},
		{"macOS as root", "darwin", true, losses{}, codes{lsof}},
		{"FreeBSD as a user", "freebsd", false, losses{}, codes{lsof, socks}},
		{"Windows", "windows", false, losses{ownerless: 5}, codes{time, bound}},
		{"unreadable rows", "windows", true, losses{unreadable: 2}, codes{time, bound, left}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &Source{goos: tt.goos, root: tt.root, processes: newProcesses(new(fakeHost))}
			if !tt.root {
				p.rights = user
			}
			var m source.Moment
			p.limits(&m, tt.lost)
			var got codes
			for _, l := range m.Limits {
				got = append(got, l.Code)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPollFails(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name   string
		change func(p *Source)
		says   string
	}{
		{"no settings", func(p *Source) {
			p.settings = func(context.Context, *source.Moment, *source.Snapshot) error { return broken }
		}, "read the settings: broken"},
		{"no list", func(p *Source) {
			p.list = func(context.Context) ([]gnet.ConnectionStat, error) { return nil, broken }
		}, "list sockets: broken"},
		{"no lsof", func(p *Source) {
			p.list = func(context.Context) ([]gnet.ConnectionStat, error) { return nil, exec.ErrNotFound }
		}, "list sockets: executable file not found in $PATH: install lsof"},
		{"gopsutil panics", func(p *Source) {
			p.list = func(context.Context) ([]gnet.ConnectionStat, error) { panic("index out of range") }
		}, "list sockets: a fault of ephtop itself, please report it: index out of range"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := new(fakeHost).source("linux", true)
			tt.change(p)
			err := p.Poll(context.Background(), new(source.Moment))
			if err == nil || !strings.HasPrefix(err.Error(), tt.says) {
				t.Errorf("got  %v\nwant %s", err, tt.says)
			}
		})
	}
}

func TestPollGivesUpWithItsContext(t *testing.T) {
	h := &fakeHost{}
	p := h.source("linux", true)
	started, release := make(chan struct{}), make(chan struct{})
	calls := 0
	p.list = func(context.Context) ([]gnet.ConnectionStat, error) {
		calls++
		if calls > 1 {
			return []gnet.ConnectionStat{row(v4, tcp, "10.0.0.9", 2, "10.0.9.2", 5432, "TIME_WAIT", 0)}, nil
		}
		close(started)
		<-release
		return []gnet.ConnectionStat{row(v4, tcp, "10.0.0.9", 1, "10.0.9.2", 5432, "TIME_WAIT", 0)}, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-started
		cancel()
	}()
	var s source.Moment
	if err := p.Poll(ctx, &s); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	if err := p.Poll(ctx, &s); !errors.Is(err, context.Canceled) {
		t.Fatalf("while the first list goes on: got %v, want context.Canceled", err)
	}
	close(release)
	poll(t, p, &s)
	if len(s.Snapshots[0].Sockets) != 1 || s.Snapshots[0].Sockets[0].LocalPort != 2 {
		t.Errorf("sockets %v, want those of the second list", s.Snapshots[0].Sockets)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseWaitsForTheListGivenUp(t *testing.T) {
	p := new(fakeHost).source("linux", true)
	started, release, ended := make(chan struct{}), make(chan struct{}), false
	p.list = func(context.Context) ([]gnet.ConnectionStat, error) {
		close(started)
		<-release
		ended = true // the race detector sees if nobody waits
		return nil, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-started
		cancel()
	}()
	if err := p.Poll(ctx, new(source.Moment)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	close(release)
	if err := p.Close(); err != nil || !ended {
		t.Errorf("closed with %v before the list had ended", err)
	}
}

func TestWhatDoesNotAnswerIsTold(t *testing.T) {
	t.Parallel()
	h := fakeHost{silent: "/etc/passwd"}
	var m source.Moment
	poll(t, h.source("linux", true), &m)
	if want := (source.Limit{Code: source.LimitLate, Detail: "/etc/passwd"}); !slices.Contains(m.Limits, want) {
		t.Errorf("limits %v, want %v among them", m.Limits, want)
	}
}
