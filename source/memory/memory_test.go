package memory

import (
	"os"
	"path/filepath"
	"testing"
)

// The least of all limits counts, wherever it is set; a container sees its own
// group as the root.
func TestLimitOfCgroup(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"no control groups", nil, 0},
		{"version 2, no limit", map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n"}, 0},
		{"version 2", map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "50331648\n"}, 48 << 20},
		{"version 2, set above", map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "1048576\n",
		}, 1 << 20},
		{"version 2, in a container", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1048576\n"}, 1 << 20},
		{"version 2 beside version 1", map[string]string{
			"proc/self/cgroup": "4:memory:/\n0::/x\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
			"sys/fs/cgroup/unified/x/memory.max": "2097152\n",
		}, 2 << 20},
		{"version 1", map[string]string{"proc/self/cgroup": "4:cpu,memory:/x\n", "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1048576\n"}, 1 << 20},
		{"version 1, a path of the host", map[string]string{
			"proc/self/cgroup": "4:memory:/docker/f00\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "1048576\n",
		}, 1 << 20},
		{"nonsense", map[string]string{"proc/self/cgroup": "x\n0::/../..\n", "sys/fs/cgroup/memory.max": "-\n"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for name, text := range tt.files {
				path := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got := ofCgroup(root); got != tt.want {
				t.Errorf("the limit is %d, want %d", got, tt.want)
			}
		})
	}
}

// Without a limit there is no bound, and a tiny one leaves some rows.
func TestRows(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int64]int{0: 0, 1 << 20: fewest, 36 << 20: 26214} {
		if got := Rows(limit); got != want {
			t.Errorf("%d rows in %d bytes, want %d", got, limit, want)
		}
	}
}
