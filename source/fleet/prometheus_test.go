package fleet

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

func TestRefresh(t *testing.T) {
	t.Parallel()
	p := feedOf(t, standIn(3))
	r := p.Refresh(t.Context())
	if r.Fault != nil || r.Lack != nil || len(r.Hosts) != 3 {
		t.Fatalf("%+v", r)
	}
	table := new(Table)
	table.Take(r, time.Now())
	rows := table.Rows(nil, time.Now())

	Order{Column: ColumnHost}.Sort(rows)
	want := Summary{
		Used: 564, Usable: 28232, TimeWait: 282, Plateau: 664, Closes: 118.4, Verdict: VerdictSteady, Holder: "api",
		Destination: source.Addr4([4]byte{10, 0, 9, 2}), Port: 5432, Failed: 3, Observed: true, Exhausted: 12500 * time.Millisecond, Day: true,
	}
	if diff := cmp.Diff(want, rows[2].Summary); diff != "" || rows[2].Name != "web-0002.example.org" {
		t.Errorf("%s (-want +got):\n%s", rows[2].Name, diff)
	}
	if age := rows[2].Age; age < time.Second || age > time.Minute {
		t.Errorf("it is %v old", age)
	}
}

// A host that Prometheus can't read says so, with what it was before; so does one
// of which it has nothing any more.
func TestHostsThatPrometheusHasNot(t *testing.T) {
	t.Parallel()
	var figures, who, none answer
	for _, host := range []string{"a:1", "b:1"} {
		figures.add("2", "__name__", "ephtop_level", "job", "e", "instance", host)
		figures.add("100", "__name__", "ephtop_usable_ports", "job", "e", "instance", host)
		figures.add("0", "__name__", "ephtop_worst_used_ports", "job", "e", "instance", host)
		figures.add("1764000000", "__name__", "ephtop_last_poll_timestamp_seconds", "job", "e", "instance", host)
	}
	who.add("0", "__name__", "up", "job", "e", "instance", "c:1")
	var k known
	first := (&answers{vector(t, figures.text()), vector(t, who.text()), nil}).hosts(&k, noon)
	var less answer
	less.add("2", "__name__", "ephtop_level", "job", "e", "instance", "b:1")
	second := (&answers{vector(t, less.text()), vector(t, none.text()), nil}).hosts(&k, noon)
	said := func(hosts []Host) string {
		table := new(Table)
		table.Take(Report{Hosts: hosts}, noon)
		var all []string
		rows := table.Rows(nil, noon)
		Order{Column: ColumnHost}.Sort(rows)
		for _, r := range rows {
			all = append(all, r.Name+" "+r.Trouble.String())
		}
		return strings.Join(all, ", ")
	}
	if got, want := said(first), "a , b , c unreachable: Prometheus can't read it"; got != want {
		t.Errorf("at first %s, want %s", got, want)
	}
	gone := " gone: Prometheus has no figures of it any more"
	if got, want := said(second), "a"+gone+", b not understood: Prometheus has not all of its figures, c"+gone; got != want {
		t.Errorf("then %s, want %s", got, want)
	}
}

// What is no number, or is not there, is never a host that is well. What was known
// before stays.
func TestFiguresThatAreMissing(t *testing.T) {
	t.Parallel()
	needed := []string{metricLevel, metricUsable, metricUsed, metricPolled}
	for _, value := range []string{"", "NaN", "-1", "+Inf"} {
		for _, missing := range needed {
			var k known
			table := new(Table)
			for refresh := range 2 {
				var figures answer
				for _, name := range needed {
					switch {
					case refresh == 0 || name != missing:
						figures.add("3", "__name__", metricPrefix+name, "instance", "a:1")
					case value != "":
						figures.add(value, "__name__", metricPrefix+name, "instance", "a:1")
					}
				}
				table.Take(Report{Hosts: (&answers{figures: vector(t, figures.text())}).hosts(&k, noon)}, noon)
			}
			r := table.Rows(nil, noon)[0]
			if got, want := r.Trouble.String(), "not understood: Prometheus has not all of its figures"; got != want || r.Standing != StandingSilent {
				t.Errorf("%s of %q: %q, standing %d; want %q", missing, value, got, r.Standing, want)
			}
			if r.Level != LevelExhausted || r.Usable != 3 || r.Used != 3 {
				t.Errorf("%s of %q: before it was %+v", missing, value, r.Summary)
			}
		}
	}
}

// What is no number of the last day is not known.
func TestALastDayThatIsNoNumber(t *testing.T) {
	t.Parallel()
	var h Host
	h.lastDay(&sample{value: math.NaN()})
	h.lastDay(&sample{labels: map[string]string{"level": "exhausted"}, value: math.NaN()})
	if h.Day || h.Observed {
		t.Errorf("%+v", h.Summary)
	}
}

// A host is as old as what Prometheus has of it, whatever the host's clock says; but
// polls that hang get old, and are so from the start where they did before.
func TestAgeByPrometheus(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, test := range []struct {
		name string
		seen []polled // seconds since noon
		want []time.Duration
	}{
		{"clocks agree", []polled{{-1, 0, -1, false}, {4, 5, 5, false}}, []time.Duration{s, 0}},
		{"4 min behind", []polled{{-241, 0, -1, false}, {-236, 5, 4, false}}, []time.Duration{s, s}},
		{"2 h ahead", []polled{{7199, 0, -1, false}, {7199, 5, -1, false}, {7214, 15, 14, false}}, []time.Duration{s, 6 * s, s}},
		{"polls that hang, read all the same", []polled{{-240, 0, -1, false}, {-240, 15, 14, false}, {-240, 30, 29, false}}, []time.Duration{s, 16 * s, 31 * s}},
		{"hung before", []polled{{-3600, 0, -1, true}, {-3600, 15, 14, true}}, []time.Duration{3600 * s, 3615 * s}},
		{"hung before, 2 h ahead", []polled{{3600, 0, -1, true}}, []time.Duration{PrometheusPatience + s}},
		{"hung, and goes on", []polled{{-3600, 0, -1, true}, {14, 15, 15, false}}, []time.Duration{3600 * s, 0}},
		{"not read by Prometheus for a while", []polled{{-1, 0, -1, false}, {-1, 60, -1, false}}, []time.Duration{s, 61 * s}},
		{"when it was read is not told", []polled{{-5, 0, 0, false}, {-5, 9, 0, false}}, []time.Duration{0, 9 * s}},
	} {
		seen := make(polls)
		for i, p := range test.seen {
			at := func(seconds float64) float64 { return float64(noon.Unix()) + seconds }
			p.poll, p.asked = at(p.poll), at(p.asked)
			if p.read != 0 {
				p.read = at(p.read)
			}
			if got := seen.age(target{}, &p); got != test.want[i] {
				t.Errorf("%s, %d: %v old, want %v", test.name, i, got, test.want[i])
			}
		}
	}
}

func vector(t *testing.T, text string) (all []sample) {
	t.Helper()
	if err := readVector(strings.NewReader(text), func(s *sample) { all = append(all, *s) }); err != nil {
		t.Fatal(err)
	}
	return all
}

// Instances lose their ports where all have one, but no two hosts become one, and
// none ever changes its name.
func TestHostNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		first, then []target
		want        map[target]string
	}{
		{[]target{{"e", "a:1"}, {"e", "b:2"}}, nil, map[target]string{{"e", "a:1"}: "a", {"e", "b:2"}: "b"}},
		{[]target{{"e", "[::1]:9"}}, nil, map[target]string{{"e", "[::1]:9"}: "::1"}},
		{[]target{{"e", "a:1"}, {"e", "b"}}, nil, map[target]string{{"e", "a:1"}: "a:1", {"e", "b"}: "b"}},
		{[]target{{"e", "a:1"}, {"e", "a:2"}}, nil, map[target]string{{"e", "a:1"}: "a:1", {"e", "a:2"}: "a:2"}},
		{[]target{{"e", "a:1"}}, []target{{"e", "a:1"}, {"e", "a:2"}, {"e", "b"}}, map[target]string{{"e", "a:1"}: "a", {"e", "a:2"}: "a:2", {"e", "b"}: "b"}},
		{[]target{{"e", "a:1"}, {"f", "a:1"}}, nil, map[target]string{{"e", "a:1"}: "a", {"f", "a:1"}: "a:1"}},
		{[]target{{"e", "a"}, {"f", "a"}, {"g", ""}}, nil, map[target]string{{"e", "a"}: "a", {"f", "a"}: "a (f)", {"g", ""}: "no instance"}},
	} {
		var k known
		k.name(test.first)
		if diff := cmp.Diff(test.want, k.name(test.then), cmp.AllowUnexported(target{})); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.first, diff)
		}
	}
}

// A host is opened by its name alone, if that is one.
func TestPrometheusTarget(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"web-01": "web-01", "web-01:10768": "web-01", "[::1]:10768": "::1", "web-01:10768 (ephtop)": "web-01", "::1": "::1"} {
		if got, err := PrometheusTarget(name); err != nil || got.String() != want {
			t.Errorf("%s is %v, %v; want %s", name, got, err, want)
		}
	}
	for _, name := range []string{"-oProxyCommand=id", "-oProxyCommand=id:9", "a b", "no instance", ""} {
		if got, err := PrometheusTarget(name); err == nil {
			t.Errorf("%q is %v", name, got)
		}
	}
}

// Whatever answers in Prometheus' place, it is one line that says what and where,
// and neither name nor password.
func TestBadAnswers(t *testing.T) {
	t.Parallel()
	page := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); fmt.Fprint(w, text) }
	}
	var good answer
	good.add("1", "__name__", "ephtop_level", "instance", "a:1")
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"500":            {page(500, "no such disk\nsecond line"), "it answers HTTP 500: no such disk"},
		"500 of the API": {page(503, `{"status":"error","errorType":"unavailable","error":"query timed out\nat once"}`), "it answers HTTP 503: query timed out"},
		"500 of a proxy": {page(502, "<html><h1>Bad Gateway</h1>"), "it answers HTTP 502: is this Prometheus?"},
		"HTML":           {page(200, "<!DOCTYPE html><html>Welcome"), "it answers what is no JSON: is this Prometheus?"},
		"404":            {page(404, "404 page not found"), "it answers HTTP 404: is this Prometheus?"},
		"404 of a page":  {page(404, "\n<html>Not found"), "it answers HTTP 404: is this Prometheus?"},
		"not HTTP": {func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			fmt.Fprint(c, "SSH-2.0-OpenSSH_10.0\r\n")
			c.Close()
		}, `net/http: HTTP/1.x transport connection broken: malformed HTTP response "SSH-2.0-OpenSSH_10.0"`},
		"half a JSON":  {page(200, good.text()[:80]), "its answer ends in the middle"},
		"half a value": {page(200, good.text()[:130]), "its answer ends in the middle"},
		"nothing":      {page(200, ""), "its answer is empty"},
		"no password":  {page(401, "Unauthorized"), "it answers HTTP 401: name and password stand in the URL, as in http://user:password@host:9090"},
		"a refusal":    {page(200, `{"status":"error","error":"too many samples"}`), "it refuses: too many samples"},
		"another API":  {page(200, `{"status":"success","data":{"resultType":"matrix","result":[]}}`), "its answer is not that of Prometheus' API"},
		"a list":       {page(200, `[1,2]`), "its answer is not that of Prometheus' API"},
		"other types":  {page(200, `{"status":"success","data":{"resultType":"vector","result":[{"metric":3}]}}`), "its answer is not that of Prometheus' API"},
		"no figure":    {page(200, strings.Replace(good.text(), `"1"`, `"one"`, 1)), "its answer is not that of Prometheus' API"},
		"hanging up": {func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			c.Close()
		}, "it hangs up"},
		"silence":          {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "no answer in 10s"},
		"a million series": {million, fmt.Sprint(errMuch)},
		"without an end": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"warnings":["`)
			for ; r.Context().Err() == nil; w.Write(bytes.Repeat([]byte{'x'}, 1<<20)) {
			}
		}, fmt.Sprint(errMuch)},
		"an address that is another": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "gopher://someone:secret@example.org/", http.StatusFound)
		}, `unsupported protocol scheme "gopher"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := feedOf(t, test.answer)
			p.client.Timeout = time.Hour
			if name == "silence" {
				p.client.Timeout = 50 * time.Millisecond
			}
			r := p.Refresh(t.Context())
			if want := p.Where() + ": " + test.want; r.Fault == nil || r.Fault.Error() != want || len(r.Hosts) > 0 {
				t.Errorf("%v, %d hosts; want %s", r.Fault, len(r.Hosts), want)
			}
			if where := p.Where(); strings.Contains(where, "someone") || strings.Contains(where, "secret") || !strings.HasPrefix(where, "Prometheus at http://127.0.0.1:") {
				t.Errorf("it is %s", where)
			}
		})
	}
}

// million answers the first question with more than anybody wants.
func million(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("query") != figuresExpr("") {
		fmt.Fprint(w, new(answer).text())
		return
	}
	fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[`)
	thousand := bytes.Repeat([]byte(`{"metric":{"instance":"h:1"},"value":[1,"1"]},`), 1000)
	for range 1000 {
		if _, err := w.Write(thousand); err != nil {
			return
		}
	}
}

// Nothing to connect to is a line too, and so is a server that has no figures.
func TestNoPrometheus(t *testing.T) {
	t.Parallel()
	p, err := NewPrometheus("http://someone:secret@127.0.0.1:1/prefix", "", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	const want = "Prometheus at http://127.0.0.1:1/prefix: dial tcp 127.0.0.1:1: connect: connection refused"
	if r := p.Refresh(t.Context()); r.Fault == nil || r.Fault.Error() != want {
		t.Errorf("%v, want %s", r.Fault, want)
	}
	if r := feedOf(t, standIn(0)).Refresh(t.Context()); r.Fault != nil || r.Lack == nil || !strings.HasSuffix(r.Lack.Error(), "it has no figures of ephtop serve, or none that --match picks") {
		t.Errorf("without figures: %+v", r)
	}
	for _, bad := range []string{"", "prometheus:9090", "ftp://x", "http://", "http://u:secret@h:port", "http://h?query=secret", "/secret"} {
		if _, err := NewPrometheus(bad, "", time.Second); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// The last day is a thing of its own: where it can't be had, all else is there.
func TestTheLastDayMayBeMissing(t *testing.T) {
	t.Parallel()
	all := standIn(2)
	p := feedOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("query") == dayExpr("") {
			http.Error(w, `{"status":"error","error":"query processing would load too many samples"}`, http.StatusUnprocessableEntity)
			return
		}
		all.ServeHTTP(w, r)
	}))
	r := p.Refresh(t.Context())
	want := p.Where() + ": the last day is not known: it answers HTTP 422: query processing would load too many samples"
	if r.Fault != nil || r.Lack == nil || r.Lack.Error() != want || len(r.Hosts) != 2 || r.Hosts[0].Day {
		t.Errorf("%+v, want %s", r, want)
	}
}

// The feed tells again and again, and ends with its context, wherever it is.
func TestPrometheusRun(t *testing.T) {
	t.Parallel()
	p := feedOf(t, standIn(1))
	p.interval = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	p.Run(ctx, func(r Report) {
		if n++; n == 3 {
			cancel()
		}
		if len(r.Hosts) != 1 {
			t.Errorf("%+v", r)
		}
	})
	if n != 3 {
		t.Errorf("told %d times", n)
	}
}

func FuzzReadVector(f *testing.F) {
	var good answer
	good.add("1.5", "__name__", "ephtop_level", "instance", "a:1", "job", "e")
	good.add("+Inf", "__name__", "ephtop_worst_exhaustion_seconds", "instance", "a:1")
	good.add("NaN", "__name__", "up", "instance", "b:1")
	for _, text := range []string{good.text(), `{"status":"error","error":"no"}`, "<html>", "", "[", `{"data":null}`, `{"data":{"result":[{"value":[1e999,"-1e308"]}]}}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var all []sample
		err := readVector(strings.NewReader(text), func(s *sample) { all = append(all, *s) })
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q takes more than a line", err)
		}
		hosts := (&answers{all, all, all}).hosts(new(known), noon)
		for _, h := range hosts {
			if h.Name == "" || h.Used < 0 || h.Plateau < 0 || h.In < 0 || h.Exhausted < 0 || h.Time.After(noon) || h.Level > LevelExhausted {
				t.Errorf("%+v", h)
			}
		}
		table := new(Table)
		table.Take(Report{Hosts: hosts}, noon)
		if got := table.Rows(nil, noon); len(got) != table.Len() {
			t.Errorf("%d rows of %d", len(got), table.Len())
		}
	})
}
