package trace

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source/guard"
	"ephtop/source/netlab"
)

// thrown reports whether an instance is no more.
func thrown(tr *Tracer) bool {
	root, err := openTracefs()
	if err != nil {
		return false
	}
	defer root.Close()
	_, err = root.Stat(instances + tr.reader.name)
	return errors.Is(err, os.ErrNotExist)
}

// A poll that hangs in a Drain does not keep tracing on when the program ends.
func TestCloseDoesNotWaitForADrain(t *testing.T) {
	t.Parallel()
	tr := openIn(t, netlab.New(t, ""))
	tr.mu.Lock() // as a Drain that does not return
	defer tr.mu.Unlock()
	if err := tr.Close(); err != nil || !thrown(tr) {
		t.Errorf("the instance is removed: %v; %v", thrown(tr), err)
	}
}

// A fault in the goroutine that reads is an error of each Drain, and not the end
// of the program; the instance can be closed.
func TestAFaultOfTheReader(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "")
	tr := openIn(t, h)
	tr.mu.Lock()
	tr.resolver = nil
	tr.mu.Unlock()
	listener := h.Listen(net.JoinHostPort("127.0.0.1", "7392"))
	defer h.Close(listener)
	broken := func() bool {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		return tr.broken != nil
	}
	for deadline := time.Now().Add(time.Minute); !broken(); {
		if time.Now().After(deadline) {
			t.Fatal("nothing was traced")
		}
		h.Must(func() error {
			c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", "7392"))
			if err == nil {
				err = c.Close()
			}
			return err
		})
	}
	var fault *guard.Panic
	if _, _, err := tr.Drain(nil); !errors.As(err, &fault) {
		t.Errorf("Drain: %v, want the fault", err)
	}
	if err := tr.Close(); err != nil || !thrown(tr) {
		t.Errorf("the instance is removed: %v; %v", thrown(tr), err)
	}
}

// openWithout prints what Open says where so many descriptors more can be opened,
// for each number that is too few.
func openWithout([]string) error {
	r, w, err := os.Pipe() // the runtime needs descriptors of its own for its first
	if err != nil {
		return err
	}
	defer r.Close()
	defer w.Close()
	lowest, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	unix.Close(lowest)
	for n := 0; ; n++ {
		limit := unix.Rlimit{Cur: uint64(lowest + n), Max: uint64(lowest + 1000)}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			return err
		}
		tr, err := Open()
		if err == nil {
			return tr.Close()
		}
		fmt.Println(err)
	}
}

// Out of descriptors, that is what is said, wherever they run out; and nothing is
// left behind.
func TestOutOfDescriptors(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "")
	openIn(t, h).Close() // skips where nothing can be traced
	lines := startChild(t, h, "descriptors").rest()
	if len(lines) < 3 {
		t.Fatalf("Open says %q", lines)
	}
	for n, line := range lines {
		if !strings.Contains(line, "too many open files") {
			t.Errorf("with %d descriptors Open says %q", n, line)
		}
	}
}
