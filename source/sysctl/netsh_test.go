package sysctl

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// said is what netsh says, by the name of its file, in the language and the
// code page of the console that the name tells.
func said(t testing.TB, kind string) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/netsh/*." + kind)
	if err != nil || len(files) < 9 {
		t.Fatalf("%d answers to %s, %v", len(files), kind, err)
	}
	texts := make(map[string]string)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[strings.TrimSuffix(filepath.Base(file), "."+kind)] = string(text)
	}
	return texts
}

func TestParseNetshInEveryLanguage(t *testing.T) {
	t.Parallel()
	for language, text := range said(t, "dynamicport") {
		got, err := parseNetsh(text)
		if want := (source.PortRange{Low: 49152, High: 65535}); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", language, got, err, want)
		}
	}
}

// Both what an administrator has excluded, with a mark, and what programs have.
func TestParseExcludedInEveryLanguage(t *testing.T) {
	t.Parallel()
	want := []source.PortRange{{Low: 5357, High: 5357}, {Low: 50000, High: 50259}, {Low: 61900, High: 62001}}
	for language, text := range said(t, "excludedportrange") {
		got, err := parseExcluded(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: error %v, difference (-want +got):\n%s", language, err, diff)
		}
	}
}

func TestParseNetsh(t *testing.T) {
	tests := []struct {
		name, text string
		want       source.PortRange
		ports      int
	}{
		{"a narrow range", "Start Port      : 10000\r\nNumber of Ports : 1000\r\n", source.PortRange{Low: 10000, High: 10999}, 1000},
		{"a full-width colon", "启动端口：49152\r\n端口数：16384\r\n", source.PortRange{Low: 49152, High: 65535}, 16384},
		{"a colon of another code page", "x\xa3\xba1025\r\ny\xa3\xba64511\r\n", source.PortRange{Low: 1025, High: 65535}, 64511},
		{"a colon that ends in a letter, in Shift JIS", "x\x81\x461025\r\ny\x81\x4664511\r\n", source.PortRange{Low: 1025, High: 65535}, 64511},
		{"a heading that ends in IPv4", "Ports of IPv4\r\na : 5000\r\nb : 1\r\n", source.PortRange{Low: 5000, High: 5000}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseNetsh(tt.text)
			if err != nil || got != tt.want || got.Count() != tt.ports {
				t.Errorf("got %v of %d ports, %v, want %v of %d ports", got, got.Count(), err, tt.want, tt.ports)
			}
		})
	}
}

func TestParseNetshRefuses(t *testing.T) {
	tests := []struct{ name, text, says string }{
		{"nothing", "", `bad port range "": want two lines that end in a number`},
		{"an error message", "Access denied.\r\n", `bad port range "Access denied.\r\n": want two lines that end in a number`},
		{"one number", "Start Port : 1\r\n", `bad port range "Start Port : 1\r\n": want two lines that end in a number`},
		{"three numbers", "a: 1\nb: 2\nc: 3\n", `bad port range "a: 1\nb: 2\nc: 3\n": want two lines that end in a number`},
		{"no port", "a: 1\nb: 0\n", "bad port range: 0 ports from 1 on"},
		{"from port 0", "a: 0\nb: 5\n", "bad port range: 5 ports from 0 on"},
		{"past the last port", "a: 65535\nb: 2\n", "bad port range: 2 ports from 65535 on"},
		{"a start beyond any port", "a: 70000\nb: 2\n", "bad port range: 2 ports from 70000 on"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseNetsh(tt.text)
			if !errors.Is(err, source.ErrRange) || err.Error() != tt.says {
				t.Errorf("got  %v\nwant %s", err, tt.says)
			}
		})
	}
	if got, err := parseNetsh("a: 99999999999999999999\nb: 99999999999999999999\n"); !errors.Is(err, source.ErrRange) {
		t.Errorf("numbers beyond any integer: got %v, %v", got, err)
	}
}

func TestParseExcluded(t *testing.T) {
	t.Parallel()
	const rule = "Start Port    End Port\r\n----------    --------\r\n"
	tests := []struct {
		name, text string
		want       []source.PortRange
	}{
		{"none", rule + "\r\n* - Administered port exclusions.\r\n", nil},
		{"ranges that overlap", rule + "80 90\r\n85 100 *\r\n82 83\r\n", []source.PortRange{{Low: 80, High: 100}}},
		{"out of order", rule + "443 443\r\n80 80\r\n", []source.PortRange{{Low: 80, High: 80}, {Low: 443, High: 443}}},
		{"the last port", rule + "65535 65535\r\n", []source.PortRange{{Low: 65535, High: 65535}}},
		{"a heading with numbers", "2 ranges of IPv4\r\n" + rule + "7 9\r\n", []source.PortRange{{Low: 7, High: 9}}},
	}
	for _, tt := range tests {
		got, err := parseExcluded(tt.text)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}

func TestParseExcludedRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, says string }{
		{"nothing", "", `bad table of ports "": want a rule of dashes`},
		{"an error message", "Access denied.\r\n", `bad table of ports "Access denied.\r\n": want a rule of dashes`},
		{"one number", "---\n80\n", `bad port range "80": want two numbers`},
		{"another mark", "---\n80 90 +\n", `bad port range "80 90 +": want two numbers`},
		{"a port too high", "---\n80 65536\n", `bad port range "80 65536": want two numbers from 1 to 65535`},
		{"a range that falls", "---\n90 80\n", `bad port range "90-80": the low end is above the high end`},
	}
	for _, tt := range tests {
		if got, err := parseExcluded(tt.text); err == nil || err.Error() != tt.says {
			t.Errorf("%s: got %v, %v, want %s", tt.name, got, err, tt.says)
		}
	}
}

func FuzzParseExcluded(f *testing.F) {
	for _, text := range said(f, "excludedportrange") {
		f.Add(text)
	}
	for _, seed := range []string{"", "---\n80 90\n85 100 *", "---\n9 1", "-\n0 0\n1 65535\n65535 65535*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ranges, err := parseExcluded(text)
		if err != nil {
			return
		}
		s := source.Settings{Reserved: ranges}
		if err := s.Validate(); err != nil {
			t.Errorf("%q gave %v", text, err)
		}
		for i := 1; i < len(ranges); i++ {
			if ranges[i].Low == ranges[i-1].High+1 {
				t.Errorf("%q gave %v, which touch", text, ranges)
			}
		}
	})
}

func FuzzParseNetsh(f *testing.F) {
	for _, text := range said(f, "dynamicport") {
		f.Add(text)
	}
	for _, seed := range []string{"", "a: 1\nb: 0\n", "a：49152\nb：16384", "a: 99999999999999999999\nb: 1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseNetsh(text)
		if err == nil && r.Validate() != nil {
			t.Errorf("%q gave %v", text, r)
		}
		if err != nil && !errors.Is(err, source.ErrRange) {
			t.Errorf("%q gave an error that is not of the range: %v", text, err)
		}
	})
}
