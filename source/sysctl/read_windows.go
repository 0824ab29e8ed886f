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
	// netshTimeout bounds one call of netsh, which takes about 0.1 s.
	netshTimeout = 5 * time.Second
	// netshEvery is how long an answer is good for: the range changes by hand
	// only, and a process each second is too much to ask.
	netshEvery = time.Minute
)

// Reader reads the settings, once for each poll.
type Reader struct {
	netsh    func(context.Context) (string, error)
	asked    time.Time
	settings source.Settings
	limits   []source.Limit
}

// New makes a reader of this system's settings.
func New() *Reader { return &Reader{netsh: netsh} }

// Read sets s.Settings, and adds to m.Limits what could not be read. netsh
// is asked once a minute. An answer that fails or cannot be understood is no
// error: the range of [Defaults] stands in for it.
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

func (r *Reader) ask(ctx context.Context) (source.Settings, []source.Limit) {
	settings := Defaults("windows", "")
	text, err := r.netsh(ctx)
	if err == nil {
		var read source.PortRange
		if read, err = parseNetsh(text); err == nil {
			settings.Range, settings.Assumed = read, false
			return settings, nil
		}
	}
	return settings, []source.Limit{{Code: source.LimitRange, Detail: fmt.Sprintf("netsh: %v", err)}}
}

func netsh(ctx context.Context) (string, error) {
	system, err := windows.GetSystemDirectory() // not by PATH: others may write there
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, netshTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(system, "netsh.exe"), "int", "ipv4", "show", "dynamicport", "tcp")
	cmd.WaitDelay = netshTimeout / 10 // for who holds its output, when it was killed
	out, err := cmd.Output()
	return string(out), err
}
