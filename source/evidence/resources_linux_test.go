package evidence

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ephtop/source"
)

const limitsFile = `Limit                     Soft Limit           Hard Limit           Units     
Max processes             63352                63352                processes 
Max open files            %s                 1048576              files     
Max locked memory         8388608              8388608              bytes     
`

// Descriptors are counted, and held against the soft limit; a process that has
// ended is left out.
func TestResources(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(name, content string) {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("/proc/sys/fs/file-nr", "2784\t0\t9000\n")
	for pid, limit := range map[int]string{7: "1024", 8: "unlimited"} {
		write(fmt.Sprintf("/proc/%d/limits", pid), fmt.Sprintf(limitsFile, limit))
		for fd := range pid {
			write(fmt.Sprintf("/proc/%d/fd/%d", pid, fd), "")
		}
	}
	h := newGatherer(Options{Root: root, Processes: []source.Process{{PID: 7, Name: "api"}, {PID: 8, Name: "web"}, {PID: 9, Name: "gone"}}})
	want := source.Resources{
		Status: read(""), Files: 2784, MaxFiles: 9000,
		Descriptors: []source.Descriptors{{PID: 7, Name: "api", Open: 7, Limit: 1024}, {PID: 8, Name: "web", Open: 8}},
	}
	if diff := cmp.Diff(want, h.resources(t.Context())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	write("/proc/sys/fs/file-nr", "2784\t0\t9223372036854775807\n")
	if got := h.resources(t.Context()); got.MaxFiles != 0 {
		t.Errorf("a host without a limit has one of %d", got.MaxFiles)
	}
}

// What the kernel says of this process is what is there, and what it is made
// with.
func TestResourcesOfThisProcess(t *testing.T) {
	before, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	const more = 40
	for range more {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	h := newGatherer(Options{Root: "/", Processes: []source.Process{{PID: int32(os.Getpid())}}})
	got := h.resources(t.Context())
	if len(got.Descriptors) != 1 {
		t.Fatalf("%+v, want one process", got)
	}
	d := got.Descriptors[0]
	if d.Open < more+len(before)-10 || d.Open > more+len(before)+100 || uint64(d.Limit) != limit.Cur {
		t.Errorf("%+v, want about %d of %d", d, more+len(before), limit.Cur)
	}
	if !strings.HasPrefix(d.Runtime, "go") {
		t.Errorf("runtime %q, want Go's", d.Runtime)
	}
}
