package owner

import "testing"

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
	t.Parallel()
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
