package command_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"ephtop/source/netlab"
)

// churnRate is how many connections a second churn closes: so few that a busy
// machine keeps up with it.
const churnRate = 20

// churn opens and closes connections until its standard input ends. After a
// second it says that it is ready.
func churn() error {
	server, err := net.Listen("tcp4", "127.0.0.1:5432")
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(io.Discard, c)
				c.Close()
			}()
		}
	}()
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	begun := time.Now()
	for n := 0; ; n++ {
		c, err := net.Dial("tcp4", "127.0.0.1:5432")
		if err != nil {
			return err
		}
		c.Close()
		if n == churnRate {
			fmt.Println("ready")
		}
		select {
		case <-ended:
			return nil
		case <-time.After(time.Until(begun.Add(time.Duration(n) * time.Second / churnRate))):
		}
	}
}

// ephtop runs the program inside a namespace, as if there were no other.
func ephtop(t *testing.T, h *netlab.Host, args ...string) (status int, stdout string) {
	t.Helper()
	status, stdout, stderr := patiently(t, h, func() *exec.Cmd { return program(t, args...) })
	if stderr != "" {
		t.Errorf("standard error: %s", stderr)
	}
	return status, stdout
}

// patiently runs a command inside a namespace, again where the machine was too busy for
// an answer within the time that the program takes for one.
func patiently(t *testing.T, h *netlab.Host, command func() *exec.Cmd) (status int, stdout, stderr string) {
	t.Helper()
	for range 10 {
		cmd := command()
		var out, errOut bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errOut
		if err := h.Start(cmd); err != nil {
			t.Fatal(err)
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		status, stdout, stderr = cmd.ProcessState.ExitCode(), out.String(), errOut.String()
		if !strings.Contains(stdout+stderr, "no answer within") {
			break
		}
	}
	return status, stdout, stderr
}

func TestKernelCheckStatus(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "40000 40099")
	h.Listen("127.0.0.1:80")
	used := 0
	for _, c := range []struct {
		used, status int
		want         string
	}{
		{0, 0, "EPHTOP OK - 0 % of 100 TCP ports used | "},
		{59, 0, "EPHTOP OK - 59 % of 100 ports to 127.0.0.1:80 used"},
		{60, 1, "EPHTOP WARNING - 60 % of 100 ports to 127.0.0.1:80 used"},
		{80, 2, "EPHTOP CRITICAL - 80 % of 100 ports to 127.0.0.1:80 used"},
		{100, 2, "EPHTOP CRITICAL - no port of 100 is free to 127.0.0.1:80"},
	} {
		if _, err := h.Fill("127.0.0.1:80", c.used-used); err != nil {
			t.Fatal(err)
		}
		used = c.used
		status, stdout := ephtop(t, h, "check")
		if status != c.status || !strings.HasPrefix(stdout, c.want) {
			t.Errorf("with %d ports: status %d, %q; want %d, %q", c.used, status, stdout, c.status, c.want)
		}
	}
}

// diagnosis is what the tests read of doctor's JSON.
type diagnosis struct {
	Verdict string
	Points  []struct {
		Topic, Verdict string
		Seen, Next     []string
	}
	Findings []struct{ Problem, Title string }
}

func consultHost(t *testing.T, h *netlab.Host, args ...string) (status int, d diagnosis) {
	t.Helper()
	status, stdout := ephtop(t, h, append([]string{"doctor", "-o", "json"}, args...)...)
	if err := json.Unmarshal([]byte(stdout), &d); err != nil {
		t.Fatalf("%v: status %d, %s", err, status, stdout)
	}
	return status, d
}

func TestKernelDoctorIsSilentOnAnEmptyHost(t *testing.T) {
	t.Parallel()
	_, d := consultHost(t, netlab.New(t, ""), "--for", "1s")
	if len(d.Findings) > 0 {
		t.Errorf("findings on an empty host: %v", d.Findings)
	}
	for _, p := range d.Points {
		// The log, and who may read it, are the host's own.
		if p.Verdict != "ok" && p.Topic != "log" && p.Topic != "changes" && p.Topic != "firewall" {
			t.Errorf("%s is %s: %q", p.Topic, p.Verdict, p.Seen)
		}
	}
}

// startChurn has a process of its own churn inside the namespace until the test
// ends.
func startChurn(t *testing.T, h *netlab.Host) {
	t.Helper()
	a := start(t, h, churning)
	t.Cleanup(func() {
		a.In.Close()
		if err := a.Wait(); err != nil {
			t.Errorf("churn: %v", err)
		}
	})
}

func TestKernelDoctorFindsChurn(t *testing.T) {
	t.Parallel()
	// Enough for three quarters of a minute, which a busy machine may take to ask,
	// and too few for the minute of a TIME_WAIT.
	h := netlab.New(t, fmt.Sprintf("40000 %d", 40000+45*churnRate-1))
	h.Sysctl("net.ipv4.tcp_tw_reuse", "0") // on loopback TIME_WAIT would not stand in the way
	startChurn(t, h)
	status, d := consultHost(t, h, "--for", "2s")
	if status == 0 {
		t.Errorf("status 0, want an alarm: %+v", d)
	}
	for _, f := range d.Findings {
		if f.Problem == "no-pooling" && strings.Contains(f.Title, "127.0.0.1:5432") {
			return
		}
	}
	t.Errorf("no finding of connections that are not pooled: %+v", d.Findings)
}
