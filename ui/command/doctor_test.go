package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
	"ephtop/source/evidence"
	"ephtop/source/live"
)

// consult runs doctor on a host whose evidence is given, with no wait between
// the polls that a test would feel.
func consult(t *testing.T, host source.Source, ev source.Evidence, args ...string) (r result, asked []evidence.Options) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	r.status = Run(append([]string{"doctor", "--for", "1s", "--interval", "500ms"}, args...), Env{
		Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Getenv: func(string) string { return "" },
		Open: func(o live.Options) (source.Source, error) {
			r.opened = append(r.opened, o)
			return host, nil
		},
		Gather: func(_ context.Context, o evidence.Options) source.Evidence {
			asked = append(asked, o)
			return ev
		},
	})
	r.stdout, r.stderr = stdout.String(), stderr.String()
	return r, asked
}

func healthy() source.Evidence {
	read := source.Status{Outcome: source.OutcomeRead}
	return source.Evidence{
		Firewall: source.Firewall{Status: read}, Conntrack: source.Conntrack{Status: read},
		Log: source.SystemLog{Status: read}, Sysctls: source.Sysctls{Status: read},
	}
}

// pollCounter counts polls, and changes the host before some.
type pollCounter struct {
	fakeHost
	polls  int
	before func(poll int) error
}

func (h *pollCounter) Poll(ctx context.Context, s *source.Moment) error {
	h.polls++
	if h.before != nil {
		if err := h.before(h.polls); err != nil {
			return err
		}
	}
	return h.fakeHost.Poll(ctx, s)
}

func TestDoctorStatus(t *testing.T) {
	t.Parallel()
	logged := healthy()
	logged.Log.Phrases = []source.LogPhrase{{Text: "address already in use", Sightings: []source.LogSighting{{Place: "journal", Count: 1, Line: "x"}}}}
	for _, c := range []struct {
		name   string
		ev     source.Evidence
		args   []string
		status int
	}{
		{"ok", healthy(), nil, 0},
		{"what is not known is no alarm", source.Evidence{Firewall: source.Firewall{Status: source.Status{Outcome: source.OutcomeNotReadable, Reason: "run as root"}}}, nil, 0},
		{"a warning", logged, nil, 1},
		{"a problem", healthy(), []string{"--warn", "5", "--critical", "10"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, _ := consult(t, &fakeHost{}, c.ev, c.args...)
			if r.status != c.status || r.stderr != "" {
				t.Errorf("status %d, stderr %q; want %d and nothing\n%s", r.status, r.stderr, c.status, r.stdout)
			}
		})
	}
}

func TestDoctorPollsThroughTheSample(t *testing.T) {
	t.Parallel()
	host := &pollCounter{}
	r, asked := consult(t, host, healthy(), "-o", "json")
	var got struct{ Sample struct{ Polls int } }
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatal(err)
	}
	// At the start, in the middle and at the end, unless this machine stood still.
	if host.polls < 2 || host.polls > 3 || got.Sample.Polls != host.polls {
		t.Errorf("%d polls and %d told, want 3", host.polls, got.Sample.Polls)
	}
	want := []evidence.Options{{Range: source.PortRange{Low: 40000, High: 40009}, Processes: []source.Process{{PID: 3120, Name: "java"}}}}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("the evidence was asked for with (-want +got):\n%s", diff)
	}
	if host.closed != 1 {
		t.Errorf("the source was closed %d times", host.closed)
	}
}

func TestDoctorThatCannotPoll(t *testing.T) {
	t.Parallel()
	for name, failing := range map[string]int{"the first time": 1, "later": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := &pollCounter{before: func(poll int) error {
				if poll == failing {
					return errors.New("no memory")
				}
				return nil
			}}
			r, _ := consult(t, host, healthy())
			if r.status != 3 || r.stdout != "" || r.stderr != "ephtop: read the sockets: no memory\n" {
				t.Errorf("status %d, stdout %q, stderr %q", r.status, r.stdout, r.stderr)
			}
			if host.closed != 1 {
				t.Errorf("the source was closed %d times", host.closed)
			}
		})
	}
}

func TestDoctorProbeIsForThisHost(t *testing.T) {
	t.Parallel()
	if r, _ := consult(t, nil, healthy(), "--probe", "--range", "40000-40099"); r.status != 2 || !strings.Contains(r.stderr, "--probe and --range") {
		t.Errorf("status %d, %q", r.status, r.stderr)
	}
}
