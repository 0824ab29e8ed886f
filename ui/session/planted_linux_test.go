package session

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/model"
	"ephtop/source/recording"
)

// planted puts something under the names that a file made within the next minute
// will have.
func planted(t *testing.T, dir, host, ending string, put func(path string) error) {
	t.Helper()
	now := time.Now()
	for s := range 60 {
		name := filePrefix + host + now.Add(time.Duration(s)*time.Second).Format("-20060102-150405") + ending
		if err := put(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// What somebody has planted under a name that can be guessed is passed over: it
// is never opened, and so gets nothing and has nobody wait.
func TestPlantedNames(t *testing.T) {
	t.Parallel()
	makers := map[string]struct {
		ending string
		make   func(dir string) (path string, err error)
	}{
		"SaveIn": {".md", func(dir string) (string, error) { return SaveIn(dir, "db1", ".md", []byte("all")) }},
		"RecordIn": {".eph", func(dir string) (string, error) {
			r, err := RecordIn(dir, "db1", recording.Header{})
			if err != nil {
				return "", err
			}
			l := look(0, model.LevelOK, 0)
			return r.Progress().Path, errors.Join(r.Add(&l.Moment), r.Close())
		}},
		"Flight": {flightEnding, func(dir string) (string, error) {
			f, err := NewFlight(dir, FlightBefore)
			if err != nil {
				return "", err
			}
			l := look(0, model.LevelCritical, 0)
			f.Add(&l.Moment, &l.Overview)
			return f.Status().Last, f.Close()
		}},
	}
	for name, m := range makers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, elsewhere := t.TempDir(), t.TempDir()
			victim := filepath.Join(elsewhere, "victim")
			if err := unix.Mkfifo(victim, 0o666); err != nil {
				t.Fatal(err)
			}
			thief, err := os.OpenFile(victim, os.O_RDONLY|unix.O_NONBLOCK, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer thief.Close()
			for _, put := range []func(string) error{
				func(path string) error { return os.Link(victim, path) },
				func(path string) error { return unix.Mkfifo(path, 0o666) }, // that nobody reads
				func(path string) error { return os.Symlink(victim, path) },
				func(path string) error { return os.Symlink("/dev/null", path) },
				func(path string) error { return os.Symlink(filepath.Join(elsewhere, "new"), path) },
				func(path string) error { return os.Mkdir(path, 0o777) },
			} {
				sub, err := os.MkdirTemp(dir, "")
				if err != nil {
					t.Fatal(err)
				}
				planted(t, sub, "db1", m.ending, put)
				if _, err := m.make(sub); err != nil {
					t.Error(err)
				}
				made, _ := filepath.Glob(filepath.Join(sub, "*-2"+m.ending))
				if len(made) != 1 {
					t.Errorf("it made %q, want one with the next name", made)
					continue
				}
				if info, err := os.Lstat(made[0]); err != nil || info.Mode() != 0o600 || info.Size() == 0 {
					t.Errorf("%v, %v; want a file of its owner", info, err)
				}
			}
			if got, err := io.ReadAll(thief); len(got) > 0 || err != nil {
				t.Errorf("the thief has %d bytes, %v", len(got), err)
			}
			if left, _ := os.ReadDir(elsewhere); len(left) != 1 {
				t.Errorf("%d files where links led, want the one", len(left))
			}
		})
	}
}
