package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A line has what the object has, names and all.
func TestJSONLine(t *testing.T) {
	t.Parallel()
	st := busyHost()
	for i, name := range []string{"  a\n  b", "\\n  ", "{\"x\": 1}", "\u2028 c"} {
		st.Processes[i%len(st.Processes)].Name = name
		var whole, line any
		o := Options{Rows: []int32{established, timeWaitInferred}}
		page := written(t, JSONLine, st, o)
		if n := bytes.Count(page, []byte("\n")); n != 1 || page[len(page)-1] != '\n' {
			t.Errorf("%q: %d lines", name, n)
		}
		if err := json.Unmarshal(page, &line); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written(t, JSON, st, o), &whole); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(line, whole) {
			t.Errorf("%q: the line is another object", name)
		}
	}
}

// The figures are those of the other reports, and empty where nothing is known.
func TestSeries(t *testing.T) {
	t.Parallel()
	var page bytes.Buffer
	s := NewSeries(&page)
	loud := diagnoses()["loud"].State
	loud.Processes[java].Name = "=java\x1b[31m"
	for _, err := range []error{s.Add(loud, Options{}), s.Add(idleHost(), Options{})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	records, err := csv.NewReader(&page).ReadAll()
	if err != nil || len(records) != 3 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	header := records[0]
	sorted := slices.Sorted(slices.Values(header))
	if names := slices.Compact(sorted); len(names) != len(header) {
		t.Errorf("two columns have one name: %q", header)
	}
	for i, want := range []map[string]string{
		{
			"time": "2026-11-22T12:04:31.120Z", "host": "web-01", "level": "warning", "usable": "28222", "tcp_in_use": "18330", "tcp_percent": "64.9",
			"worst_proto": "tcp", "worst_source": "10.0.0.9", "worst_destination": "10.0.9.2", "worst_port": "5432", "worst_used": "18006", "worst_free": "10216",
			"worst_percent": "63.8", "worst_time_wait": "9804", "verdict": "full", "in_seconds": "86", "settles_at": "", "holder_pid": "3120",
			"holder": "'=java", "failures": "30", "established": "5871", "time_wait": "11204",
		},
		{"level": "ok", "worst_destination": "", "worst_port": "", "in_seconds": "", "holder_pid": "", "holder": "", "holder_owner": "", "failures": ""},
	} {
		for column, value := range want {
			at := slices.Index(header, column)
			if at < 0 {
				t.Fatalf("no column %s in %s", column, strings.Join(header, ","))
			}
			if got := records[i+1][at]; got != value {
				t.Errorf("moment %d: %s is %q, want %q", i, column, got, value)
			}
		}
	}
}
