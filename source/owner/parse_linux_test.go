package owner

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var links = []struct {
	link  string
	inode uint32
	ok    bool
}{
	{"socket:[123]", 123, true},
	{"socket:[4294967295]", 4294967295, true},
	{"socket:[4294967296]", 0, false},
	{"socket:[0]", 0, false},
	{"socket:[]", 0, false},
	{"socket:[012]", 0, false},
	{"socket:[-1]", 0, false},
	{"socket:[12", 0, false},
	{"socket:[12]]", 0, false},
	{"socket:[12] (deleted)", 0, false},
	{"/tmp/socket:[12]", 0, false},
	{"pipe:[12]", 0, false},
	{"", 0, false},
}

func TestParseLink(t *testing.T) {
	for _, test := range links {
		if inode, ok := parseLink([]byte(test.link)); inode != test.inode || ok != test.ok {
			t.Errorf("parseLink(%q) = %d, %t, want %d, %t", test.link, inode, ok, test.inode, test.ok)
		}
	}
}

func FuzzParseLink(f *testing.F) {
	for _, test := range links {
		f.Add([]byte(test.link))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if inode, ok := parseLink(b); ok && socket(int(inode)) != string(b) {
			t.Errorf("parseLink(%q) = %d", b, inode)
		}
	})
}

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
			s, err := parseStat([]byte(test.stat))
			if (err == nil) != test.ok {
				t.Fatalf("error %v, want success %t", err, test.ok)
			}
			if string(s.comm) != test.comm || s.flags != test.flags || s.start != test.start {
				t.Errorf("got %q, flags %d, start %d", s.comm, s.flags, s.start)
			}
		})
	}
}

func FuzzParseStat(f *testing.F) {
	for _, test := range stats {
		f.Add([]byte(test.stat))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseStat(b)
		if err == nil && !bytes.Contains(b, []byte(strconv.FormatUint(s.start, 10))) {
			t.Errorf("start %d is not in %q", s.start, b)
		}
	})
}

func TestParseUID(t *testing.T) {
	for _, test := range []struct {
		status string
		uid    uint32
		ok     bool
	}{
		{"Name:\tx\nUmask:\t0022\nUid:\t1000\t0\t0\t0\nGid:\t5\t5\t5\t5\n", 0, true},
		{"Uid:\t1\t4294967294\t3\t4", 4294967294, true},
		{"Name:\tUid: 5\n", 0, false},
		{"Uid:\t1\n", 0, false},
		{"Uid:\n", 0, false},
		{"", 0, false},
	} {
		if uid, ok := parseUID([]byte(test.status)); uid != test.uid || ok != test.ok {
			t.Errorf("parseUID(%q) = %d, %t, want %d, %t", test.status, uid, ok, test.uid, test.ok)
		}
	}
}

func FuzzParseUID(f *testing.F) {
	f.Add([]byte("Name:\tx\nUid:\t1000\t0\t0\t0\n"))
	f.Add([]byte("Uid:\t1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if uid, ok := parseUID(b); ok && !bytes.Contains(b, []byte(strconv.FormatUint(uint64(uid), 10))) {
			t.Errorf("uid %d is not in %q", uid, b)
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
		{strings.Repeat("x", 5000), strings.Repeat("x", maxCommand)},
	} {
		if got := string(joinCommand([]byte(test.cmdline))); got != test.want {
			t.Errorf("joinCommand(%q) = %q, want %q", test.cmdline, got, test.want)
		}
	}
}

func FuzzJoinCommand(f *testing.F) {
	f.Add([]byte("a\x00-b\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := joinCommand(bytes.Clone(b))
		if len(got) > maxCommand || bytes.IndexByte(got, 0) >= 0 {
			t.Errorf("joinCommand(%q) = %q", b, got)
		}
	})
}

// dirent makes an entry as getdents64 gives it.
func dirent(name string) []byte {
	b := make([]byte, (direntName+len(name)+1+7)&^7)
	binary.NativeEndian.PutUint16(b[direntLength:], uint16(len(b)))
	copy(b[direntName:], name)
	return b
}

func TestParseNumbers(t *testing.T) {
	b := slices.Concat(dirent("."), dirent("12"), dirent("self"), dirent("2147483647"), dirent("2147483648"), dirent("1x"), dirent("0"))
	if got, want := parseNumbers(b, nil), []int32{12, 2147483647, 0}; !slices.Equal(got, want) {
		t.Errorf("numbers %v, want %v", got, want)
	}
}

func FuzzParseNumbers(f *testing.F) {
	f.Add(slices.Concat(dirent("."), dirent("12")))
	f.Add(dirent("7")[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, n := range parseNumbers(b, nil) {
			if n < 0 || !bytes.Contains(b, []byte(strconv.Itoa(int(n)))) {
				t.Errorf("%d is not in %q", n, b)
			}
		}
	})
}
