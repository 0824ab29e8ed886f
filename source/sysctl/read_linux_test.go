package sysctl

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/procfs"
)

// tree writes a tree that looks like /proc/sys, with the files given by their
// names in net/ipv4.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "net/ipv4"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		write(t, filepath.Join(root, "net/ipv4", name), text)
	}
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// usual is what a host of today says.
func usual() map[string]string {
	return map[string]string{
		"ip_local_port_range":     "32768\t60999\n",
		"ip_local_reserved_ports": "8080,40000-40009\n",
		"tcp_tw_reuse":            "2\n",
		"tcp_tw_reuse_delay":      "500\n",
		"tcp_timestamps":          "1\n",
		"tcp_max_tw_buckets":      "131072\n",
	}
}

func usualSettings() source.Settings {
	return source.Settings{
		Range:         source.PortRange{Low: 32768, High: 60999},
		Reserved:      []source.PortRange{{Low: 8080, High: 8080}, {Low: 40000, High: 40009}},
		TimeWait:      time.Minute,
		ReuseTimeWait: 2,
		ReuseDelay:    500 * time.Millisecond,
		Timestamps:    1,
		MaxTimeWait:   131072,
		Default:       source.PortRange{Low: 32768, High: 60999},
		Parity:        true,
	}
}

func TestRead(t *testing.T) {
	tests := []struct {
		name   string
		change func(files map[string]string)
		want   func(s *source.Settings)
		notes  []string // each a part of one Detail
	}{
		{"everything is there", func(map[string]string) {}, func(*source.Settings) {}, nil},
		{"a kernel without tcp_tw_reuse_delay",
			func(f map[string]string) { delete(f, "tcp_tw_reuse_delay") },
			func(s *source.Settings) { s.ReuseDelay = time.Second }, nil},
		{"a namespace without tcp_timestamps and tcp_max_tw_buckets",
			func(f map[string]string) { delete(f, "tcp_timestamps"); delete(f, "tcp_max_tw_buckets") },
			func(s *source.Settings) { s.Timestamps, s.MaxTimeWait = source.UnknownSetting, source.UnknownSetting }, nil},
		{"no range", func(f map[string]string) { delete(f, "ip_local_port_range") },
			func(s *source.Settings) { s.Assumed = true },
			[]string{"net.ipv4.ip_local_port_range: no such file or directory"}},
		{"no reserved ports", func(f map[string]string) { delete(f, "ip_local_reserved_ports") },
			func(s *source.Settings) { s.Reserved = nil },
			[]string{"net.ipv4.ip_local_reserved_ports: no such file or directory"}},
		{"no tcp_tw_reuse", func(f map[string]string) { delete(f, "tcp_tw_reuse") },
			func(s *source.Settings) { s.ReuseTimeWait = source.UnknownSetting },
			[]string{"net.ipv4.tcp_tw_reuse: "}},
		{"a narrow range", func(f map[string]string) { f["ip_local_port_range"] = "40000 40099\n" },
			func(s *source.Settings) { s.Range = source.PortRange{Low: 40000, High: 40099} }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files, want := usual(), usualSettings()
			tt.change(files)
			tt.want(&want)
			var m source.Moment
			var s source.Snapshot
			if err := NewAt(tree(t, files)).Read(context.Background(), &m, &s); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, s.Settings); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
			if len(m.Limits) != len(tt.notes) {
				t.Fatalf("limits %q, want %q", m.Limits, tt.notes)
			}
			for i, note := range tt.notes {
				if !strings.Contains(m.Limits[i].Detail, note) {
					t.Errorf("limits %q, want %q in it", m.Limits[i].Detail, note)
				}
			}
		})
	}
}

func TestReadOfNothingAssumesTheDefault(t *testing.T) {
	var m source.Moment
	var s source.Snapshot
	if err := NewAt(filepath.Join(t.TempDir(), "missing")).Read(context.Background(), &m, &s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Defaults("linux", procfs.Release()), s.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestReadRefusesWhatMakesNoSense(t *testing.T) {
	tests := []struct{ file, text, says string }{
		{"ip_local_port_range", "", `net.ipv4.ip_local_port_range: bad port range "": want two numbers`},
		{"ip_local_port_range", "9\t1\n", `net.ipv4.ip_local_port_range: bad port range "9-1": the low end is above the high end`},
		{"ip_local_reserved_ports", "", `net.ipv4.ip_local_reserved_ports: bad list of ports "": the file is empty`},
		{"tcp_tw_reuse", "maybe\n", `net.ipv4.tcp_tw_reuse: bad value "maybe\n": want a number from 0 to 255`},
		{"tcp_tw_reuse_delay", "-1\n", `net.ipv4.tcp_tw_reuse_delay: bad value "-1\n": want a number from 0 to 2147483647`},
		{"tcp_timestamps", "", `net.ipv4.tcp_timestamps: bad value "": want a number from 0 to 255`},
		{"tcp_max_tw_buckets", "x", `net.ipv4.tcp_max_tw_buckets: bad value "x": want a number up to 2147483647`},
	}
	for _, tt := range tests {
		t.Run(tt.file+" "+strconv.Quote(tt.text), func(t *testing.T) {
			files := usual()
			files[tt.file] = tt.text
			r := NewAt(tree(t, files))
			for range 2 { // the same content is refused again
				err := r.Read(context.Background(), new(source.Moment), new(source.Snapshot))
				if err == nil || err.Error() != tt.says {
					t.Fatalf("got  %v\nwant %s", err, tt.says)
				}
				if tt.file == "ip_local_port_range" && !errors.Is(err, source.ErrRange) {
					t.Errorf("%v is not ErrRange", err)
				}
			}
		})
	}
}

func TestReadFollowsChanges(t *testing.T) {
	root := tree(t, usual())
	r := NewAt(root)
	path := filepath.Join(root, "net/ipv4/ip_local_port_range")
	expect := func(step, want string, notes int) {
		t.Helper()
		var m source.Moment
		var s source.Snapshot
		if err := r.Read(context.Background(), &m, &s); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		if got := s.Settings.Range.String(); got != want || len(m.Limits) != notes {
			t.Errorf("%s: range %s, limits %q, want %s and %d of them", step, got, m.Limits, want, notes)
		}
	}
	expect("first", "32768-60999", 0)
	expect("unchanged", "32768-60999", 0)
	write(t, path, "40000\t40099\n")
	expect("changed", "40000-40099", 0)
	write(t, path, "")
	if err := r.Read(context.Background(), new(source.Moment), new(source.Snapshot)); !errors.Is(err, source.ErrRange) {
		t.Errorf("emptied: %v, want ErrRange", err)
	}
	write(t, path, "40000\t40099\n")
	expect("mended", "40000-40099", 0)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	expect("removed", "32768-60999", 1)
}

func TestReadOfThisHost(t *testing.T) {
	data, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		t.Skip("this host does not tell its port range: ", err)
	}
	var m source.Moment
	var s source.Snapshot
	if err := New().Read(context.Background(), &m, &s); err != nil {
		t.Fatal(err)
	}
	want := strings.Join(strings.Fields(string(data)), "-")
	if got := s.Settings.Range.String(); got != want || s.Settings.Assumed {
		t.Errorf("range %s, assumed %v, want %s", got, s.Settings.Assumed, want)
	}
}

// inNewNamespace runs f on a thread in a network namespace of its own, which
// goes with the thread.
func inNewNamespace(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for a network namespace")
	}
	failed := make(chan error)
	var inside func()
	inside = func() {
		runtime.LockOSThread()              // and never unlock: the thread ends with the goroutine
		if unix.Gettid() == unix.Getpid() { // but not the first
			defer runtime.UnlockOSThread()
			done := make(chan struct{})
			go func() { defer close(done); inside() }()
			<-done
			return
		}
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			failed <- err
			return
		}
		f()
		failed <- nil
	}
	go inside()
	if err := <-failed; err != nil {
		t.Skip("no network namespaces here: ", err)
	}
}

func TestReadOfANamespace(t *testing.T) {
	const dir = "/proc/sys/net/ipv4/"
	// more than the 512 bytes that os.ReadFile reads first
	var ports []string
	var want []source.PortRange
	for p := uint16(20001); p < 20400; p += 2 {
		ports = append(ports, strconv.Itoa(int(p)))
		want = append(want, source.PortRange{Low: p, High: p})
	}
	set := map[string]string{
		"ip_local_port_range":     "20000 29999",
		"ip_local_reserved_ports": strings.Join(ports, ","),
		"tcp_tw_reuse":            "1",
	}
	var m source.Moment
	var s, before source.Snapshot
	var errs []error
	inNewNamespace(t, func() {
		r := New()
		errs = append(errs, r.Read(context.Background(), &m, &before))
		for name, text := range set {
			errs = append(errs, os.WriteFile(dir+name, []byte(text), 0))
		}
		errs = append(errs, r.Read(context.Background(), &m, &s))
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := before.Settings.Range.String(); got == "20000-29999" {
		t.Fatalf("the range was %s before it was set", got)
	}
	if got := s.Settings.Range.String(); got != "20000-29999" || s.Settings.Assumed {
		t.Errorf("range %s, assumed %v, want 20000-29999", got, s.Settings.Assumed)
	}
	if diff := cmp.Diff(want, s.Settings.Reserved); diff != "" {
		t.Errorf("reserved ports (-want +got):\n%s", diff)
	}
	if got := s.Settings.Usable(); got != 9800 {
		t.Errorf("%d usable ports, want 10000 less 200 reserved", got)
	}
	if s.Settings.ReuseTimeWait != 1 {
		t.Errorf("tcp_tw_reuse %d, want 1", s.Settings.ReuseTimeWait)
	}

	var here source.Snapshot
	if err := New().Read(context.Background(), &m, &here); err != nil {
		t.Fatal(err)
	}
	if got := here.Settings.Range.String(); got == "20000-29999" {
		t.Errorf("the host's own range reads as %s, that of the namespace", got)
	}
}

func BenchmarkRead(b *testing.B) {
	r := New()
	var m source.Moment
	var s source.Snapshot
	b.ReportAllocs()
	for b.Loop() {
		m.Reset()
		if err := r.Read(context.Background(), &m, &s); err != nil {
			b.Fatal(err)
		}
	}
}

// A failure that says nothing of the system, such as no descriptors left, must
// not pass for a range that is not there.
func TestReadThatFailsAssumesNothing(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "net", "ipv4")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	loop := filepath.Join(dir, "ip_local_port_range")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	var m source.Moment
	var s source.Snapshot
	err := NewAt(root).Read(context.Background(), &m, &s)
	if !errors.Is(err, unix.ELOOP) || !strings.Contains(err.Error(), "net.ipv4.ip_local_port_range") {
		t.Errorf("error %v, want ELOOP and the name of the sysctl", err)
	}
}
