package trace

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRecordLayout(t *testing.T) {
	t.Parallel()
	text := string(testdata(t, "format"))
	got, err := parseRecordLayout(text)
	if err != nil {
		t.Fatal(err)
	}
	want := recordLayout{
		id: 2287, kind: field{0, 2}, tid: field{4, 4},
		oldState: field{16, 4}, newState: field{20, 4},
		localPort: field{24, 2}, remotePort: field{26, 2}, family: field{28, 2},
		local4: field{32, 4}, remote4: field{36, 4}, local6: field{40, 16}, remote6: field{56, 16},
		size: 72,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(recordLayout{}, field{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, test := range []struct{ name, old, new string }{
		{"no id", "ID: 2287", ""},
		{"id too large", "ID: 2287", "ID: 65536"},
		{"no such field", "field:__u16 sport;", "field:__u16 source;"},
		{"field of another size", "offset:24;\tsize:2;", "offset:24;\tsize:4;"},
		{"offset that is no number", "offset:24;", "offset:x;"},
		{"offset below 0", "offset:24;", "offset:-24;"},
		{"offset that is too large", "offset:24;", "offset:99999999;"},
		{"no offset", "offset:24;", "place:24;"},
		{"line cut short", "sport;\toffset:24;\tsize:2;\tsigned:0;", "sport;"},
	} {
		changed := strings.Replace(text, test.old, test.new, 1)
		if changed == text {
			t.Fatalf("%s: the test changes nothing", test.name)
		}
		if _, err := parseRecordLayout(changed); !errors.Is(err, errFormat) {
			t.Errorf("%s: error %v, want errFormat", test.name, err)
		}
	}
}

func TestParsePageLayout(t *testing.T) {
	t.Parallel()
	text := string(testdata(t, "header_page"))
	got, err := parsePageLayout(text)
	if want := (pageLayout{field{0, 8}, field{8, 8}, field{16, 4080}}); got != want || err != nil {
		t.Errorf("%+v, error %v; want %+v", got, err, want)
	}
	for _, name := range []string{"timestamp", "commit", "data"} {
		if _, err := parsePageLayout(strings.Replace(text, name, "x", 1)); !errors.Is(err, errFormat) {
			t.Errorf("without %s: error %v, want errFormat", name, err)
		}
	}
}

// Whatever a kernel says of its layout, pages are read without a panic.
func FuzzLayout(f *testing.F) {
	page := testdata(f, "mixed.page")
	f.Add(string(testdata(f, "header_page")), string(testdata(f, "format")))
	f.Add("field:x timestamp; offset:0; size:8;\nfield:c commit; offset:65536; size:8;\nfield:d data; offset:1; size:1;", "ID: 1")
	f.Fuzz(func(t *testing.T, header, format string) {
		p, err1 := parsePageLayout(header)
		r, err2 := parseRecordLayout(format)
		if err1 != nil || err2 != nil {
			return
		}
		d := decoder{p, r, nativeOrder()}
		if _, _, err := d.decode(page, nil); err != nil && !errors.Is(err, errPage) {
			t.Errorf("error %v", err)
		}
	})
}
