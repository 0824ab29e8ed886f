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

	"ephtop/source"
	"ephtop/source/evidence/host"
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
	if _, err := host.Find("nft"); err == nil {
		if e.Firewall.Outcome != source.OutcomeNotReadable || !strings.Contains(e.Firewall.Reason, "run as root") {
			t.Errorf("firewall: %+v", e.Firewall.Status)
		}
	}
	if !e.Sysctls.OK() {
		t.Errorf("settings: %+v", e.Sysctls.Status)
	}
}
