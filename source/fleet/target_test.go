package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParseTarget(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Target{
		"web-01": {"web-01", 0}, "root@web-01": {"root@web-01", 0}, "web-01:2222": {"web-01", 2222}, "root@web-01.example.org:22": {"root@web-01.example.org", 22},
		"ssh://root@web-01:2222": {"root@web-01", 2222}, "ssh://web-01/": {"web-01", 0}, "10.0.0.1": {"10.0.0.1", 0}, "10.0.0.1:22": {"10.0.0.1", 22},
		"2001:db8::1": {"2001:db8::1", 0}, "[2001:db8::1]:22": {"2001:db8::1", 22}, "[2001:db8::1]": {"2001:db8::1", 0}, "fe80::1%eth0": {"fe80::1%eth0", 0},
		"me@corp@web-01": {"me@corp@web-01", 0}, "größe": {"größe", 0}, "under_score": {"under_score", 0},
	} {
		got, err := ParseTarget(in)
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", in, got, err, want)
		}
	}
}

// Nothing becomes an option of ssh, a command of a shell, or a line on the screen.
func TestParseTargetRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "-oProxyCommand=id", "--", "root@-oProxyCommand=id", "-l@web", "@web", "web 01", "web;id", "`id`", "$(id)", "web'", "a\x1b[31m", "a\nb", "\xff", "web:",
		"web:0", "web:70000", "web:-1", "web:22:22", "[::1", "[::1]22", "[web]:22", "ssh://", "ssh://-x", "web/path", "root@", "[-x]:22", "e\u202evil", strings.Repeat("x", 256),
	} {
		if got, err := ParseTarget(in); err == nil {
			t.Errorf("%q is taken for %+v", in, got)
		}
	}
}

func TestHostsFile(t *testing.T) {
	t.Parallel()
	var list Targets
	err := list.Read(strings.NewReader("# all of ours\nweb-01\n\n  root@web-02:2222  # the new one\r\nweb-01\nweb-03#x\nweb-01"))
	if want := []Target{{"web-01", 0}, {"root@web-02", 2222}, {"web-03", 0}}; err != nil || !slices.Equal(list.List, want) {
		t.Errorf("%+v, %v; want %+v", list.List, err, want)
	}
	if want := []string{"web-01", "web-01"}; !slices.Equal(list.Twice, want) {
		t.Errorf("%v came twice, want %v", list.Twice, want)
	}
}

func TestHostsFileRefuses(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a\n\n-oProxyCommand=id\nb":           `line 3: bad host "-oProxyCommand=id": neither a host nor a user begins with - or is empty`,
		"a\nb c":                              `line 2: bad host "b c": a name has no blanks, quotes or other marks of a shell`,
		"a\n" + strings.Repeat("x", 1<<17):    "line 2: a name has at most 255 bytes",
		strings.Repeat("# nothing\n", 200000): "a list of hosts has at most 1048576 bytes",
		strings.Repeat("\n", longestHosts+1):  "a list of hosts has at most 1048576 bytes",
		blanks(longestHosts) + "\nb\n":        "a list of hosts has at most 1048576 bytes", // cut at the end of a line
		blanks(longestHosts-3) + "web-01\n":   "a list of hosts has at most 1048576 bytes", // cut in a name
		strings.Repeat("\r\n", 1<<19) + "b\n": "a list of hosts has at most 1048576 bytes",
		numbered(mostTargets + 1):             "line 10001: more than 10000 hosts: follow so many with --prometheus",
	} {
		if err := new(Targets).Read(strings.NewReader(in)); err == nil || err.Error() != want {
			t.Errorf("%.40q: %v, want %s", in, err, want)
		}
	}
}

// A list may be as long as that, and begin with the mark of UTF-8.
func TestLongestHostsFile(t *testing.T) {
	t.Parallel()
	var list Targets
	err := list.Read(strings.NewReader("\ufeffa\n" + blanks(longestHosts-len("\ufeffa\nb")) + "b"))
	if want := []Target{{"a", 0}, {"b", 0}}; err != nil || !slices.Equal(list.List, want) {
		t.Errorf("%v, %v; want %v", list.List, err, want)
	}
}

// blanks are so many bytes of no name.
func blanks(n int) string { return strings.Repeat("\n", n) }

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "web-%d\n", i)
	}
	return b.String()
}

func FuzzHostsFile(f *testing.F) {
	for _, in := range []string{"web-01\n# x\nroot@[::1]:22", "-o x", "a:1\na:1", "ssh://u@h:1/", "\x00", "[::1%-]"} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var list Targets
		_ = list.Read(strings.NewReader(in))
		for _, target := range list.List {
			if strings.HasPrefix(target.Host, "-") || strings.ContainsFunc(target.Host, odd) || target.Port < 0 || target.Port > 65535 {
				t.Errorf("%+v", target)
			}
			if again, err := ParseTarget(target.String()); err != nil || again != target {
				t.Errorf("%+v is written %s, and read %+v, %v", target, target, again, err)
			}
			if args := target.args(); args[len(args)-2] != "--" {
				t.Errorf("%q", args)
			}
		}
	})
}
