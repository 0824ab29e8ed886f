package fleet

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// answer writes samples as Prometheus does.
type answer struct{ bytes.Buffer }

func (a *answer) add(value string, labels ...string) {
	if a.Len() == 0 {
		a.WriteString(`{"status":"success","data":{"resultType":"vector","result":[`)
	} else {
		a.WriteByte(',')
	}
	a.WriteString(`{"metric":{`)
	for i := 0; i < len(labels); i += 2 {
		if i > 0 {
			a.WriteByte(',')
		}
		fmt.Fprintf(a, "%q:%q", labels[i], labels[i+1])
	}
	fmt.Fprintf(a, `},"value":[%d.25,%q]}`, noon.Unix(), value)
}

func (a *answer) text() string {
	if a.Len() == 0 {
		return `{"status":"success","data":{"resultType":"vector","result":[]}}`
	}
	return a.String() + "]}}\n"
}

// standIn answers the questions of the feed for so many hosts, as Prometheus would:
// the figures are those of one that was asked, with the numbers of hosts in them.
func standIn(hosts int) http.Handler {
	var figures, who, day answer
	for i := range hosts {
		id := []string{"job", "ephtop", "instance", fmt.Sprintf("web-%04d.example.org:10768", i)}
		named := func(name string, more ...string) []string {
			return append(append([]string{"__name__", metricPrefix + name}, id...), more...)
		}
		used := 28232 * (i % 100) / 100
		level := map[bool]string{true: "0", false: "1"}[i%100 < 60]
		for name, value := range map[string]string{
			metricLevel: level, metricUsable: "28232", metricUsed: fmt.Sprint(used), metricTimeWait: fmt.Sprint(used / 2), metricPlateau: fmt.Sprint(used + 100),
			metricCloses: "118.4", metricIn: "+Inf", metricPolled: fmt.Sprint(noon.Unix() - 3600),
		} {
			figures.add(value, named(name)...)
		}
		figures.add(fmt.Sprint(noon.Unix()-1), append([]string{labelPolled, polledRead}, id...)...)
		who.add(fmt.Sprint(used), named(metricTuple, "source", "10.0.4.7", "destination", "10.0.9.2", "port", "5432")...)
		who.add("900", named(metricProcess, "process", "api")...)
		day.add("12.5", append([]string{"level", "exhausted"}, id...)...)
		day.add("3", id...)
	}
	answers := map[string]string{figuresExpr(""): figures.text(), whoExpr(""): who.text(), dayExpr(""): day.text()}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := answers[r.FormValue("query")]
		if !ok || r.URL.Path != "/api/v1/query" {
			http.Error(w, "not asked for", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, text)
	})
}

// feedOf is a feed of what a handler answers.
func feedOf(t testing.TB, h http.Handler) *Prometheus {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	p, err := NewPrometheus(strings.Replace(server.URL, "http://", "http://someone:secret@", 1)+"/", "", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.client.CloseIdleConnections)
	return p
}

// BenchmarkRefresh asks all that there is to ask of so many hosts, and puts it in
// order.
func BenchmarkRefresh(b *testing.B) {
	for _, hosts := range []int{100, 1000} {
		b.Run(fmt.Sprint(hosts), func(b *testing.B) {
			p, table := feedOf(b, standIn(hosts)), &Table{Patience: time.Minute}
			var rows []Row
			for b.Loop() {
				p.dayUntil = time.Time{}
				table.Take(p.Refresh(b.Context()), time.Now())
				if rows = table.Rows(rows[:0], time.Now()); len(rows) != hosts || table.Fault().Err != nil {
					b.Fatalf("%d hosts, %v", len(rows), table.Fault())
				}
			}
		})
	}
}
