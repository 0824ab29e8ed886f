// Package host reads files and runs commands of a host, each with a bound, and
// makes what they say fit to be shown.
//
// It depends on package spawn and the standard library only.
package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFile bounds a file that is read whole. Those of /proc and the settings
// are far smaller.
const maxFile = 1 << 20

// Host is a tree of files and, where that is the system itself, its commands.
type Host struct {
	// Root is the tree. Where it is not "/", no command is run.
	Root string
	// Exec runs a command in the place of the system; tests set it.
	Exec func(ctx context.Context, limit int, name string, args ...string) (Output, error)
}

// Path returns where a file of the host stands in its tree.
func (h *Host) Path(name string) string { return filepath.Join(h.Root, name) }

// Read reads a file of the host, given by its absolute path there.
func (h *Host) Read(name string) ([]byte, error) {
	// To open a pipe would wait for its writer.
	if info, err := os.Stat(h.Path(name)); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() && info.Mode()&fs.ModeCharDevice == 0 {
		return nil, fmt.Errorf("%s is not a file", name)
	}
	f, err := os.Open(h.Path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is larger than %d MiB", name, maxFile>>20)
	}
	return data, err
}

// ReadNet reads a file of /proc/net in the namespace of the calling thread.
func (h *Host) ReadNet(name string) ([]byte, error) {
	data, err := h.Read("/proc/thread-self/net/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return h.Read("/proc/net/" + name)
	}
	return data, err
}

// Reason returns why a file or a command gave nothing, without the path.
func Reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	if errors.Is(err, fs.ErrPermission) {
		return "permission denied; run as root"
	}
	return err.Error()
}
