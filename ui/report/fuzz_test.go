package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/recording"
	"ephtop/ui/advice"
	"ephtop/ui/report"
)

// FuzzReports takes whatever a recording may hold through every report: each is
// text that a terminal, a parser and a spreadsheet take.
func FuzzReports(f *testing.F) {
	f.Add("2026-11-22T12:00:00Z", `{"n":0,"t":0,"full":true,"scopes":1,"os":"linux","host":"a\u001b[31m","processes":[{"id":1,"pid":-7,"name":"=a\u202e\n|b"}]}`+"\n"+
		`{"n":0,"scope":{"netns":5,"name":"<b>"},"settings":{"range":{"low":40000,"high":40009},"time_wait":60},"sockets":[`+
		`{"process":1,"local":"10.0.0.1","local_port":40001,"remote":"10.0.0.2","remote_port":80,"proto":"tcp","state":"ESTABLISHED","rx":4294967295},`+
		`{"local":"10.0.0.1","local_port":40002,"remote":"10.0.0.2","remote_port":80,"proto":"tcp","state":"TIME_WAIT","timer":"timewait","until":4294967}]}`)
	f.Add("9999-12-30T00:00:00Z", `{"n":0,"t":0,"full":true,"scopes":1,"mono":1,"took":-9223372036.854775808,"lost_events":9223372036854775807,`+
		`"quiet":[{"bound":9223372036854775807,"usable":-9223372036854775808}],"events":[{"at":3,"kind":"closed","tuple":{"proto":"tcp"},"process":{"pid":-1}}]}`+"\n"+
		`{"n":0,"scope":{},"age":-9223372036,"settings":{"range":{"low":1,"high":1},"time_wait":9223372036,"reuse_delay":9223372036,"max_time_wait":-9223372036854775808,"timestamps":-9}}`+"\n"+
		`{"n":1,"t":9,"scopes":1,"mono":9223372036,"took":9223372036}`+"\n"+
		`{"n":1,"scope":{},"age":9223372036,"sockets":[{"local_port":1,"remote_port":1,"proto":"tcp","state":"ESTABLISHED"},{"local_port":2,"proto":"udp","state":"BOUND"}]}`)
	f.Add("0000-01-02T00:00:00Z", `{"n":0,"t":0,"full":true,"scopes":1,"traced":true,"limits":[{"code":"hidden","detail":"-1"}]}`+"\n"+
		`{"n":0,"scope":{"kind":9},"blocked_known":true,"blocked":[[1,65535]],"settings":{"range":{"low":1,"high":65535}}}`)
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<15))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, start, lines string) {
		header, _ := json.Marshal(map[string]any{"recording": "ephtop", "version": recording.Version, "start": start})
		if len(lines) > 1<<12 {
			return
		}
		r, err := recording.Open(bytes.NewReader(enc.EncodeAll([]byte(string(header)+"\n"+lines+"\n"), nil)))
		if err != nil {
			return
		}
		defer r.Close()
		fleet := model.NewFleet(model.Options{Thresholds: model.DefaultThresholds})
		var m source.Moment
		for r.Next(&m) == nil {
			var o model.Overview
			fleet.Update(&m, &o)
			writeAll(t, &m, &o)
		}
	})
}

// writeAll writes all reports of a moment.
func writeAll(t *testing.T, m *source.Moment, o *model.Overview) {
	t.Helper()
	for _, st := range o.States {
		with := report.Options{Overview: o, Filter: "x", Protocols: []source.Proto{source.TCP, source.UDP}}
		for i := range st.Rows {
			with.Rows = append(with.Rows, int32(i))
		}
		none := source.Status{Outcome: source.OutcomeNotThere}
		d := &report.Diagnosis{State: st, Sample: advice.Sample{Polls: 1, Span: m.Took}, Evidence: &source.Evidence{
			Time: m.Time, Firewall: source.Firewall{Status: none}, Conntrack: source.Conntrack{Status: none},
			Log: source.SystemLog{Status: none}, Sysctls: source.Sysctls{Status: none},
		}}
		for name, write := range map[string]func(io.Writer) error{
			"json":          func(w io.Writer) error { return report.JSON(w, st, with) },
			"csv":           func(w io.Writer) error { return report.CSV(w, st, with) },
			"text":          func(w io.Writer) error { return report.Text(w, st, with) },
			"markdown":      func(w io.Writer) error { return report.Markdown(w, st, with) },
			"doctor":        func(w io.Writer) error { return report.DoctorText(w, d, with) },
			"doctor's json": func(w io.Writer) error { return report.DoctorJSON(w, d, with) },
			"check": func(w io.Writer) error {
				for on := report.OnTuple; on <= report.OnAny; on++ {
					if _, err := report.Check(w, o.States, o.Quiet, on); err != nil {
						return err
					}
				}
				return nil
			},
		} {
			var out bytes.Buffer
			if err := write(&out); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			checkReport(t, name, out.Bytes())
		}
	}
}

func checkReport(t *testing.T, name string, b []byte) {
	t.Helper()
	if !utf8.Valid(b) {
		t.Errorf("%s is no UTF-8: %q", name, b)
	}
	if i := strings.IndexFunc(string(b), func(r rune) bool { return unicode.IsControl(r) && r != '\n' }); i >= 0 {
		t.Errorf("%s has the control character %q", name, b[i])
	}
	switch {
	case strings.HasSuffix(name, "json"):
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Errorf("%s: %v: %s", name, err, b)
		}
		checkTimes(t, name, v)
	case name == "csv":
		if _, err := csv.NewReader(bytes.NewReader(b)).ReadAll(); err != nil {
			t.Errorf("%s: %v: %s", name, err, b)
		}
	}
}

// checkTimes looks for times that RFC 3339 doesn't have.
func checkTimes(t *testing.T, name string, v any) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			checkTimes(t, name, e)
		}
	case map[string]any:
		for key, e := range v {
			if text, ok := e.(string); ok && (key == "time" || key == "at" || strings.HasSuffix(key, "_at")) {
				if _, err := time.Parse(time.RFC3339Nano, text); err != nil {
					t.Errorf("%s: %s: %v", name, key, err)
				}
			}
			checkTimes(t, name, e)
		}
	}
}
