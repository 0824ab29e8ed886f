package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"ephtop/source/recording"
)

// FuzzExport exports whatever a recording may hold to every format: to text that
// commands no terminal, or to one line that says why not.
func FuzzExport(f *testing.F) {
	f.Add("2026-11-22T12:00:00Z", `{"n":0,"t":0,"full":true,"scopes":1,"os":"linux","host":"a\u001b[31m</script>","processes":[{"id":1,"pid":-7,"name":"=a\u202e\n|b<b>"}]}`+"\n"+
		`{"n":0,"scope":{"netns":5,"name":"<b>]]>"},"settings":{"range":{"low":40000,"high":40009},"time_wait":60},"sockets":[`+
		`{"process":1,"local":"10.0.0.1","local_port":40001,"remote":"10.0.0.2","remote_port":80,"proto":"tcp","state":"ESTABLISHED","rx":4294967295},`+
		`{"local":"10.0.0.1","local_port":40002,"remote":"10.0.0.2","remote_port":80,"proto":"tcp","state":"TIME_WAIT","timer":"timewait","until":4294967}]}`)
	f.Add("9999-12-30T00:00:00Z", `{"n":0,"t":0,"full":true,"scopes":1,"mono":1,"took":-9223372036.854775808,"lost_events":9223372036854775807,`+
		`"quiet":[{"bound":9223372036854775807,"usable":-9223372036854775808}],"events":[{"at":3,"kind":"closed","tuple":{"proto":"tcp"},"process":{"pid":-1}}]}`+"\n"+
		`{"n":0,"scope":{},"age":-9223372036,"settings":{"range":{"low":1,"high":1},"time_wait":9223372036,"reuse_delay":9223372036}}`+"\n"+
		`{"n":1,"t":9223372036,"scopes":1,"mono":9223372036,"took":9223372036}`+"\n"+
		`{"n":1,"scope":{},"age":9223372036,"sockets":[{"local_port":1,"remote_port":1,"proto":"tcp","state":"ESTABLISHED"},{"local_port":2,"proto":"udp","state":"BOUND"}]}`)
	f.Add("0000-01-02T00:00:00Z", `{"n":0,"t":0,"full":true,"scopes":0,"limits":[{"code":"hidden","detail":"-1"}]}`)
	f.Add("2026-11-22T12:00:00Z", "")
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<15))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, start, lines string) {
		header, _ := json.Marshal(map[string]any{"recording": "ephtop", "version": recording.Version, "start": start})
		if len(lines) > 1<<12 {
			return
		}
		path := filepath.Join(t.TempDir(), "hostile.eph")
		if err := os.WriteFile(path, enc.EncodeAll([]byte(string(header)+"\n"+lines+"\n"), nil), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, format := range exportFormats() {
			args := []string{path, "-"}
			if format.frames {
				args = append(args, "--size", "80x24", "--speed", "16", "--idle-limit", "1s", "--findings")
			}
			for _, more := range [][]string{nil, {"--as-is"}} {
				page, said, status := exportOf(t, format.name, append(args, more...)...)
				checkExport(t, format.name, page, said, status)
			}
		}
	})
}

func checkExport(t *testing.T, format, page, said string, status int) {
	t.Helper()
	harmless := func(s string) {
		if !utf8.ValidString(s) {
			t.Errorf("%s: no UTF-8: %q", format, s)
		}
		if i := strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Bidi_Control, r) }); i >= 0 {
			t.Errorf("%s: a control character in …%q", format, s[i:min(len(s), i+40)])
		}
	}
	harmless(said)
	if before := status == 1 && strings.Contains(said, "is damaged at moment ") && strings.Contains(said, ": this is of what was before, "); status != 0 && !before {
		if lines := strings.Count(said, "\n"); lines != 1 || strings.Contains(said, "panic") {
			t.Errorf("%s: status %d, %d lines: %s", format, status, lines, said)
		}
		return
	}
	harmless(page)
	if format == "html" { // which has two scripts of its own: the film, and what plays it
		if n := strings.Count(page, "<script"); n != 2 {
			t.Errorf("html: %d scripts", n)
		}
		page = strings.ReplaceAll(page, "<script", "")
	}
	for _, mark := range []string{"<script", "<b>", "<img", "javascript:"} {
		if format != "json" && format != "csv" && format != "cast" && strings.Contains(page, mark) {
			t.Errorf("%s: %s in %s", format, mark, page)
		}
	}
	if page == "" {
		t.Errorf("%s: nothing was written: %s", format, said)
	}
}
