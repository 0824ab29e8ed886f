package text_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"ephtop/ui/text"
)

func TestCount(t *testing.T) {
	for n, want := range map[int]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 18006: "18,006", 1234567: "1,234,567", -1234: "-1,234",
		math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := text.Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestCompact(t *testing.T) {
	for n, want := range map[int]string{
		0: "0", 999: "999", 1000: "1k", 1999: "1.9k", 18006: "18k", 999_999: "999k", 1_200_000: "1.2M",
		-1500: "-1.5k",
	} {
		if got := text.Compact(n); got != want {
			t.Errorf("Compact(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	for _, test := range []struct {
		name string
		p    float64
		want string
	}{
		{"nothing", 0, "0"},
		{"less than half a percent is not nothing", 0.01, "<1"},
		{"rounded", 63.8, "64"},
		{"all but one port is not all", 99.99, "99"},
		{"all", 100, "100"},
		{"more than all, as of ports reserved later", 104, "104"},
		{"no number", math.NaN(), "0"},
	} {
		if got := text.Percent(test.p); got != test.want {
			t.Errorf("%s: Percent(%v) = %q, want %q", test.name, test.p, got, test.want)
		}
	}
}

func TestRate(t *testing.T) {
	for r, want := range map[float64]string{118.2: "+118", -0.6: "−1", 0.2: "0", 12345: "+12,345", math.Inf(1): "+1,000,000,000"} {
		if got := text.Rate(r); got != want {
			t.Errorf("Rate(%v) = %q, want %q", r, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for _, test := range []struct {
		d           time.Duration
		long, short string
	}{
		{-time.Second, "0s", "0s"},
		{900 * time.Millisecond, "0s", "0s"},
		{41 * time.Second, "41s", "41s"},
		{60 * time.Second, "1m", "1m"},
		{86 * time.Second, "1m 26s", "1m"},
		{2*time.Hour + 3*time.Second, "2h", "2h"},
		{2*time.Hour + 3*time.Minute, "2h 3m", "2h"},
		{76 * time.Hour, "3d 4h", "3d"},
	} {
		if got := text.Duration(test.d); got != test.long {
			t.Errorf("Duration(%v) = %q, want %q", test.d, got, test.long)
		}
		if got := string(text.AppendAge(nil, test.d)); got != test.short {
			t.Errorf("AppendAge(%v) = %q, want %q", test.d, got, test.short)
		}
	}
}

func TestPlural(t *testing.T) {
	for n, want := range map[int]string{0: "0 ports", 1: "1 port", 2000: "2,000 ports"} {
		if got := text.Plural(n, "port", "ports"); got != want {
			t.Errorf("Plural(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSanitize(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "nginx: worker", "nginx: worker"},
		{"other scripts", "größe 数据 🦊", "größe 数据 🦊"},
		{"an emoji joined of two", "👩\u200d🚀", "👩\u200d🚀"},
		{"line ends and tabs", "a\r\nb\tc", "a  b c"},
		{"C0 and DEL", "a\x00\x07\x7fb", "ab"},
		{"a colour", "\x1b[31mred\x1b[0m", "red"},
		{"a window title", "x\x1b]0;owned\x07y", "xy"},
		{"a window title ended by ST", "x\x1b]0;owned\x1b\\y", "xy"},
		{"C1 CSI", "a\u009b2Jb", "ab"},
		{"an unfinished sequence", "a\x1b]0;kept", "a0;kept"},
		{"CSI that breaks off", "a\x1b[3\x01b", "ab"},
		{"a lone escape", "a\x1b", "a"},
		{"a direction override", "a\u202egnp.exe", "agnp.exe"},
		{"zero width space", "ro\u200bot", "root"},
		{"not UTF-8", "a\xffb", "a\uFFFDb"},
		{"C1 as a bare byte is not UTF-8", "a\x9b2Jb", "a\uFFFD2Jb"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := text.Sanitize(test.in); got != test.want {
				t.Errorf("Sanitize(%q) = %q, want %q", test.in, got, test.want)
			}
		})
	}
}

func TestSanitizeCleanTextAllocatesNothing(t *testing.T) {
	for _, s := range []string{"/usr/bin/java -jar api.jar", "größe 数据"} {
		if n := testing.AllocsPerRun(100, func() { text.Sanitize(s) }); n != 0 {
			t.Errorf("Sanitize(%q) allocates %v times", s, n)
		}
	}
}

func FuzzSanitize(f *testing.F) {
	for _, s := range []string{"java", "\x1b[31m", "\x1b]0;x\x07", "\x1bP", "\u009d\u009c", "\xff\xfe", "a\u202eb", "\x1b\x1b[", "\x1b[1;2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := text.Sanitize(s)
		if !utf8.ValidString(out) {
			t.Fatalf("Sanitize(%q) = %q is no UTF-8", s, out)
		}
		for _, r := range out {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("Sanitize(%q) = %q has %U", s, out, r)
			}
		}
		if again := text.Sanitize(out); again != out {
			t.Fatalf("Sanitize(%q) is %q, and of that %q", s, out, again)
		}
		if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 && out != s {
			t.Fatalf("Sanitize(%q) changed plain text to %q", s, out)
		}
	})
}

func TestTruncate(t *testing.T) {
	for _, test := range []struct {
		in    string
		width int
		want  string
	}{
		{"postgres", 8, "postgres"},
		{"postgres", 5, "post…"},
		{"postgres", 1, "…"},
		{"postgres", 0, ""},
		{"数据库", 5, "数据…"},
		{"数据库", 6, "数据库"},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
	} {
		if got := text.Truncate(test.in, test.width); got != test.want {
			t.Errorf("Truncate(%q, %d) = %q, want %q", test.in, test.width, got, test.want)
		}
	}
}

func TestWrap(t *testing.T) {
	got := text.Wrap("java -jar /opt/a-long-name-without-any-blank.jar", 16)
	for _, line := range got {
		if text.Width(line) > 16 {
			t.Errorf("line %q is wider than 16", line)
		}
	}
	if strings.ReplaceAll(strings.Join(got, ""), " ", "") != "java-jar/opt/a-long-name-without-any-blank.jar" {
		t.Errorf("Wrap lost text: %q", got)
	}
}

// A flag that is copied from a page must not be torn at its hyphens.
func TestWrapBreaksAtBlanksAlone(t *testing.T) {
	t.Parallel()
	got := text.Wrap("run with --no-pool set,  and  wait", 12)
	want := []string{"run with", "--no-pool", "set,  and", "wait"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 34_567: "34 KB", 1_250_000: "1.2 MB", 2_500_000_000: "2.5 GB"} {
		if got := text.Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]string{0.25: "0.25×", 1: "1×", 16: "16×"} {
		if got := text.Times(x); got != want {
			t.Errorf("Times(%v) = %q, want %q", x, got, want)
		}
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in    string
		bytes int
		want  string
	}{
		{"postgres", 8, "postgres"},
		{"postgres", 5, "postg"},
		{"größe", 3, "gr"},
		{"größe", 4, "grö"},
		{"\x1b[31mred", 2, "re"},
		{"数", 2, ""},
	} {
		if got := text.Clip(test.in, test.bytes); got != test.want {
			t.Errorf("Clip(%q, %d) = %q, want %q", test.in, test.bytes, got, test.want)
		}
	}
}
