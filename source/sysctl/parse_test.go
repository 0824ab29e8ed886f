package sysctl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

func TestParseRange(t *testing.T) {
	tests := []struct {
		name, text string
		want       source.PortRange
		ports      int
	}{
		{"as the kernel writes it", "32768\t60999\n", source.PortRange{Low: 32768, High: 60999}, 28232},
		{"before 4.2", "32768\t61000\n", source.PortRange{Low: 32768, High: 61000}, 28233},
		{"widest", "1\t65535\n", source.PortRange{Low: 1, High: 65535}, 65535},
		{"one port", "40000 40000", source.PortRange{Low: 40000, High: 40000}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseRange(tt.text)
			if err != nil || got != tt.want || got.Count() != tt.ports {
				t.Errorf("got %v of %d ports, %v, want %v of %d ports", got, got.Count(), err, tt.want, tt.ports)
			}
		})
	}
}

func TestParseRangeRefuses(t *testing.T) {
	tests := []struct{ name, text, says string }{
		{"an empty file", "", `bad port range "": want two numbers`},
		{"an empty line", "\n", `bad port range "\n": want two numbers`},
		{"one number", "32768\n", `bad port range "32768\n": want two numbers`},
		{"three numbers", "1 2 3\n", `bad port range "1 2 3\n": want two numbers`},
		{"high before low", "9\t1\n", `bad port range "9-1": the low end is above the high end`},
		{"letters", "low high\n", `bad port range "low high\n": want two numbers from 1 to 65535`},
		{"a port too high", "32768 65536", `bad port range "32768 65536": want two numbers from 1 to 65535`},
		{"a negative port", "-1 60999", `bad port range "-1 60999": want two numbers from 1 to 65535`},
		{"a signed port", "+1 60999", `bad port range "+1 60999": want two numbers from 1 to 65535`},
		{"port 0", "0 60999", `bad port range "0-60999": ports go from 1 to 65535`},
		{"a NUL", "1\x00 2", `bad port range "1\x00 2": want two numbers from 1 to 65535`},
		{"a long text is cut", strings.Repeat("x", 41), `bad port range "` + strings.Repeat("x", 40) + `"…: want two numbers`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseRange(tt.text)
			if !errors.Is(err, source.ErrRange) || err.Error() != tt.says {
				t.Errorf("got  %v\nwant %s", err, tt.says)
			}
		})
	}
}

func TestParseReserved(t *testing.T) {
	tests := []struct {
		name, text string
		want       []source.PortRange
	}{
		{"none", "\n", nil},
		{"one port", "8080\n", []source.PortRange{{Low: 8080, High: 8080}}},
		{"ports and a stretch", "1,2,4000-5000\n", []source.PortRange{{Low: 1, High: 1}, {Low: 2, High: 2}, {Low: 4000, High: 5000}}},
		{"all", "0-65535\n", []source.PortRange{{Low: 1, High: 65535}}},
		{"port 0 alone", "0\n", nil},
		{"port 0 and another", "0,7\n", []source.PortRange{{Low: 7, High: 7}}},
		{"the last port", "65535\n", []source.PortRange{{Low: 65535, High: 65535}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseReserved(tt.text)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("error %v, difference (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestParseReservedRefuses(t *testing.T) {
	numbers := "want ports from 0 to 65535, as in 1,2,4000-5000"
	tests := []struct{ name, text, says string }{
		{"an empty file", "", "the file is empty"},
		{"letters", "http\n", numbers},
		{"an empty item", "1,,2\n", numbers},
		{"a comma at the end", "1,\n", numbers},
		{"a stretch without an end", "1-\n", numbers},
		{"a stretch with three ends", "1-2-3\n", numbers},
		{"a port too high", "65536\n", numbers},
		{"a space inside", "1, 2\n", numbers},
		{"two lines", "1\n2\n", numbers},
		{"a stretch that falls", "9-1\n", "the ports do not rise"},
		{"ports that fall", "5,3\n", "the ports do not rise"},
		{"a port twice", "5,5\n", "the ports do not rise"},
		{"stretches that overlap", "1-5,5-9\n", "the ports do not rise"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseReserved(tt.text)
			if err == nil || !strings.HasSuffix(err.Error(), ": "+tt.says) || !strings.Contains(err.Error(), fmt.Sprintf("%q", tt.text)) {
				t.Errorf("got %v, %v, want an error that ends in %q", got, err, tt.says)
			}
		})
	}
}

func TestParsePortsInAnyOrder(t *testing.T) {
	t.Parallel()
	want := []source.PortRange{{Low: 443, High: 443}, {Low: 80, High: 90}, {Low: 0, High: 0}}
	got, err := ParsePorts("443,80-90,0")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v, difference (-want +got):\n%s", err, diff)
	}
}

func TestParseNumber(t *testing.T) {
	tests := []struct {
		text string
		want int
		ok   bool
	}{
		{"2\n", 2, true}, {"0", 0, true}, {"255\n", 255, true},
		{"256\n", 0, false}, {"-1\n", 0, false}, {"", 0, false}, {"yes", 0, false}, {"1 2", 0, false},
		{"99999999999999999999", 0, false},
	}
	for _, tt := range tests {
		got, err := parseNumber(tt.text, 255)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("parseNumber(%q, 255) = %d, %v, want %d, ok %v", tt.text, got, err, tt.want, tt.ok)
		}
	}
}

func TestParseLimit(t *testing.T) {
	tests := []struct {
		text string
		want int
		ok   bool
	}{
		{"131072\n", 131072, true}, {"0\n", 0, true}, {"-5\n", 0, true}, {"2147483647", 2147483647, true},
		{"2147483648", 0, false}, {"", 0, false}, {"many", 0, false},
	}
	for _, tt := range tests {
		got, err := parseLimit(tt.text)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("parseLimit(%q) = %d, %v, want %d, ok %v", tt.text, got, err, tt.want, tt.ok)
		}
	}
}

func TestSysctlRange(t *testing.T) {
	tests := []struct {
		name        string
		first, last uint32
		want        source.PortRange
		ok          bool
	}{
		{"FreeBSD", 10000, 65535, source.PortRange{Low: 10000, High: 65535}, true},
		{"counting down", 65535, 49152, source.PortRange{Low: 49152, High: 65535}, true},
		{"port 0", 0, 65535, source.PortRange{}, false},
		{"a port too high", 49152, 65536, source.PortRange{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := sysctlRange(tt.first, tt.last)
			if got != tt.want || (err == nil) != tt.ok {
				t.Errorf("got %v, %v, want %v, ok %v", got, err, tt.want, tt.ok)
			}
			if !tt.ok && (!errors.Is(err, source.ErrRange) || !strings.Contains(err.Error(), "net.inet.ip.portrange.first")) {
				t.Errorf("the error does not say what is wrong: %v", err)
			}
		})
	}
}

func FuzzParseRange(f *testing.F) {
	for _, seed := range []string{"32768\t60999\n", "", "9 1", "1 2 3", "0 0", "65535 65536", "a b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseRange(text)
		if err != nil {
			return
		}
		again, err := parseRange(fmt.Sprintf("%d\t%d\n", r.Low, r.High))
		if err != nil || again != r || r.Count() < 1 {
			t.Errorf("%q gave %v, which reads back as %v, %v", text, r, again, err)
		}
	})
}

func FuzzParseReserved(f *testing.F) {
	for _, seed := range []string{"\n", "", "8080\n", "1,2,4000-5000\n", "0-65535", "9-1", "1,,2", "5,5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ranges, err := parseReserved(text)
		if err != nil {
			return
		}
		last := 0
		for _, r := range ranges {
			if r.Validate() != nil || int(r.Low) <= last {
				t.Fatalf("%q gave %v, which is not sorted and disjoint", text, ranges)
			}
			last = int(r.High)
		}
		var written []string
		for _, r := range ranges {
			written = append(written, r.String())
		}
		again, err := parseReserved(strings.Join(written, ",") + "\n")
		if err != nil || !slices.Equal(again, ranges) {
			t.Errorf("%q gave %v, which reads back as %v, %v", text, ranges, again, err)
		}
	})
}
