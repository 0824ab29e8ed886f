package serve

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A file whose directory is gone is tried again, and there when that comes back.
func TestTextfile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "collector")
	file := filepath.Join(dir, "ephtop.prom")
	ctx, stop := context.WithCancel(t.Context())
	now, came, ended := make(chan struct{}), make(chan error), make(chan struct{})
	go func() {
		defer close(ended)
		Textfile(ctx, file, figure(), now, func(err error) { came <- err })
	}()
	now <- struct{}{}
	if err := <-came; err == nil || err.Error() != "write "+file+": no such file or directory" && runtime.GOOS != "windows" {
		t.Errorf("without the directory: %v", err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		now <- struct{}{}
		if err := <-came; err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "\nephtop_level 2\n") {
		t.Errorf("it holds %q, %v", text, err)
	}
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o644 {
		t.Errorf("%v, %v; want that others may read it", info.Mode(), err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files, want the one", len(left))
	}
	stop()
	<-ended
}

// Who replaces a directory by a file is told, and leaves nothing behind.
func TestTextfileThatCannotBe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "ephtop.prom"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(filepath.Join(dir, "ephtop.prom"), figure()); err == nil || strings.Contains(err.Error(), ".ephtop.prom.") {
		t.Errorf("the error is %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files, want the one", len(left))
	}
}
