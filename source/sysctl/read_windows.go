package sysctl

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"

	"ephtop/source"
)

const (
	// netshTimeout is when netsh is killed, which takes about 0.1 s.
	netshTimeout = 3 * time.Second
	// netshEvery is how long an answer is good for: the range changes by hand
	// only, and a process each second is too much to ask.
	netshEvery = time.Minute
)

// Reader reads the settings, once for each poll.
type Reader struct {
	netsh    func(ctx context.Context, show ...string) (string, error)
	asked    time.Time
	settings source.Settings
	limits   []source.Limit
}

// New makes a reader of this system's settings.
func New() *Reader { return &Reader{netsh: netsh} }

// Read sets s.Settings, and adds to m.Limits what could not be read. netsh
// is asked once a minute. An answer that fails or cannot be understood is no
// error: the range of [Defaults] stands in for it, and no port is reserved.
func (r *Reader) Read(ctx context.Context, m *source.Moment, s *source.Snapshot) error {
	if r.asked.IsZero() || time.Since(r.asked) >= netshEvery {
		settings, limits := r.ask(ctx)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read the port range: %w", err)
		}
		r.settings, r.limits, r.asked = settings, limits, time.Now()
	}
	s.Settings = r.settings
	m.Limits = append(m.Limits, r.limits...)
	return nil
}

// ask asks for both at once, so that a netsh that hangs holds a poll up no
// longer than one.
func (r *Reader) ask(ctx context.Context) (settings source.Settings, limits []source.Limit) {
	settings = Defaults("windows", "")
	var reserved []source.PortRange
	var unread error
	done := make(chan struct{})
	go func() {
		defer close(done)
		reserved, unread = show(ctx, r.netsh, parseExcluded, "excludedportrange", "protocol=tcp", "store=active")
	}()
	read, err := show(ctx, r.netsh, parseNetsh, "dynamicport", "tcp")
	if <-done; err == nil {
		settings.Range, settings.Assumed = read, false
	} else {
		limits = append(limits, source.Limit{Code: source.LimitRange, Detail: err.Error()})
	}
	if settings.Reserved = reserved; unread != nil {
		limits = append(limits, source.Limit{Code: source.LimitReserved, Detail: unread.Error()})
	}
	return settings, limits
}

// show asks netsh to show something, and reads what it says.
func show[T any](ctx context.Context, netsh func(context.Context, ...string) (string, error), parse func(string) (T, error), what ...string) (T, error) {
	text, err := netsh(ctx, what...)
	if err != nil {
		var none T
		return none, fmt.Errorf("netsh: %w", err)
	}
	read, err := parse(text)
	if err != nil {
		err = fmt.Errorf("netsh: %w", err)
	}
	return read, err
}

func netsh(ctx context.Context, what ...string) (string, error) {
	dir, err := windows.GetSystemDirectory() // not by PATH: others may write there
	if err != nil {
		return "", err
	}
	return run(ctx, netshTimeout, filepath.Join(dir, "netsh.exe"), append([]string{"int", "ipv4", "show"}, what...)...)
}

// run gives what a program prints. When its time is over it is killed, and
// nothing that it may have started is waited for.
func run(ctx context.Context, limit time.Duration, path string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = limit / 10
	out, err := cmd.Output()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return string(out), err
}
