package command_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/netlab"
	"ephtop/source/race"
	"ephtop/source/recording"
)

// In a control group whose memory is too little for so many sockets, the program
// is not killed: it shows fewer connections, says so, and counts all.
func TestASmallControlGroup(t *testing.T) {
	unraced(t)
	const limit, live, waits = 40 << 20, 3200, 20_000
	c := netlab.NewCrowd(t, live, waits)
	group := controlGroup(t, limit)
	cmd := confined(t, group, "snapshot", "-o", "json", "--netns", "self")
	var out, errOut strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := c.Host.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, &errOut)
	}
	var said struct {
		States      map[string]int `json:"states"`
		Connections []struct{}     `json:"connections"`
		Degraded    []string       `json:"degraded"`
	}
	if err := json.Unmarshal([]byte(out.String()), &said); err != nil {
		t.Fatal(err)
	}
	if n := len(said.Connections); n < 1000 || n >= live+waits {
		t.Errorf("%d connections of %d are shown, want some", n, live+waits)
	}
	if said.States["ESTABLISHED"] != live || said.States["TIME_WAIT"] < waits*9/10 {
		t.Errorf("states %v, want all of %d and %d", said.States, live, waits)
	}
	if all := strings.Join(said.Degraded, "\n"); !strings.Contains(all, "connections are shown: memory is limited to 20 MB") {
		t.Errorf("it says %q, want how many are shown and why", all)
	}
}

// So it is where another namespace has them, which sock_diag tells of first.
func TestASmallControlGroupBesideACrowd(t *testing.T) {
	unraced(t)
	netlab.NewCrowd(t, 3200, 20_000)
	for _, source := range []string{"auto", "sockdiag"} {
		cmd := confined(t, controlGroup(t, 40<<20), "snapshot", "-o", "json", "--netns", "all", "--source", source)
		var out, errOut strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &errOut
		if err := netlab.New(t, "").Start(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("--source %s: %v: %s", source, err, &errOut)
		}
		if !strings.Contains(out.String(), "connections are shown: memory is limited to 20 MB") {
			t.Errorf("--source %s does not say that it shows fewer connections", source)
		}
	}
}

// The dashboard in one looks at it for some polls, also where each connection has
// a destination of its own.
func TestADashboardInASmallControlGroup(t *testing.T) {
	unraced(t)
	for _, scattered := range []bool{false, true} {
		const waits = 20_000
		var c *netlab.Crowd
		if scattered {
			c = netlab.NewCrowd(t, 320, 0)
			c.Scatter(waits)
		} else {
			c = netlab.NewCrowd(t, 3200, waits)
		}
		cmd := confined(t, controlGroup(t, 40<<20), "--interval", "200ms", "--netns", "self")
		s := openScreen(t, c.Host, screenOptions{command: append([]string{cmd.Path}, cmd.Args[1:]...)})
		s.waitFor("connections are shown: memory is limited to 20 MB")
		s.press("Space", "Left", "Left", "Space")
		s.waitFor("● live")
		s.press("q")
		s.wantEnd(0)
	}
}

// A recording of as many destinations as a host has connections is judged, and
// told, in 256 MB.
func TestARecordingOfManyDestinations(t *testing.T) {
	unraced(t)
	const limit, destinations = 256 << 20, 200_000
	m := source.Moment{Time: time.Unix(1_700_000_000, 0)}
	s := m.Add(source.Scope{Netns: 1})
	s.Settings = source.Settings{Range: source.PortRange{Low: 32768, High: 60999}, TimeWait: time.Minute}
	for i := range destinations {
		var to [4]byte
		binary.BigEndian.PutUint32(to[:], 0x0b000000+uint32(i))
		s.Sockets = append(s.Sockets, source.Socket{
			Proto: source.TCP, State: source.Established, Process: source.NoProcess,
			Local: source.AddrFrom(netip.MustParseAddr("10.0.0.1")), LocalPort: uint16(32768 + i%28_000),
			Remote: source.AddrFrom(netip.AddrFrom4(to)), RemotePort: 443,
		})
	}
	recorded := filepath.Join(t.TempDir(), "many.eph")
	record(t, recorded, &m)
	m = source.Moment{}
	debug.FreeOSMemory()
	for _, args := range [][]string{{"check", "--from", recorded}, {"export", recorded, recorded + ".md"}} {
		out, err := confined(t, controlGroup(t, limit), args...).CombinedOutput()
		if status := new(exec.ExitError); err != nil && !(errors.As(err, &status) && status.Exited() && status.ExitCode() <= 2) {
			t.Errorf("%s: %v: %s", args[0], err, out)
		}
	}
	report, err := os.ReadFile(recorded + ".md")
	if err != nil || !strings.Contains(string(report), "connections go to more destinations than have figures of their own") {
		t.Errorf("the report does not say that some destinations have no figures: %v", err)
	}
}

// record writes a recording of one moment.
func record(t *testing.T, path string, m *source.Moment) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := recording.NewWriter(f, recording.Header{})
	if err == nil {
		err = w.Write(m)
	}
	if err = errors.Join(err, w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// unraced skips the test where the race detector would be what is too large.
func unraced(t *testing.T) {
	t.Helper()
	if race.Enabled {
		t.Skip("the race detector takes more memory than the group has")
	}
}

// confined is the program in a control group.
func confined(t *testing.T, group string, args ...string) *exec.Cmd {
	t.Helper()
	join := `echo $$ > "$0/cgroup.procs" && ` + asProgram + `='` + asItIs + `' exec "$@"`
	return exec.Command("/bin/sh", append([]string{"-c", join, group, executable(t)}, args...)...)
}

// controlGroup makes one that may take so many bytes of memory.
func controlGroup(t *testing.T, limit int) string {
	t.Helper()
	for _, of := range []struct{ mount, file string }{
		{"/sys/fs/cgroup", "memory.max"}, {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
	} {
		dir, err := os.MkdirTemp(of.mount, "ephtop-test-")
		if err != nil {
			continue
		}
		t.Cleanup(func() { os.Remove(dir) })
		f, err := os.OpenFile(filepath.Join(dir, of.file), os.O_WRONLY, 0) // where it is none, it is not made
		if err != nil {
			continue
		}
		_, err = f.WriteString(strconv.Itoa(limit))
		if err = errors.Join(err, f.Close()); err == nil {
			return dir
		}
	}
	t.Skip("needs root, and a control group of its own with a limit of memory")
	return ""
}
