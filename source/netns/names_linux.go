package netns

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"ephtop/source"
)

// nameAll names the namespaces that are new, and those whose name came from a
// process that has left. A new one is named again one, four and sixteen polls
// later: an engine moves a process into its control group, and writes down what
// it is called, after the namespace is there.
func (l *Lister) nameAll() (changed bool) {
	for _, s := range l.spaces {
		age := l.poll - s.since
		if s.named && age != 1 && age != 4 && age != 16 && s.namer == s.Oldest && (s.Scope.PID == 0 || l.in(s.Scope.PID, s.Scope.Netns)) {
			continue
		}
		l.unsure = false
		s.Scope.Name, s.Scope.Kind, s.Scope.PID = l.name(s)
		s.named, s.namer, changed = !l.unsure, s.Oldest, true
	}
	return changed
}

// in reports whether a process is in a namespace.
func (l *Lister) in(pid int32, netns uint64) bool {
	i, ok := slices.BinarySearchFunc(l.procs, pid, func(p process, pid int32) int { return cmp.Compare(p.pid, pid) })
	return ok && l.procs[i].netns == netns
}

// name finds out what people call a namespace, and by which process.
func (l *Lister) name(s *space) (string, source.ScopeKind, int32) {
	first := l.in(1, s.Scope.Netns)
	if first && !l.contained {
		return "host", source.ScopeHost, 1
	}
	pid, comm := l.speaker(s.Scope.Netns)
	var id Identity
	if pid != 0 {
		id = l.identity(pid)
	}
	name, kind := l.known(s, pid, &id)
	switch {
	case name != "":
	case first && l.host != "":
		name = l.host
	case pid != 0:
		name = fmt.Sprintf("%s (%d)", comm, pid)
	default:
		name = bareName(s.Scope.Netns)
	}
	if pid != 0 && isSandbox(comm, l.program(pid)) {
		name += sandboxed
	}
	if pid == l.self {
		pid = 0
	}
	return name, kind, pid
}

// sandboxed follows the name of a namespace in which a machine or a kernel of
// its own runs: its sockets are in there, and the host sees none.
const sandboxed = " (sandboxed, not visible)"

// known gives the name of a namespace as far as anything but the name of a
// process tells it.
func (l *Lister) known(s *space, pid int32, id *Identity) (string, source.ScopeKind) {
	switch id.Kind {
	case source.ScopePod, source.ScopeContainer:
		var name string
		name, l.unsure = l.engines.name(*id)
		for _, name := range [...]string{name, l.hostname(pid), short(id.ID), id.Pod} {
			if name != "" {
				return name, id.Kind
			}
		}
	case source.ScopeUnit:
		// A unit that has no namespace of its own is none's name: a session from
		// which somebody entered it, with ip-netns(8) for one, or a service that
		// made it for something else.
		if s.mount.rank() < 2 && l.owns(s.Scope.Netns, id.Unit) {
			return id.Unit, source.ScopeUnit
		}
	}
	if s.Path != "" && s.mount.byHand() {
		return s.mount.name(), source.ScopeNamed
	}
	if pid != 0 {
		if name := l.hostname(pid); name != "" {
			return name, source.ScopeUnnamed
		}
	}
	if s.Path != "" && pid == 0 {
		return s.mount.name(), source.ScopeNamed
	}
	return "", source.ScopeUnnamed
}

// speaker gives the oldest process of a namespace that does more than keep it:
// the one from which it has its name. Where there is none, the oldest, and ourselves
// where there is no other.
func (l *Lister) speaker(netns uint64) (pid int32, comm string) {
	var inside []process
	for _, p := range l.procs {
		if p.netns == netns {
			inside = append(inside, p)
		}
	}
	late := func(p process) uint64 {
		if p.pid == l.self {
			return math.MaxUint64
		}
		return p.start
	}
	slices.SortStableFunc(inside, func(a, b process) int { return cmp.Compare(late(a), late(b)) })
	for _, p := range inside {
		name := l.comm(p.pid)
		if pid == 0 {
			pid, comm = p.pid, name
		}
		if name != "pause" && name != "catatonit" && name != "" {
			return p.pid, name
		}
	}
	return pid, comm
}

func (l *Lister) comm(pid int32) string {
	b, _ := l.proc.ReadFile(pid, "/comm") // nothing of a process that has ended
	return strings.TrimSuffix(string(b), "\n")
}

// program is the name of the program that a process was started as.
func (l *Lister) program(pid int32) string {
	b, _ := l.proc.ReadCommand(pid)
	first, _, _ := strings.Cut(string(b), "\x00")
	return filepath.Base(first)
}

// identity tells by its control group what a process belongs to.
func (l *Lister) identity(pid int32) Identity {
	b, err := l.proc.ReadFile(pid, "/cgroup")
	if err != nil {
		return Identity{}
	}
	line, _ := bestCgroup(b)
	return ParseCgroup(string(line.path))
}

// owns reports whether all processes of a unit are in one namespace. Scopes of
// sessions and of init are nobody's.
func (l *Lister) owns(netns uint64, unit string) bool {
	if unit == "init.scope" || strings.HasPrefix(unit, "session-") || strings.HasPrefix(unit, "user@") {
		return false
	}
	if l.units == nil {
		l.units = make(map[string]uint64)
		for _, p := range l.procs {
			unit := l.identity(p.pid).Unit
			if in, known := l.units[unit]; known && in != p.netns {
				p.netns = 0
			}
			l.units[unit] = p.netns
		}
	}
	return l.units[unit] == netns
}

// isSandbox recognises the programs that run a guest: gVisor, Firecracker, and
// the machines of Kata.
func isSandbox(comm, program string) bool {
	for _, name := range [...]string{comm, program} {
		for _, prefix := range [...]string{"runsc", "firecracker", "qemu-system-", "qemu-kvm", "cloud-hyperviso", "containerd-shim-kata"} {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
	}
	return false
}
