package command

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/live"
)

func TestCheckStatus(t *testing.T) {
	t.Parallel()
	// One of ten ports of each protocol is in use.
	for _, c := range []struct {
		name, args string
		status     int
		want       string // begin of the line
	}{
		{"ok", "check", 0, "EPHTOP OK - 10 % of 10 ports to 10.0.9.2:5432 used | tuple=10%;60;80;0;100 "},
		{"warning", "check --warn 10", 1, "EPHTOP WARNING - 10 % of 10 ports to 10.0.9.2:5432 used | tuple=10%;10;80;0;100 "},
		{"critical", "check --warn 5 --critical 10", 2, "EPHTOP CRITICAL - 10 % of 10 ports "},
		{"the pool", "check --on pool --warn 10", 1, "EPHTOP WARNING - 10 % of 10 TCP ports used | "},
		{"a NAT on the way", "check --nat 1", 2, "EPHTOP CRITICAL - no UDP port of 1 of the NAT on the way is free to 10.0.9.2:53 | "},
		{"a NAT on the way with room", "check --nat 55000", 0, "EPHTOP OK - 10 % of 10 ports to 10.0.9.2:5432 used | "},
		{"a NAT on the way, and another figure", "check --nat 1 --on pool", 0, "EPHTOP OK - 10 % of 10 TCP ports used; but no UDP port of 1 of the NAT on the way is free to 10.0.9.2:53, see --on any | "},
		{"a NAT of no ports", "check --nat 0", 3, `EPHTOP UNKNOWN - --nat: bad number "0": use a whole number from 1 to 10000000, as in 55000 for AWS NAT gateway`},
		{"a wrong value", "check --on net", 3, `EPHTOP UNKNOWN - --on: unknown figure "net": use tuple, pool, plateau or any`},
		{"a wrong value of a common flag", "--interval 5 check", 3, `EPHTOP UNKNOWN - --interval: bad time "5"`},
		{"thresholds that cross", "check --warn 90", 3, "EPHTOP UNKNOWN - --warn 90 and --critical 80: "},
		{"a wrong flag", "check --verbose", 3, "EPHTOP UNKNOWN - unknown flag --verbose: use "},
		{"a wrong flag before", "--verbose check", 3, "EPHTOP UNKNOWN - unknown flag --verbose: use "},
		{"a flag without its value", "check --on", 3, "EPHTOP UNKNOWN - --on needs a value: tuple, pool, plateau or any"},
		{"an argument", "check now", 3, `EPHTOP UNKNOWN - "now": ephtop check takes no arguments, only flags`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runWith(t, &fakeHost{}, strings.Fields(c.args)...)
			if r.status != c.status || !strings.HasPrefix(r.stdout, c.want) {
				t.Errorf("status %d, stdout %q; want %d, %q", r.status, r.stdout, c.status, c.want)
			}
			if strings.Count(r.stdout, "\n") != 1 || r.stderr != "" {
				t.Errorf("stdout %q, stderr %q; want one line and nothing", r.stdout, r.stderr)
			}
		})
	}
}

// TestCheckIsNotWantedWhereItIsAValue: the answer to a wrong flag of another
// command is not one of a check.
func TestCheckIsNotWantedWhereItIsAValue(t *testing.T) {
	t.Parallel()
	r := runWith(t, &fakeHost{}, "--filter", "check", "--verbose")
	if r.status != 2 || r.stdout != "" {
		t.Errorf("status %d, stdout %q; want 2 and nothing", r.status, r.stdout)
	}
}

func TestCheckThatCannotFindOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		host   *fakeHost
		stdout io.Writer
		want   string
	}{
		{"no poll", &fakeHost{pollErr: errors.New("dump tcp sockets: no\x1b[2J\nmemory | left")}, new(bytes.Buffer),
			"EPHTOP UNKNOWN - read the sockets: dump tcp sockets: no; memory / left\n"},
		{"a reader who has gone", &fakeHost{}, failingWriter{&os.PathError{Op: "write", Path: "pipe", Err: syscall.EPIPE}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stderr bytes.Buffer
			status := Run([]string{"check"}, Env{Stdin: strings.NewReader(""), Stdout: c.stdout, Stderr: &stderr,
				Open: func(live.Options) (source.Source, error) { return c.host, nil }})
			if status != 3 || stderr.Len() > 0 {
				t.Errorf("status %d, stderr %q; want 3 and nothing", status, &stderr)
			}
			if out, ok := c.stdout.(*bytes.Buffer); ok && out.String() != c.want {
				t.Errorf("stdout %q, want %q", out, c.want)
			}
		})
	}
}

// TestCheckSetsATimeLimit: a monitoring system does not wait for ever.
func TestCheckSetsATimeLimit(t *testing.T) {
	t.Parallel()
	host := &limitedHost{}
	var stdout bytes.Buffer
	Run([]string{"check"}, Env{Stdout: &stdout, Stderr: io.Discard,
		Open: func(live.Options) (source.Source, error) { return host, nil }})
	if !host.limited || host.left > checkTimeout {
		t.Errorf("limited: %v, to %v; want at most %v", host.limited, host.left, checkTimeout)
	}
}

// limitedHost notes how long its poll may take.
type limitedHost struct {
	fakeHost
	limited bool
	left    time.Duration
}

func (h *limitedHost) Poll(ctx context.Context, s *source.Moment) error {
	end, ok := ctx.Deadline()
	h.limited, h.left = ok, time.Until(end)
	return h.fakeHost.Poll(ctx, s)
}
