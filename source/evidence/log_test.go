package evidence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
	"ephtop/source/evidence/host"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestLogLines(t *testing.T) {
	at := func(month time.Month, day, hour, minute, second int) time.Time {
		return time.Date(2026, month, day, hour, minute, second, 0, time.UTC)
	}
	shortUnix := func(s string) (logLine, bool) { return parseShortUnix(s) }
	syslog := func(s string) (logLine, bool) { return parseSyslogLine(s, noon), true }
	record := func(s string) (logLine, bool) { return parseKernelRecord([]byte(s), noon) }
	tests := []struct {
		name  string
		parse func(string) (logLine, bool)
		line  string
		want  logLine
		ok    bool
	}{
		{"journal", shortUnix, "1795345200.250000 web-01 java[3120]: bind: Address already in use",
			logLine{time.Unix(1795345200, 250e6), "web-01 java[3120]: bind: Address already in use"}, true},
		{"journal, second line of a message", shortUnix, "                         web-01 more", logLine{}, false},
		{"journal, nothing found", shortUnix, "-- No entries --", logLine{}, false},
		{"classic", syslog, "Nov  2 03:04:05 web-01 app: hello", logLine{at(11, 2, 3, 4, 5), "web-01 app: hello"}, true},
		{"classic, of last year", syslog, "Dec 31 23:59:59 web-01 app: hello",
			logLine{at(12, 31, 23, 59, 59).AddDate(-1, 0, 0), "web-01 app: hello"}, true},
		{"RFC 3339", syslog, "2026-11-22T11:59:00.5+01:00 web-01 app: hello",
			logLine{time.Date(2026, 11, 22, 10, 59, 0, 5e8, time.UTC), "web-01 app: hello"}, true},
		{"no time", syslog, "something else altogether", logLine{text: "something else altogether"}, true},
		{"kernel", record, "4,1023,1500000,-;TCP: time wait bucket table overflow\n SUBSYSTEM=net\n",
			logLine{noon.Add(1500 * time.Millisecond), "kernel: TCP: time wait bucket table overflow"}, true},
		{"kernel, no record", record, "4,1023;x", logLine{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := tt.parse(tt.line)
			if ok != tt.ok || !got.time.Equal(tt.want.time) || got.text != tt.want.text {
				t.Errorf("got %v %q, %v; want %v %q, %v", got.time, got.text, ok, tt.want.time, tt.want.text, tt.ok)
			}
		})
	}
}

// writeTree writes files under a new root.
func writeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// found tells the sightings of a log in short lines.
func found(l source.SystemLog) []string {
	var lines []string
	for _, p := range l.Phrases {
		for _, s := range p.Sightings {
			lines = append(lines, fmt.Sprintf("%s in %s: %d, last %s: %s", p.Text, s.Place, s.Count, s.Last.Format("15:04:05"), s.Line))
		}
	}
	return lines
}

func TestLogFiles(t *testing.T) {
	root := writeTree(t, map[string]string{
		"var/log/syslog": "Nov 22 09:00:00 web-01 api: bind: Address already in use\n" +
			"Nov 20 09:00:00 web-01 api: bind: address already in use, but too long ago\n" +
			"Nov 22 11:00:00 web-01 api: listen EADDRINUSE: address already in use \x1b[31m:::8080\n" +
			"Nov 22 10:00:00 web-01 java: Cannot assign requested address (connect failed)\n" +
			"Nov 22 10:30:00 web-01 sshd: all is well\n",
		"var/log/kern.log": "2026-11-22T11:30:00Z web-01 kernel: TCP: time wait bucket table overflow\n" +
			"2026-11-22T11:31:00Z web-01 kernel: nf_conntrack: nf_conntrack: table full, dropping packet\n" +
			"2026-11-22T11:32:00Z web-01 kernel: TCP: request_sock_TCP: Possible SYN flooding on port 8080. Sending cookies.\n",
	})
	l := newGatherer(Options{Root: root, Now: noon}.withDefaults()).log(context.Background())
	want := []string{
		"address already in use in /var/log/syslog: 2, last 11:00:00: web-01 api: listen EADDRINUSE: address already in use ·[31m:::8080",
		"cannot assign requested address in /var/log/syslog: 1, last 10:00:00: web-01 java: Cannot assign requested address (connect failed)",
		"time wait bucket table overflow in /var/log/kern.log: 1, last 11:30:00: web-01 kernel: TCP: time wait bucket table overflow",
		"nf_conntrack: table full in /var/log/kern.log: 1, last 11:31:00: web-01 kernel: nf_conntrack: nf_conntrack: table full, dropping packet",
		"possible syn flooding on port in /var/log/kern.log: 1, last 11:32:00: web-01 kernel: TCP: request_sock_TCP: Possible SYN flooding on port 8080. Sending cookies.",
	}
	if diff := cmp.Diff(want, found(l)); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	var outcomes []string
	for _, p := range l.Places {
		outcomes = append(outcomes, p.Name+" "+string(p.Outcome))
	}
	wantOutcomes := []string{"journal not there", "kernel log not there", "/var/log/syslog read", "/var/log/messages not there", "/var/log/kern.log read"}
	if diff := cmp.Diff(wantOutcomes, outcomes); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	if !l.OK() {
		t.Errorf("status %+v", l.Status)
	}
}

func TestOnlyTheEndOfALargeLogFileIsRead(t *testing.T) {
	const line = "Nov 22 11:00:00 web-01 app: address already in use\n"
	root := writeTree(t, map[string]string{"var/log/messages": strings.Repeat(line, maxLogBytes/len(line)+1000)})
	l := newGatherer(Options{Root: root, Now: noon}.withDefaults()).log(context.Background())
	most := l.Phrases[0].Most()
	if most.Count < maxLogBytes/len(line)-1 || most.Count > maxLogBytes/len(line) {
		t.Errorf("%d lines, want those of the last %d bytes", most.Count, maxLogBytes)
	}
	if l.Reason != "/var/log/messages: only the last 4 MiB" {
		t.Errorf("reason %q does not say what is missing", l.Reason)
	}
}

func TestLogOfNothing(t *testing.T) {
	l := newGatherer(Options{Root: t.TempDir(), Now: noon}.withDefaults()).log(context.Background())
	if l.Outcome != source.OutcomeNotThere || len(found(l)) != 0 || len(l.Phrases) != len(phrases) {
		t.Errorf("status %+v, found %q, %d phrases", l.Status, found(l), len(l.Phrases))
	}
}

func TestJournal(t *testing.T) {
	const hit = "1795348800.000000 web-01 api[1]: bind: address already in use\n"
	tests := []struct {
		name    string
		answers []host.Output // of one call after the other
		err     error         // of the first
		count   int
		want    source.Status
	}{
		{"found by a search", []host.Output{{Stdout: []byte(hit)}}, nil, 1, read("")},
		{"nothing found", []host.Output{{Stdout: []byte("-- No entries --\n")}}, nil, 0, read("")},
		{"built without search", []host.Output{{Stderr: "Compiled without pattern matching support"}, {Stdout: []byte(hit + "1795348801.000000 web-01 b: c\n")}},
			errors.New("exit status 1"), 1, read("")},
		{"more than is read", []host.Output{{Stdout: []byte(hit), Cut: true}}, nil, 1, read("only the newest matches")},
		{"too slow", []host.Output{{Stdout: []byte(hit)}}, fmt.Errorf("journalctl: %w", context.DeadlineExceeded), 1,
			read("only the newest lines, as far as they could be read in time")},
		{"no answer", []host.Output{{}}, fmt.Errorf("journalctl: %w", context.DeadlineExceeded), 0, read("not to its end in time")},
		{"no files", []host.Output{{Stderr: "No journal files were found."}}, errors.New("exit status 1"), 0, notThere("there are no journal files")},
		{"no permission", []host.Output{{}, {Stderr: "No journal files were opened due to insufficient permissions."}}, errors.New("exit status 1"), 0,
			notReadable("permission denied; run as root or join the group systemd-journal")},
		{"own messages only", []host.Output{{Stdout: []byte(hit), Stderr: "Hint: You are currently not seeing messages from other users and the system."}}, nil, 1,
			read("only messages of this user; run as root to see those of the system")},
		{"no journalctl", []host.Output{{}}, fmt.Errorf("journalctl: %w", host.ErrNoCommand), 0, notThere("there is no journalctl")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			h := newGatherer(Options{Now: noon}.withDefaults())
			h.Exec = func(context.Context, int, string, ...string) (host.Output, error) {
				calls++
				if calls == 1 {
					return tt.answers[0], tt.err
				}
				return tt.answers[calls-1], nil
			}
			count := 0
			got := h.journal(context.Background(), noon.Add(-time.Hour), func(l logLine) {
				if strings.Contains(l.text, "address already in use") {
					count++
				}
			})
			if got != tt.want || count != tt.count {
				t.Errorf("got %+v and %d lines, want %+v and %d", got, count, tt.want, tt.count)
			}
		})
	}
}
