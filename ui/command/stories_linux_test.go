package command_test

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"ephtop/source/netlab"
)

// These are the hosts that people log in to, on real sockets. Each must be told
// by one look at a terminal of 80x24: what the sentence says, and what stands
// elsewhere on the screen. It is told within 4 s of the first frame, but by a
// machine that is too busy to load programs into the kernel in that time.
func TestStories(t *testing.T) {
	t.Parallel()
	for _, story := range []struct {
		name string
		// begin sets the host up; what it returns happens once the sentence is told.
		begin    func(*testing.T, *netlab.Host) (then func())
		sentence []string // regular expressions
		frame    []string
	}{
		{
			"a client without a pool", func(t *testing.T, h *netlab.Host) func() {
				h.Sysctl("net.ipv4.ip_local_port_range", "40000 43999") // 67 closes a second, of 500, fill it
				h.Sysctl("net.ipv4.tcp_tw_reuse", "0")                  // else TIME_WAIT does not stand in the way over loopback
				act(t, h, "postgres", "serve", 0, "127.0.0.2:5432")
				act(t, h, "api", "churn", 500, "127.0.0.2:5432")
				return nil // a busy machine's first look may be of a pool that is full already
			},
			[]string{"api", "127.0.0.2:5432", `full in \d+s|are used up|finds no port`}, []string{"TIME_WAIT"},
		},
		{
			"a client that never closes", func(t *testing.T, h *netlab.Host) func() {
				act(t, h, "upstream", "hang up", 0, "127.0.0.2:8443")
				act(t, h, "reports", "hold", 2000, "127.0.0.2:8443")
				return nil
			},
			[]string{"reports", "2,000", "CLOSE_WAIT"}, []string{"127.0.0.2:8443"},
		},
		{
			"a firewall that drops the answers", func(t *testing.T, h *netlab.Host) func() {
				dropAnswers(t, h)
				act(t, h, "shop", "serve", 0, "127.0.0.2:443")
				act(t, h, "checkout", "dial", 3000, "127.0.0.2:443")
				return nil
			},
			[]string{"checkout", "3,000", "127.0.0.2:443"}, []string{"SYN_SENT"},
		},
		{
			"TIME_WAIT of a process that has ended", func(t *testing.T, h *netlab.Host) func() {
				h.Sysctl("net.ipv4.ip_local_port_range", "40000 41999")
				h.Sysctl("net.ipv4.tcp_tw_reuse", "0")
				act(t, h, "redis", "serve", 0, "127.0.0.2:6379")
				return act(t, h, "batch", "burst", 1500, "127.0.0.2:6379").End
			},
			[]string{"batch", "127.0.0.2:6379"}, []string{"TIME_WAIT", "batch?†"},
		},
	} {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			h := netlab.New(t, "")
			then := story.begin(t, h)
			s := openScreen(t, h, screenOptions{size: "80x24"})
			started := clockOf(t, s.look())
			s.waitForStory(story.sentence, nil)
			if then != nil {
				then()
			}
			f := s.waitForStory(story.sentence, story.frame)
			t.Logf("told %v after the first frame:\n%s", clockOf(t, f).Sub(started), f)
			s.press("q")
			s.wantEnd(0)
		})
	}
}

// A host with many connections that are all well is not to be alarmed about,
// not in a single word.
func TestStoryOfManyHealthyConnections(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "")
	var servers []string
	for i := range 40 {
		servers = append(servers, "127.0.1."+strconv.Itoa(i+1)+":8443")
	}
	// Two of each, for a process may not hold as many.
	for _, some := range [][]string{servers[:20], servers[20:]} {
		act(t, h, "envoy", "serve", 0, some...)
		act(t, h, "gateway", "hold", 10000, some...)
	}
	s := openScreen(t, h, screenOptions{size: "80x24"})
	started := clockOf(t, s.look())
	alarm := regexp.MustCompile(`(?i)warn|critical|full|slow|exhausted`)
	for i := range 4 {
		f := s.waitForClock(started.Add(time.Duration(3+i) * time.Second))
		if !strings.Contains(f.line(1), "nothing is wrong") || alarm.MatchString(f.String()) {
			t.Fatalf("there is an alarm %v after the start: %q\n%s", clockOf(t, f).Sub(started), alarm.FindString(f.String()), f)
		}
	}
	s.press("q")
	s.wantEnd(0)
}

// dropAnswers has a firewall drop what a server on port 443 answers to a SYN.
func dropAnswers(t *testing.T, h *netlab.Host) {
	t.Helper()
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("needs nft to drop the answers")
	}
	cmd := exec.Command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(`table ip test {
	chain input {
		type filter hook input priority 0;
		tcp sport 443 tcp flags & (syn|ack) == (syn|ack) drop
	}
}
`)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	err := h.Start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		t.Skipf("nft cannot load a rule here: %v: %s", err, &complaint)
	}
}

// waitForStory waits until the sentence matches regular expressions, and the
// frame has texts.
func (s *screen) waitForStory(sentence, texts []string) frame {
	s.Helper()
	return s.wait(fmt.Sprintf("a sentence with %q, and %q", sentence, texts), func(f frame) bool {
		for _, want := range sentence {
			if !regexp.MustCompile(want).MatchString(f.line(1)) {
				return false
			}
		}
		return f.has(texts...)
	})
}

var clock = regexp.MustCompile(`\b(\d\d:\d\d:\d\d)\b`)

// clockOf is the time in the header: that of the poll on screen.
func clockOf(t *testing.T, f frame) time.Time {
	t.Helper()
	found := clock.FindString(f.line(0))
	at, err := time.Parse(time.TimeOnly, found)
	if err != nil {
		t.Fatalf("no clock in the header %q", f.line(0))
	}
	return at
}

// waitForClock waits for the first frame that was polled at a time or after it,
// by the header's clock.
func (s *screen) waitForClock(at time.Time) frame {
	s.Helper()
	return s.wait("a poll of "+at.Format(time.TimeOnly), func(f frame) bool {
		found, err := time.Parse(time.TimeOnly, clock.FindString(f.line(0)))
		if err == nil && found.Before(at.Add(-12*time.Hour)) {
			found = found.Add(24 * time.Hour) // past midnight
		}
		return err == nil && !found.Before(at)
	})
}
