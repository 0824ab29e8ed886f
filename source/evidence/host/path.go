package host

import (
	"os"
	"os/exec"
	"path/filepath"
)

// SearchPath returns the directories in which commands are looked for: those of
// PATH, and those of administrators, which are not in every user's PATH. For root
// they are only those to which nobody else can write, nor change which they are:
// PATH may come from a user who called sudo(8) or su(1).
func SearchPath() (dirs []string) {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), adminDirs...) {
		dir, err := filepath.EvalSymlinks(dir)
		if err == nil && filepath.IsAbs(dir) && safe(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// Find looks for a command in the directories of SearchPath. Root gets none that
// somebody else can write to.
func Find(name string) (string, error) {
	for _, dir := range SearchPath() {
		path, err := exec.LookPath(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		if file, err := filepath.EvalSymlinks(path); err == nil && safe(file) {
			return path, nil
		}
	}
	return "", ErrNoCommand
}

// safe reports whether whoever we are may run what stands at a path without links:
// all but root anything.
func safe(path string) bool { return os.Geteuid() != 0 || trusted(path) }
