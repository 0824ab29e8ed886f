package command_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source/netlab"
)

// must is the socket that was opened.
func must(t *testing.T) func(fd int, err error) int {
	return func(fd int, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
}

// address is the local address of a socket.
func address(t *testing.T, fd int) string {
	t.Helper()
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	switch name := name.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(name.Addr), uint16(name.Port)).String()
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(name.Addr), uint16(name.Port)).String()
	}
	t.Fatalf("address of type %T", name)
	return ""
}

// accept takes a connection that no process started later inherits.
func accept(h *netlab.Host, listener int) int {
	fd := h.Accept(listener)
	unix.CloseOnExec(fd)
	return fd
}

// startHolder starts another process that holds a socket, which this process
// then gives up.
func startHolder(t *testing.T, h *netlab.Host, fd int) (pid int) {
	t.Helper()
	copied, err := unix.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(copied), "socket")
	defer file.Close()
	cmd := exec.Command("sleep", "600")
	cmd.ExtraFiles = []*os.File{file}
	if err := h.Start(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	h.Close(fd)
	return cmd.Process.Pid
}

func TestConnectionsOfThisHostAreOnTheScreen(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "40000 40099")
	here, self := strconv.Itoa(os.Getpid()), processName(t)
	listener := h.Listen("127.0.0.1:5432")
	listener6 := h.Listen("[::1]:6379")

	established := must(t)(h.Connect("127.0.0.1:5432"))
	accept(h, listener)
	six := must(t)(h.Connect("[::1]:6379"))
	accept(h, listener6)
	closeWait := must(t)(h.Connect("127.0.0.1:5432"))
	if err := unix.Shutdown(accept(h, listener), unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	foreign := must(t)(h.Connect("127.0.0.1:5432"))
	foreignAddress := address(t, foreign)
	accept(h, listener)
	other := strconv.Itoa(startHolder(t, h, foreign))
	datagram := must(t)(h.ConnectUDP("127.0.0.1:53"))

	s := openScreen(t, h, screenOptions{})
	for _, want := range []struct {
		what  string
		words []string
	}{
		{"a listener", []string{"tcp", "127.0.0.1:5432", "*", "LISTEN", here, self}},
		{"a connection", []string{"tcp", address(t, established), "→", "127.0.0.1:5432", "ESTABLISHED", here, self}},
		{"its other end", []string{"tcp", "127.0.0.1:5432", "→", address(t, established), "ESTABLISHED", here, self}},
		{"an IPv6 connection", []string{"tcp", address(t, six), "→", "[::1]:6379", "ESTABLISHED", here, self}},
		{"one that was closed from afar", []string{"tcp", address(t, closeWait), "→", "127.0.0.1:5432", "CLOSE_WAIT", here, self}},
		{"the end that closed", []string{"tcp", "127.0.0.1:5432", "→", address(t, closeWait), "FIN_WAIT2", here, self}},
		{"another process's", []string{"tcp", foreignAddress, "→", "127.0.0.1:5432", "ESTABLISHED", other, "sleep"}},
	} {
		s.wait(fmt.Sprintf("%s: %v", want.what, want.words), func(f frame) bool { return f.shows(want.words...) })
	}

	if err := h.TimeWait(h.Listen("127.0.0.1:8080"), "127.0.0.1:8080", 1); err != nil {
		t.Fatal(err)
	}
	s.wait("a TIME_WAIT that came meanwhile", func(f frame) bool { return f.shows("→", "127.0.0.1:8080", "TIME_WAIT") })

	s.press("p")
	words := []string{"udp", address(t, datagram), "→", "127.0.0.1:53", "ESTABLISHED", here, self}
	s.wait(fmt.Sprint(words), func(f frame) bool { return f.shows(words...) })
	s.press("q")
	s.wantEnd(0)
}

// report is what the tests need of the JSON of the program's snapshot.
type report struct {
	Level  string
	Tuples []struct {
		Destination string
		Port        int
		Used        int
		Percent     float64
	}
}

// snapshot runs the program's snapshot inside a namespace.
func snapshot(t *testing.T, h *netlab.Host) report {
	t.Helper()
	cmd := program(t, "snapshot", "-o", "json")
	var out, complaint strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := h.Start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		t.Fatalf("snapshot: %v: %s", err, &complaint)
	}
	var r report
	if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
		t.Fatalf("snapshot: %v in %s", err, &out)
	}
	if len(r.Tuples) == 0 {
		t.Fatalf("no tuples in %s", &out)
	}
	return r
}

func TestGaugeSaysWhatSnapshotSays(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "40000 40099")
	const to = "127.0.0.1:5432"
	h.Listen(to)
	s := openScreen(t, h, screenOptions{size: "80x24"})
	for _, test := range []struct {
		connections int
		percent     float64
		level, word string
	}{
		{64, 64, "warning", "! warning"},
		{85, 85, "critical", "‼ critical"},
		{100, 100, "exhausted", "✖ exhausted"},
	} {
		t.Run(test.level, func(t *testing.T) {
			have := 0
			if test.connections > 64 {
				have = snapshot(t, h).Tuples[0].Used
			}
			if n, err := h.Fill(to, test.connections-have); err != nil {
				t.Fatalf("after %d connections: %v", have+n, err)
			}
			r := snapshot(t, h)
			if r.Tuples[0].Percent != test.percent || r.Level != test.level {
				t.Errorf("snapshot says %v %%, %s; want %v, %s", r.Tuples[0].Percent, r.Level, test.percent, test.level)
			}
			gauge := regexp.MustCompile(fmt.Sprintf(`%s .* %.0f %%  %s`, regexp.QuoteMeta(to), r.Tuples[0].Percent, test.word))
			s.wait(gauge.String(), func(f frame) bool {
				lines := f.box("Ephemeral ports").lines
				return len(lines) > 0 && gauge.MatchString(lines[0])
			})
		})
	}
	// The screen is right: not one more can be had.
	if _, err := h.Connect(to); !errors.Is(err, unix.EADDRNOTAVAIL) {
		t.Errorf("one more connection: %v, want %v", err, unix.EADDRNOTAVAIL)
	}
	s.press("q")
	s.wantEnd(0)
}

func TestWithoutPermissionTheScreenSaysWhatIsHidden(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "40000 40099")
	h.Listen("127.0.0.1:5432")
	fd := must(t)(h.Connect("127.0.0.1:5432"))
	s := openScreen(t, h, screenOptions{user: 65534})
	hidden := regexp.MustCompile(`! [0-9]+ processes are hidden: run as root or with CAP_SYS_PTRACE`)
	s.wait(hidden.String(), func(f frame) bool { return hidden.MatchString(f.box("Ephemeral ports").bottom) })
	row := []string{address(t, fd), "→", "127.0.0.1:5432", "ESTABLISHED", "—", "unknown"}
	s.wait(fmt.Sprint(row), func(f frame) bool { return f.shows(row...) })
	s.press("?")
	s.press("End")
	s.waitFor("What is not seen", "CAP_DAC_READ_SEARCH")
	s.press("q") // the help first
	s.press("q")
	s.wantEnd(0)
}

func TestPortableSourceIsAnnounced(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "40000 40099")
	h.Listen("127.0.0.1:5432")
	fd := must(t)(h.Connect("127.0.0.1:5432"))
	row := []string{address(t, fd), "→", "127.0.0.1:5432", "ESTABLISHED", strconv.Itoa(os.Getpid()), processName(t)}
	for _, test := range []struct {
		name string
		o    screenOptions
		why  string
	}{
		{"asked for", screenOptions{args: []string{"--source", "portable"}}, "gopsutil"},
		{"because netlink is refused", screenOptions{env: []string{asProgram + "=" + noNetlink}},
			"the kernel's sock_diag can't be used"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := openScreen(t, h, test.o)
			s.wait("portable, and what it does not see", func(f frame) bool {
				return strings.Contains(f.line(0), " portable") && strings.Contains(f.box("Ephemeral ports").bottom, "not seen")
			})
			s.wait(fmt.Sprint(row), func(f frame) bool { return f.shows(row...) })
			s.press("?")
			s.press("End")
			s.waitFor("What is not seen", test.why)
			s.press("q") // the help first
			s.press("q")
			s.wantEnd(0)
		})
	}
}
