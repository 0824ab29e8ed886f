package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"ephtop/source/spawn"
)

// Output is what a command printed.
type Output struct {
	Stdout []byte
	Stderr string // its first line, if any
	// Cut says that there was more than the limit allowed.
	Cut bool
}

// ErrNoCommand says that a command is not installed, or that this is another
// host's tree, of which no command can speak.
var ErrNoCommand = errors.New("not installed")

// Run runs a command in English until it ends, the context does, or it has
// printed limit bytes; then it is killed with all that it started. What it
// printed is returned even beside an error. Of our environment it gets nothing
// but SearchPath.
func (h *Host) Run(ctx context.Context, limit int, name string, args ...string) (Output, error) {
	if h.Exec != nil {
		return h.Exec(ctx, limit, name, args...)
	}
	path, err := Find(name)
	if err != nil || h.Root != "/" {
		return Output{}, fmt.Errorf("%s: %w", name, ErrNoCommand)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=" + strings.Join(SearchPath(), string(filepath.ListSeparator)), "LC_ALL=C", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0"}
	cmd.Dir = "/"
	spawn.Together(cmd)
	cmd.WaitDelay = 500 * time.Millisecond
	stdout := &bounded{limit: limit, full: cancel}
	stderr := &bounded{limit: 4096}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err = cmd.Start(); err == nil {
		err = spawn.Wait(cmd)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(stderr.kept.String()), "\n")
	out := Output{Stdout: stdout.kept.Bytes(), Stderr: Clean(first, 200), Cut: stdout.cut}
	switch {
	case out.Cut:
		return out, nil
	case err != nil && ctx.Err() != nil:
		return out, fmt.Errorf("%s did not answer in time: %w", name, ctx.Err())
	case err != nil && out.Stderr != "":
		return out, fmt.Errorf("%s: %s", name, out.Stderr)
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
