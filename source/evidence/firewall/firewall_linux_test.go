package firewall

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/evidence/host"
	"ephtop/source/netlab"
)

// needTool skips a test where a command is missing.
func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := host.Find(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
}

// load runs a command inside the namespace with a file as its input. A kernel
// without what the rules ask for skips the test.
func load(t *testing.T, lab *netlab.Host, file, name string, args ...string) {
	t.Helper()
	in, err := os.Open(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	path, err := host.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	var out strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &out
	if err := lab.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Skipf("the kernel or %s does not take the rules: %v: %s", name, err, out.String())
	}
}

// firewallOf reads the rules of a namespace.
func firewallOf(lab *netlab.Host) source.Firewall {
	var f source.Firewall
	lab.Must(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		f = Read(ctx, &host.Host{Root: "/"}, defaultRange)
		return nil
	})
	return f
}

func TestNFTOfTheKernel(t *testing.T) {
	needTool(t, "nft")
	for _, tt := range nftCases() {
		t.Run(tt.name, func(t *testing.T) {
			lab := netlab.New(t, "")
			load(t, lab, tt.name+".nft", "nft", "-f", "-")
			f := firewallOf(lab)
			checkNFT(t, tt, f)
			if diff := cmp.Diff([]string{"nft"}, f.Tools); diff != "" {
				t.Errorf("tools (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIPTablesOfTheKernel(t *testing.T) {
	needTool(t, "nft")
	for name, report := range iptablesReports() {
		for _, kind := range []string{"nft", "legacy"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				needTool(t, "iptables-"+kind+"-restore")
				lab := netlab.New(t, "")
				load(t, lab, name+".rules", "iptables-"+kind+"-restore")
				f := firewallOf(lab)
				if !f.OK() {
					t.Fatalf("status %+v", f.Status)
				}
				want := sortedSet(ofTool(report, "iptables-"+kind))
				if diff := cmp.Diff(want, sortedSet(story(f))); diff != "" {
					t.Errorf("report (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff([]string{"nft", "iptables-" + kind + "-save"}, f.Tools); diff != "" {
					t.Errorf("tools (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// A table of iptables may hold chains that nft made, which iptables-save leaves out.
func TestChainsBesideThoseOfIPTables(t *testing.T) {
	needTool(t, "nft")
	needTool(t, "iptables-nft")
	lab := netlab.New(t, "")
	load(t, lab, "beside.nft", "nft", "-f", "-")
	before := story(firewallOf(lab))
	lab.Output("iptables-nft", "-A", "INPUT", "-p", "tcp", "-m", "comment", "--comment", "all", "-j", "ACCEPT")
	if diff := cmp.Diff(before, story(firewallOf(lab))); diff != "" {
		t.Errorf("with a rule of iptables (-without +with):\n%s", diff)
	}
	want := "ipv4 tcp: accepted 32768-39999,50001-60999 refused 40000-50000"
	if before[0] != want {
		t.Errorf("got  %s\nwant %s", before[0], want)
	}
}

func TestANamespaceWithoutRulesAcceptsAll(t *testing.T) {
	needTool(t, "nft")
	f := firewallOf(netlab.New(t, ""))
	if !f.OK() || f.Rules != 0 {
		t.Errorf("status %+v, %d rules, want none", f.Status, f.Rules)
	}
	if diff := cmp.Diff(each(allOpen, allOpen, allOpen, allOpen), story(f)); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestReadingTheRulesAddsNone(t *testing.T) {
	needTool(t, "nft")
	needTool(t, "iptables-nft-save")
	lab := netlab.New(t, "")
	nft, err := host.Find("nft")
	if err != nil {
		t.Fatal(err)
	}
	load(t, lab, "ufw.rules", "iptables-nft-restore")
	before := lab.Output(nft, "-j", "list", "ruleset")
	firewallOf(lab)
	if after := lab.Output(nft, "-j", "list", "ruleset"); after != before {
		t.Errorf("the rules changed:\n%s\nto\n%s", before, after)
	}
}

// The judgement must be the kernel's: an answer that comes in by an interface
// other than loopback, to a port that is said to be accepted or refused.
func TestTheKernelAgrees(t *testing.T) {
	needTool(t, "nft")
	ip, err := exec.LookPath("ip")
	if err != nil {
		t.Skip("ip is not installed")
	}
	tests := []struct {
		file string
		port uint16 // from which to connect
		want bool   // the judgement of that port
	}{
		{"stateful", 40000, true}, {"stateless", 50000, true}, {"stateless", 50001, false},
		{"holes", 40050, true}, {"holes", 40150, false}, {"holes", 45000, false}, {"holes", 45001, true},
		{"chains", 40009, false}, {"chains", 40010, true}, {"toolate", 40000, false},
		{"notrack", 40000, false}, {"notrack", 40001, true}, {"zones", 40000, true},
		{"states", 40000, false}, {"states", 40001, true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.file, " ", tt.port), func(t *testing.T) {
			client, server := netlab.New(t, ""), netlab.New(t, "")
			client.Output(ip, "link", "add", "name", "eth7", "type", "veth", "peer", "name", "eth7", "netns", server.Path())
			for lab, addr := range map[*netlab.Host]string{client: "192.0.2.1/24", server: "192.0.2.2/24"} {
				lab.Output(ip, "addr", "add", addr, "dev", "eth7")
				lab.Output(ip, "link", "set", "eth7", "up")
			}
			server.Listen("192.0.2.2:443")
			load(t, client, tt.file+".nft", "nft", "-f", "-")

			wait := 300 * time.Millisecond // for what is not to come
			if tt.want {
				wait = 20 * time.Second
			}
			var err error
			client.Must(func() error { err = connectFrom(tt.port, wait); return nil })
			if got := err == nil; got != tt.want {
				t.Errorf("connected: %v (%v), the judgement expects %v", got, err, tt.want)
			}
			inside := func(r source.PortRange) bool { return r.Contains(tt.port) }
			if said := slices.ContainsFunc(firewallOf(client).Returns[0].Accepted, inside); said != tt.want {
				t.Errorf("judged as accepted: %v, want %v", said, tt.want)
			}
		})
	}
}

// connectFrom connects 192.0.2.1 with the server on the calling thread.
func connectFrom(port uint16, wait time.Duration) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	timeout := unix.NsecToTimeval(wait.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &timeout); err != nil {
		return err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{192, 0, 2, 1}, Port: int(port)}); err != nil {
		return err
	}
	return unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{192, 0, 2, 2}, Port: 443})
}
