//go:build amd64 || arm64

package tables

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The objects are those of the source, and building them in another place makes
// the same bytes. It is not parallel, for it starts programs: see
// TestEventsInAPIDNamespace.
func TestObjectsAreThoseOfTheSource(t *testing.T) {
	for _, tool := range []string{"clang-14", "llvm-strip-14"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("bpf")); err != nil {
		t.Fatal(err)
	}
	for _, v := range variants {
		if err := os.Remove(filepath.Join(dir, v.name+"_bpfel.o")); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(filepath.Join(dir, "build.sh")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, v := range variants {
		built, err := os.ReadFile(filepath.Join(dir, v.name+"_bpfel.o"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(built, v.object) {
			t.Errorf("%s: %d bytes are built and %d committed, and they differ: run bpf/build.sh", v.name, len(built), len(v.object))
		}
	}
}
