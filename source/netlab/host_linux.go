package netlab

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Host is a network namespace.
type Host struct {
	t     testing.TB
	calls chan func()
	tid   int

	mu  sync.Mutex
	fds map[int]struct{} // sockets to close at the end
}

// New makes a namespace whose loopback interface is up, with the range of
// ports given ("40000 40099"; "" leaves the kernel's default). It lasts until
// the test ends.
func New(t testing.TB, portRange string) *Host {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to make a network namespace")
	}
	h := &Host{t: t, calls: make(chan func()), fds: make(map[int]struct{})}
	started := make(chan error)
	go h.serve(started)
	if err := <-started; err != nil {
		t.Skipf("cannot make a network namespace: %v", err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		h.closeAll()
		h.calls <- func() { close(done) }
		<-done
		close(h.calls)
	})
	if portRange != "" {
		h.Sysctl("net.ipv4.ip_local_port_range", portRange)
	}
	return h
}

// serve runs calls on a thread inside the namespace. The thread is never
// unlocked, so the runtime ends it with the goroutine: all but the first, which
// would keep the namespace for as long as the process lives.
func (h *Host) serve(started chan<- error) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		next := make(chan struct{})
		go func() { defer close(next); h.serve(started) }()
		<-next
		runtime.UnlockOSThread()
		return
	}
	err := unix.Unshare(unix.CLONE_NEWNET)
	if err == nil {
		err = loopbackUp()
	}
	h.tid = unix.Gettid()
	started <- err
	if err != nil {
		return
	}
	for call := range h.calls {
		call()
	}
}

// Renew moves the host into a new namespace that is made from its present one,
// and so has the tables that this wants for its children
// ("net.ipv4.tcp_child_ehash_entries"). It has to be called before anything is
// opened.
func (h *Host) Renew() {
	h.t.Helper()
	h.Must(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		return loopbackUp()
	})
}

// loopbackUp sets IFF_UP on lo of the thread's namespace.
func loopbackUp() error {
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return ioctl(unix.SIOCSIFFLAGS, ifr)
}

func ioctl(request uint, ifr *unix.Ifreq) error {
	fd, err := openHere("0.0.0.0:0", unix.SOCK_DGRAM)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.IoctlIfreq(fd, request, ifr)
}

// Address gives the loopback interface a further IPv4 address and the network
// of its class, as 10.0.0.0/8.
func (h *Host) Address(ip string) {
	h.t.Helper()
	a := netip.MustParseAddr(ip).As4()
	h.Must(func() error {
		ifr, err := unix.NewIfreq("lo:1")
		if err != nil {
			return err
		}
		if err := ifr.SetInet4Addr(a[:]); err != nil {
			return err
		}
		return ioctl(unix.SIOCSIFADDR, ifr)
	})
}

// Do runs f on the namespace's thread: sockets that it opens, files of
// /proc/self/net that it reads and processes that it starts are the
// namespace's. f must not call t.FailNow or its like.
func (h *Host) Do(f func() error) error {
	var err error
	done := make(chan struct{})
	h.calls <- func() {
		defer close(done)
		err = f()
	}
	<-done
	return err
}

// Must is Do for what the test cannot go on without.
func (h *Host) Must(f func() error) {
	h.t.Helper()
	if err := h.Do(f); err != nil {
		h.t.Fatal(err)
	}
}

// Sysctl sets a setting of the namespace, such as
// "net.ipv4.ip_local_reserved_ports".
func (h *Host) Sysctl(name, value string) {
	h.t.Helper()
	path := filepath.Join("/proc/sys", strings.ReplaceAll(name, ".", "/"))
	h.Must(func() error { return os.WriteFile(path, []byte(value+"\n"), 0o644) })
}

// Start starts a command inside the namespace.
func (h *Host) Start(cmd *exec.Cmd) error { return h.Do(cmd.Start) }

// Output runs a command inside the namespace and returns what it prints.
func (h *Host) Output(name string, args ...string) string {
	h.t.Helper()
	cmd := exec.Command(name, args...)
	var out, errOut strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := h.Start(cmd); err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		h.t.Fatalf("%s: %v: %s", cmd, err, errOut.String())
	}
	return out.String()
}

// Path is a file that stands for the namespace, as setns(2) and nsenter(1)
// take it, while the test lasts.
func (h *Host) Path() string { return fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), h.tid) }
