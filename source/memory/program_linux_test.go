package memory

import (
	"os"
	"strings"
	"testing"
)

// residentFile is what is resident of files, in kB (proc_pid_status(5)).
func residentFile(t *testing.T) (kB string) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	_, rest, ok := strings.Cut(string(text), "RssFile:")
	if !ok {
		t.Skip("the kernel does not tell what is resident of files")
	}
	return strings.Fields(rest)[0]
}

// The program goes on after it has let go of its own pages.
func TestGiveBack(t *testing.T) {
	before := residentFile(t)
	for range 3 {
		GiveBack()
	}
	t.Logf("%s kB of files are resident, %s were before", residentFile(t), before)
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	const file = "/usr/bin/an ephtop"
	for line, want := range map[string][2]uintptr{
		"00400000-00b2e000 r-xp 00000000 fe:00 1234                               /usr/bin/an ephtop": {0x400000, 0xb2e000},
		"00b2e000-0118c000 r--p 0072e000 fe:00 1234                               /usr/bin/an ephtop": {0xb2e000, 0x118c000},
		"0118c000-01212000 rw-p 00d8c000 fe:00 1234                               /usr/bin/an ephtop": {},
		"00400000-00b2e000 r-xs 00000000 fe:00 1234                               /usr/bin/an ephtop": {},
		"7ffd1000-7ffd2000 r-xp 00000000 00:00 0                                  [vdso]":             {},
		"7ffd1000-7ffd2000 r--p 00000000 fe:00 99                                 /usr/lib/libc.so":   {},
		"": {}, "x": {},
		"00b2e000-00400000 r-xp 00000000 fe:00 1234 /usr/bin/an ephtop": {},
	} {
		begin, end, ok := readOnly(line, file)
		if ok != (want != [2]uintptr{}) || ok && (begin != want[0] || end != want[1]) {
			t.Errorf("%q: %x to %x, %v; want %x", line, begin, end, ok, want)
		}
	}
}
