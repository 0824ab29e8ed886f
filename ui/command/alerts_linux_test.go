package command_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ephtop/source/netlab"
)

// TestAlerts has the real Prometheus ask two hosts, and the real Alertmanager say
// what it is told: of one whose ports run out, before that and after it, and of
// one with nearly all of its ports in use, and well, nothing.
func TestAlerts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"prometheus", "prometheus-alertmanager"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
	h := netlab.New(t, "20000 20999")
	spread(t, h, 960)
	m := monitor(t, h, map[string][]string{
		"sick": {"--demo", "no-pool", "--speed", "2", "--interval", "1s"},
		"well": {"--netns", "self", "--interval", "1s"},
	})

	churn := m.wait("EphemeralPortsChurnUnsustainable")
	exhausted := m.wait("EphemeralPortsExhausted")
	if n := m.value(`last_over_time(ephtop_level_seconds_total{instance="sick",level="exhausted"}[1m])`, churn.StartsAt); n != 0 {
		t.Errorf("no port had been left for %v s when the churn was told", n)
	}
	if !churn.StartsAt.Before(exhausted.StartsAt) {
		t.Errorf("the churn was told at %v, the exhaustion at %v", churn.StartsAt, exhausted.StartsAt)
	}
	for _, want := range []string{"10.0.9.2:5432", "api holds", "ephtop doctor"} {
		if !strings.Contains(exhausted.Annotations["description"], want) {
			t.Errorf("the exhaustion is told as %q, without %q", exhausted.Annotations["description"], want)
		}
	}
	if share := m.value(`ephtop_pool_used_ports{instance="well",proto="tcp"} / ignoring(proto) ephtop_usable_ports`, time.Now()); share < 0.95 {
		t.Errorf("the well host uses %v of its ports, want 0.96 or so", share)
	}
	for _, a := range m.alerts() {
		if a.Labels["instance"] != "sick" {
			t.Errorf("told of the well host: %v", a.Labels)
		}
	}
}

// spread opens connections over the whole range, where connect() by itself would
// keep to a half of it, until so many ports are in use: a hundred to each of as
// many destinations as that takes. Where the kernel begins is drawn at boot for
// every destination, so that how many have ports in common is chance.
func spread(t *testing.T, h *netlab.Host, ports int) {
	t.Helper()
	used := map[string]bool{}
	for i := range 200 {
		if len(used) >= ports {
			return
		}
		to := fmt.Sprintf("127.0.3.%d:80", i+1)
		h.Listen(to)
		for range 100 {
			fd, err := h.ConnectRange(20000, 20999, to)
			if errors.Is(err, syscall.ENOPROTOOPT) {
				t.Skip("this kernel has no IP_LOCAL_PORT_RANGE (Linux 6.3)")
			} else if err != nil {
				t.Fatal(err)
			}
			used[address(t, fd)] = true
		}
	}
	t.Fatalf("%d ports are in use, want %d", len(used), ports)
}

// monitored is a Prometheus with its Alertmanager, in a namespace.
type monitored struct {
	*testing.T
	client http.Client
}

const (
	prometheusAddress   = "127.0.0.1:9090"
	alertmanagerAddress = "127.0.0.1:9093"
)

// monitor starts serve for each host, Prometheus and Alertmanager.
func monitor(t *testing.T, h *netlab.Host, hosts map[string][]string) *monitored {
	t.Helper()
	dir := t.TempDir()
	rules, err := filepath.Abs("../../.packaging/prometheus/ephtop.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	config := "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 500ms}\n" +
		"rule_files: ['" + rules + "']\n" +
		"alerting: {alertmanagers: [{static_configs: [{targets: ['" + alertmanagerAddress + "']}]}]}\n" +
		"scrape_configs:\n- job_name: ephtop\n  static_configs:\n"
	port := 9101
	for name, args := range hosts {
		address := "127.0.0.1:" + strconv.Itoa(port)
		port++
		config += "  - {targets: ['" + address + "'], labels: {instance: " + name + "}}\n"
		background(t, h, program(t, append([]string{"serve", "--web.listen-address", address}, args...)...))
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	background(t, h, exec.Command("prometheus-alertmanager",
		"--config.file="+write("alertmanager.yml", "route: {receiver: nobody, group_wait: 0s}\nreceivers: [{name: nobody}]\n"),
		"--storage.path="+filepath.Join(dir, "alerts"), "--web.listen-address="+alertmanagerAddress, "--cluster.listen-address="))
	background(t, h, exec.Command("prometheus",
		"--config.file="+write("prometheus.yml", config),
		"--storage.tsdb.path="+filepath.Join(dir, "series"), "--web.listen-address="+prometheusAddress))
	return &monitored{t, http.Client{Transport: &http.Transport{DialContext: func(_ context.Context, network, address string) (c net.Conn, err error) {
		err = h.Do(func() (err error) { c, err = net.Dial(network, address); return err })
		return c, err
	}}}}
}

// background runs a program in the namespace until the test ends.
func background(t *testing.T, h *netlab.Host, cmd *exec.Cmd) {
	t.Helper()
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := h.Start(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", cmd.Args[0], said.String())
		}
	})
}

// alert is one as Alertmanager tells it.
type alert struct {
	Labels, Annotations map[string]string
	StartsAt            time.Time
}

// wait waits for an alert of the sick host.
func (m *monitored) wait(name string) alert {
	m.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		for _, a := range m.alerts() {
			if a.Labels["alertname"] == name && a.Labels["instance"] == "sick" {
				return a
			}
		}
	}
	m.Fatalf("%s was not told in %v", name, deadline)
	return alert{}
}

// alerts are all that Alertmanager tells.
func (m *monitored) alerts() (list []alert) {
	m.get("http://"+alertmanagerAddress+"/api/v2/alerts", &list)
	return list
}

// value is what Prometheus answers to a query for one number, as it was at a time.
func (m *monitored) value(query string, at time.Time) float64 {
	m.Helper()
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	values := url.Values{"query": {query}, "time": {strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)}}
	m.get("http://"+prometheusAddress+"/api/v1/query?"+values.Encode(), &answer)
	if len(answer.Data.Result) != 1 {
		m.Fatalf("%s: %d answers", query, len(answer.Data.Result))
	}
	n, err := strconv.ParseFloat(answer.Data.Result[0].Value[1].(string), 64)
	if err != nil {
		m.Fatal(err)
	}
	return n
}

// get reads JSON, nothing where nobody answers yet.
func (m *monitored) get(url string, v any) {
	response, err := m.client.Get(url)
	if err != nil {
		return
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		if err := json.NewDecoder(response.Body).Decode(v); err != nil {
			m.Fatalf("%s: %v", url, err)
		}
	}
}
