//go:build amd64 || arm64

package tables

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// In a pid namespace of its own, as a container's, a process is told by the pid
// that it has there, and in one inside of that, too.
//
// It is not parallel: a program that is being started has the descriptors of all tests
// until it begins, and may be the one that closes a connection.
func TestEventsInAPIDNamespace(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute where a machine is emulated")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root to make a pid namespace")
	}
	if _, err := exec.LookPath("unshare"); err != nil {
		t.Skipf("no unshare: %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"exec unshare -pf --mount-proc", "exec unshare -pf --mount-proc unshare -pf --mount-proc"} {
		cmd := exec.Command("sh", "-c", c+` "$0" -test.v '-test.run=^(TestEveryCloseIsTold|TestFailures)$'`, self)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", c, err, out)
		}
		if !strings.Contains(string(out), "--- PASS: TestEveryCloseIsTold (") {
			t.Skipf("not told there:\n%s", out)
		}
	}
}
