package command_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"ephtop/source/netlab"
)

// sshd is that of Debian's openssh-server. It must be called by its whole path.
const sshd = "/usr/sbin/sshd"

// wantSSH skips a test where there is no sshd that we may start.
func wantSSH(t *testing.T) {
	t.Helper()
	for _, program := range []string{sshd, "ssh", "ssh-keygen"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs %s (openssh-server)", program)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, for sshd")
	}
	const separation = "/run/sshd" // sshd wants it, and its service makes it; others may want it after us
	if err := os.MkdirAll(separation, 0o755); err != nil {
		t.Fatal(err)
	}
}

// remote is a host in the lab: an sshd at a port, and what ephtop is there.
type remote struct {
	name   string
	port   int
	ephtop string // a shell script; "" for none
	down   bool   // there is no sshd
}

// sshHosts starts an sshd for each remote, with keys made for this test, and gives
// the configuration with which ssh knows them.
func sshHosts(t *testing.T, h *netlab.Host, remotes ...remote) (config string) {
	t.Helper()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, key := range []string{"user", "host"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", in(key)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v: %s", err, out)
		}
	}
	public, err := os.ReadFile(in("host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	var known, client strings.Builder
	for _, r := range remotes {
		fmt.Fprintf(&known, "[127.0.0.1]:%d %s", r.port, public)
		fmt.Fprintf(&client, "Host %s\n\tHostName 127.0.0.1\n\tPort %d\n", r.name, r.port)
	}
	fmt.Fprintf(&client, "Host *\n\tUser root\n\tIdentityFile %s\n\tIdentitiesOnly yes\n\tUserKnownHostsFile %s\n\tGlobalKnownHostsFile /dev/null\n", in("user"), in("known"))
	write(t, in("known"), known.String(), 0o600)
	write(t, in("config"), client.String(), 0o600)
	for _, r := range remotes {
		if r.down {
			continue
		}
		bin := in(r.name)
		if err := os.Mkdir(bin, 0o755); err != nil {
			t.Fatal(err)
		}
		if r.ephtop != "" {
			write(t, filepath.Join(bin, "ephtop"), r.ephtop, 0o755)
		}
		write(t, in(r.name+".conf"), fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nUsePAM no\nStrictModes no\n"+
			"PasswordAuthentication no\nPermitRootLogin yes\nSetEnv PATH=%s:/usr/bin:/bin\n", r.port, in("host"), in("user.pub"), bin), 0o600)
		daemon(t, h, exec.Command(sshd, "-D", "-e", "-f", in(r.name+".conf")))
	}
	return in("config")
}

// daemon runs a command in the lab until the end of the test, however that ends.
func daemon(t *testing.T, h *netlab.Host, cmd *exec.Cmd) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // the lab starts all in one thread
	if err := h.Start(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// Three hosts with a real sshd, of which one has no port left, one tells a story,
// and one has no ephtop; one that is dead, and one that hangs: it holds up nothing.
// The dashboard of the worst is opened and left again; at the end nothing is left.
func TestFleetOverSSH(t *testing.T) {
	t.Parallel()
	wantSSH(t)
	h := netlab.New(t, "40000 40009")
	h.Listen("127.0.0.1:5432")
	if n, err := h.Fill("127.0.0.1:5432", 20); n != 10 {
		t.Fatalf("%d ports are held, %v", n, err)
	}
	h.Listen("127.0.0.1:2208") // and nobody accepts
	itself := fmt.Sprintf("#!/bin/sh\n%s=1 exec '%s' \"$@\"\n", asProgram, executable(t))
	config := sshHosts(t, h, remote{name: "web-01", port: 2201, ephtop: itself}, remote{name: "web-02", port: 2202, ephtop: strings.Replace(itself, ` "$@"`, ` "$@" --demo leak`, 1)},
		remote{name: "bare", port: 2203}, remote{name: "dead", port: 2209, down: true}, remote{name: "hang", port: 2208, down: true})
	// What the others say must not take the time that hang takes.
	s := openScreen(t, h, screenOptions{args: []string{"fleet", "--ssh", "ssh -F " + config, "web-01", "web-02", "bare", "dead", "hang"}, before: func(s *screen) {
		s.waitFor("1 of 5 hosts exhausted", "✖ exhausted", "127.0.0.1:5432", "10.0.7.20:8443", "reports", "? no ephtop: not found there")
	}})
	s.waitFor("dead", "? unreachable: connection refused", "hang", "? unreachable: connection timed out during banner exchange")
	s.press("Enter")
	s.waitFor("● live, piped", "10 ports", "127.0.0.1:5432", "esc back to the hosts")
	s.press("Escape")
	s.waitFor("1 of 5 hosts exhausted", "Hosts")
	s.press("/")
	s.enter("bare")
	s.press("Enter", "Enter")
	s.waitFor("bare: no ephtop: not found there", "filter: bare")
	s.press("q")
	s.wantEnd(0)
	if out, err := exec.Command("pgrep", "-f", "--", "^ssh -F "+config).Output(); err == nil {
		t.Errorf("ssh goes on: %s", out)
	}
}

// prometheus reads so many addresses of the lab every second, and is asked at the
// one that is returned.
func prometheus(t *testing.T, h *netlab.Host, targets ...string) (address string, end func()) {
	t.Helper()
	if _, err := exec.LookPath("prometheus"); err != nil {
		t.Skip("needs prometheus")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	write(t, config, "global: {scrape_interval: 3s}\nscrape_configs: [{job_name: ephtop, static_configs: [{targets: ['"+strings.Join(targets, "','")+"']}]}]\n", 0o600)
	const listen = "127.0.0.1:9090"
	cmd := exec.Command("prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+listen, "--log.level=error")
	daemon(t, h, cmd)
	return "http://" + listen, func() { cmd.Process.Kill() }
}

// A real Prometheus knows of three hosts, and of one that it can't read. It tells of
// the last day too, and when it is gone, all that it told stays.
func TestFleetByPrometheus(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip("needs ssh (openssh-client)")
	}
	h := netlab.New(t, "")
	scenarios := []string{"no-pool", "leak", "containers"}
	target := func(i int) string { return fmt.Sprintf("127.0.0.%d:9101", i+1) }
	// It sees the stories from their beginning on: what came before counts for nothing.
	address, end := prometheus(t, h, target(0), target(1), target(2), target(3))
	ready := func() error { return exec.Command("promtool", "query", "instant", address, "1").Run() }
	for tries := 0; h.Do(ready) != nil; time.Sleep(100 * time.Millisecond) {
		if tries++; tries > 600 {
			t.Fatal("Prometheus does not answer")
		}
	}
	for i, scenario := range scenarios {
		daemon(t, h, program(t, "serve", "--demo", scenario, "--speed", "8", "--web.listen-address", target(i)))
	}
	tries := 0
	const trouble = `increase(ephtop_level_seconds_total{level="exhausted",instance="127.0.0.3:9101"}[1h]) > 1 and on(instance) increase(ephtop_connect_failures_total[1h]) > 1`
	for exhausted := regexp.MustCompile(`=> [1-9]`); ; time.Sleep(500 * time.Millisecond) {
		out := ""
		h.Must(func() error {
			b, _ := exec.Command("promtool", "query", "instant", address, trouble).CombinedOutput()
			out = string(b)
			return nil
		})
		if exhausted.MatchString(out) {
			break
		}
		if tries++; tries > 600 {
			t.Fatalf("Prometheus knows of no trouble: %s", out)
		}
	}
	s := openScreen(t, h, screenOptions{size: "140x20", args: []string{"fleet", "--prometheus", strings.Replace(address, "//", "//someone:secret@", 1), "--match", `{job="ephtop"}`, "--interval", "1s", "--ssh", "ssh -F /dev/null"}})
	f := s.waitFor("4 hosts  Prometheus at "+address+" ", "10.0.7.20:8443", "reports", "127.0.0.3 › shop/", "127.0.0.4", "? unreachable: Prometheus can't read it", "last 24 h")
	if text := f.String(); strings.Contains(text, "secret") || strings.Contains(text, "someone") {
		t.Errorf("name or password on screen:\n%s", text)
	}
	day := regexp.MustCompile(`127\.0\.0\.3 .* [1-9][0-9,]* +[1-9][0-9]*[smh]( [0-9]+[sm])? +[0-9]+s `)
	if !day.MatchString(f.String()) {
		t.Errorf("what failed in the last day is not told:\n%s", f)
	}
	s.press("/")
	s.enter("127.0.0.2")
	s.press("Enter", "Enter")
	s.waitFor("127.0.0.2: unreachable: connection refused")
	s.press("Escape", "Escape")
	end()
	f = s.waitFor("! stale since", "✖ Prometheus at "+address+": dial tcp 127.0.0.1:9090: connect: connection refused", "10.0.7.20:8443")
	if strings.Contains(f.String(), "secret") {
		t.Errorf("the password is on screen:\n%s", f)
	}
	s.press("q")
	s.wantEnd(0)
}
