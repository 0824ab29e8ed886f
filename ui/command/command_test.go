package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
	"ephtop/source/live"
)

// fakeHost is a source with two connections, of TCP and of UDP.
type fakeHost struct {
	pollErr, closeErr error
	closed            int
}

func (h *fakeHost) Poll(_ context.Context, s *source.Moment) error {
	if h.pollErr != nil {
		return h.pollErr
	}
	s.Reset()
	here, there := source.Addr4([4]byte{10, 0, 0, 9}), source.Addr4([4]byte{10, 0, 9, 2})
	s.Time, s.Host, s.OS, s.Source = time.Unix(1795349071, 0), "web-01", "linux", "fake"
	only := s.Add(source.Scope{})
	only.Settings = source.Settings{Range: source.PortRange{Low: 40000, High: 40009}, Default: source.PortRange{Low: 32768, High: 60999}, TimeWait: time.Minute, Parity: true}
	s.Processes = append(s.Processes, source.Process{PID: 3120, Name: "java"})
	s.Room = append(s.Room,
		source.Socket{Proto: source.UDP, State: source.Established, Local: here, LocalPort: 40001, Remote: there, RemotePort: 53, Process: 0, Inode: 2},
		source.Socket{Proto: source.TCP, State: source.Established, Local: here, LocalPort: 40000, Remote: there, RemotePort: 5432, Process: 0, Inode: 1},
	)
	only.Sockets, only.Inodes = s.Room, true
	return nil
}

func (h *fakeHost) Close() error {
	h.closed++
	return h.closeErr
}

// result is what a run leaves behind.
type result struct {
	status         int
	stdout, stderr string
	opened         []live.Options
}

func runWith(t *testing.T, host source.Source, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	var r result
	r.status = Run(args, Env{
		Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Getenv: func(string) string { return "" },
		Open: func(o live.Options) (source.Source, error) {
			r.opened = append(r.opened, o)
			return host, nil
		},
	})
	r.stdout, r.stderr = stdout.String(), stderr.String()
	return r
}

func TestFailuresAreOneLineAndStatus1(t *testing.T) {
	t.Parallel()
	failing := func(err error) func(live.Options) (source.Source, error) {
		return func(live.Options) (source.Source, error) { return nil, err }
	}
	host := func(h *fakeHost) func(live.Options) (source.Source, error) {
		return func(live.Options) (source.Source, error) { return h, nil }
	}
	for _, c := range []struct {
		name   string
		open   func(live.Options) (source.Source, error)
		stdout io.Writer
		want   string
	}{
		{"no source", failing(errors.New("open source sockdiag: permission denied")), io.Discard,
			"ephtop: open source sockdiag: permission denied\n"},
		{"no poll", host(&fakeHost{pollErr: errors.New("dump tcp sockets: no\x1b[2J memory")}), io.Discard,
			"ephtop: read the sockets: dump tcp sockets: no memory\n"},
		{"several errors", failing(errors.Join(errors.New("one"), errors.New("two"))), io.Discard,
			"ephtop: one; two\n"},
		{"close", host(&fakeHost{closeErr: errors.New("gone")}), io.Discard,
			"ephtop: close the source: gone\n"},
		{"full disk", host(&fakeHost{}), failingWriter{syscall.ENOSPC},
			"ephtop: write the snapshot: no space left on device\n"},
		{"closed pipe", host(&fakeHost{}), failingWriter{&os.PathError{Op: "write", Path: "pipe", Err: syscall.EPIPE}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stderr bytes.Buffer
			status := Run([]string{"snapshot"}, Env{Stdin: strings.NewReader(""), Stdout: c.stdout, Stderr: &stderr, Open: c.open})
			if status != 1 || stderr.String() != c.want {
				t.Errorf("status %d, stderr %q; want 1, %q", status, stderr.String(), c.want)
			}
		})
	}
}

// Those whose status 1 is an answer fail with 3, and say so where they can.
func TestFailuresOfAnswersAreStatus3(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ command, stdout, stderr string }{
		{"check", "EPHTOP UNKNOWN - read the sockets: no memory\n", ""},
		{"doctor", "", "ephtop: read the sockets: no memory\n"},
	} {
		r := runWith(t, &fakeHost{pollErr: errors.New("no memory")}, c.command)
		if r.status != 3 || r.stdout != c.stdout || r.stderr != c.stderr {
			t.Errorf("%s: status %d, %q, %q", c.command, r.status, r.stdout, r.stderr)
		}
	}
	var stderr bytes.Buffer
	status := Run([]string{"check"}, Env{
		Stdin: strings.NewReader(""), Stdout: failingWriter{syscall.ENOSPC}, Stderr: &stderr,
		Open: func(live.Options) (source.Source, error) { return &fakeHost{}, nil },
	})
	if want := "ephtop: write the check: no space left on device\n"; status != 3 || stderr.String() != want {
		t.Errorf("check to a full disk: status %d, %q, want 3 and %q", status, stderr.String(), want)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestSnapshotClosesItsSource(t *testing.T) {
	t.Parallel()
	for _, host := range []*fakeHost{{}, {pollErr: errors.New("no")}} {
		runWith(t, host, "snapshot")
		if host.closed != 1 {
			t.Errorf("with poll error %v the source was closed %d times", host.pollErr, host.closed)
		}
	}
}

func TestSnapshotOpensWhatTheFlagsSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		args        []string
		kind, netns string
		portRange   *source.PortRange
		warn        float64
	}{
		{"nothing said", []string{"snapshot"}, "auto", "all", nil, 60},
		{"after the command", []string{"snapshot", "--source", "portable", "--range", "9-10", "--warn", "40"}, "portable", "all", &source.PortRange{Low: 9, High: 10}, 40},
		{"a small NAT, of which every namespace may hold much", []string{"snapshot", "--nat", "7058"}, "auto", "all", nil, 1},
		{"a large one", []string{"snapshot", "--nat", "1000000", "--warn", "5"}, "auto", "all", nil, 5},
		{"before the command", []string{"--source=sockdiag", "--netns", "/proc/7/ns/net", "snapshot"}, "sockdiag", "/proc/7/ns/net", nil, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runWith(t, &fakeHost{}, c.args...)
			if r.status != 0 || len(r.opened) != 1 {
				t.Fatalf("status %d, opened %d times, stderr %q", r.status, len(r.opened), r.stderr)
			}
			if got := r.opened[0]; got.Kind != c.kind || got.Netns != c.netns || got.Warn != c.warn || !cmp.Equal(got.Range, c.portRange) {
				t.Errorf("opened %q in %q from %g %% with range %v, want %+v", got.Kind, got.Netns, got.Warn, got.Range, c)
			}
		})
	}
}

func TestFilterLimitsTheConnectionsAndTheProtocols(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		filter      string
		connections []string // protocols
		states      map[string]int
	}{
		{"", []string{"tcp", "udp"}, map[string]int{"ESTABLISHED": 1}},
		{"rport:53", []string{"udp"}, map[string]int{"ESTABLISHED": 1}},
		{"proto:tcp", []string{"tcp"}, map[string]int{"ESTABLISHED": 1}},
		{"proto:udp", []string{"udp"}, map[string]int{"ESTABLISHED": 1}},
		{"proto:tcp,udp", []string{"tcp", "udp"}, map[string]int{"ESTABLISHED": 2}},
		{"proc:nginx", nil, map[string]int{"ESTABLISHED": 1}},
	} {
		t.Run(c.filter, func(t *testing.T) {
			r := runWith(t, &fakeHost{}, "snapshot", "-o", "json", "--filter", c.filter)
			var got struct {
				States      map[string]int
				Connections []struct{ Proto string }
			}
			if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
				t.Fatalf("%v: status %d, stderr %q", err, r.status, r.stderr)
			}
			var protocols []string
			for _, connection := range got.Connections {
				protocols = append(protocols, connection.Proto)
			}
			if diff := cmp.Diff(c.connections, protocols); diff != "" {
				t.Errorf("connections (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.states, got.States); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
		})
	}
}

func TestThresholdsReachTheLevels(t *testing.T) {
	t.Parallel()
	// One of ten ports is in use.
	for _, c := range []struct{ warn, critical, want string }{
		{"60", "80", "ok"}, {"10", "80", "warning"}, {"5%", "9.9%", "critical"},
	} {
		r := runWith(t, &fakeHost{}, "snapshot", "-o", "json", "--warn", c.warn, "--critical", c.critical)
		if !strings.Contains(r.stdout, `"level": "`+c.want+`"`) {
			t.Errorf("--warn %s --critical %s: no level %s in\n%s", c.warn, c.critical, c.want, r.stdout)
		}
	}
}

func TestColor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode string
		want bool
	}{{"auto", false}, {"never", false}, {"always", true}} {
		r := runWith(t, &fakeHost{}, "snapshot", "--color", c.mode)
		if got := strings.Contains(r.stdout, "\x1b["); got != c.want {
			t.Errorf("--color %s into a buffer: colours are %v, want %v", c.mode, got, c.want)
		}
	}
}

func TestLogIsAppendedTo(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(name, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runWith(t, &fakeHost{}, "snapshot", "--log", name)
	if r.status != 0 {
		t.Fatalf("status %d, stderr %q", r.status, r.stderr)
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(string(got), "\n"); lines[0] != "before" || !strings.Contains(string(got), "msg=poll") {
		t.Errorf("the log is %q, want what was there and the poll", got)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	const commit = "c826635f78d2aaaabbbb"
	for _, c := range []struct {
		name string
		info debug.BuildInfo
		want string
	}{
		{"nothing known", debug.BuildInfo{}, "ephtop (devel)"},
		{"a release", debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "ephtop v1.2.3"},
		{"a release from its checkout", debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"},
			Settings: []debug.BuildSetting{setting("vcs.revision", commit)}}, "ephtop v1.2.3 commit c826635f78d2"},
		{"a changed checkout", debug.BuildInfo{Main: debug.Module{Version: "(devel)"},
			Settings: []debug.BuildSetting{setting("vcs.revision", commit), setting("vcs.modified", "true")}},
			"ephtop (devel) commit c826635f78d2 with changes"},
		{"a pseudo-version says it all", debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-20261122132719-c826635f78d2+dirty"},
			Settings: []debug.BuildSetting{setting("vcs.revision", commit), setting("vcs.modified", "true")}},
			"ephtop v0.0.0-20261122132719-c826635f78d2+dirty"},
		{"a short revision", debug.BuildInfo{Settings: []debug.BuildSetting{setting("vcs.revision", "abc")}}, "ephtop (devel) commit abc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := describe(&c.info); got != c.want {
				t.Errorf("describe = %q, want %q", got, c.want)
			}
		})
	}
}

func TestCompleteFilter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typed string
		want  []string
	}{
		{"pr", []string{"proc:\tname of a process", "proto:\ttcp or udp"}},
		{"!ow", []string{"!owner:\tobserved, inferred …"}},
		{"state:c", []string{"state:CLOSE_WAIT", "state:CLOSING", "state:CLOSE"}},
		{"state:TIME_WAIT,SYN", []string{"state:TIME_WAIT,SYN_SENT", "state:TIME_WAIT,SYN_RECV"}},
		{"rport:443 !proto:", []string{"rport:443 !proto:tcp", "rport:443 !proto:udp"}},
		{"state:TIME_WAIT,CLOSE owner:o", []string{"state:TIME_WAIT,CLOSE owner:observed"}},
		{"cm", []string{"cmd:\tcommand line"}},
		{"state:unk", nil},
		{"proc:ng", nil},
	} {
		got, _ := completeFilter(nil, nil, c.typed)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("completions of %q (-want +got):\n%s", c.typed, diff)
		}
	}
}

func FuzzCompleteFilter(f *testing.F) {
	for _, seed := range []string{"", "!", "state:", "state:a,", "a:b c,d:e", " , : !", "é:,\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		// What was typed before the word being completed must stay as it is, or
		// the shell drops the completion.
		found, _ := completeFilter(nil, nil, typed)
		before := typed[:strings.LastIndexAny(typed, " ,")+1]
		for _, word := range found {
			if !strings.HasPrefix(word, before) {
				t.Errorf("%q completes %q and does not begin with %q", word, typed, before)
			}
		}
	})
}
