package netns

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source"
)

// Each way to a name, and which goes before which.
func TestNames(t *testing.T) {
	t.Parallel()
	const kube = "/kubepods.slice/kubepods-pod" + uid_ + ".slice/cri-containerd-" + hexA + ".scope"
	for _, test := range []struct {
		what   string
		people []person // of namespace 200
		files  map[string]string
		mount  string
		want   string
		kind   source.ScopeKind
		pid    int32
	}{
		{"docker", []person{{pid: 9, cgroup: "/docker/" + hexA}},
			map[string]string{"var/lib/docker/containers/" + hexA + "/config.v2.json": `{"ID":"` + hexA + `","Name":"/web","State":{"Running":true}}`},
			"/run/docker/netns/1a2b", "web", source.ScopeContainer, 9},
		{"docker that wrote nothing down", []person{{pid: 9, cgroup: "/docker/" + hexA}}, nil, "", "aaaaaaaaaaaa", source.ScopeContainer, 9},
		{"docker's file is another's", []person{{pid: 9, cgroup: "/docker/" + hexA}},
			map[string]string{"var/lib/docker/containers/" + hexA + "/config.v2.json": `{"ID":"` + hexB + `","Name":"/web"}`},
			"", "aaaaaaaaaaaa", source.ScopeContainer, 9},
		{"docker, rootless", []person{{pid: 9, cgroup: "/user.slice/user@1000.service/docker-" + hexA + ".scope"}},
			map[string]string{"etc/passwd": "ann:x:1000:1000::/home/ann:/bin/sh\n",
				"home/ann/.local/share/docker/containers/" + hexA + "/config.v2.json": `{"Name":"/web"}`},
			"", "web", source.ScopeContainer, 9},
		{"podman", []person{{pid: 9, cgroup: "/machine.slice/libpod-" + hexA + ".scope/container"}},
			map[string]string{"var/lib/containers/storage/overlay-containers/containers.json": `[{"id":"` + hexB + `","names":["db"]},{"id":"` + hexA + `","names":["web"]}]`},
			"", "web", source.ScopeContainer, 9},
		{"podman, in memory only", []person{{pid: 9, cgroup: "/machine.slice/libpod-" + hexA + ".scope"}},
			map[string]string{"run/containers/storage/vfs-containers/volatile-containers.json": `[{"id":"` + hexA + `","names":["web"]}]`},
			"", "web", source.ScopeContainer, 9},
		{"podman, rootless", []person{{pid: 9, cgroup: "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + hexA + ".scope"}},
			map[string]string{"etc/passwd": "ann:x:1000:1000::/home/ann:/bin/sh\n",
				"home/ann/.local/share/containers/storage/overlay-containers/containers.json": `[{"id":"` + hexA + `","names":["web"]}]`},
			"", "web", source.ScopeContainer, 9},
		{"a container of some engine, podman's", []person{{pid: 9, cgroup: "/batch/" + hexA}},
			map[string]string{"var/lib/containers/storage/overlay-containers/containers.json": `[{"id":"` + hexA + `","names":["web"]}]`},
			"", "web", source.ScopeContainer, 9},

		{"a pod by its logs", []person{{pid: 9, cgroup: kube}},
			map[string]string{"var/log/pods/shop_api-7d9f_" + uid + "/api/0.log": ""}, "/run/netns/cni-1234", "shop/api-7d9f", source.ScopePod, 9},
		{"not by the pause container", []person{{pid: 9, start: 1, comm: "pause", cgroup: "/system.slice/containerd.service"}, {pid: 12, start: 7, comm: "api", cgroup: kube}},
			map[string]string{"var/log/pods/shop_api-7d9f_" + uid + "/api/0.log": ""}, "", "shop/api-7d9f", source.ScopePod, 12},
		{"but by the pause container where there is nothing else", []person{{pid: 9, comm: "pause", cgroup: kube}},
			map[string]string{"var/log/pods/shop_api-7d9f_" + uid + "/api/0.log": ""}, "", "shop/api-7d9f", source.ScopePod, 9},
		{"a pod that left no logs", []person{{pid: 9, cgroup: "/kubepods/pod" + uid}}, nil, "", uid, source.ScopePod, 9},
		{"a container by its log", []person{{pid: 9, cgroup: "/system.slice/cri-containerd-" + hexA + ".scope"}},
			map[string]string{"var/log/containers/api-7d9f_shop_api-" + hexA + ".log": ""}, "", "shop/api-7d9f", source.ScopeContainer, 9},

		{"the oldest process counts", []person{{pid: 9, start: 70, cgroup: "/lxc/young"}, {pid: 10, start: 7, cgroup: "/lxc/old"}}, nil, "", "old", source.ScopeContainer, 10},
		{"of two that began together, the lower number", []person{{pid: 10, start: 7, cgroup: "/lxc/b"}, {pid: 9, start: 7, cgroup: "/lxc/a"}}, nil, "", "a", source.ScopeContainer, 9},
		{"a unit with a network of its own", []person{{pid: 9, comm: "api", cgroup: "/system.slice/api.service"}}, nil, "", "api.service", source.ScopeUnit, 9},
		{"a unit that entered a named namespace", []person{{pid: 9, cgroup: "/system.slice/api.service"}}, nil, "/run/netns/blue", "blue", source.ScopeNamed, 9},
		{"a unit that has processes elsewhere too", []person{{pid: 9, comm: "ip", cgroup: "/system.slice/both.service"}}, nil, "", "ip (9)", source.ScopeUnnamed, 9},
		{"a session is no name", []person{{pid: 9, comm: "bash", cgroup: "/user.slice/user-0.slice/session-3.scope"}}, nil, "", "bash (9)", source.ScopeUnnamed, 9},
		{"a container in a named namespace", []person{{pid: 9, cgroup: "/lxc/web"}}, nil, "/run/netns/blue", "web", source.ScopeContainer, 9},
		{"a mount alone", nil, nil, "/run/netns/blue", "blue", source.ScopeNamed, 0},
		{"a mount with a blank", nil, nil, `/run/netns/deep\040blue`, "deep blue", source.ScopeNamed, 0},
		{"a mount of docker's", nil, nil, "/run/docker/netns/1-x7k2", "1-x7k2", source.ScopeNamed, 0},
		{"a process", []person{{pid: 9, comm: "unshared"}}, nil, "", "unshared (9)", source.ScopeUnnamed, 9},

		{"gVisor", []person{{pid: 9, comm: "exe", command: "runsc-sandbox\x00--root=/x\x00", cgroup: kube}},
			map[string]string{"var/log/pods/shop_api-7d9f_" + uid + "/api/0.log": ""}, "", "shop/api-7d9f (sandboxed, not visible)", source.ScopePod, 9},
		{"Firecracker", []person{{pid: 9, comm: "firecracker"}}, nil, "", "firecracker (9) (sandboxed, not visible)", source.ScopeUnnamed, 9},
		{"Kata", []person{{pid: 9, comm: "qemu-system-x86", cgroup: "/lxc/web"}}, nil, "", "web (sandboxed, not visible)", source.ScopeContainer, 9},
	} {
		t.Run(test.what, func(t *testing.T) {
			f := newFixture(t, person{pid: 1, netns: 100}, person{pid: 2, netns: 100, cgroup: "/system.slice/both.service"})
			for _, p := range test.people {
				p.netns = 200
				f.add(p)
			}
			for path, content := range test.files {
				f.write(path, content)
			}
			if test.mount != "" {
				f.mount(200, test.mount)
			}
			if got := f.scope(200); got.Name != test.want || got.Kind != test.kind || got.PID != test.pid {
				t.Errorf("named %q, a %s, by process %d; want %q, %s, %d", got.Name, got.Kind, got.PID, test.want, test.kind, test.pid)
			}
		})
	}
}

// An engine writes down what a container is called after it has begun.
func TestNameThatComesLate(t *testing.T) {
	t.Parallel()
	f := newFixture(t, person{pid: 1, netns: 100}, person{pid: 9, netns: 200, comm: "runc:[2:INIT]"})
	l := f.lister()
	if got := update(t, l)[1].Scope.Name; got != "runc:[2:INIT] (9)" {
		t.Errorf("named %q at first", got)
	}
	f.add(person{pid: 9, netns: 200, comm: "nginx", cgroup: "/lxc/web"})
	if got := update(t, l)[1].Scope; got.Name != "web" || got.Kind != source.ScopeContainer {
		t.Errorf("named %q one poll later, want web", got.Name)
	}
}

// The host name in the namespace stands in for what no file tells.
func TestNameByHostname(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what, cgroup, want string
		kind               source.ScopeKind
	}{
		{"a pod", "/kubepods/pod" + uid + "/" + hexA, "api-7d9f", source.ScopePod},
		{"anything else", "/", "api-7d9f", source.ScopeUnnamed},
		{"a unit has its own", "/system.slice/api.service", "api.service", source.ScopeUnit},
	} {
		f := newFixture(t, person{pid: 1, netns: 100}, person{pid: 9, netns: 200, cgroup: test.cgroup})
		l := f.lister()
		l.hostname = func(pid int32) string { return map[int32]string{9: "api-7d9f"}[pid] }
		if got := update(t, l)[1].Scope; got.Name != test.want || got.Kind != test.kind {
			t.Errorf("%s: named %q, a %s, want %q, %s", test.what, got.Name, got.Kind, test.want, test.kind)
		}
	}
}

func FuzzDockerName(f *testing.F) {
	f.Add([]byte(`{"ID":"x","Name":"/web"}`), "x")
	f.Add([]byte(`{"Name":7}`), "")
	f.Fuzz(func(t *testing.T, file []byte, id string) { dockerName(file, id) })
}

func FuzzPodmanName(f *testing.F) {
	f.Add([]byte(`[{"id":"x","names":["web"]}]`), "x")
	f.Add([]byte(`[{"id":"x","names":null}]`), "x")
	f.Fuzz(func(t *testing.T, file []byte, id string) { podmanName(file, id) })
}

func FuzzMounts(f *testing.F) {
	f.Add([]byte("41 26 0:4 net:[4026532230] /run/netns/a\\040b rw shared:1 - nsfs nsfs rw\n"))
	f.Add([]byte("41 26 0:4 mnt:[1] /x rw - nsfs nsfs rw\n - nsfs \n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, m := range parseMounts(nil, file) {
			if m.netns == 0 {
				t.Errorf("mount %+v of no namespace", m)
			}
			m.rank()
		}
	})
}

// Process 1 is in the host's namespace, but where /proc is a container's: there
// the container has the name that it sees itself by, unless more is known.
func TestNameOfProcessOne(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		cgroup    string
		contained bool
		want      string
		kind      source.ScopeKind
	}{
		{"/init.scope", false, "host", source.ScopeHost},
		{"/", true, "box", source.ScopeUnnamed},
		{"/lxc/web", true, "web", source.ScopeContainer},
	} {
		l := newFixture(t, person{pid: 1, netns: 200, comm: "api", cgroup: test.cgroup}).lister()
		l.contained, l.host = test.contained, "box"
		update(t, l)
		if s := l.Name(200); s.Name != test.want || s.Kind != test.kind || s.PID != 1 {
			t.Errorf("process 1 of %s, contained %v: %q, %v, pid %d, want %q, %v", test.cgroup, test.contained, s.Name, s.Kind, s.PID, test.want, test.kind)
		}
	}
}

// Who is told to enter a namespace by one of its processes does so when we have ended.
func TestWeAreNobodysProcess(t *testing.T) {
	t.Parallel()
	f := newFixture(t, person{pid: 1, netns: 100}, person{pid: 8, start: 5, netns: 200, comm: "ephtop", cgroup: "/lxc/web"})
	l := f.lister()
	l.self = 8
	if got := update(t, l)[1].Scope; got.Name != "web" || got.PID != 0 {
		t.Errorf("alone: %q by process %d, want web by none", got.Name, got.PID)
	}
	f.add(person{pid: 9, start: 6, netns: 200, comm: "nginx", cgroup: "/lxc/web"})
	l = f.lister()
	l.self = 8
	if got := update(t, l)[1].Scope; got.PID != 9 {
		t.Errorf("with a younger one: by process %d, want 9", got.PID)
	}
}

// What stands where an engine of a user's writes its files is the user's: a pipe
// there holds up nobody.
func TestNameIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	f := newFixture(t, person{pid: 9, netns: 200, cgroup: "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + hexA + ".scope"})
	f.write("etc/passwd", "ann:x:1000:1000::/home/ann:/bin/sh\n")
	pipe := filepath.Join(f.root, "home/ann/.local/share/containers/storage/overlay-containers/containers.json")
	if err := os.MkdirAll(filepath.Dir(pipe), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no pipe can be made: ", err)
	}
	l := New(f.root)
	defer l.Close()
	list, err := l.Update(t.Context())
	if err != nil || len(list) != 1 || list[0].Scope.Name != "aaaaaaaaaaaa" {
		t.Errorf("%+v, error %v, want a container that is called by its id", list, err)
	}
}
