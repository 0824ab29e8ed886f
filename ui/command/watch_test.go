package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"syscall"
	"testing"

	"ephtop/source"
	"ephtop/source/live"
)

// lines takes so many lines, and then nobody reads on.
type lines struct {
	bytes.Buffer
	most int
}

func (l *lines) Write(p []byte) (int, error) {
	if bytes.Count(l.Bytes(), []byte("\n")) == l.most {
		return 0, syscall.EPIPE
	}
	return l.Buffer.Write(p)
}

// runLines runs a watch until so many lines were read.
func runLines(host source.Source, most int, args ...string) (status int, out, stderr string) {
	stdout, errors := &lines{most: most}, new(bytes.Buffer)
	status = Run(append([]string{"watch"}, args...), Env{
		Stdin: strings.NewReader(""), Stdout: stdout, Stderr: errors, Getenv: func(string) string { return "" },
		Open: func(live.Options) (source.Source, error) { return host, nil },
	})
	return status, stdout.String(), errors.String()
}

// A line each poll, an object each, until nobody reads on: that is no failure.
func TestWatchLines(t *testing.T) {
	t.Parallel()
	status, out, stderr := runLines(&fakeHost{}, 3, "--demo", "no-pool", "--speed", "16", "-o", "json")
	if status != 0 || stderr != "" {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	var times []string
	for line := range strings.Lines(out) {
		var got struct{ Time, Host, Level string }
		if err := json.Unmarshal([]byte(line), &got); err != nil || got.Host != "demo-web-01" || got.Level != "ok" || len(line) > 900 {
			t.Errorf("%s: %v", line, err)
		}
		times = append(times, got.Time[len("2026-11-22T12:"):])
	}
	if got := strings.Join(times, " "); !strings.HasSuffix(got, "00:00.000Z 00:01.000Z 00:02.000Z") {
		t.Errorf("the times are %s", got)
	}
}

// The first poll must succeed. Later ones that fail are left out, and said once.
func TestWatchPollsThatFail(t *testing.T) {
	t.Parallel()
	fails := errors.New("no memory")
	for _, test := range []struct {
		name   string
		polls  map[int]error
		status int
		lines  int
		stderr string
	}{
		{"the first one", map[int]error{1: fails}, 1, 0, "ephtop: read the sockets: no memory\n"},
		{"two in a row, and one more", map[int]error{2: fails, 3: fails, 5: fails}, 0, 3, "ephtop: read the sockets: no memory\nephtop: read the sockets: no memory\n"},
	} {
		host := &pollCounter{before: func(poll int) error { return test.polls[poll] }}
		status, out, stderr := runLines(host, 3, "--interval", "100ms")
		if n := strings.Count(out, "\n"); status != test.status || n != test.lines || stderr != test.stderr {
			t.Errorf("%s: status %d, %d lines, stderr %q; want %d, %d, %q", test.name, status, n, stderr, test.status, test.lines, test.stderr)
		}
	}
}
