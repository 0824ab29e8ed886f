package command

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/live"
	"ephtop/source/race"
	"ephtop/source/recording"
)

// runOn runs with a source and a standard output.
func runOn(src source.Source, stdout io.Writer, args ...string) (status int, stderr string) {
	var errors bytes.Buffer
	status = Run(args, Env{
		Stdin: strings.NewReader(""), Stdout: stdout, Stderr: &errors,
		Getenv: func(string) string { return "" },
		Open:   func(live.Options) (source.Source, error) { return src, nil },
	})
	return status, errors.String()
}

// moments counts the moments of a recording, and says how it ends.
func moments(t *testing.T, r io.Reader) (n int, end error) {
	t.Helper()
	reader, err := recording.Open(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if got := reader.Header().Program; !strings.HasPrefix(got, "ephtop ") {
		t.Errorf("the program is %q", got)
	}
	var s source.Moment
	for {
		if err := reader.Next(&s); err != nil {
			return n, err
		}
		n++
	}
}

var record1s = []string{"record", "-", "--duration", "1s", "--interval", "100ms"}

func TestRecordGoesOnAfterAPollThatFailed(t *testing.T) {
	t.Parallel()
	host := &pollCounter{before: func(poll int) error {
		if poll == 2 {
			return errors.New("no memory")
		}
		return nil
	}}
	var out bytes.Buffer
	status, stderr := runOn(host, &out, record1s...)
	if want := "ephtop: 1 poll failed and left no moment, the last one: no memory\n"; status != 1 || stderr != want {
		t.Errorf("status %d, stderr %q; want 1, %q", status, stderr, want)
	}
	if n, end := moments(t, &out); end != io.EOF || n != host.polls-1 {
		t.Errorf("%d moments of %d polls, end %v; want one less, and a whole recording", n, host.polls, end)
	}
	if host.closed != 1 {
		t.Errorf("the source was closed %d times", host.closed)
	}
}

func TestRecordEndsWhenNoPollSucceeds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		good    int
		polls   int
		moments int
	}{{"from the first one on", 0, 1, 0}, {"later", 1, 1 + failuresInARow, 1}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			host := &pollCounter{before: func(poll int) error {
				if poll > c.good {
					return errors.New("no memory")
				}
				return nil
			}}
			file := filepath.Join(t.TempDir(), "file")
			status, stderr := runOn(host, io.Discard, "record", file, "--interval", "100ms")
			if want := "ephtop: read the sockets: no memory\n"; status != 1 || stderr != want {
				t.Errorf("status %d, stderr %q; want 1, %q", status, stderr, want)
			}
			if host.polls != c.polls {
				t.Errorf("%d polls, want %d", host.polls, c.polls)
			}
			f, err := os.Open(file)
			if c.moments == 0 {
				if err == nil {
					t.Error("a file with nothing in it was left")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if n, end := moments(t, f); n != c.moments || end != io.EOF {
				t.Errorf("%d moments, end %v; want %d and a whole recording", n, end, c.moments)
			}
		})
	}
}

func TestRecordThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"full disk", syscall.ENOSPC, "ephtop: write a moment: no space left on device\n"},
		{"closed pipe", &os.PathError{Op: "write", Path: "pipe", Err: syscall.EPIPE}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			host := &fakeHost{}
			status, stderr := runOn(host, failingWriter{c.err}, "record", "-")
			if status != 1 || stderr != c.want || host.closed != 1 {
				t.Errorf("status %d, stderr %q, closed %d times; want 1, %q, 1", status, stderr, host.closed, c.want)
			}
		})
	}
}

func TestRecordAnonymized(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if status, stderr := runOn(&fakeHost{}, &out, append(record1s, "--anonymize")...); status != 0 {
		t.Fatalf("status %d, stderr %q", status, stderr)
	}
	reader, err := recording.Open(&out)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var s source.Moment
	if err := reader.Next(&s); err != nil {
		t.Fatal(err)
	}
	if !reader.Header().Anonymized || s.Host == "web-01" || s.Processes[0].Name == "java" || s.Snapshots[0].Sockets[0].Local.String() == "10.0.0.9" {
		t.Errorf("header %+v, host %s, process %s, address %v: not anonymous", reader.Header(), s.Host, s.Processes[0].Name, s.Snapshots[0].Sockets[0].Local)
	}
	if s.Snapshots[0].Sockets[1].LocalPort != 40000 || s.Processes[0].PID != 3120 {
		t.Errorf("port %d, pid %d; want them kept", s.Snapshots[0].Sockets[1].LocalPort, s.Processes[0].PID)
	}
}

// TestLiveRecordingIsReadToItsEnd: a check of a pipe waits for it.
func TestLiveRecordingIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	recorded := make(chan int, 1)
	go func() {
		status, _ := runOn(&fakeHost{}, out, record1s...)
		out.Close()
		recorded <- status
	}()
	var stdout, stderr bytes.Buffer
	status := Run([]string{"check", "--from", "-"}, Env{Stdin: in, Stdout: &stdout, Stderr: &stderr, Getenv: func(string) string { return "" }})
	if want := "EPHTOP OK - 10 % of 10 ports to 10.0.9.2:5432 used | "; status != 0 || !strings.HasPrefix(stdout.String(), want) || stderr.Len() > 0 {
		t.Errorf("status %d, stdout %q, stderr %q; want 0, %q", status, &stdout, &stderr, want)
	}
	if status := <-recorded; status != 0 {
		t.Errorf("record ended with %d", status)
	}
}

// spanning is a host whose clock goes a minute from poll to poll.
type spanning struct {
	fakeHost
	polls int
}

func (h *spanning) Poll(ctx context.Context, s *source.Moment) error {
	if err := h.fakeHost.Poll(ctx, s); err != nil {
		return err
	}
	s.Time = s.Time.Add(time.Duration(h.polls) * time.Minute)
	h.polls++
	return nil
}

// recordSpanning writes a recording of so many moments, a minute apart.
func recordSpanning(t *testing.T, file string, moments int) {
	t.Helper()
	f, err := recording.Create(file, false)
	if err != nil {
		t.Fatal(err)
	}
	w, err := recording.NewWriter(f, recording.Header{})
	if err != nil {
		t.Fatal(err)
	}
	host := &spanning{}
	var s source.Moment
	for range moments {
		if err := errors.Join(host.Poll(context.Background(), &s), w.Write(&s)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestPastLooksBackFromItsMoment(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	recordSpanning(t, file, 30)
	start := time.Unix(1795349071, 0)
	for _, c := range []struct {
		name  string
		args  []string
		polls string
	}{
		{"from the last one", nil, "7 polls in 6m"},
		{"from one in the middle", []string{"--at", start.Add(20*time.Minute + 30*time.Second).Format(time.RFC3339)}, "7 polls in 6m"},
		{"from one near the beginning", []string{"--at", start.Add(2 * time.Minute).Format(time.RFC3339)}, "3 polls in 2m"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			status, stderr := runOn(nil, &out, append([]string{"doctor", "--from", file}, c.args...)...)
			if status != 0 || !strings.Contains(out.String(), "sample  "+c.polls+", by fake\n") {
				t.Errorf("status %d, stderr %q; want a sample of %s in\n%s", status, stderr, c.polls, &out)
			}
		})
	}
}

// A demo is recorded in its own time, however fast, and the same each time.
func TestRecordADemoFasterThanTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		args    []string
		moments int
	}{
		{"as fast as it goes, for the usual time", []string{"--speed", "max"}, 181},
		{"for a time", []string{"--speed", "MAX", "--duration", "20s", "--interval", "500ms"}, 41},
		{"a thousand times as fast", []string{"--speed", "1000x", "--duration", "1m"}, 61},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if race.Enabled && c.moments > 100 {
				t.Skip("the race detector has it take a minute, and sees the same in fewer moments")
			}
			var first, second bytes.Buffer
			for _, out := range []*bytes.Buffer{&first, &second} {
				if status, stderr := runOn(nil, out, append([]string{"record", "-", "--demo", "leak"}, c.args...)...); status != 0 || stderr != "" {
					t.Fatalf("status %d, stderr %q", status, stderr)
				}
			}
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Error("two recordings of one demo differ")
			}
			if n, end := moments(t, &first); n != c.moments || end != io.EOF {
				t.Errorf("%d moments, end %v; want %d", n, end, c.moments)
			}
		})
	}
}
