package recording

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestAFileIsNotOpenedAgain replaces a file: once it has its name, another may
// have that name who meant it to be written to.
func TestAFileIsNotOpenedAgain(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not rename a file that is open")
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Create(path, true)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	before := f.f
	if _, err := f.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if f.f != before {
		t.Error("the file was opened again under its name")
	}
}

// TestANameThatIsTakenMeanwhile puts a symbolic link in the place of the file
// that was renamed, as who may write to the directory can at any time.
func TestANameThatIsTakenMeanwhile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not rename a file that is open")
	}
	t.Parallel()
	dir := t.TempDir()
	path, victim, moved := filepath.Join(dir, "a"), filepath.Join(dir, "victim"), filepath.Join(dir, "moved")
	for _, p := range []string{path, victim} {
		if err := os.WriteFile(p, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Create(path, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Rename(path, moved), os.Symlink(victim, path)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("er")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]string{victim: "old", moved: "newer"} {
		if got, err := os.ReadFile(p); string(got) != want || err != nil {
			t.Errorf("%s holds %q, want %q", p, got, want)
		}
	}
}
