//go:build unix

package fleet

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// script is in ssh's place: what it does hangs on the host. It notes its number.
const script = `#!/bin/sh
for last in "$@"; do :; done
while [ "$1" != -- ]; do shift; done
host=$2
echo $$ > "$DIR/$host.$$"
line() { cat "$DIR/line"; }
case $host in
good)    while :; do line; sleep 0.05; done ;;
noisy)   echo Welcome to noisy!; echo; line; sleep 600 ;;
once)    line; exit 0 ;;
hang*)   sleep 600 & wait ;;
garbage) while :; do echo nothing of interest; done ;;
endless) tr '\0' x < /dev/zero ;;
denied)  echo "me@denied: Permission denied (publickey)." >&2; exit 255 ;;
without) exit 127 ;;
leaves)  sleep 600 >&2 & echo "ssh: connect to host leaves port 22: No route to host" >&2; exit 255 ;;
dead)    echo "ssh: connect to host dead port 22: Connection refused" >&2; exit 255 ;;
words)   printf %s "$last"; echo "ephtop: $last" >&2; exit 1 ;;
esac
`

// fakeSSH is a feed of hosts by the script.
func fakeSSH(t *testing.T, hosts ...string) (*SSHFeed, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"ssh": "#!/bin/sh\nDIR=" + dir + "\n" + script, "line": failingLine + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	f := &SSHFeed{SSH: SSH{Command: []string{"/bin/sh", filepath.Join(dir, "ssh")}}, patience: patience{time.Hour, time.Hour, time.Millisecond}}
	for _, h := range hosts {
		f.Targets = append(f.Targets, Target{Host: h})
	}
	return f, dir
}

// told runs a feed until each host was told of as it should be, and wants nothing
// to run any more when it has ended.
func told(t *testing.T, f *SSHFeed, dir string, want map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	last := make(map[string]string)
	f.Run(ctx, func(r Report) {
		mu.Lock()
		defer mu.Unlock()
		for _, h := range r.Hosts {
			said := h.Trouble.String()
			if said == "" {
				said = h.Level.String() + " " + h.Holder
			}
			if last[h.Name] != want[h.Name] {
				last[h.Name] = said
			}
		}
		for name, words := range want {
			if last[name] != words {
				return
			}
		}
		cancel()
	})
	for name, words := range want {
		if last[name] != words {
			t.Errorf("%s says %q, want %q", name, last[name], words)
		}
	}
	wantNothingLeft(t, dir)
}

func wantNothingLeft(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil || len(files) == 0 {
		t.Errorf("started %v, %v", files, err)
	}
	for _, file := range files {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Ext(file), "."))
		if err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(10 * time.Second); syscall.Kill(-pid, 0) == nil; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) { // a zombie's child may wait for init
				t.Errorf("%s goes on", file)
				break
			}
		}
	}
}

// Each host says what it has to say.
func TestSSHFeed(t *testing.T) {
	t.Parallel()
	f, dir := fakeSSH(t, "good", "noisy", "once", "garbage", "endless", "denied", "without", "dead", "words", "leaves")
	f.Interval = 5 * time.Second
	told(t, f, dir, map[string]string{
		"good": "exhausted java", "noisy": "exhausted java", "once": "ended: ephtop has ended there", "garbage": "not understood: nothing of interest",
		"endless": "not understood: " + strings.Repeat("x", longest), "denied": "denied: by publickey",
		"without": "no ephtop: not found there; --remote-command says where it is", "dead": "unreachable: connection refused", "leaves": "unreachable: no route to host",
		"words": "failed: ephtop watch -o json --interval 5s",
	})
}

// Hosts that hang hold up no other, however many they are.
func TestHangingHosts(t *testing.T) {
	t.Parallel()
	f, dir := fakeSSH(t, "hang1", "hang2", "hang3", "hang4", "hang5", "hang6", "hang7", "hang8", "hang9", "good")
	f.patience.slot = 10 * time.Millisecond
	told(t, f, dir, map[string]string{"good": "exhausted java"})
}

// What says nothing at all is ended, and says so.
func TestSilentHost(t *testing.T) {
	t.Parallel()
	f, dir := fakeSSH(t, "hang")
	f.patience.line = 50 * time.Millisecond
	told(t, f, dir, map[string]string{"hang": "no answer"})
}

func TestSSHIsNotThere(t *testing.T) {
	t.Parallel()
	f, _ := fakeSSH(t, "a")
	f.Command = []string{"no-such-ssh"}
	ctx, cancel := context.WithCancel(t.Context())
	f.Run(ctx, func(r Report) {
		if got := r.Hosts[0].Trouble.String(); !strings.HasPrefix(got, "failed: no-such-ssh can't be run: executable file not found") {
			t.Errorf("%s", got)
		}
		cancel()
	})
}

// Never are there more handshakes than may be, nor more of hosts that are tried
// again: and of those none before each was tried.
func TestGate(t *testing.T) {
	t.Parallel()
	g := newGate(3, 2, 2)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	var leaves []func()
	enter := func(again bool) bool {
		ctx := t.Context()
		if again && (g.untried.Load() > 0 || len(g.again) == cap(g.again)) || len(g.all) == cap(g.all) {
			ctx = ended
		}
		leave, ok := g.enter(ctx, again)
		leaves = append(leaves, leave)
		return ok
	}
	for i, step := range []struct{ again, in bool }{
		{true, false}, {false, true}, {true, false}, {false, true}, // none again while one is untried
		{true, true}, {true, false}, {false, false}, // the gate is full
	} {
		if got := enter(step.again); got != step.in {
			t.Errorf("%d: in %v, with %d inside, of them %d again", i, got, len(g.all), len(g.again))
		}
	}
	leaves[1]()
	leaves[1]()
	if len(g.all) != 2 || len(g.again) != 1 || !enter(true) {
		t.Errorf("when one has left: %d, of them %d again", len(g.all), len(g.again))
	}
	leaves[3]()
	if enter(true) {
		t.Errorf("%d are tried again", len(g.again))
	}
}

// Hosts are tried again later and later, but always some time.
func TestWait(t *testing.T) {
	t.Parallel()
	for tries := range 100 {
		for kind := range Failed + 1 {
			if d := wait(2*time.Second, kind, tries); d < time.Second || d > 450*time.Second || tries == 0 && d > 24*time.Second {
				t.Errorf("after %d tries, %v: %v", tries, kind, d)
			}
		}
	}
}

// A recording comes through, and ends with Close, or says why it ends by itself.
func TestOpen(t *testing.T) {
	t.Parallel()
	f, dir := fakeSSH(t)
	s, err := f.Open(Target{Host: "words"}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(s)
	if want := "ephtop record --interval 1s -"; err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if got := s.Trouble(time.Minute).String(); got != "failed: ephtop record --interval 1s -" {
		t.Errorf("it ended: %s", got)
	}
	s, err = f.Open(Target{Host: "hang"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < 2; time.Sleep(time.Millisecond) {
		files, _ := filepath.Glob(filepath.Join(dir, "*.*"))
		n = len(files)
	}
	s.Close()
	wantNothingLeft(t, dir)
	if _, err := (&SSH{Command: []string{"no-such-ssh"}}).Open(Target{Host: "a"}, 0); err == nil {
		t.Error("what is not there was run")
	}
}

// What has waited is skipped, but for its last line: so is a backlog of hours.
func TestReadLinesSkipsABacklog(t *testing.T) {
	t.Parallel()
	numbered := func(n int) (all string) {
		for i := range n {
			all += strings.Replace(failingLine, `"used":28000`, `"used":`+strconv.Itoa(i), 1) + "\n"
		}
		return all
	}
	for _, test := range []struct {
		name, in string
		want     []int // what is used, of each that is taken
	}{
		{"a line", numbered(1), []int{0}},
		{"some", numbered(50), []int{49}},
		{"with noise at the end", numbered(2) + "logout\n", []int{1}},
		{"with half a line at the end", numbered(2) + failingLine[:100], []int{1}},
		{"more than is read at once", numbered(mostAtOnce/len(failingLine) + 50), []int{mostAtOnce / len(failingLine), mostAtOnce/len(failingLine) + 49}},
		{"with too much noise at the end", numbered(2) + strings.Repeat("x\n", mostNoise), []int{1}},
	} {
		var got []int
		_, _ = readLines(strings.NewReader(test.in), func(l *Line) { got = append(got, l.Worst.Used) })
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: took %v, want %v", test.name, got, test.want)
		}
	}
}

func FuzzReadLines(f *testing.F) {
	for _, in := range []string{failingLine, "Welcome\n" + failingLine + "\n\n", strings.Repeat("x\n", 200), strings.Repeat("x", 9000)} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		noise, err := readLines(strings.NewReader(in), func(*Line) {})
		if err == nil || len(noise) > longest || strings.Contains(noise, "\n") {
			t.Errorf("%q, %v", noise, err)
		}
	})
}
