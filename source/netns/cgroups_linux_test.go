package netns

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ephtop/source"
)

const hybrid = `26 1 254:0 / / rw,relatime - ext4 /dev/vda rw
31 30 0:28 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
39 30 0:36 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
40 30 0:37 / /sys/fs/cgroup/unified rw,relatime shared:7 - cgroup2 cgroup2 rw,nsdelegate
`

func TestHierarchies(t *testing.T) {
	t.Parallel()
	list := parseHierarchies([]byte(hybrid))
	for _, test := range []struct{ line, path, want string }{
		{"", "/a.service", "/sys/fs/cgroup/unified/a.service"},
		{"", "/", "/sys/fs/cgroup/unified"},
		{"cpu,cpuacct", "/x", "/sys/fs/cgroup/cpu/x"},
		{"name=systemd", "/x", "/sys/fs/cgroup/systemd/x"},
		{"", "/../x", ""}, // beyond the root of our namespace
		{"memory", "/x", ""},
	} {
		got := ""
		if h := find(list, cgroupLine{controllers: []byte(test.line)}); h != nil {
			got = h.at(test.path)
		}
		if got != test.want {
			t.Errorf("%s:%s is at %q, want %q", test.line, test.path, got, test.want)
		}
	}
	part := hierarchy{root: "/docker/x", dir: "/sys/fs/cgroup"}
	for path, want := range map[string]string{"/docker/x/y": "/sys/fs/cgroup/y", "/docker/x": "/sys/fs/cgroup", "/docker/xy": "", "/": ""} {
		if got := part.at(path); got != want {
			t.Errorf("of a mount of /docker/x, %s is at %q, want %q", path, got, want)
		}
	}
}

// A process's group has the inode number of its directory for its id.
func TestCgroupOfAProcess(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.write("proc/self/mountinfo", hybrid)
	f.write("var/lib/docker/containers/"+hexA+"/config.v2.json", `{"Name":"/web"}`)
	inode := func(dir string) uint64 {
		dir = filepath.Join(f.root, "sys/fs/cgroup", dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		var st unix.Stat_t
		if err := unix.Stat(dir, &st); err != nil {
			t.Fatal(err)
		}
		return st.Ino
	}
	two := inode("unified/system.slice/api.service")
	one := inode("cpu/docker/"+hexA) | version1
	c := NewCgroups(f.root)
	defer c.Close()
	m := &source.Moment{Processes: []source.Process{
		{Cgroup: c.ID([]byte("2:cpu,cpuacct:/docker/" + hexA + "\n0::/\n"))},
		{Cgroup: c.ID([]byte("1:name=systemd:/system.slice/api.service\n0::/system.slice/api.service\n"))},
		{Cgroup: c.ID([]byte("0::/not/there\n"))},
		{Cgroup: c.ID([]byte("0::/system.slice/api.service\n"))},
	}}
	for i, want := range []uint64{one, two, 0, two} {
		if got := m.Processes[i].Cgroup; got != want {
			t.Errorf("process %d is in group %d, want %d", i, got, want)
		}
	}
	c.Fill(m)
	want := []source.Cgroup{
		{ID: two, Path: "/system.slice/api.service", Unit: "api.service", Kind: source.ScopeUnit},
		{ID: one, Path: "/docker/" + hexA, Container: "web", Kind: source.ScopeContainer},
	}
	if diff := cmp.Diff(want, m.Cgroups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

// newGroup makes a control group of version 2 on this host.
func newGroup(t *testing.T, name string) (dir string, id uint64) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to make a control group")
	}
	tree := find(parseHierarchies(readFile("/proc/self/mountinfo")), cgroupLine{})
	if tree == nil {
		t.Skip("no cgroup2 is mounted")
	}
	dir = filepath.Join(tree.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skip("cannot make a control group: ", err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		t.Fatal(err)
	}
	return dir, st.Ino
}

// The kernel tells the path of a group by the id that sockets have. One that
// has gone is remembered while sockets point to it, and not for ever.
func TestCgroupByID(t *testing.T) {
	t.Parallel()
	dir, id := newGroup(t, "ephtop-test.service")
	c := NewCgroups("")
	defer c.Close()
	m := &source.Moment{Room: []source.Socket{{Cgroup: 1<<40 + 7}, {Cgroup: id}, {Cgroup: id}, {}, {Cgroup: id}}}
	c.Fill(m)
	want := []source.Cgroup{{ID: id, Path: "/ephtop-test.service", Unit: "ephtop-test.service", Kind: source.ScopeUnit}}
	if diff := cmp.Diff(want, m.Cgroups); diff != "" {
		t.Fatalf("groups (-want +got):\n%s", diff)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if c.Fill(m); len(m.Cgroups) != 1 {
		t.Errorf("%d groups while sockets point to one that has gone, want it", len(m.Cgroups))
	}
	empty := new(source.Moment)
	for range 2 * forget {
		c.Fill(empty)
	}
	if len(c.known) != 0 {
		t.Errorf("%d groups are remembered, want none", len(c.known))
	}
	if c.Fill(m); len(m.Cgroups) != 0 {
		t.Errorf("groups %+v of one that has gone, want none", m.Cgroups)
	}
}

func BenchmarkFill(b *testing.B) {
	c := NewCgroups("")
	defer c.Close()
	m := &source.Moment{Room: make([]source.Socket, 36_000)}
	for i := range m.Room {
		m.Room[i].Cgroup = uint64(i%40 + 1)
	}
	c.Fill(m)
	b.ReportAllocs()
	for b.Loop() {
		c.Fill(m)
	}
}

func FuzzCgroupFile(f *testing.F) {
	f.Add([]byte("2:cpu,cpuacct:/docker/x\n0::/\n"), []byte(hybrid))
	f.Add([]byte("0::/../x\n"), []byte("1 1 0:1 /a /b rw - cgroup2 x rw\n"))
	f.Fuzz(func(t *testing.T, file, mounts []byte) {
		line, ok := bestCgroup(file)
		if !ok {
			return
		}
		if h := find(parseHierarchies(mounts), line); h != nil {
			h.at(string(line.path))
		}
	})
}
