//go:build unix

package command

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/live"
)

// notes is a stream that may be read while it is written to.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// hangingHost answers once, and then not before its context ends.
type hangingHost struct {
	fakeHost
	asked chan int
	polls int
}

func (h *hangingHost) Poll(ctx context.Context, m *source.Moment) error {
	h.polls++
	h.asked <- h.polls
	if h.polls == 1 {
		return h.fakeHost.Poll(ctx, m)
	}
	<-ctx.Done()
	return ctx.Err()
}

// While a poll hangs, a scrape is answered, with what the one before saw. SIGTERM
// ends it all, the poll too, with status 0.
func TestServeWhileAPollHangs(t *testing.T) {
	host, stderr := &hangingHost{asked: make(chan int)}, new(notes)
	status := make(chan int)
	go func() {
		status <- Run([]string{"serve", "--interval", "100ms", "--web.listen-address", "127.0.0.1:0"}, Env{
			Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: stderr, Getenv: func(string) string { return "" },
			Open: func(live.Options) (source.Source, error) { return host, nil },
		})
	}()
	<-host.asked
	<-host.asked // the first one has been told of
	url := regexp.MustCompile(`ephtop: serving (http://\S+)\n`).FindStringSubmatch(stderr.String())
	if url == nil {
		t.Fatalf("stderr is %q", stderr)
	}
	var stamp string
	for range 3 {
		page := get(t, url[1])
		at := regexp.MustCompile(`(?m)^ephtop_last_poll_timestamp_seconds (.*)$`).FindString(page)
		if at == "" || stamp != "" && at != stamp {
			t.Errorf("the last poll is %q, and was %q", at, stamp)
		}
		stamp = at
		for _, want := range []string{"ephtop_polls_total 1\n", "ephtop_worst_used_ports 1\n", "process_cpu_seconds_total", "ephtop_build_info{"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q:\n%s", want, page)
			}
		}
	}
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := <-status; got != 0 || host.closed != 1 || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("status %d, closed %d times, stderr %q", got, host.closed, stderr)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Timeout: time.Minute}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 {
		t.Fatalf("%s: %d, %v", url, answer.StatusCode, err)
	}
	return string(text)
}

// blindHost answers twice, with what it could not see, and then fails for good.
type blindHost struct {
	fakeHost
	limits [][]source.Limit
	fails  func()
}

func (h *blindHost) Poll(ctx context.Context, m *source.Moment) error {
	if len(h.limits) == 0 {
		if h.fails != nil {
			h.fails()
		}
		h.fails = nil // told again, it ends at once
		return syscall.ENOMEM
	}
	err := h.fakeHost.Poll(ctx, m)
	for _, l := range h.limits[0] {
		m.Limit(l.Code, l.Detail)
	}
	h.limits = h.limits[1:]
	return err
}

// What can't be seen is said as snapshot does, a line for each kind of it and once,
// whatever its count is later. Errors of the system are no more than text.
func TestServeSaysWhatItCannotSee(t *testing.T) {
	hidden := func(n string) source.Limit {
		return source.Limit{Code: source.LimitHidden, Detail: n + " CAP_SYS_PTRACE"}
	}
	untraced := source.Limit{Code: source.LimitUntraced, Detail: "not\x1b[31m\nallowed"}
	host := &blindHost{
		limits: [][]source.Limit{{hidden("12")}, {hidden("13"), untraced}, {untraced, hidden("14")}},
		fails:  func() { syscall.Kill(syscall.Getpid(), syscall.SIGTERM) },
	}
	r := runWith(t, host, "serve", "--interval", "100ms", "--web.listen-address", "127.0.0.1:0")
	_, said, _ := strings.Cut(r.stderr, "\n") // where it serves
	want := "ephtop: 12 processes are hidden: run with CAP_SYS_PTRACE to see which sockets are theirs\n" +
		"ephtop: closes and failed connects are not traced: not; allowed\n"
	if said, _, _ = strings.Cut(said, "ephtop: read the sockets"); r.status != 0 || said != want {
		t.Errorf("status %d, it says\n%s, want\n%s", r.status, said, want)
	}
}

// That nothing is traced for want of rights is said where it would have been traced.
func TestServeSaysThatNothingIsTraced(t *testing.T) {
	for when, want := range map[string]string{"auto": "ephtop: closes and failed connects are not traced: it takes root\n", "off": ""} {
		host, stderr := &blindHost{limits: make([][]source.Limit, 2), fails: func() { syscall.Kill(syscall.Getpid(), syscall.SIGTERM) }}, new(notes)
		status := Run([]string{"serve", "--trace", when, "--interval", "100ms", "--web.listen-address", "127.0.0.1:0"}, Env{
			Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: stderr, Getenv: func(string) string { return "" },
			Open: func(o live.Options) (source.Source, error) {
				o.Tracing.Settle(source.TraceRefused, "it takes root")
				return host, nil
			},
		})
		_, said, _ := strings.Cut(stderr.String(), "\n") // where it serves
		if said, _, _ = strings.Cut(said, "ephtop: read the sockets"); status != 0 || said != want {
			t.Errorf("--trace %s: status %d, it says %q, want %q", when, status, said, want)
		}
	}
}

// A first poll that fails ends it: nothing is to be had.
func TestServeWithoutAFirstPoll(t *testing.T) {
	t.Parallel()
	r := runWith(t, &fakeHost{pollErr: syscall.ENOMEM}, "serve", "--web.listen-address", "127.0.0.1:0")
	if _, rest, _ := strings.Cut(r.stderr, "\n"); r.status != 1 || rest != "ephtop: read the sockets: cannot allocate memory\n" {
		t.Errorf("status %d, stderr %q", r.status, r.stderr)
	}
}

// Trouble is in a file of --keep, from before it began; the page counts it and
// names it, and it replays.
func TestServeKeepsTrouble(t *testing.T) {
	dir, stderr := t.TempDir(), new(notes)
	status := make(chan int)
	go func() {
		status <- Run([]string{"serve", "--demo", "no-pool", "--speed", "16", "--keep", dir, "--web.listen-address", "127.0.0.1:0"}, Env{
			Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: stderr, Getenv: func(string) string { return "" },
		})
	}()
	serving := regexp.MustCompile(`ephtop: serving (http://\S+)\n`)
	file := regexp.MustCompile(`(?m)^ephtop_flight_recording_info\{file="(.*)"\} 1$`)
	var recorded []string
	for range 600 { // the demo's time, more than the machine's
		time.Sleep(200 * time.Millisecond)
		if url := serving.FindStringSubmatch(stderr.String()); url != nil {
			page := get(t, url[1])
			if recorded = file.FindStringSubmatch(page); recorded != nil {
				if !strings.Contains(page, "\nephtop_flight_recordings_total 1\n") {
					t.Errorf("the page does not count it:\n%s", page)
				}
				break
			}
			if !strings.Contains(page, "\nephtop_flight_recordings_total 0\n") {
				t.Fatalf("the page does not count none:\n%s", page)
			}
		}
	}
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := <-status; got != 0 || recorded == nil {
		t.Fatalf("status %d, recorded %q, stderr %q", got, recorded, stderr)
	}
	r := runWith(t, nil, "check", "--from", recorded[1])
	if r.status != 2 || !strings.Contains(r.stdout, "CRITICAL") {
		t.Errorf("check --from says %d: %s%s", r.status, r.stdout, r.stderr)
	}
}
