package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// maxFile bounds a file that is read whole. Those of /proc and the settings
// are far smaller.
const maxFile = 1 << 20

// host is where the parts are read from: a tree of files and, where that is
// the system itself, its commands.
type host struct {
	Options
	// run runs a command; nil where commands would speak of another host.
	run func(ctx context.Context, limit int, name string, args ...string) (output, error)
}

func newHost(o Options) *host {
	h := &host{Options: o}
	if o.Root == "/" {
		h.run = run
	}
	return h
}

// path is where a file of the host stands in its tree.
func (h *host) path(name string) string { return filepath.Join(h.Root, name) }

// read reads a file of the host, given by its absolute path there.
func (h *host) read(name string) ([]byte, error) {
	// To open a pipe would wait for its writer.
	if info, err := os.Stat(h.path(name)); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() && info.Mode()&fs.ModeCharDevice == 0 {
		return nil, fmt.Errorf("%s is not a file", name)
	}
	f, err := os.Open(h.path(name))
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

// netFile reads a file of /proc/net in the namespace of the calling thread.
func (h *host) netFile(name string) ([]byte, error) {
	data, err := h.read("/proc/thread-self/net/" + name)
	if isMissing(err) {
		return h.read("/proc/net/" + name)
	}
	return data, err
}

// isMissing tells whether there is no such file, rather than no way to it.
func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// reason is why a file or a command gave nothing, without the path.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	if errors.Is(err, fs.ErrPermission) {
		return "permission denied; run as root"
	}
	return err.Error()
}

// output is what a command printed.
type output struct {
	stdout []byte
	stderr string // its first line, if any
	// cut says that there was more than the limit allowed.
	cut bool
}

// errNoCommand says that a command is not installed.
var errNoCommand = errors.New("not installed")

// find looks for a command where PATH says, and where administrators' tools
// stand, which is not in every user's PATH.
func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", errNoCommand
}

// run runs a command in English until it ends, the context does, or it has
// printed limit bytes; then it is killed. What it printed is returned even
// beside an error.
func run(ctx context.Context, limit int, name string, args ...string) (output, error) {
	path, err := find(name)
	if err != nil {
		return output{}, fmt.Errorf("%s: %w", name, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0")
	cmd.WaitDelay = 500 * time.Millisecond
	stdout := &bounded{limit: limit, full: cancel}
	stderr := &bounded{limit: 4096}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Run()
	first, _, _ := strings.Cut(strings.TrimSpace(stderr.kept.String()), "\n")
	out := output{stdout: stdout.kept.Bytes(), stderr: clean(first, 200), cut: stdout.cut}
	switch {
	case out.cut:
		return out, nil
	case err != nil && ctx.Err() != nil:
		return out, fmt.Errorf("%s did not answer in time: %w", name, ctx.Err())
	case err != nil && out.stderr != "":
		return out, fmt.Errorf("%s: %s", name, out.stderr)
	case err != nil:
		return out, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

// bounded keeps the first bytes that are written to it. When there are more it
// says so to full, if that is set, and swallows them. The buffer is not
// embedded: its ReadFrom would go past the limit.
type bounded struct {
	kept  bytes.Buffer
	limit int
	cut   bool
	full  func()
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.limit - b.kept.Len(); len(p) > room {
		b.kept.Write(p[:room])
		b.cut = true
		if b.full != nil {
			b.full()
		}
		return len(p), nil
	}
	return b.kept.Write(p)
}
