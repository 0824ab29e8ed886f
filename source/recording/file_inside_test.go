package recording

import (
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
