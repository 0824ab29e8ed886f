package fleet

import (
	"strings"
	"testing"
)

func TestParseSelector(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Selector{
		"": "", "{}": "", `job="ephtop"`: `job="ephtop"`, `{job="ephtop"}`: `job="ephtop"`, ` { job = "a" , env=~'p|s' , } `: `job="a",env=~'p|s'`,
		`zone!="eu}",x!~"a\"b,{"`: `zone!="eu}",x!~"a\"b,{"`, `_a1="ü"`: `_a1="ü"`,
	} {
		if got, err := ParseSelector(in); err != nil || got != want {
			t.Errorf("%s is %s, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{
		"job", `job=ephtop`, `job="a`, `{job="a"`, `job="a"}`, `job="a" or up`, `job="a"} or vector(1) or up{x="`, `="a"`, `1a="b"`, `job=="a"`, `job="a",,b="c"`, ",",
		`__name__="up"`, "job=\"a\nb\"", `job="a\`,
	} {
		if got, err := ParseSelector(in); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s is taken for %s, %v", in, got, err)
		}
	}
}

// What is taken can be read again, and holds brackets in strings only.
func FuzzParseSelector(f *testing.F) {
	for _, in := range []string{`job="ephtop",env=~"a|b"`, `{a='\''}`, `a="b"} or up{`, `a="\\"`} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := ParseSelector(in)
		if err != nil {
			return
		}
		if again, err := ParseSelector("{" + string(s) + "}"); err != nil || again != s {
			t.Errorf("%q is %q, and that is %q, %v", in, s, again, err)
		}
	})
}
