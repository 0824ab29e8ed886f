package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
)

// asPoller makes the test binary a process that polls once and prints what it
// did not see. The variable names the source and the namespaces, and may name a
// mode of tracing: then how that stands is printed too.
const asPoller = "EPHTOP_TEST_POLLER"

func tellLimits(what string) int {
	if os.Getenv(asSandboxed) != "" {
		if err := refuseLinks(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	words := append(strings.Fields(what), "")
	var tracing source.Tracing
	src, err := Open(Options{Kind: words[0], Netns: words[1], Trace: words[2], Tracing: &tracing, Once: true})
	if errors.Is(err, ErrUntraced) {
		fmt.Println(err)
		return 0
	}
	if err == nil {
		defer src.Close()
		var m source.Moment
		if err = src.Poll(context.Background(), &m); err == nil {
			if state, why := tracing.State(); words[2] != "" {
				fmt.Println([...]string{"none", "off", "refused", "on", "stopped"}[state], why)
			}
			for _, l := range m.Limits {
				if words[2] == "" || l.Code == source.LimitUntraced {
					fmt.Println(l.Code, l.Detail)
				}
			}
			return 0
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// Who lacks a right is told so, and which, root or not.
func TestMissingRightsAreTold(t *testing.T) {
	h := netlab.New(t, "")
	self := netlab.ReadableSelf(t)
	holdAsNobody(t, h)
	for _, test := range []struct {
		name, command string
		want          string // "" for nothing that is not seen
	}{
		{"all rights", "setpriv --bounding-set=-net_raw", ""},
		{"no right to trace", "setpriv --bounding-set=-sys_ptrace", "processes-hidden [0-9]+ CAP_SYS_PTRACE\n"},
		{"no right to list", "setpriv --bounding-set=-dac_read_search,-dac_override",
			"processes-hidden [0-9]+ CAP_DAC_READ_SEARCH\n"},
		{"the right to do anything to files", "setpriv --bounding-set=-dac_read_search", ""},
		{"a user", "setpriv --reuid=65533 --regid=65533 --clear-groups",
			"processes-hidden [0-9]+ CAP_SYS_PTRACE CAP_DAC_READ_SEARCH\n"},
		{"a user with both rights", "setpriv --reuid=65533 --regid=65533 --clear-groups " +
			"--inh-caps=+sys_ptrace,+dac_read_search --ambient-caps=+sys_ptrace,+dac_read_search", ""},
		{"another pid namespace", "unshare -pf --mount-proc", "other-pids \n"},
		{"another user namespace", "unshare -r", "processes-hidden [0-9]+\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			command := strings.Fields(test.command)
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skip("needs ", command[0])
			}
			got := h.Output("env", append(append([]string{asPoller + "=sockdiag self"}, command...), self)...)
			if !regexp.MustCompile("^" + test.want + "$").MatchString(got) {
				t.Errorf("not seen: %q, want %q", got, test.want)
			}
		})
	}
}

// The engine lists the descriptors of all processes, by the pids of the host:
// where those are not ours, owners are missing, and that is told.
func TestTablesInAnotherPIDNamespace(t *testing.T) {
	h := netlab.New(t, "")
	open(t, h, Tables) // skips where they can't be read
	h.Hold("127.0.0.1:80", 1)
	if _, err := exec.LookPath("unshare"); err != nil {
		t.Skip("needs unshare")
	}
	got := h.Output("env", asPoller+"=tables self", "unshare", "-pf", "--mount-proc", netlab.ReadableSelf(t))
	if want := "other-pids \n"; got != want {
		t.Errorf("not seen: %q, want %q", got, want)
	}
}

// holdAsNobody starts a process of another user that alone holds a socket.
func holdAsNobody(t *testing.T, h *netlab.Host) {
	t.Helper()
	listener := h.Listen("127.0.0.1:80")
	fd, err := unix.Dup(listener)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "listener")
	defer file.Close()
	cmd := exec.Command("cat")
	cmd.ExtraFiles = []*os.File{file}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	h.Child(t, cmd)
	h.Close(listener)
}

// Who insists on what can't be had gets an error, from every kind of source; with
// auto it is as if nobody had asked.
func TestTracingTakesRights(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "")
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("needs setpriv")
	}
	self := netlab.ReadableSelf(t)
	for _, kind := range []string{Auto, Sockdiag, Portable} {
		for _, test := range []struct{ mode, want string }{
			{TraceOn, "cannot trace: it takes root: run ephtop with sudo"},
			{TraceAuto, "refused it takes root: run ephtop with sudo"},
			{TraceOff, "refused it takes root: run ephtop with sudo"},
		} {
			t.Run(kind+" "+test.mode, func(t *testing.T) {
				got := h.Output("setpriv", "--reuid=65533", "--regid=65533", "--clear-groups",
					"env", asPoller+"="+kind+" self "+test.mode, self)
				if !strings.HasPrefix(got, test.want) || strings.Count(got, "\n") != 1 {
					t.Errorf("%q, want one line that begins with %q", got, test.want)
				}
			})
		}
	}
}
