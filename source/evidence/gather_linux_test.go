package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/evidence/host"
	"ephtop/source/netlab"
	"ephtop/source/netns"
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

// What belongs to a network namespace is asked in the one that is asked about; the
// files of the host set nothing there.
func TestGatherInAnotherNamespace(t *testing.T) {
	t.Parallel()
	nft, err := host.Find("nft")
	if err != nil {
		t.Skip("needs nft")
	}
	h := netlab.New(t, "40000 40099")
	h.Must(func() error {
		cmd := exec.Command(nft, "-f", "-")
		cmd.Stdin = strings.NewReader("table inet f {\nchain i {\ntype filter hook input priority 0\niifname != lo tcp dport 40000-40009 drop\n}\n}\n")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Skipf("nft cannot load a rule here: %v: %s", err, out)
		}
		return nil
	})
	var st unix.Stat_t
	if err := unix.Stat(h.Path(), &st); err != nil {
		t.Fatal(err)
	}
	ports := source.PortRange{Low: 40000, High: 40099}
	e := Gather(t.Context(), Options{Range: ports, Into: netns.Into(&source.Scope{Netns: st.Ino}, h.Path())})
	refused := false
	for _, r := range e.Firewall.Returns {
		refused = refused || slices.Equal(r.Refused, []source.PortRange{{Low: 40000, High: 40009}})
	}
	if e.Firewall.Rules != 1 || !refused {
		t.Errorf("firewall: %+v", e.Firewall)
	}
	at := slices.IndexFunc(e.Sysctls.Settings, func(s source.Sysctl) bool { return s.Name == "net.ipv4.ip_local_port_range" })
	if s := e.Sysctls.Settings[at]; s.Value != "40000 40099" || s.Origin != source.OriginUnexplained || len(e.Sysctls.Files) > 0 {
		t.Errorf("setting %+v, files %v", s, e.Sysctls.Files)
	}
}
