package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file is written whole under a name of its own, and none is replaced.
func TestSaveIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	paths := make(map[string]bool)
	for range 3 {
		path, err := SaveIn(dir, "../web 01", ".md", []byte("# all"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != "# all" || !filepath.IsAbs(path) || filepath.Dir(path) != dir {
			t.Errorf("%s holds %q, %v", path, got, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if base := filepath.Base(path); !strings.HasPrefix(base, "ephtop-.._web_01-") || !strings.HasSuffix(base, ".md") {
			t.Errorf("name %s", base)
		}
		paths[path] = true
	}
	if len(paths) != 3 {
		t.Errorf("paths %v", paths)
	}
	if path, err := SaveIn(filepath.Join(dir, "none"), "web", ".md", nil); err == nil || path != "" {
		t.Errorf("%s, %v", path, err)
	}
}
