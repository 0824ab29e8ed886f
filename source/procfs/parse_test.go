package procfs

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
)

const statTail = " S 1 2 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 11 12\n"

var stats = []struct {
	name, stat, comm string
	flags, start     uint64
	ok               bool
}{
	{"plain", "7 (api)" + statTail, "api", 4194560, 98765, true},
	{"parentheses, blanks and a newline", "7 (a) S 1 (b)\n)" + statTail, "a) S 1 (b)\n", 4194560, 98765, true},
	{"no name", "7 ()" + statTail, "", 4194560, 98765, true},
	{"ends with field 22", "7 (a) S 1 2 3 0 -1 9 1 2 3 4 5 6 7 8 20 0 1 0 5", "a", 9, 5, true},
	{"cut before field 22", "7 (a) S 1 2 3 0 -1 9 1 2 3 4 5 6 7 8 20 0 1 0 ", "", 0, 0, false},
	{"cut in the name", "7 (ap", "", 0, 0, false},
	{"start is no number", "7 (a) S 1 2 3 0 -1 9 1 2 3 4 5 6 7 8 20 0 1 0 -5 1", "", 0, 0, false},
	{"flags are no number", "7 (a) S 1 2 3 0 -1 x 1 2 3 4 5 6 7 8 20 0 1 0 5 1", "", 0, 0, false},
	{"closed before it opens", ")(", "", 0, 0, false},
	{"empty", "", "", 0, 0, false},
}

func TestParseStat(t *testing.T) {
	for _, test := range stats {
		t.Run(test.name, func(t *testing.T) {
			s, err := ParseStat([]byte(test.stat))
			if (err == nil) != test.ok {
				t.Fatalf("error %v, want success %t", err, test.ok)
			}
			if string(s.Comm) != test.comm || s.Flags != test.flags || s.Start != test.start {
				t.Errorf("got %q, flags %d, start %d", s.Comm, s.Flags, s.Start)
			}
		})
	}
}

func FuzzParseStat(f *testing.F) {
	for _, test := range stats {
		f.Add([]byte(test.stat))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseStat(b)
		if err == nil && !bytes.Contains(b, []byte(strconv.FormatUint(s.Start, 10))) {
			t.Errorf("start %d is not in %q", s.Start, b)
		}
	})
}

func TestParseStatus(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       Status
		ok         bool
	}{
		{"the effective user", "Name:\tx\nTgid:\t7\nUid:\t1000\t33\t0\t0\nGid:\t5\t5\t5\t5\n", Status{PID: 7, UID: 33}, true},
		{"the largest numbers", "Tgid:\t2147483647\nUid:\t1\t4294967294\t3\t4", Status{PID: 2147483647, UID: 4294967294}, true},
		{"its own pid in two namespaces", "Tgid:\t70\nUid:\t1\t1\nNSpid:\t70\t12\t1\n", Status{PID: 70, UID: 1, NSPID: 1}, true},
		{"in our pid namespace", "Tgid:\t70\nUid:\t1\t1\nNSpid:\t70\n", Status{PID: 70, UID: 1}, true},
		{"an own pid that makes no sense", "Tgid:\t70\nUid:\t1\t1\nNSpid:\t70\t99999999999\n", Status{PID: 70, UID: 1}, true},
		{"a name that looks like a field", "Name:\tUid: 5 5\n", Status{}, false},
		{"one user only", "Tgid:\t7\nUid:\t1\n", Status{PID: 7}, false},
		{"no user", "Tgid:\t7\nUid:\n", Status{PID: 7}, false},
		{"no process", "Uid:\t1\t1\n", Status{}, false},
		{"process 0", "Tgid:\t0\nUid:\t1\t1\n", Status{}, false},
		{"too large", "Tgid:\t2147483648\nUid:\t1\t1\n", Status{}, false},
		{"empty", "", Status{}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, ok := ParseStatus([]byte(test.text)); got != test.want || ok != test.ok {
				t.Errorf("ParseStatus(%q) = %+v, %t, want %+v, %t", test.text, got, ok, test.want, test.ok)
			}
		})
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add([]byte("Name:\tx\nTgid:\t7\nUid:\t1000\t0\t0\t0\n"))
	f.Add([]byte("Tgid:\t1\nUid:\t1"))
	f.Add([]byte("Tgid:\t1\nUid:\t1\t1\nNSpid:\t70\t1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := ParseStatus(b)
		if ok && (s.PID <= 0 || !bytes.Contains(b, []byte(strconv.FormatUint(uint64(s.UID), 10)))) {
			t.Errorf("%+v is not in %q", s, b)
		}
		if s.NSPID < 0 || s.NSPID > 0 && !bytes.Contains(b, []byte("NSpid:")) {
			t.Errorf("%+v is not in %q", s, b)
		}
	})
}

func TestJoinCommand(t *testing.T) {
	for _, test := range []struct{ cmdline, want string }{
		{"", ""},
		{"a\x00", "a"},
		{"a\x00-b\x00\x00\x00", "a -b"},
		{"a\x00\x00c\x00", "a  c"},
		{"nginx: worker process", "nginx: worker process"},
		{strings.Repeat("x", 5000), strings.Repeat("x", MaxCommand)},
	} {
		if got := string(JoinCommand([]byte(test.cmdline))); got != test.want {
			t.Errorf("JoinCommand(%q) = %q, want %q", test.cmdline, got, test.want)
		}
	}
}

func FuzzJoinCommand(f *testing.F) {
	f.Add([]byte("a\x00-b\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := JoinCommand(bytes.Clone(b))
		if len(got) > MaxCommand || bytes.IndexByte(got, 0) >= 0 {
			t.Errorf("JoinCommand(%q) = %q", b, got)
		}
	})
}
