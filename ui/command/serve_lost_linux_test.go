package command

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/live"
	"ephtop/source/race"
)

// unwritable is a directory in which even root makes no file.
const unwritable = "/proc/self"

// Trouble that can't be written is said once, by the name of the flag. The page
// names no file, nothing more is said at the end, and the status tells of it.
func TestServeCannotKeepTrouble(t *testing.T) {
	stderr, status := new(notes), make(chan int)
	go func() {
		status <- Run([]string{"serve", "--demo", "no-pool", "--speed", "16", "--keep", unwritable, "--web.listen-address", "127.0.0.1:0"}, Env{
			Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: stderr, Getenv: func(string) string { return "" },
		})
	}()
	said := func() int { return strings.Count(stderr.String(), "\n") }
	for range 600 { // the demo's time, more than the machine's
		if time.Sleep(200 * time.Millisecond); said() > 1 {
			break
		}
	}
	time.Sleep(time.Second) // 16 of the demo's, in which it is tried again
	url := regexp.MustCompile(`ephtop: serving (http://\S+)\n`).FindStringSubmatch(stderr.String())
	if url == nil {
		t.Fatalf("stderr is %q", stderr)
	}
	page := get(t, url[1])
	if !strings.Contains(page, "\nephtop_flight_recordings_total 0\n") || strings.Contains(page, "flight_recording_info") {
		t.Errorf("the page tells of a file:\n%s", page)
	}
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := <-status; got != 1 || said() != 2 || !strings.Contains(stderr.String(), "\nephtop: --keep: open "+unwritable+"/ephtop-") {
		t.Errorf("status %d, stderr %q", got, stderr)
	}
}

// So it is with record --ring.
func TestRecordCannotKeepTrouble(t *testing.T) {
	if race.Enabled {
		t.Skip("a host without a port takes minutes with the race detector")
	}
	t.Parallel()
	r := runWith(t, nil, "record", "--ring", "1m", "--demo", "no-pool", "--speed", "max", "--duration", "90s", unwritable)
	if r.status != 1 || !strings.HasPrefix(r.stderr, "ephtop: --ring: open "+unwritable+"/ephtop-") || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("status %d, stderr %q", r.status, r.stderr)
	}
}

// failingHost answers until it is told to fail.
type failingHost struct {
	fakeHost
	fails atomic.Bool
}

func (h *failingHost) Poll(ctx context.Context, m *source.Moment) error {
	if h.fails.Load() {
		return syscall.ENOMEM
	}
	return h.fakeHost.Poll(ctx, m)
}

// Polls that fail are counted in the file too, beside what the last good one saw.
func TestServeToAFileWhilePollsFail(t *testing.T) {
	host, stderr, status := new(failingHost), new(notes), make(chan int)
	file := filepath.Join(t.TempDir(), "ephtop.prom")
	go func() {
		status <- Run([]string{"serve", "--interval", "100ms", "--textfile", file}, Env{
			Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: stderr, Getenv: func(string) string { return "" },
			Open: func(live.Options) (source.Source, error) { return host, nil },
		})
	}()
	holds := func(line string) bool {
		t.Helper()
		var page []byte
		for range 600 {
			time.Sleep(100 * time.Millisecond)
			if page, _ = os.ReadFile(file); regexp.MustCompile("(?m)^" + line + "$").Match(page) {
				return true
			}
		}
		t.Errorf("the file lacks %q:\n%s", line, page)
		return false
	}
	holds("ephtop_poll_failures_total 0")
	host.fails.Store(true)
	if holds("ephtop_poll_failures_total [1-9][0-9]*") {
		holds("ephtop_worst_used_ports 1")
	}
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := <-status; got != 0 || stderr.String() != "ephtop: writing "+file+"\nephtop: read the sockets: cannot allocate memory\n" {
		t.Errorf("status %d, stderr %q", got, stderr)
	}
}
