package netns

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ephtop/source"
)

// A container of podman has the name that it was given: which container that is
// stands in the path of its control group.
func TestPodmanContainer(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to run a container")
	}
	for _, program := range []string{"podman", "runc", "busybox"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("needs ", program)
		}
	}
	const name = "ephtop-test"
	root := rootfs(t)
	podman := func(args ...string) (string, error) {
		// crun knows no hybrid control groups, and there may be no systemd.
		cmd := exec.Command("podman", append([]string{"--runtime=runc", "--cgroup-manager=cgroupfs"}, args...)...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	t.Cleanup(func() { podman("rm", "--force", "--time=0", name) })
	if out, err := podman("run", "--detach", "--network=none", "--name="+name, "--hostname=other", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024",
		"--rootfs", root, "/bin/sleep", "600"); err != nil {
		t.Skipf("podman runs no container here: %v: %s", err, out)
	}
	l := New("")
	defer l.Close()
	n, err := l.Resolve(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	if n.Scope.Kind != source.ScopeContainer || n.Processes != 1 || n.Scope.PID == 0 {
		t.Errorf("%+v, want a container with one process", n)
	}
	file, err := l.proc.ReadFile(n.Scope.PID, "/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	c := NewCgroups("")
	defer c.Close()
	m := &source.Moment{Processes: []source.Process{{Cgroup: c.ID(file)}}}
	if c.Fill(m); len(m.Cgroups) != 1 || m.Cgroups[0].Container != name || m.Cgroups[0].Kind != source.ScopeContainer {
		t.Errorf("control groups %+v, want that of %s", m.Cgroups, name)
	}
}

// rootfs makes what a container runs in.
func rootfs(t *testing.T) string {
	t.Helper()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(busybox)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, dir := range strings.Fields("bin proc sys dev etc tmp") {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "bin/sleep"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}
