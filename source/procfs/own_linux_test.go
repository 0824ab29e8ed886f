package procfs

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source"
)

// inContainer has a test run in a pid namespace of its own.
const inContainer = "EPHTOP_TEST_CONTAINER"

// A namespace is the host's if process 1 of the host is in it, which everyone
// may ask. In a container, process 1 is no sign of it.
func TestOwnScope(t *testing.T) {
	t.Parallel()
	scope := OwnScope("self")
	switch {
	case OwnPIDs():
		if scope.Kind == source.ScopeHost || scope.Name != scope.Host {
			t.Errorf("in a container the namespace is %+v, want it called as the container is", scope)
		}
	case os.Getenv(inContainer) != "":
		t.Error("a process in a pid namespace of its own thinks it is not")
	case Netns(unix.AT_FDCWD, "/proc/1/net/tcp") == Netns(unix.AT_FDCWD, "/proc/self/net/tcp"):
		if scope.Kind != source.ScopeHost || scope.Name != "host" {
			t.Errorf("on the host the namespace is %+v, want the host's", scope)
		}
	}
}

func TestOwnScopeInContainer(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root to make a pid namespace")
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestOwnScope$")
	cmd.Env = append(os.Environ(), inContainer+"=yes")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}
