package netns

import (
	"encoding/binary"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"ephtop/source"
)

// Cgroups knows the control groups that sockets and processes are in. It is
// not safe for concurrent use.
type Cgroups struct {
	root    string
	engines scribe
	trees   []hierarchy
	unified *hierarchy // among trees, nil for none
	mount   int        // descriptor of its mount, -1 for none

	fill  uint32 // number of the present Fill, from 1
	known map[uint64]*group
	ids   []uint64
	// seen holds ids of the present Fill, each in the place of its last byte, so
	// that most sockets are done with one comparison.
	seen [256]uint64
}

// group is what is remembered of a control group.
type group struct {
	source.Cgroup
	found bool
	late  bool   // its name may yet be told
	since uint32 // Fill by which it was asked for first
	used  uint32 // and last
}

// version1 marks the ids of groups of version 1, whose directories may have the
// inode numbers of others of version 2.
const version1 = 1 << 62

// kernfsHandle is the type of a file handle that holds the id of a control
// group (FILEID_KERNFS in linux/exportfs.h).
const kernfsHandle = 0xfe

// NewCgroups makes a Cgroups of the host whose /proc and /sys are below root:
// "" but in tests.
func NewCgroups(root string) *Cgroups {
	root = strings.TrimSuffix(root, "/")
	c := &Cgroups{root: root, engines: scribe{engines: engines{root}}, mount: -1, known: make(map[uint64]*group)}
	c.trees = parseHierarchies(readFile(root + "/proc/self/mountinfo"))
	if c.unified = find(c.trees, cgroupLine{}); c.unified != nil {
		mount, err := unix.Open(root+c.unified.dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err == nil {
			c.mount = mount
		}
	}
	return c
}

// Close closes what is kept open.
func (c *Cgroups) Close() error {
	if c.mount < 0 {
		return nil
	}
	return unix.Close(c.mount)
}

// Late names what does not answer, "" for nothing: names are missing until it
// does.
func (c *Cgroups) Late() string { return c.engines.aside.Late() }

// ID gives the id of the control group that the content of a /proc/PID/cgroup
// says most by, and remembers it for Fill; 0 where that can't be known.
func (c *Cgroups) ID(file []byte) uint64 {
	line, ok := bestCgroup(file)
	if !ok {
		return 0
	}
	tree := find(c.trees, line)
	if tree == nil {
		return 0
	}
	dir := tree.at(string(line.path))
	var st unix.Stat_t
	if dir == "" || unix.Stat(c.root+dir, &st) != nil {
		return 0
	}
	id := st.Ino
	if !tree.unified() {
		id |= version1
	}
	if g := c.known[id]; g == nil || !g.found {
		c.remember(id, string(line.path), true)
	}
	return id
}

// Fill sets m.Cgroups to the groups that the sockets and processes of m point
// to. One that is gone keeps its path for as long as anything points to it.
func (c *Cgroups) Fill(m *source.Moment) {
	c.fill++
	c.ids = c.ids[:0]
	clear(c.seen[:])
	last := uint64(0)
	for i := range m.Room {
		if id := m.Room[i].Cgroup; id != last {
			last = id
			c.want(id)
		}
	}
	for i := range m.Processes {
		c.want(m.Processes[i].Cgroup)
	}
	slices.Sort(c.ids)
	c.ids = slices.Compact(c.ids)
	m.Cgroups = m.Cgroups[:0]
	for _, id := range c.ids {
		if g := c.group(id); g.found {
			m.Cgroups = append(m.Cgroups, g.Cgroup)
		}
	}
	if c.fill%forget == 0 {
		for id, g := range c.known {
			if c.fill-g.used >= forget {
				delete(c.known, id)
			}
		}
	}
}

// forget is how many polls a group that nothing points to is remembered, and
// how many go by until one that was not found is asked for again.
const forget = 64

func (c *Cgroups) want(id uint64) {
	if place := &c.seen[id&255]; *place != id {
		*place = id
		c.ids = append(c.ids, id)
	}
}

// group gives what is known of a group, and asks for it where that is nothing.
func (c *Cgroups) group(id uint64) *group {
	g := c.known[id]
	if g == nil || !g.found && c.fill-g.since >= forget {
		path, found := c.path(id)
		g = c.remember(id, path, found)
	}
	g.used = c.fill
	if age := c.fill - g.since; g.late || age == 1 || age == 4 || age == 16 {
		g.read(&c.engines) // an engine writes down names when the container runs
	}
	return g
}

func (c *Cgroups) remember(id uint64, path string, found bool) *group {
	g := &group{Cgroup: source.Cgroup{ID: id, Path: path}, found: found, since: c.fill, used: c.fill}
	g.read(&c.engines)
	c.known[id] = g
	return g
}

// read says by its path what a group is for.
func (g *group) read(e *scribe) {
	id := ParseCgroup(g.Path)
	g.Unit, g.Kind = id.Unit, id.Kind
	if id.Kind != source.ScopePod && id.Kind != source.ScopeContainer {
		return
	}
	var name string
	name, g.late = e.name(id)
	for _, name := range [...]string{name, short(id.ID), id.Pod} {
		if name != "" {
			g.Container = name
			return
		}
	}
}

// path gives the path of a group of version 2 by its id: that is what its
// directory's file handle consists of.
func (c *Cgroups) path(id uint64) (string, bool) {
	if c.mount < 0 || id&version1 != 0 {
		return "", false
	}
	handle := unix.NewFileHandle(kernfsHandle, binary.NativeEndian.AppendUint64(nil, id))
	fd, err := unix.OpenByHandleAt(c.mount, handle, unix.O_PATH|unix.O_CLOEXEC)
	if err != nil {
		return "", false // gone, or it takes CAP_DAC_READ_SEARCH
	}
	defer unix.Close(fd)
	dir, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil || strings.HasSuffix(dir, " (deleted)") {
		return "", false
	}
	below, ok := strings.CutPrefix(dir, strings.TrimSuffix(c.unified.dir, "/"))
	if !ok || below != "" && below[0] != '/' {
		return "", false
	}
	if path := strings.TrimSuffix(c.unified.root, "/") + below; path != "" {
		return path, true
	}
	return "/", true
}
