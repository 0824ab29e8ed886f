package filter

import (
	"strings"
	"testing"
)

// living are the names of a host, by key.
func living(key string) []string {
	return map[string][]string{
		"proc":      {"nginx", "node", "node_exporter", "Web Content 1", "Web Content 2", "java"},
		"user":      {"www-data", "ada"},
		"container": {"web", "worker"},
		"unit":      {"nginx.service", `a"b.service`},
		"ns":        {"shop/api-7d9f4", "shop/web-5c6db"},
	}[key]
}

func TestComplete(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		typed, want string
		candidates  string // with one space between
	}{
		{"sta", "state:", "state:"},
		{"!sta", "!state:", "state:"},
		{"rport:443 ag", "rport:443 age>", "age>"},
		{"p", "p", "proc: pid: proto: port:"},
		{"pr", "pro", "proc: proto:"},
		{"lp", "lport:", "lport:"},
		{"state:TIME", "state:TIME_WAIT", "TIME_WAIT"},
		{"state:tim", "state:TIME_WAIT", "TIME_WAIT"},
		{"state:time-w", "state:TIME_WAIT", "TIME_WAIT"},
		{"STATE:tw,clo", "STATE:tw,CLOS", "CLOSE_WAIT CLOSING CLOSE"},
		{"state:fin", "state:FIN_WAIT", "FIN_WAIT1 FIN_WAIT2"},
		{"proto:", "proto:", "tcp udp"},
		{"owner:t", "owner:traced", "traced"},
		{"proc:ng", "proc:nginx", "nginx"},
		{"proc=NO", "proc=node", "node node_exporter"},
		{"proc:web", `proc:"Web Content `, `"Web Content 1" "Web Content 2"`},
		{`proc:"Web Content 1`, `proc:"Web Content 1"`, `"Web Content 1"`},
		{`proc:"ja`, `proc:"java"`, `"java"`},
		{"user:w", "user:www-data", "www-data"},
		{"container:w", "container:w", "web worker"},
		{"unit:a", `unit:"a\"b.service"`, `"a\"b.service"`},
		{"ns:s", "ns:shop/", "shop/api-7d9f4 shop/web-5c6db"},
		{"ngi", "nginx", "nginx"},
		{"TIME_", "TIME_WAIT", "TIME_WAIT"},
		{"zzz", "zzz", ""},
		{"pid:1", "pid:1", ""},
		{"nosuch:x", "nosuch:x", ""},
		{"state:nosuch pro", "state:nosuch pro", ""},
		{"rport>x sta", "rport>x sta", ""},
	} {
		c := Complete(tt.typed, living)
		var texts []string
		for _, candidate := range c.Candidates {
			texts = append(texts, candidate.Text)
		}
		if got := strings.Join(texts, " "); c.Text != tt.want || got != tt.candidates {
			t.Errorf("%q became %q of %q, want %q of %q", tt.typed, c.Text, got, tt.want, tt.candidates)
		}
	}
}

func TestCompleteOffersAllKeysAtTheStartOfATerm(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{"", "rport:443 ", "!"} {
		c := Complete(typed, living)
		if len(c.Candidates) != len(Keys()) || c.Text != typed {
			t.Errorf("%q: %d candidates and %q, want all %d keys and nothing more typed", typed, len(c.Candidates), c.Text, len(Keys()))
		}
		for _, candidate := range c.Candidates {
			if candidate.Help == "" {
				t.Errorf("%s has no help", candidate.Text)
			}
		}
	}
}

// What can still become right is not wrong yet.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]bool{
		"sta": true, "!sta": true, "s": true, "state": true, "rport:443 sta": true, "nginx": false, "": false, " ": false,
		"!": true, "state:": true, "state:TIME": true, "state:time-w": true, "state:synrec": true, "state:unc": true,
		"state:TIME_WAIT": false, "state:OPEN": false, "state:tw,": true, "state:tw,clo": true, "state:open,clo": false,
		"proto:": true, "proto:u": true, "proto:x": false, "owner:inf": true,
		"rport:": true, "rport:443": false, "rport:443-": true, "rport:1000-2": true, "rport:1000-": true, "rport:60000-7": false,
		"rport:65535-6": true, "rport:htt": true, "rport:?": false, "rport:99999": false,
		"age>": true, "age>3": true, "age>30s": false, "age>1h3": true, "age>x": false, "age:": true, "age>=": true, "age>1d1": true,
		"pid:": true, "pid:x": false, "proc:": true, `proc:"Web`: true, `proc:"a\`: true, `proc:"Web"`: false, `proc:"Web"x`: false,
		"remote:": true, "remote:10": true, "remote:10.": true, "remote:10.0.0": true, "remote:10.0.0.0/": true, "remote:10.0.0.1:": true,
		"remote:10.0.0.0": false, "remote:2001": true, "remote:2001:": true, "remote:2001:db8": true, "remote:2001:db8::/": true,
		"remote:[": true, "remote:[2001:db8": true, "remote:[2001:db8::1]": false, "remote:[2001:db8::1]:": true, "remote:1:2:3:4:5:6:7:": true,
		"remote:300": true, "remote:300.": false, "remote:x": false, "remote:1.2.3.4%": false, "remote:::ffff:10.": true,
		"nosuch:": false, "rport>": false, "state: sta": false, "pid:x sta": false, `"a b`: true,
	} {
		if got := Unfinished(typed, len(typed)); got != want {
			t.Errorf("%q is unfinished: %v, want %v", typed, got, want)
		}
	}
}

// The cursor may stand before what was typed.
func TestUnfinishedBeforeOtherTerms(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]bool{
		"state:| rport:443": true, "sta| rport:443": true, "state:|tw": false, "sta|te:tw": false, "state:| rport:x": false, "| pid:1": false,
	} {
		before, after, _ := strings.Cut(typed, "|")
		if got := Unfinished(before+after, len(before)); got != want {
			t.Errorf("%s is unfinished: %v, want %v", typed, got, want)
		}
	}
}

func TestMisread(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]bool{
		"state:tw and rport:443": true, "a OR b": true, "not nginx": true, "-nginx": true, "ngin*": true, "proc:ngin*": true, "*": true, "a || b": true,
		"nginx": false, "android": false, `"and"`: false, `"a*"`: false, "user:*": false, "!state:tw": false, "": false, "-": false, "state:x and": false,
	} {
		if got := Misread(expr); got != want {
			t.Errorf("%q is misread: %v, want %v", expr, got, want)
		}
	}
}

// Whatever was typed and whatever runs, completing it leaves what stands before
// the word, goes on with the word, and makes a filter or the beginning of one.
func FuzzComplete(f *testing.F) {
	for _, seed := range []string{
		"sta", "!state:TIME", "state:tw,clo", "rport:443 pro", `proc:"Web`, "proc:web", "unit:a", "age>1h3", "remote:2001:db8", "and -x *", `"a\`, "\xff=\xff", "proc:ǅ",
	} {
		f.Add(seed, "Web Content\x00\xff")
	}
	f.Add("proc:ab", "aB\u2028")
	f.Add("stAte:0,B", "")
	f.Add("proC>", ">0")
	f.Add("A:,c", "")
	f.Fuzz(func(t *testing.T, typed, name string) {
		names := func(key string) []string {
			if known := living(key); known != nil {
				return append(known, name, name+"x")
			}
			return nil
		}
		Misread(typed)
		for cursor := range len(typed) + 1 {
			Unfinished(typed, cursor)
		}
		c := Complete(typed, names)
		if len(c.Candidates) == 0 {
			if c.Text != typed {
				t.Fatalf("%q became %q", typed, c.Text)
			}
			return
		}
		if c.From < 0 || c.From > len(typed) || !strings.HasPrefix(c.Text, typed[:c.From]) {
			t.Fatalf("%q from %d became %q", typed, c.From, c.Text)
		}
		before, _ := lastTerm(typed)
		after, ok := lastTerm(c.Text)
		word := func(t rawTerm) string { return t.values[len(t.values)-1].text }
		if len(c.Candidates) > 1 || c.Candidates[0].Help == "" {
			if w := beginning([]string{word(after)}, word(before)); word(before) != "" && len(w) == 0 {
				t.Fatalf("%q went on as %q", typed, c.Text)
			}
		}
		if _, err := Parse(c.Text); !ok || err != nil && !Unfinished(c.Text, len(c.Text)) {
			if c.Text != typed { // what was typed may be wrong, as state:TW,x is
				t.Fatalf("%q became %q: %v", typed, c.Text, err)
			}
		}
		for _, candidate := range c.Candidates {
			whole := typed[:c.From] + candidate.Text
			if _, err := Parse(whole); err != nil && !Unfinished(whole, len(whole)) && Unfinished(typed, len(typed)) {
				t.Fatalf("%q can't go on as %q: %v", typed, whole, err)
			}
			if strings.ContainsFunc(candidate.Text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("%q has a control character", candidate.Text)
			}
		}
	})
}
