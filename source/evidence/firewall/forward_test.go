package firewall

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// forwarded tells the rules that send ports elsewhere, in short lines.
func forwarded(f source.Firewall) (lines []string) {
	for _, r := range f.Forwards {
		lines = append(lines, fmt.Sprintf("%s to %q in %s", spans(r.Ports), r.To, r.Chain))
	}
	return lines
}

func TestForwardsOfIptables(t *testing.T) {
	t.Parallel()
	const rules = `*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-SVC-ABC - [0:0]
:KUBE-EXT-ABC - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 40050 -j DNAT --to-destination 172.17.0.2:80
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:80
-A DOCKER -p udp -m multiport --dports 33000:33009,40000 -j REDIRECT --to-ports 5353
-A DOCKER -p tcp -m tcp ! --dport 45000 -j DNAT --to-destination 172.17.0.4
-A KUBE-NODEPORTS -p tcp -m comment --comment "shop/api" -m tcp --dport 31080 -j KUBE-EXT-ABC
-A KUBE-SVC-ABC -d 10.96.0.1/32 -j KUBE-EXT-ABC
COMMIT
`
	s, err := parseSaved([]byte(rules), false, "nft")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rng  source.PortRange
		want []string
	}{
		{defaultRange, []string{
			`40050 to "172.17.0.2:80" in iptables-nft nat DOCKER`, `33000-33009,40000 to "5353" in iptables-nft nat DOCKER`,
		}},
		{source.PortRange{Low: 31000, High: 32999}, []string{
			`31080 to "" in iptables-nft nat KUBE-NODEPORTS`, `31000-32767 to "" in iptables-nft nat KUBE-NODEPORTS`,
		}},
		{source.PortRange{Low: 1024, High: 32000}, []string{
			`8080 to "172.17.0.3:80" in iptables-nft nat DOCKER`, `31080 to "" in iptables-nft nat KUBE-NODEPORTS`,
			`30000-32000 to "" in iptables-nft nat KUBE-NODEPORTS`,
		}},
	} {
		if diff := cmp.Diff(c.want, forwarded(judged(s.rules, c.rng))); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.rng, diff)
		}
	}
}

func TestForwardsOfNFT(t *testing.T) {
	t.Parallel()
	const port = `{"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":%s}}`
	const rule = `{"rule":{"family":"ip","table":"nat","chain":"pre","handle":%d,"expr":[%s]}}`
	objects := []string{
		`{"table":{"family":"ip","name":"nat","handle":1}}`,
		`{"chain":{"family":"ip","table":"nat","name":"pre","handle":2,"type":"nat","hook":"prerouting","prio":-100,"policy":"accept"}}`,
		`{"map":{"family":"ip","name":"service-nodeports","table":"nat","type":["inet_proto","inet_service"],"handle":3,"map":"verdict",` +
			`"elem":[[{"concat":["tcp",40080]},{"goto":{"target":"external-a"}}],[{"concat":["tcp",8080]},{"goto":{"target":"external-b"}}]]}}`,
		fmt.Sprintf(rule, 4, fmt.Sprintf(port, "40050")+`,{"dnat":{"addr":"10.9.9.9","port":80}}`),
		fmt.Sprintf(rule, 5, fmt.Sprintf(port, `{"set":[22,{"range":[41000,41009]}]}`)+`,{"redirect":{"port":8443}}`),
		fmt.Sprintf(rule, 6, fmt.Sprintf(port, "42000")+`,{"accept":null}`),
		fmt.Sprintf(rule, 7, `{"vmap":{"key":{"concat":[{"meta":{"key":"l4proto"}},{"payload":{"protocol":"th","field":"dport"}}]},"data":"@service-nodeports"}}`),
	}
	doc := `{"nftables":[` + objects[0]
	for _, o := range objects[1:] {
		doc += "," + o
	}
	d, err := parseNFT([]byte(doc+"]}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`40050 to "10.9.9.9:80" in ip nat pre`, `41000-41009 to "8443" in ip nat pre`, `40080 to "" in ip nat pre`}
	if diff := cmp.Diff(want, forwarded(judged(d.rules, defaultRange))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	low := forwarded(judged(d.rules, source.PortRange{Low: 20000, High: 65535}))
	if !slices.Contains(low, `30000-32767 to "" in ip nat pre`) {
		t.Errorf("%q, want the ports that kube-proxy may give", low)
	}
}
