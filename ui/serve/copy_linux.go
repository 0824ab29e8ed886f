package serve

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// copyFile is a file in memory, which has a path as long as it is open.
type copyFile struct{ fd int }

func newCopyFile(_ string, text []byte) (*copyFile, error) {
	fd, err := memoryFile(text)
	return &copyFile{fd}, err
}

func (c *copyFile) path() string { return fmt.Sprintf("/proc/self/fd/%d", c.fd) }

func (c *copyFile) close() { unix.Close(c.fd) }

// replace has the path lead to another file: who opens it has the one or the other.
func (c *copyFile) replace(text []byte) error {
	fd, err := memoryFile(text)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Dup3(fd, c.fd, unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("replace the copy of the web config: %w", err)
	}
	return nil
}

func memoryFile(text []byte) (fd int, err error) {
	if fd, err = unix.MemfdCreate("web-config", unix.MFD_CLOEXEC); err != nil {
		return -1, fmt.Errorf("copy the web config: %w", err)
	}
	if _, err := unix.Write(fd, text); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("copy the web config: %w", err)
	}
	return fd, nil
}
