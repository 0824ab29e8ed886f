package command_test

import (
	"encoding/json"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source/netlab"
	"ephtop/source/procfs"
)

// everywhere runs the program as it is, in a namespace: it looks at all of them.
func everywhere(t *testing.T, h *netlab.Host, args ...string) (status int, stdout string) {
	t.Helper()
	return asIs(t, h, append([]string{executable(t)}, args...)...)
}

// asIs runs a command that runs the program so.
func asIs(t *testing.T, h *netlab.Host, command ...string) (status int, stdout string) {
	t.Helper()
	status, stdout, stderr := patiently(t, h, func() *exec.Cmd {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Env = environ(asProgram + "=" + asItIs)
		return cmd
	})
	if stderr != "" {
		t.Logf("standard error: %s", stderr)
	}
	return status, stdout
}

// A router that has no socket of its own has given out all ports of its rule: a
// check on its host, among many other namespaces, is critical, and says whose they
// are.
func TestKernelCheckOfARouter(t *testing.T) {
	t.Parallel()
	for range 20 { // whose numbers are before and behind the router's
		netlab.New(t, "").Child(t, exec.Command("cat"))
	}
	lab := netlab.NewRouted(t, netlab.SNATRules("snat to "+netlab.NATAddress+":40000-40019"))
	for range 20 {
		netlab.New(t, "").Child(t, exec.Command("cat"))
	}
	lab.Router.Child(t, exec.Command("cat")) // a namespace is known by its processes
	to := netlab.ServerAddress + ":443"
	act(t, lab.Server, "shop", "serve", 0, to)
	act(t, lab.Client, "worker", "hold", 20, to)
	act(t, lab.Client, "late", "dial", 6, to)
	for _, source := range []string{"tables", "sockdiag"} {
		// A busy host may not be told of the rules in time: it says so.
		ask := func(more ...string) (status int, stdout string) {
			for range 10 {
				status, stdout = everywhere(t, lab.Client, append([]string{"check", "--on", "any", "--source", source}, more...)...)
				if !strings.HasSuffix(stdout, " snat=U\n") {
					break
				}
			}
			return status, stdout
		}
		status, stdout := ask("--netns", lab.Router.Path())
		if want := "no SNAT port of 20 is free on 10.92.0.1 to 10.92.0.2:443"; status != 2 || !strings.Contains(stdout, want) {
			t.Errorf("%s: status %d, %q; want 2, %q", source, status, stdout, want)
		}
		if _, stdout = everywhere(t, lab.Client, "doctor", "--for", "1s", "--source", source, "--netns", lab.Router.Path()); !strings.Contains(stdout, "a rule translates sources to 20 ports") {
			t.Errorf("%s: doctor of the router knows nothing of its rule:\n%s", source, stdout)
		}
		// The client's sockets are in another namespace, and other tests fill namespaces
		// of this host at the same time.
		status, stdout = ask()
		if status != 2 {
			t.Errorf("%s: status %d, %q; want 2", source, status, stdout)
		}
		var pool *snatPool
		for tries := 0; pool == nil && tries < 10; tries++ {
			pool = snat(t, lab, source)
		}
		if pool == nil || pool.Used != 20 || pool.Ports != 20 || pool.Level != "exhausted" ||
			len(pool.Holders) != 1 || pool.Holders[0].Name != "worker" || pool.Holders[0].Ports != 20 {
			t.Errorf("%s: %+v", source, pool)
		}
	}
}

// snatPool is what the tests read of a pool in the JSON.
type snatPool struct {
	Address, Destination, Level string
	Used, Ports                 int
	Namespace                   struct{ ID uint64 }
	Holders                     []struct {
		Client, Name string
		Ports        int
	}
}

// snat takes a snapshot of all namespaces, and gives the pool of the lab's router, nil for
// none.
func snat(t *testing.T, lab *netlab.Routed, source string) *snatPool {
	t.Helper()
	_, stdout := everywhere(t, lab.Client, "snapshot", "-o", "json", "--source", source)
	var page struct{ SNAT []snatPool }
	if err := json.Unmarshal([]byte(stdout), &page); err != nil {
		t.Fatal(err)
	}
	router := procfs.Netns(unix.AT_FDCWD, lab.Router.Path())
	for i := range page.SNAT {
		if p := &page.SNAT[i]; p.Namespace.ID == router {
			return p
		}
	}
	return nil
}

// Many connections over many destinations are no trouble, and none of them is
// looked at.
func TestKernelHealthyRouter(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "")
	h.Child(t, exec.Command("cat"))
	client, address := netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("203.0.113.7")
	var flows []netlab.Tracked
	for i := range 60_000 {
		port := uint16(1024 + i/200)
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2, 0, byte(i % 200)}), 443)
		flows = append(flows, netlab.Tracked{From: netip.AddrPortFrom(client, port), To: to, As: netip.AddrPortFrom(address, port), State: 3})
	}
	h.Track(flows)
	for _, source := range []string{"tables", "sockdiag"} {
		status, stdout := everywhere(t, h, "check", "--on", "any", "--netns", h.Path(), "--source", source)
		if status != 0 || !strings.HasPrefix(stdout, "EPHTOP OK - ") {
			t.Errorf("%s: status %d, %q", source, status, stdout)
		}
		if _, stdout = everywhere(t, h, "snapshot", "--netns", h.Path(), "--source", source); strings.Contains(stdout, "slow") {
			t.Errorf("%s:\n%s", source, stdout)
		}
	}
}

// The page of metrics and the dashboard have a router that has no socket.
func TestKernelRouterWithoutSockets(t *testing.T) {
	for _, source := range []string{"tables", "sockdiag"} {
		t.Run(source, func(t *testing.T) {
			lab := netlab.NewRouted(t, netlab.SNATRules("snat to "+netlab.NATAddress+":40000-40019"))
			lab.Router.Child(t, exec.Command("cat"))
			to := netlab.ServerAddress + ":443"
			act(t, lab.Server, "shop", "serve", 0, to)
			act(t, lab.Client, "worker", "hold", 20, to)
			status, page := everywhere(t, lab.Client, "snapshot", "-o", "prometheus", "--source", source)
			if want := `ephtop_snat_ports{address="10.92.0.1",destination="10.92.0.2"`; status != 0 || !strings.Contains(page, want) {
				t.Errorf("status %d, no %s in a page of %d bytes", status, want, len(page))
			}
			s := openScreen(t, lab.Client, screenOptions{size: "100x30", env: []string{asProgram + "=" + asItIs}, args: []string{"--source", source, "--netns", lab.Router.Path()}})
			s.waitFor("no SNAT port is free")
			s.press("q")
			s.wantEnd(0)
		})
	}
}

// Who may not see translated ports is told so.
func TestKernelRouterWithoutRights(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip(err)
	}
	lab := netlab.NewRouted(t, netlab.SNATRules("snat to "+netlab.NATAddress+":40000-40019"))
	to := netlab.ServerAddress + ":443"
	lab.Server.Listen(to)
	if n, err := lab.Client.Fill(to, 20); err != nil || n != 20 {
		t.Fatal(n, err)
	}
	command := []string{"setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", executable(t), "--source", "sockdiag", "--netns", "self"}
	if _, stdout := asIs(t, lab.Router, append(command, "check", "--on", "any")...); !strings.HasSuffix(stdout, " snat=U\n") {
		t.Errorf("%q", stdout)
	}
	if _, stdout := asIs(t, lab.Router, append(command, "snapshot")...); strings.Count(stdout, "CAP_NET_ADMIN") != 1 {
		t.Errorf("%s", stdout)
	}
}
