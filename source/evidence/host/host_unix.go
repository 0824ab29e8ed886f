//go:build unix

package host

import (
	"os"
	"path/filepath"
	"syscall"
)

// adminDirs are where administrators' tools stand.
var adminDirs = []string{"/usr/sbin", "/sbin", "/usr/local/sbin"}

// trusted reports whether nobody but root can change what stands at a path, as its
// owner, as that of a directory above, or by their modes. In a directory like /tmp
// others may write, but not replace what is root's. What else owns the root of the
// tree is root by another number, as in a user namespace.
func trusted(path string) bool {
	top, err := os.Stat("/")
	if err != nil {
		return false
	}
	root := owner(top)
	for ; ; path = filepath.Dir(path) {
		info, err := os.Lstat(path)
		if err != nil || owner(info) != 0 && owner(info) != root {
			return false
		}
		if shared := info.Mode().Perm()&0o022 != 0; shared && info.Mode()&(os.ModeDir|os.ModeSticky) != os.ModeDir|os.ModeSticky {
			return false
		}
		if path == filepath.Dir(path) {
			return true
		}
	}
}

func owner(info os.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }
