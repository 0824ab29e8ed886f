package fleet

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

const failingLine = `{"time":"2026-11-22T12:04:31.120Z","host":"web-01","version":"v1.2.3","level":"exhausted",` +
	`"worst":{"proto":"tcp","source":"10.0.0.9","destination":"10.0.9.2","port":5432,"used":28000,"usable":28232,"percent":99.2,"time_wait":9804,"plateau":45864,"closes_per_second":412.3},` +
	`"holder":{"pid":3120,"name":"java","owner":"inferred"},"outlook":{"verdict":"full","in_seconds":1.5,"settles_at":null},` +
	`"failures":{"observed":true,"connects":42,"seconds":300},"namespace":"shop/api-7d9f"}`

func TestParseLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, line string
		want       Summary
	}{
		{"one that fails", failingLine, Summary{
			Level: LevelExhausted, Source: source.Addr4([4]byte{10, 0, 0, 9}), Destination: source.Addr4([4]byte{10, 0, 9, 2}), Port: 5432, Used: 28000, Usable: 28232, TimeWait: 9804,
			Plateau: 45864, Closes: 412.3, Verdict: VerdictFull, In: 1500 * time.Millisecond, Holder: "java", Likely: true,
			Failed: 42, Observed: true, Namespace: "shop/api-7d9f",
		}},
		{"of the host itself, which is idle", `{"time":"t","level":"ok","worst":{"proto":"tcp","usable":10},"holder":null,"outlook":{"verdict":"unknown"},"namespace":"host"}`,
			Summary{Usable: 10, Verdict: VerdictUnknown}},
		{"UDP", `{"time":"t","level":"warning","worst":{"proto":"udp","used":7,"usable":10}}`, Summary{Level: LevelWarning, UDP: true, Used: 7, Usable: 10, Verdict: VerdictUnknown}},
		{"of a later version", `{"time":"t","level":"ok","new":[1,{}],"worst":{"proto":"quic","destination":"a name","port":9},"outlook":{"verdict":"stumbles","in_seconds":1e300}}`,
			Summary{Verdict: VerdictUnknown, In: mostOutlook}},
	} {
		l, err := ParseLine([]byte(test.line + "\n"))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, l.Summary()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestParseLineRefuses(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"", "{}", "null", "[]", "Welcome to web-01!", failingLine[:200], failingLine + failingLine,
		strings.Replace(failingLine, "exhausted", "fine", 1), strings.Replace(failingLine, `"used":28000`, `"used":-1`, 1),
		strings.Replace(failingLine, `"port":5432`, `"port":70000`, 1), strings.Replace(failingLine, `"time":"2026-11-22T12:04:31.120Z",`, "", 1),
		strings.Replace(failingLine, "web-01", strings.Repeat("x", LongestLine), 1),
	} {
		if l, err := ParseLine([]byte(line)); err == nil {
			t.Errorf("%.80q is a line: %+v", line, l)
		}
	}
}

// What is read is what was written.
func TestLineThereAndBack(t *testing.T) {
	t.Parallel()
	l, err := ParseLine([]byte(failingLine))
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.AppendJSON([]byte("before "))
	if err != nil || string(b) != "before "+failingLine+"\n" {
		t.Errorf("%s, %v", b, err)
	}
}

func FuzzParseLine(f *testing.F) {
	for _, line := range []string{failingLine, "{}", "", `{"time":"t","level":"ok","worst":{"used":9223372036854775807},"outlook":{"in_seconds":-1}}`, `{"holder":{"name":"\u001b[31m"}}`} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ParseLine(b)
		if err != nil {
			return
		}
		s := l.Summary()
		if s.Percent() < 0 || s.In < 0 || s.TimeWait > s.Used || s.Level > LevelExhausted || len(s.Holder) > longest || len(s.Namespace) > longest {
			t.Errorf("%+v", s)
		}
		out, err := l.AppendJSON(nil)
		if err != nil || bytes.Count(out, []byte("\n")) != 1 {
			t.Errorf("%q, %v", out, err)
		}
	})
}
