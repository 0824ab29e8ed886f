package netlab

import (
	"os/exec"
	"strings"
	"testing"
)

// Routed is a host, a router, and a host behind it.
type Routed struct {
	Client, Router, Server *Host
}

// The addresses of a Routed: that of the router's outer side is what it translates
// to.
const (
	ClientAddress = "10.91.0.2"
	NATAddress    = "10.92.0.1"
	ServerAddress = "10.92.0.2"
)

// NewRouted makes three namespaces, of which the second forwards by rules of nft.
func NewRouted(t testing.TB, rules string) *Routed {
	t.Helper()
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s to make a router with", tool)
		}
	}
	r := &Routed{New(t, ""), New(t, ""), New(t, "")}
	link := func(h *Host, name, address, peer, peerAddress string) {
		h.Output("ip", "link", "add", name, "type", "veth", "peer", "name", peer, "netns", r.Router.Path())
		h.Output("ip", "addr", "add", address+"/24", "dev", name)
		h.Output("ip", "link", "set", name, "up")
		r.Router.Output("ip", "addr", "add", peerAddress+"/24", "dev", peer)
		r.Router.Output("ip", "link", "set", peer, "up")
	}
	link(r.Client, "c0", ClientAddress, "r0", "10.91.0.1")
	link(r.Server, "s0", ServerAddress, "r1", NATAddress)
	r.Client.Output("ip", "route", "add", "default", "via", "10.91.0.1")
	r.Router.Sysctl("net.ipv4.ip_forward", "1")
	cmd := exec.Command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := r.Router.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Skipf("nft does not take the rules here: %v: %s", err, out.String())
	}
	return r
}

// SNATRules translate what leaves by the outer side, as an action of nft says:
// "snat to 10.92.0.1:40000-40019", "masquerade".
func SNATRules(action string) string {
	return "table ip nat { chain post { type nat hook postrouting priority srcnat; oifname \"r1\" meta l4proto { tcp, udp } " + action + "; }; }\n"
}
