//go:build unix

package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Root runs no program that somebody else can write, replace, or put in the way of
// the system's.
func TestRootRunsNothingOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	const nobody = 65534
	for _, test := range []struct {
		name   string
		change func(dir, file string) error
		found  bool
	}{
		{"root's", func(_, _ string) error { return nil }, true},
		{"a file of another", func(_, file string) error { return os.Chown(file, nobody, nobody) }, false},
		{"a file that all may write to", func(_, file string) error { return os.Chmod(file, 0o777) }, false},
		{"a directory of another", func(dir, _ string) error { return os.Chown(dir, nobody, nobody) }, false},
		{"a directory that a group may write to", func(dir, _ string) error { return os.Chmod(dir, 0o775) }, false},
		{"a directory like /tmp", func(dir, _ string) error { return os.Chmod(dir, 0o777|os.ModeSticky) }, true},
		{"below a directory of another", func(dir, _ string) error { return os.Chown(filepath.Dir(dir), nobody, nobody) }, false},
		{"a link to a file of another", func(dir, file string) error {
			other := filepath.Join(filepath.Dir(dir), "other")
			return errors.Join(os.Rename(file, other), os.Chown(other, nobody, nobody), os.Symlink(other, file))
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "bin")
			file := filepath.Join(dir, "a-program-of-tests")
			if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(file, []byte("#!/bin/sh\n"), 0o755), test.change(dir, file)); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", ".:"+dir)
			path, err := Find("a-program-of-tests")
			if found := err == nil && path == file; found != test.found {
				t.Errorf("%q, %v, want it found: %v", path, err, test.found)
			}
			for _, dir := range SearchPath() {
				if !filepath.IsAbs(dir) {
					t.Errorf("%q is searched", dir)
				}
			}
		})
	}
}

// A command gets nothing of our environment.
func TestACommandHasAnEnvironmentOfItsOwn(t *testing.T) {
	t.Setenv("LD_PRELOAD_OF_A_TEST", "yes")
	out, err := (&Host{Root: "/"}).Run(t.Context(), 4096, "env")
	if err != nil || strings.Contains(string(out.Stdout), "OF_A_TEST") || !strings.Contains(string(out.Stdout), "LC_ALL=C\n") {
		t.Errorf("%q, %v", out.Stdout, err)
	}
}
