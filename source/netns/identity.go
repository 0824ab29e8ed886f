package netns

import (
	"bytes"
	"strconv"
	"strings"

	"ephtop/source"
)

// engine says which program made a container, as far as the path of its
// control group tells.
type engine uint8

const (
	noEngine engine = iota
	anyEngine
	docker
	containerd
	crio
	podman
	named // the path has the name itself
)

// Identity is what the path of a control group says of whose it is.
type Identity struct {
	// Kind is ScopePod, ScopeContainer, ScopeUnit or ScopeUnnamed.
	Kind source.ScopeKind
	// ID is that of the container, of 64 hexadecimal digits as a rule; "" where
	// the name is known, or for a pod as such.
	ID string
	// Pod is the uid of the pod, "" for none.
	Pod string
	// Name is the container's, where the path has it.
	Name string
	// Unit is that of systemd: of the container's own systemd, if there is one.
	Unit string
	// User is the uid of whom the engine belongs to, "" for root.
	User string

	engine engine
}

// ParseCgroup reads the path of a control group, of version 1 or 2, as the
// drivers "systemd" and "cgroupfs" of container engines make it. Of containers
// in one another the innermost counts. A path beyond the root of our cgroup
// namespace begins with "/../..".
func ParseCgroup(path string) Identity {
	var id Identity
	parent := ""
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == ".." {
			continue
		}
		id.read(parent, part)
		parent = part
	}
	return id
}

// read takes one part of a path into account.
func (id *Identity) read(parent, part string) {
	if user, ok := between(part, "user@", ".service"); ok && id.Kind != source.ScopeContainer {
		id.User = user
	}
	// "…-pod<uid>.slice:cri-containerd:<id>" is a pod's slice and a container.
	slice, container, _ := strings.Cut(part, ":")
	if uid, ok := podOf(slice); ok && (strings.Contains(slice, "kubepods") || parent == "kubepods" || parent == "burstable" || parent == "besteffort") {
		*id = Identity{Kind: source.ScopePod, Pod: uid}
		if container == "" {
			return
		}
	}
	if e, name, ok := containerOf(parent, part); ok {
		within := *id
		*id = Identity{Kind: source.ScopeContainer, User: id.User, engine: e}
		if within.Pod != "" && within.ID == "" { // else it is a container inside of one of the pod's
			id.Kind, id.Pod = source.ScopePod, within.Pod
		}
		if e == named {
			id.Name = name
		} else {
			id.ID = name
		}
		return
	}
	if isUnit(part) {
		id.Unit = part
		if id.Kind == source.ScopeUnnamed {
			id.Kind = source.ScopeUnit
		}
	}
}

// isUnit reports whether a part of a path is a unit that processes run in.
func isUnit(part string) bool {
	return strings.HasSuffix(part, ".service") || strings.HasSuffix(part, ".scope")
}

// containerOf reads the container from a part of a path: its id, or its name
// where the engine is named.
func containerOf(parent, part string) (engine, string, bool) {
	for _, p := range [...]struct {
		prefix, suffix string
		engine         engine
	}{
		{"docker-", ".scope", docker},
		{"cri-containerd-", ".scope", containerd},
		{"crio-", ".scope", crio},
		{"crio-", "", crio},
		{"libpod-", ".scope", podman},
		{"libpod-", "", podman},
		{"nerdctl-", ".scope", containerd},
	} {
		// "crio-conmon-<id>" is what watches a container.
		if id, ok := between(part, p.prefix, p.suffix); ok && isHex(id, 12, 64) {
			return p.engine, id, true
		}
	}
	if i := strings.LastIndex(part, ":cri-containerd:"); i >= 0 {
		if id := part[i+len(":cri-containerd:"):]; id != "" {
			return containerd, id, true
		}
	}
	switch {
	case isHex(part, 64, 64):
		if parent == "docker" {
			return docker, part, true
		}
		return anyEngine, part, true
	case isTask(part):
		return anyEngine, part, true
	}
	name, ok := nameOf(parent, unescape(part))
	return named, name, ok
}

// nameOf reads the name of a container from a part of a path that has it.
func nameOf(parent, part string) (string, bool) {
	if parent == "lxc" || parent == "lxc.payload" {
		return part, true
	}
	if name, ok := between(part, "lxc.payload.", ""); ok {
		return name, true
	}
	if name, ok := between(part, "systemd-nspawn@", ".service"); ok {
		return name, true
	}
	if name, ok := between(part, "machine-", ".scope"); ok {
		for _, kind := range [...]string{"qemu-", "lxc-"} { // of libvirt: "qemu-3-web"
			if number, rest, ok := strings.Cut(strings.TrimPrefix(name, kind), "-"); ok && strings.HasPrefix(name, kind) && isDigits(number) && rest != "" {
				return rest, true
			}
		}
		return name, true
	}
	if app, ok := between(part, "app-flatpak-", ".scope"); ok {
		if i := strings.LastIndexByte(app, '-'); i > 0 && isDigits(app[i+1:]) {
			return app[:i], true
		}
	}
	if app, ok := between(part, "snap.", ".scope"); ok {
		if i := len(app) - 37; i > 0 && app[i] == '-' && isUID(app[i+1:]) {
			return app[:i], true
		}
	}
	return "", false
}

// podOf reads the uid of a pod: "kubepods-burstable-pod<uid>.slice", with _ for
// -, or "pod<uid>". That of a static pod is a hash.
func podOf(part string) (string, bool) {
	name := strings.TrimSuffix(part, ".slice")
	i := strings.LastIndex(name, "pod")
	if i < 0 || i > 0 && name[i-1] != '-' {
		return "", false
	}
	uid := strings.ReplaceAll(name[i+len("pod"):], "_", "-")
	return uid, isUID(uid) || isHex(uid, 32, 32)
}

// between gives what stands between two texts that s begins and ends with.
func between(s, prefix, suffix string) (string, bool) {
	s, begins := strings.CutPrefix(s, prefix)
	s, ends := strings.CutSuffix(s, suffix)
	return s, begins && ends && s != ""
}

// isHex reports whether s is so many lower-case hexadecimal digits.
func isHex(s string, shortest, longest int) bool {
	return len(s) >= shortest && len(s) <= longest && strings.Trim(s, "0123456789abcdef") == ""
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// isUID reports whether s is a UUID.
func isUID(s string) bool {
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' &&
		isHex(strings.ReplaceAll(s, "-", ""), 32, 32)
}

// isTask reports whether s is a container of ECS on Fargate: 32 hexadecimal
// digits and a number.
func isTask(s string) bool {
	task, number, ok := strings.Cut(s, "-")
	return ok && isHex(task, 32, 32) && isDigits(number)
}

// unescape undoes how systemd makes a name a unit's (systemd-escape(1), "\x2d"
// is "-"), and how the kernel writes blanks and their like in a path ("\040").
// What is no such thing stays.
func unescape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		c, rest := s[0], s[1:]
		if len(rest) > 0 && c == '\\' && strings.IndexByte("x0123", rest[0]) >= 0 {
			if r, _, tail, err := strconv.UnquoteChar(s, 0); err == nil {
				c, rest = byte(r), tail
			}
		}
		b.WriteByte(c)
		s = rest
	}
	return b.String()
}

// cgroupLine is a line of /proc/PID/cgroup.
type cgroupLine struct {
	controllers []byte // "" for version 2
	path        []byte
}

// unified reports whether the line is of version 2.
func (l cgroupLine) unified() bool { return len(l.controllers) == 0 }

// bestCgroup gives the line that says most of whose a process is: that with a
// container, then a unit, then any path. Among equals it is that of version 2,
// then that of systemd, then the first.
func bestCgroup(file []byte) (best cgroupLine, ok bool) {
	top := -1
	for line := range bytes.Lines(file) {
		_, rest, ok1 := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(":"))
		controllers, path, ok2 := bytes.Cut(rest, []byte(":"))
		if !ok1 || !ok2 || len(path) == 0 || path[0] != '/' {
			continue
		}
		score := 0
		switch id := ParseCgroup(string(path)); {
		case id.Kind == source.ScopePod || id.Kind == source.ScopeContainer:
			score = 30
		case id.Kind == source.ScopeUnit:
			score = 20
		case len(path) > 1:
			score = 10
		}
		switch string(controllers) {
		case "":
			score += 2
		case "name=systemd":
			score++
		}
		if score > top {
			top, best = score, cgroupLine{controllers, path}
		}
	}
	return best, top >= 0
}
