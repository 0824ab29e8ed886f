package serve

import (
	"context"
	"net"
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

// What is there and no regular file stays, whatever it is: that is said, and
// nothing is left behind.
func TestTextfileThatCannotBe(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "file")
	write(t, elsewhere, "precious")
	file := filepath.Join(dir, "ephtop.prom")
	for name, put := range map[string]func() error{
		"a directory":       func() error { return os.Mkdir(file, 0o755) },
		"a link":            func() error { return os.Symlink(elsewhere, file) },
		"a link to nothing": func() error { return os.Symlink(elsewhere+"s", file) },
		"a socket": func() error {
			l, err := net.Listen("unix", file)
			if err == nil {
				l.(*net.UnixListener).SetUnlinkOnClose(false)
				err = l.Close()
			}
			return err
		},
	} {
		if err := put(); err != nil {
			t.Logf("%s: %v", name, err) // some systems have none
			continue
		}
		before, err := os.Lstat(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckTextfile(file); err == nil || err.Error() != file+": what is there is no regular file" {
			t.Errorf("%s, at the start: %v", name, err)
		}
		if err := writeFile(file, figure()); err == nil || err.Error() != "write "+file+": what is there is no regular file" {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.Lstat(file); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s is replaced: %v, %v", name, after, err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("%s: %d files, want the one", name, len(left))
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{file, write(t, file, "old")} {
		if err := CheckTextfile(path); err != nil {
			t.Errorf("a file, or none: %v", err)
		}
	}
}
