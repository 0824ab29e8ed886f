package live

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source/netlab"
)

// A poll goes on without the names of users where the file that has them does not
// answer, and says so. The pipe in its place is one that nobody opens.
func TestAPollWaitsForNoFile(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to put something in the place of /etc/passwd")
	}
	if _, err := exec.LookPath("unshare"); err != nil {
		t.Skip("needs unshare")
	}
	h := netlab.New(t, "")
	h.Hold("127.0.0.1:80", 1)
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{Auto, Sockdiag, Portable} {
		t.Run(kind, func(t *testing.T) {
			got := h.Output("unshare", "-m", "sh", "-ec", `mount --bind "$0" /etc/passwd; exec env "$1" "$2"`,
				pipe, asPoller+"="+kind+" self", netlab.ReadableSelf(t))
			if !strings.Contains(got, "no-answer /etc/passwd\n") {
				t.Errorf("not seen: %q, want that /etc/passwd does not answer", got)
			}
		})
	}
}
