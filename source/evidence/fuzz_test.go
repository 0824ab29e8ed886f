package evidence

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"ephtop/source/evidence/host"
)

func FuzzConntrackStat(f *testing.F) {
	f.Add([]byte(conntrackStat))
	f.Add([]byte("a b\n1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		sums, err := parseConntrackStat(data)
		for _, name := range conntrackCounters {
			if n, ok := sums[name]; err == nil && (!ok || n < 0) {
				t.Errorf("%s is %d, %v", name, n, ok)
			}
		}
	})
}

func FuzzSysctlConf(f *testing.F) {
	for name, text := range sysctlTree() {
		if strings.HasSuffix(name, ".conf") {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, _ := parseSysctlConf(data)
		config := sysctlConfig{entries: entries}
		for _, known := range sysctlsOfInterest {
			config.assignments(known.name)
		}
		for _, e := range entries {
			if e.key == "" || e.line < 1 || strings.ContainsAny(e.value, "\n\x1b") {
				t.Errorf("bad entry %+v", e)
			}
		}
	})
}

func FuzzLogLine(f *testing.F) {
	for _, seed := range []string{
		"1795345200.250000 web-01 java[3120]: bind: Address already in use",
		"Nov  2 03:04:05 web-01 app: hello", "Feb 29 03:04:05 x y", "2026-11-22T11:59:00.5+01:00 web-01 app: \x1b[31m",
		"4,1023,1500000,-;TCP: time wait bucket table overflow\n SUBSYSTEM=net\n", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		line := parseSyslogLine(string(data), noon)
		if line.time.After(noon.Add(24*time.Hour)) && !strings.Contains(string(data), "-") {
			t.Errorf("a line of the future: %v", line.time)
		}
		journal, _ := parseShortUnix(string(data))
		kernel, _ := parseKernelRecord(data, noon)
		for _, l := range []logLine{line, journal, kernel} {
			shown := host.Clean(l.text, lineWidth)
			if !utf8.ValidString(shown) || utf8.RuneCountInString(shown) > lineWidth || strings.ContainsAny(shown, "\x1b\n\r\x00") {
				t.Errorf("not fit to be shown: %q", shown)
			}
		}
	})
}
