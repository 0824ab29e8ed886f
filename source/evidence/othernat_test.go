package evidence

import (
	"os"
	"path/filepath"
	"testing"

	"ephtop/source"
)

// What ip_vs_info_seq_show writes of three services.
const ipvs = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A600001:01BB rr persistent 10800 FFFFFFFF
  -> 0AF40005:1F90      Masq    1      3          0
  -> 0AF40006:1F90      Masq    1      2          1
UDP  0A60000A:0035 rr
  -> 0AF40002:0035      Masq    1      0          0
FWM  00000001 wlc
`

func TestIPVS(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{ipvs: 3, "": 0, "IP Virtual Server version 1.2.1 (size=4096)\n": 0, "TCP": 0, "TCP  0A600001:01BB rr": 1} {
		if got := parseIPVS([]byte(text)); got != want {
			t.Errorf("%d services in %q, want %d", got, text, want)
		}
	}
}

func TestOtherNAT(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	ask := func() source.OtherNAT { return newGatherer(Options{Root: root}).otherNAT(t.Context()) }
	if got := ask(); !got.OK() || got.IPVS != 0 || got.Cilium || got.Reason != "" {
		t.Errorf("without either: %+v", got)
	}
	net := filepath.Join(root, "proc", "net")
	if err := os.MkdirAll(net, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"ip_vs": ipvs, "dev": "Inter-|   Receive\n face |bytes\n    lo: 1 2 3\ncilium_host: 4 5 6\n",
	} {
		if err := os.WriteFile(filepath.Join(net, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := ask(); !got.OK() || got.IPVS != 3 || !got.Cilium {
		t.Errorf("with both: %+v", got)
	}
	if err := os.Remove(filepath.Join(net, "ip_vs")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(net, "ip_vs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := ask(); !got.OK() || got.Reason == "" {
		t.Errorf("what can't be read: %+v", got)
	}
}
