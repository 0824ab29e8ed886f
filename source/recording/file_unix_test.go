//go:build unix

package recording_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ephtop/source/recording"
)

// A file that somebody removes while it is written to is lost, and that is said:
// by the next Write, or by Close where there is none. One that gets another name
// is written to under that.
func TestAFileThatIsRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, moved := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for name, create := range map[string]func(string, bool) (*recording.File, error){"Create": recording.Create, "CreateWhole": recording.CreateWhole} {
		for _, again := range []bool{false, true} {
			f, err := create(path, false)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write([]byte("one")); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(dir, names(t, dir)[0])); err != nil {
				t.Fatal(err)
			}
			if again {
				_, err = f.Write([]byte("two"))
				if err2 := f.Close(); err2 != nil {
					t.Errorf("%s: close says again: %v", name, err2)
				}
			} else {
				err = f.Close()
			}
			if !errors.Is(err, recording.ErrRemoved) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s, written to again %v: %v, want that %s has been removed", name, again, err, path)
			}
			if got := names(t, dir); len(got) != 0 {
				t.Errorf("%s: files %q", name, got)
			}
		}
	}

	f, err := recording.Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	_, err1 := f.Write([]byte("one"))
	err2 := os.Rename(path, moved)
	_, err3 := f.Write([]byte("two"))
	if err := errors.Join(err1, err2, err3, f.Close()); err != nil {
		t.Error(err)
	}
	if got := content(t, moved); got != "onetwo" {
		t.Errorf("%q in the file that was renamed", got)
	}
}
