package netns

import (
	"strings"
	"testing"

	"ephtop/source"
)

const (
	hexA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	hexB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	uid  = "0c8c5b6a-3f41-4d6e-9a57-1b2c3d4e5f60"
	uid_ = "0c8c5b6a_3f41_4d6e_9a57_1b2c3d4e5f60"
	hash = "0123456789abcdef0123456789abcdef"
)

func container(e engine, id string) Identity {
	return Identity{Kind: source.ScopeContainer, ID: id, engine: e}
}

func pod(e engine, id string) Identity {
	return Identity{Kind: source.ScopePod, Pod: uid, ID: id, engine: e}
}

func called(name string) Identity {
	return Identity{Kind: source.ScopeContainer, Name: name, engine: named}
}

func unit(name string) Identity { return Identity{Kind: source.ScopeUnit, Unit: name} }

var cgroupPaths = []struct {
	what, path string
	want       Identity
}{
	{"docker, systemd driver", "/system.slice/docker-" + hexA + ".scope", container(docker, hexA)},
	{"docker, cgroupfs driver", "/docker/" + hexA, container(docker, hexA)},
	{"docker, a parent of its own", "/batch/" + hexA, container(anyEngine, hexA)},
	{"docker, a parent of its own, systemd driver", "/batch.slice/docker-" + hexA + ".scope", container(docker, hexA)},
	{"docker in docker", "/docker/" + hexA + "/docker/" + hexB, container(docker, hexB)},
	{"a unit in docker", "/docker/" + hexA + "/system.slice/nginx.service",
		Identity{Kind: source.ScopeContainer, ID: hexA, Unit: "nginx.service", engine: docker}},
	{"docker seen from a cgroup namespace", "/../../docker-" + hexA + ".scope", container(docker, hexA)},
	{"docker, rootless", "/user.slice/user-1000.slice/user@1000.service/app.slice/docker-" + hexA + ".scope",
		Identity{Kind: source.ScopeContainer, ID: hexA, User: "1000", engine: docker}},

	{"containerd, systemd driver", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uid_ + ".slice/cri-containerd-" + hexA + ".scope", pod(containerd, hexA)},
	{"containerd, slice and id in one", "/system.slice/containerd.service/kubepods-burstable-pod" + uid_ + ".slice:cri-containerd:" + hexA, pod(containerd, hexA)},
	{"containerd, cgroupfs driver", "/kubepods/burstable/pod" + uid + "/" + hexA, pod(anyEngine, hexA)},
	{"containerd without a class", "/kubepods/pod" + uid + "/" + hexA, pod(anyEngine, hexA)},
	{"containerd, without pods", "/system.slice/cri-containerd-" + hexA + ".scope", container(containerd, hexA)},
	{"a pod's own slice", "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + uid_ + ".slice", Identity{Kind: source.ScopePod, Pod: uid}},
	{"a guaranteed pod", "/kubepods.slice/kubepods-pod" + uid_ + ".slice/crio-" + hexA + ".scope", pod(crio, hexA)},
	{"a static pod", "/kubepods/burstable/pod" + hash + "/" + hexA, Identity{Kind: source.ScopePod, Pod: hash, ID: hexA, engine: anyEngine}},
	{"a pod of kind", "/docker/" + hexB + "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod" + uid_ + ".slice/cri-containerd-" + hexA + ".scope", pod(containerd, hexA)},
	{"a pod from a cgroup namespace", "/../../../kubepods-besteffort-pod" + uid_ + ".slice/cri-containerd-" + hexA + ".scope", pod(containerd, hexA)},
	{"docker in a pod is no pod", "/kubepods/pod" + uid + "/" + hexA + "/docker/" + hexB, container(docker, hexB)},

	{"CRI-O, systemd driver", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uid_ + ".slice/crio-" + hexA + ".scope", pod(crio, hexA)},
	{"CRI-O, cgroupfs driver", "/kubepods/besteffort/pod" + uid + "/crio-" + hexA, pod(crio, hexA)},
	{"what watches a container of CRI-O", "/kubepods.slice/kubepods-pod" + uid_ + ".slice/crio-conmon-" + hexA + ".scope",
		Identity{Kind: source.ScopePod, Pod: uid, Unit: "crio-conmon-" + hexA + ".scope"}},

	{"podman", "/machine.slice/libpod-" + hexA + ".scope", container(podman, hexA)},
	{"podman, inside of the scope", "/machine.slice/libpod-" + hexA + ".scope/container", container(podman, hexA)},
	{"podman, cgroupfs driver", "/libpod_parent/libpod-" + hexA, container(podman, hexA)},
	{"podman, rootless", "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + hexA + ".scope",
		Identity{Kind: source.ScopeContainer, ID: hexA, User: "1000", engine: podman}},
	{"podman, in a pod of its own", "/machine.slice/machine-libpod_pod_" + hexB + ".slice/libpod-" + hexA + ".scope", container(podman, hexA)},
	{"what watches a container of podman", "/machine.slice/libpod-conmon-" + hexA + ".scope", unit("libpod-conmon-" + hexA + ".scope")},

	{"LXC", "/lxc/web", called("web")},
	{"LXC, payload", "/lxc.payload/web", called("web")},
	{"LXC, payload with a dot", "/lxc.payload.web", called("web")},
	{"a unit in LXC", "/lxc.payload.web/system.slice/nginx.service", Identity{Kind: source.ScopeContainer, Name: "web", Unit: "nginx.service", engine: named}},
	{"LXC in LXC", "/lxc.payload.outer/lxc.payload.inner", called("inner")},
	{"what watches LXC", "/lxc.monitor.web", Identity{}},

	{"systemd-nspawn, machine", "/machine.slice/machine-web.scope", called("web")},
	{"systemd-nspawn, escaped", `/machine.slice/machine-my\x2dweb.scope/payload`, called("my-web")},
	{"systemd-nspawn, service", "/machine.slice/systemd-nspawn@web.service/payload", called("web")},
	{"libvirt", `/machine.slice/machine-qemu\x2d3\x2dmy\x2dvm.scope/libvirt/emulator`, called("my-vm")},
	{"libvirt, LXC", `/machine.slice/machine-lxc\x2d14\x2dweb.scope`, called("web")},
	{"a machine that begins like one of libvirt", `/machine.slice/machine-qemu\x2dbox.scope`, called("qemu-box")},

	{"flatpak", "/user.slice/user-1000.slice/user@1000.service/app.slice/app-flatpak-org.mozilla.firefox-4711.scope",
		Identity{Kind: source.ScopeContainer, Name: "org.mozilla.firefox", User: "1000", engine: named}},
	{"flatpak, escaped", `/app.slice/app-flatpak-org.x.Big\x2dApp-12.scope`, called("org.x.Big-App")},
	{"snap", "/user.slice/snap.firefox.firefox-" + uid + ".scope", called("firefox.firefox")},
	{"service of a snap", "/system.slice/snap.lxd.daemon.service", unit("snap.lxd.daemon.service")},
	{"nerdctl", "/system.slice/nerdctl-" + hexA + ".scope", container(containerd, hexA)},
	{"ECS", "/ecs/" + hash + "/" + hash + "-2531612879", container(anyEngine, hash+"-2531612879")},
	{"ECS on a machine of one's own", "/ecs/" + hash + "/" + hexA, container(anyEngine, hexA)},

	{"a service", "/system.slice/nginx.service", unit("nginx.service")},
	{"an escaped service keeps its name", `/system.slice/system-my\x2dapp.slice/my\x2dapp@1.service`, unit(`my\x2dapp@1.service`)},
	{"a session", "/user.slice/user-0.slice/session-3.scope", unit("session-3.scope")},
	{"a service of a user", "/user.slice/user-7.slice/user@7.service/app.slice/api.service",
		Identity{Kind: source.ScopeUnit, Unit: "api.service", User: "7"}},
	{"a group inside of a service", "/system.slice/api.service/workers/3", unit("api.service")},

	{"the root", "/", Identity{}},
	{"the root of another cgroup namespace", "/../..", Identity{}},
	{"a slice", "/system.slice", Identity{}},
	{"nothing", "", Identity{}},
	{"a short number", "/docker/abc", Identity{}},
	{"upper case is no id", "/docker/" + strings.ToUpper(hexA), Identity{}},
	{"docker- in front of a name", "/system.slice/docker-registry.scope", unit("docker-registry.scope")},
	{"docker itself", "/system.slice/docker.service", unit("docker.service")},
	{"a pod outside of kubepods", "/podracer/pod" + uid, Identity{}},
	{"an escape that is cut", `/machine.slice/machine-web\x2.scope`, called(`web\x2`)},
}

func TestParseCgroup(t *testing.T) {
	t.Parallel()
	for _, test := range cgroupPaths {
		t.Run(test.what, func(t *testing.T) {
			if got := ParseCgroup(test.path); got != test.want {
				t.Errorf("ParseCgroup(%q)\n got %+v\nwant %+v", test.path, got, test.want)
			}
		})
	}
}

// What a path says stands in it.
func FuzzParseCgroup(f *testing.F) {
	for _, test := range cgroupPaths {
		f.Add(test.path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		id := ParseCgroup(path)
		for _, text := range []string{id.ID, id.Unit, id.User} {
			if !strings.Contains(path, text) {
				t.Errorf("ParseCgroup(%q) = %+v: %q is not in it", path, id, text)
			}
		}
		if !strings.Contains(unescape(path), id.Name) {
			t.Errorf("ParseCgroup(%q) = %+v: the name is not in it", path, id)
		}
		if id.Kind == source.ScopeContainer && id.ID == "" && id.Name == "" || id.Kind == source.ScopePod && id.Pod == "" {
			t.Errorf("ParseCgroup(%q) = %+v: a container without an identity", path, id)
		}
	})
}

func TestBestCgroup(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ what, file, controllers, path string }{
		{"version 2", "0::/system.slice/api.service\n", "", "/system.slice/api.service"},
		{"version 1 alone", "4:memory:/user.slice\n1:name=systemd:/user.slice/session-1.scope\n", "name=systemd", "/user.slice/session-1.scope"},
		{"both say the same", "1:name=systemd:/a.service\n0::/a.service\n", "", "/a.service"},
		{"version 2 is not used", "1:name=systemd:/a.service\n0::/\n", "name=systemd", "/a.service"},
		{"only memory says anything", "9:name=systemd:/\n4:memory:/api/3\n0::/\n", "memory", "/api/3"},
		{"a container before a unit", "4:memory:/docker/" + hexA + "\n1:name=systemd:/a.service\n0::/\n", "memory", "/docker/" + hexA},
		{"the root", "0::/\n", "", "/"},
		{"a path with colons", "0::/a:b:c\n", "", "/a:b:c"},
		{"two controllers", "5:cpu,cpuacct:/x\n", "cpu,cpuacct", "/x"},
		{"damage", "0:\nx\n\n:::\n", "none", ""},
		{"nothing", "", "none", ""},
	} {
		got, ok := bestCgroup([]byte(test.file))
		if !ok {
			got.controllers = []byte("none")
		}
		if string(got.controllers) != test.controllers || string(got.path) != test.path {
			t.Errorf("%s: %s:%s, want %s:%s", test.what, got.controllers, got.path, test.controllers, test.path)
		}
	}
}
