package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"ephtop/source"
)

// asChild makes the test binary print the evidence instead of testing.
const asChild = "EPHTOP_TEST_PRINT_EVIDENCE"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) == "" {
		os.Exit(m.Run())
	}
	if err := json.NewEncoder(os.Stdout).Encode(Gather(context.Background(), Options{})); err != nil {
		os.Exit(1)
	}
}

func TestGatherWithoutPrivileges(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become somebody else")
	}
	// The link leads to the binary past directories that only root may enter.
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), asChild+"=1")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var e source.Evidence
	if err := json.Unmarshal(out, &e); err != nil {
		t.Fatal(err)
	}
	checkStatuses(t, e)
	if _, err := find("nft"); err == nil {
		if e.Firewall.Outcome != source.OutcomeNotReadable || !strings.Contains(e.Firewall.Reason, "run as root") {
			t.Errorf("firewall: %+v", e.Firewall.Status)
		}
	}
	if !e.Sysctls.OK() {
		t.Errorf("settings: %+v", e.Sysctls.Status)
	}
}

func TestRunIsBounded(t *testing.T) {
	t.Run("in what it prints", func(t *testing.T) {
		out, err := run(context.Background(), 1000, "yes")
		if err != nil || !out.cut || len(out.stdout) != 1000 {
			t.Errorf("%d bytes, cut %v, %v", len(out.stdout), out.cut, err)
		}
	})
	t.Run("in time, and keeps what was printed", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		out, err := run(ctx, 1000, "sh", "-c", "echo first; sleep 600")
		if err == nil || ctx.Err() == nil || string(out.stdout) != "first\n" {
			t.Errorf("%q, %v", out.stdout, err)
		}
	})
	t.Run("and says what a command complains of", func(t *testing.T) {
		_, err := run(context.Background(), 1000, "sh", "-c", "echo 'you must be root' >&2; exit 3")
		if err == nil || err.Error() != "sh: you must be root" {
			t.Errorf("%v", err)
		}
	})
	t.Run("and says what is not installed", func(t *testing.T) {
		if _, err := run(context.Background(), 1000, "no-such-command-here"); err == nil || !strings.Contains(err.Error(), "not installed") {
			t.Errorf("%v", err)
		}
	})
}
