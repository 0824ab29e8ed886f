//go:build unix

package recording

import (
	"os"
	"syscall"
)

// removed reports whether a file has no name any more, of any that it had.
func removed(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink == 0
}
