package firewall

import (
	"slices"

	"ephtop/source"
	"ephtop/source/evidence/host"
)

// What kube-proxy calls where it looks services up by their NodePort, in iptables
// and in nft, and the ports that it gives them by default.
const (
	kubeNodePorts   = "KUBE-NODEPORTS"
	kubeNodePortMap = "@service-nodeports"
)

var nodePorts = source.PortRange{Low: 30000, High: 32767}

// forwards are the rules that send ports of the range elsewhere. A new service
// may get any NodePort, so that with kube-proxy there is one more.
func (rs *ruleset) forwards(rng source.PortRange) (list []source.ForwardRule) {
	add := func(f source.FirewallRule, ports []source.PortRange, to string) {
		in := within(ports, rng)
		same := func(o source.ForwardRule) bool { return slices.Equal(o.Ports, in) && o.To == to }
		if len(in) > 0 && len(list) < maxRules && !slices.ContainsFunc(list, same) { // IPv4 and IPv6 have the same
			list = append(list, source.ForwardRule{FirewallRule: f, Ports: in, To: to})
		}
	}
	kube := rs.kube
	for _, c := range rs.chains {
		if c.name == kubeNodePorts {
			kube = c.label
		}
		for i := range c.rules {
			if r := &c.rules[i]; r.forwards {
				add(c.describe(r), r.ports, host.Clean(r.to, 80))
			}
		}
	}
	if kube != "" {
		add(source.FirewallRule{Chain: kube, Text: "NodePort services get ports of " + nodePorts.String()}, []source.PortRange{nodePorts}, "")
	}
	return list
}

// within cuts ranges to one.
func within(ranges []source.PortRange, to source.PortRange) (list []source.PortRange) {
	for _, r := range ranges {
		if r.Low, r.High = max(r.Low, to.Low), min(r.High, to.High); r.Low <= r.High {
			list = append(list, r)
		}
	}
	return list
}
