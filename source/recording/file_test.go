package recording_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"ephtop/source/recording"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestANewFileIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a")
	f, err := recording.Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "one")
	io.WriteString(f, "two")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if got := content(t, path); got != "onetwo" {
		t.Errorf("content %q", got)
	}
}

func TestAFileThatExists(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := recording.Create(path, false); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "--force") {
		t.Errorf("without force: %v", err)
	}
	f, err := recording.Create(path, true)
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); got != "precious" {
		t.Errorf("before the first write it holds %q", got)
	}
	io.WriteString(f, "new")
	if got := content(t, path); got != "new" {
		t.Errorf("after it %q", got)
	}
	io.WriteString(f, "er")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); got != "newer" {
		t.Errorf("at the end %q", got)
	}
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("files %q", got)
	}
}

func TestAFileThatNothingWasWrittenTo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, force := range []bool{false, true} {
		f, err := recording.Create(path, force)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if got := names(t, dir); len(got) != 0 {
			t.Errorf("force %v: files %q", force, got)
		}
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := recording.Create(path, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if got := names(t, dir); len(got) != 1 || content(t, path) != "precious" {
		t.Errorf("files %q", got)
	}
}

func TestAFileThatIsThereWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	for _, there := range []bool{false, true} {
		for _, discard := range []bool{false, true} {
			dir := t.TempDir()
			path := filepath.Join(dir, "a")
			if there {
				if err := os.WriteFile(path, []byte("precious"), 0o644); err != nil {
					t.Fatal(err)
				}
				if _, err := recording.CreateWhole(path, false); !errors.Is(err, fs.ErrExist) {
					t.Errorf("without force: %v", err)
				}
			}
			f, err := recording.CreateWhole(path, there)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(f, "new")
			io.WriteString(f, "er")
			if _, err := os.Stat(path); !there && err == nil {
				t.Error("the file has its name before it is whole")
			}
			want, end := "newer", f.Close
			if discard {
				want, end = "precious", f.Discard
			}
			if err := end(); err != nil {
				t.Fatal(err)
			}
			if !there && discard {
				if got := names(t, dir); len(got) != 0 {
					t.Errorf("files %q", got)
				}
				continue
			}
			if got := content(t, path); got != want || len(names(t, dir)) != 1 {
				t.Errorf("there before: %v, discarded: %v: it holds %q, want %q; files %q", there, discard, got, want, names(t, dir))
			}
		}
	}
}

func TestAWholeFileReplacesNothingUnasked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	f, err := recording.CreateWhole(path, false)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "new")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v", err)
	}
	if got := names(t, dir); len(got) != 1 || content(t, path) != "precious" {
		t.Errorf("files %q", got)
	}
}

func TestCreateWhereNothingCanBe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "gone"), link); err != nil {
		link = dir // some systems have none
	}
	for name, path := range map[string]string{
		"a directory": dir, "in no directory": filepath.Join(dir, "no", "file"), "a link to nothing": link,
	} {
		if _, err := recording.Create(path, true); err == nil || strings.Contains(err.Error(), "\n") || errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
		for _, force := range []bool{false, true} {
			f, err := recording.CreateWhole(path, force)
			if err == nil || strings.Contains(err.Error(), "\n") || errors.Is(err, fs.ErrExist) {
				t.Errorf("%s, whole, force %v: %v", name, force, err)
			}
			if err == nil {
				f.Discard()
			}
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("%q is left, %v", left, err)
	}
}

func TestAFullDisk(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full on this system")
	}
	f, err := recording.Create("/dev/full", false)
	if err != nil {
		t.Fatal(err)
	}
	w := newWriter(t, f)
	list := moments(1, 40, 4, 2)
	for range 2 {
		if err := w.Write(list[0]); !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "\n") {
			t.Errorf("write: %v", err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestAClosedPipe(t *testing.T) {
	t.Parallel()
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	from.Close()
	w := newWriter(t, to)
	if err := w.Write(moments(1, 40, 4, 1)[0]); !errors.Is(err, syscall.EPIPE) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
}
