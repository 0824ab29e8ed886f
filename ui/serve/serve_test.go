package serve

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// answer is how long an answer may take before a test gives up.
const answer = time.Minute

// started is a Server of one figure that listens on a port of its own, until the
// test ends.
type started struct {
	*Server
	address string
	stop    context.CancelFunc
	ended   chan error
}

func start(t *testing.T, from prometheus.Gatherer, config string) *started {
	t.Helper()
	s, err := New(from, config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	listeners, err := Listen([]string{"127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	run := &started{s, listeners[0].Addr().String(), stop, make(chan error, 1)}
	go func() { run.ended <- s.Serve(ctx, listeners) }()
	t.Cleanup(stop)
	return run
}

// figure is something to gather.
func figure() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "ephtop_level", Help: "The level."}, func() float64 { return 2 }))
	return registry
}

// ask asks once, on a connection of its own.
func ask(t *testing.T, client *http.Client, method, url, user string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), answer)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	if name, password, ok := strings.Cut(user, ":"); ok {
		r.SetBasicAuth(name, password)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	s := start(t, figure(), "")
	for _, test := range []struct {
		method, path string
		status       int
		has          string
	}{
		{"GET", "/metrics", 200, "\nephtop_level 2\n"},
		{"HEAD", "/metrics", 200, ""},
		{"GET", "/-/healthy", 200, "healthy"},
		{"GET", "/", 200, `<a href="metrics">`},
		{"POST", "/metrics", 405, "Method Not Allowed"},
		{"DELETE", "/", 405, "Method Not Allowed"},
		{"GET", "/debug/pprof/", 404, "404 page not found"},
		{"GET", "/../../etc/passwd", 404, "404 page not found"},
		{"GET", "/metrics/x", 404, "404 page not found"},
	} {
		status, body := ask(t, http.DefaultClient, test.method, "http://"+s.address+test.path, "")
		if status != test.status || !strings.Contains(body, test.has) || status == 404 && body != "404 page not found\n" {
			t.Errorf("%s %s: %d %q, want %d with %q", test.method, test.path, status, body, test.status, test.has)
		}
	}
}

// A request that names no page is answered by no handler of net/http's own.
func TestOptionsOfTheServer(t *testing.T) {
	t.Parallel()
	s := start(t, figure(), "")
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(answer))
	fmt.Fprintf(conn, "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	said, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(said), "HTTP/1.1 4") {
		t.Errorf("%q, %v", said, err)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, figure(), "")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			answer, err := http.Get("http://" + s.address + "/metrics")
			if err != nil || answer.StatusCode != 200 {
				t.Errorf("%v, %v", answer, err)
				return
			}
			answer.Body.Close()
		})
	}
	all.Wait()
}

// Clients that say nothing, or never end, or do not read, keep nobody from
// being answered; and there is room for so many of them only.
func TestClientsThatHang(t *testing.T) {
	t.Parallel()
	s := start(t, figure(), "")
	for i := range maxConnections - 8 {
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, []string{"", "GET /metrics HTTP/1.1\r\nX: ", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"}[i%3])
	}
	if status, _ := ask(t, http.DefaultClient, "GET", "http://"+s.address+"/metrics", ""); status != 200 {
		t.Errorf("beside them the status is %d", status)
	}
}

// dialed connects, and says so much.
func (s *started) dialed(t *testing.T, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

// until waits for what the server knows of its clients.
func (s *started) until(so func(*clients) bool) {
	c := &s.clients
	is := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return so(c)
	}
	for end := time.Now().Add(answer); !is() && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
}

// gone tells whether the other side closes a connection.
func gone(c net.Conn) bool {
	c.SetReadDeadline(time.Now().Add(answer))
	_, err := io.Copy(io.Discard, c)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// Who keeps connections and asks nothing locks nobody out: the oldest of them gives
// way, and no more of them are open than may be.
func TestOneConnectionTooMany(t *testing.T) {
	t.Parallel()
	const healthy = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"
	s := start(t, figure(), "")
	var had []net.Conn
	for n := range 2 * maxConnections {
		text := healthy
		if n%2 > 0 {
			text = "" // and it never says anything
		}
		c := s.dialed(t, text)
		had = append(had, c)
		if text != "" {
			if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
				t.Fatalf("connection %d: %v", n, err)
			}
		}
		s.until(func(c *clients) bool { return len(c.waiting) == min(n+1, maxConnections) })
	}
	for n, c := range had[:maxConnections] {
		if !gone(c) {
			t.Fatalf("connection %d is kept", n)
		}
	}
	fmt.Fprint(had[2*maxConnections-2], healthy)
	if _, err := http.ReadResponse(bufio.NewReader(had[2*maxConnections-2]), nil); err != nil {
		t.Errorf("of the last ones, one that asks again: %v", err)
	}
}

// One that is being answered gives way to nobody.
func TestOneTooManyBesideBusyOnes(t *testing.T) {
	t.Parallel()
	slow := &waiting{make(chan struct{}), make(chan struct{})}
	registry := figure()
	registry.MustRegister(slow)
	s := start(t, registry, "")
	var busy []net.Conn
	for range maxConnections {
		busy = append(busy, s.dialed(t, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
		<-slow.asked
	}
	if !gone(s.dialed(t, "")) {
		t.Error("one more is kept")
	}
	close(slow.goOn)
	for n, c := range busy {
		if text, err := io.ReadAll(c); err != nil || !strings.Contains(string(text), "ephtop_level 2") {
			t.Errorf("answer %d: %q, %v", n, text, err)
		}
	}
	s.until(func(c *clients) bool { return c.open == 0 })
	if status, _ := ask(t, http.DefaultClient, "GET", "http://"+s.address+"/-/healthy", ""); status != 200 {
		t.Errorf("when they have gone the status is %d", status)
	}
}

// Who does not end a request is sent away.
func TestAClientThatSaysNothingIsSentAway(t *testing.T) {
	t.Parallel()
	s := start(t, figure(), "")
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET /metrics HTTP/1.1\r\n")
	c.SetReadDeadline(time.Now().Add(answer))
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("it is kept: %v", err)
	}
}

// waiting is gathered when it is let go.
type waiting struct{ asked, goOn chan struct{} }

func (w *waiting) Describe(chan<- *prometheus.Desc) {}

func (w *waiting) Collect(chan<- prometheus.Metric) {
	w.asked <- struct{}{}
	<-w.goOn
}

// An answer that has begun comes to its end, and then nobody listens any more.
func TestEndsInOrder(t *testing.T) {
	t.Parallel()
	slow := &waiting{make(chan struct{}), make(chan struct{})}
	registry := figure()
	registry.MustRegister(slow)
	s := start(t, registry, "")
	body := make(chan string)
	go func() {
		_, text := ask(t, http.DefaultClient, "GET", "http://"+s.address+"/metrics", "")
		body <- text
	}()
	<-slow.asked
	s.stop()
	close(slow.goOn)
	if text := <-body; !strings.Contains(text, "ephtop_level 2") {
		t.Errorf("the answer is %q", text)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("it ends with %v", err)
	}
	if c, err := net.Dial("tcp", s.address); err == nil {
		c.Close()
		t.Error("somebody listens")
	}
}

// One who never reads on holds the end up for a while only.
func TestEndsBesideOneThatHangs(t *testing.T) {
	t.Parallel()
	slow := &waiting{make(chan struct{}), make(chan struct{})}
	registry := figure()
	registry.MustRegister(slow)
	s := start(t, registry, "")
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
	<-slow.asked
	defer close(slow.goOn)
	s.stop()
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(answer):
		t.Error("it does not end")
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	all, err := Listen([]string{"127.0.0.1:0", "127.0.0.1:0"})
	if err != nil || len(all) != 2 {
		t.Fatalf("%d listeners, %v", len(all), err)
	}
	defer all[1].Close()
	free := all[0].Addr().String()
	all[0].Close()
	if _, err := Listen([]string{free, all[1].Addr().String()}); err == nil || !strings.Contains(err.Error(), all[1].Addr().String()) {
		t.Errorf("an address in use: %v", err)
	}
	l, err := net.Listen("tcp", free)
	if err != nil {
		t.Fatalf("the other one is kept: %v", err)
	}
	l.Close()
}
