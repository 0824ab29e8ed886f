package export_test

import (
	"strings"
	"testing"
	"time"

	"ephtop/ui/export"
	"ephtop/ui/export/internal/filmtest"
)

// Keys come at their times: in typing speed, after a sleep, and when the screen
// shows what is waited for.
func TestKeysHaveTheirTimes(t *testing.T) {
	t.Parallel()
	all := shots(t, filmtest.Named("api", 20), export.Options{Keys: filmtest.Keys(t, `
# by destination, service, user
Sleep 500ms
Type "bb"
Wait+Screen /12:00:07/
Type "b"
Sleep 1.5
Tab 2
Enter
`)})
	first := func(words string) time.Duration {
		for i := range all {
			if all[i].has(words) {
				return all[i].at
			}
		}
		t.Errorf("never on the screen: %s", words)
		return 0
	}
	for words, want := range map[string]time.Duration{
		"by destination":   500 * time.Millisecond,
		"by service":       560 * time.Millisecond,
		"by user":          7 * time.Second,
		"filter: user:api": 7*time.Second + 60*time.Millisecond + 1500*time.Millisecond + 120*time.Millisecond,
		"  12:00:19 UTC":   19 * time.Second, // beside the caption
	} {
		if got := first(words); got != want {
			t.Errorf("%q is seen at %v, want %v", words, got, want)
		}
	}
	for i := range all[1:] {
		if all[i+1].at <= all[i].at {
			t.Errorf("a frame at %v comes after one at %v", all[i+1].at, all[i].at)
		}
	}
}

// The keys q, and what comes after the end of the recording.
func TestKeysAtTheEnd(t *testing.T) {
	t.Parallel()
	data := filmtest.Named("api", 10)
	all := shots(t, data, export.Options{Keys: filmtest.Keys(t, "Sleep 4.5s\nType \"q\"\nSleep 1s\nType \"f\"")})
	if last := all[len(all)-1]; last.moment != 4*time.Second {
		t.Errorf("q at 4.5 s ends it at the moment of %v", last.moment)
	}
	f := filmtest.Open(t, data, export.Options{Keys: filmtest.Keys(t, "Sleep 20s\nType \"f\"\nSleep 5s")})
	n := 0
	var last string
	filmtest.Each(t, f, func(_ int, frame export.Frame) { n, last = n+1, filmtest.Text(frame.Canvas) })
	if !strings.Contains(last, "─ Findings ─") || f.Length() != 25060*time.Millisecond {
		t.Errorf("after %v and %d frames:\n%s", f.Length(), n, last)
	}
}

func TestWaitInVain(t *testing.T) {
	t.Parallel()
	f := filmtest.Open(t, filmtest.Named("api", 3), export.Options{Keys: filmtest.Keys(t, "Type \"f\"\n\nWait+Screen /never there/\nEnter")})
	for {
		if _, err := f.Next(); err != nil {
			if want := "line 3 of the keys: never on the screen: never there"; err.Error() != want {
				t.Errorf("it ends with %q, want %q", err, want)
			}
			return
		}
	}
}

func TestParseKeysRefuses(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"Ctrl+C":                           `line 1 of the keys: "Ctrl+C" is none of Type, Sleep`,
		"\n\nenter":                        `line 3 of the keys: "enter" is none of`,
		"Type x":                           `Type is not followed by "…"`,
		"Type \"a\"b\"":                    `Type is not followed by`,
		"Type \"\"":                        `Type is not followed by`,
		"Type \"\x1b[A\"":                  `Type is not followed by`,
		"Type \"\xff\"":                    `Type is not followed by`,
		"Enter twice":                      `Enter "twice": how often is a number from 1 to 1000`,
		"Tab 0":                            `how often`,
		"Tab 1001":                         `how often`,
		"Sleep":                            `Sleep "": use a time up to 1h`,
		"Sleep -1s":                        `Sleep "-1s"`,
		"Sleep 2h":                         `Sleep "2h"`,
		"Sleep 9e99":                       `Sleep "9e99"`,
		"Sleep NaN":                        `Sleep "NaN"`,
		"Wait+Screen":                      `Wait+Screen is not followed by /…/`,
		"Wait+Screen /(/":                  `Wait+Screen: "(" is no regular expression`,
		"Wait /x/":                         `"Wait" is none of`,
		strings.Repeat("Tab 1000\n", 11):   `line 11 of the keys: more than 10000 keys`,
		strings.Repeat("# long\n", 10_000): `keys of more than 65536 bytes`,
	} {
		_, err := export.ParseKeys(script)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", script, err, want)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	for _, script := range []string{"Type \"f b\"\nEnter\nTab 3\nSleep 500ms", "Sleep 2\nWait+Screen /\\d+ %/", "# x\n\nType x", "Space\r\nEscape 9\r\n"} {
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script string) {
		_, err := export.ParseKeys(script)
		if err != nil && strings.ContainsAny(err.Error(), "\n\r\x1b") {
			t.Errorf("%q: an error of %q", script, err)
		}
	})
}
