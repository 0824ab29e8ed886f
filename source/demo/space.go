package demo

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"ephtop/source"
)

// space is a network namespace of a host of containers, with what happens in
// it.
type space struct {
	name  string
	kind  source.ScopeKind
	netns uint64
	pid   int32
	local string
	// from and until are when it is there; always where they are 0.
	from, until time.Duration
	begin       func(*machine)
	// nat says that the host translates its connections.
	nat bool

	kernel *kernel
}

// newNode makes the namespaces of a host of containers.
func newNode(host string, spaces []space, o Options) *Host {
	h := &Host{name: host, source: tablesName, step: o.Step}
	for i, s := range spaces {
		if s.nat && h.router == nil {
			h.router = newRouter(natAddress, natLow, natPorts, rand.New(rand.NewPCG(o.Seed, 1<<32)))
		}
		k := newKernel(defaultSettings(), o.Start, rand.New(rand.NewPCG(o.Seed, uint64(i))))
		k.now = -before
		k.trace, k.tables = true, true
		k.scope = source.Scope{Host: host, Netns: s.netns, Cookie: uint64(1 + i), Name: s.name, Kind: s.kind, PID: s.pid}
		k.inode += uint32(i) << 24 // they are the host's
		k.cookie += uint64(i) << 40
		if s.nat {
			k.router = h.router
		}
		s.kernel = k
		s.begin(&machine{kernel: k, local: addr(s.local), pid: 20_000 + 1000*int32(i)})
		h.spaces = append(h.spaces, s)
	}
	h.run(before + o.Skip)
	for i := range h.spaces {
		h.spaces[i].kernel.events = nil
	}
	return h
}

// there tells whether a namespace is there at its present.
func (s *space) there() bool {
	now := s.kernel.now
	return (s.from == 0 || now >= s.from) && (s.until == 0 || now < s.until)
}

// group puts a process into a control group: that of its container, or on the
// host that of its unit.
func (m *machine) group(p *process) {
	g := source.Cgroup{ID: m.scope.Netns, Kind: m.scope.Kind}
	if g.ID > 0 {
		g.ID -= 4026500000
	}
	switch m.scope.Kind {
	case source.ScopePod, source.ScopeContainer:
		g.Container = m.scope.Name
		g.Path = "/kubepods.slice/kubepods-pod" + strconv.FormatUint(g.ID, 16) + ".slice/cri-containerd-" + strconv.FormatUint(g.ID, 16) + ".scope"
		if m.scope.Kind == source.ScopeContainer {
			g.Path = "/system.slice/docker-" + strconv.FormatUint(g.ID, 16) + ".scope"
		}
		p.NSPID = 1 + int32(m.inside)*6
		m.inside++
	default:
		g.ID += uint64(p.PID)
		g.Unit, g.Kind = unitOf(p), source.ScopeUnit
		g.Path = "/system.slice/" + g.Unit
	}
	m.put(p, g)
}

// put puts a process into a control group.
func (m *machine) put(p *process, g source.Cgroup) {
	p.cgroup, p.Cgroup = g.ID, g.ID
	if !slices.ContainsFunc(m.cgroups, func(c source.Cgroup) bool { return c.ID == g.ID }) {
		m.cgroups = append(m.cgroups, g)
	}
}

// contain puts a process of the host into a container that shares the host's
// network.
func (m *machine) contain(p *process, name string) *process {
	id := 900_000 + uint64(p.PID)
	m.cgroups = slices.DeleteFunc(m.cgroups, func(c source.Cgroup) bool { return c.ID == p.cgroup })
	p.NSPID = 1
	m.put(p, source.Cgroup{
		ID: id, Kind: source.ScopeContainer, Container: name, Path: "/system.slice/docker-" + strconv.FormatUint(id, 16) + ".scope",
	})
	return p
}

// unitOf is the unit that a process belongs to.
func unitOf(p *process) string {
	if _, service, ok := strings.Cut(p.Command, "/srv/"); ok {
		name, _, _ := strings.Cut(service, "/")
		return name + ".service"
	}
	unit := map[string]string{
		"sshd": "ssh", "systemd-resolve": "systemd-resolved", "chronyd": "chrony", "node_exporter": "prometheus-node-exporter",
		"restic": "backup", "openvpn": "openvpn@blue", "firefox": "user@1000", "thunderbird": "user@1000", "ssh": "user@1000",
	}[p.Name]
	return cmp.Or(unit, p.Name) + ".service"
}
