package command_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ephtop/source"
	"ephtop/source/live"
	"ephtop/source/race"
	"ephtop/ui/command"
	"ephtop/ui/dashboard"
	"ephtop/ui/fleet"
)

func TestMain(m *testing.M) {
	beHelper()
	// A signal that is ignored here (nohup, a job in the background of a script)
	// would be ignored by the programs that the tests start; one that is handled is
	// theirs by default.
	for _, s := range []os.Signal{syscall.SIGHUP, os.Interrupt} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
	testscript.Main(manyAtOnce{m}, map[string]func(){"ephtop": func() { os.Exit(run(os.Args[1:])) }})
}

// manyAtOnce runs more tests at once than there are processors: most of them
// wait, for programs and for time.
type manyAtOnce struct{ *testing.M }

func (m manyAtOnce) Run() int {
	flag.Parse()
	if n := flag.Lookup("test.parallel"); n.Value.String() == n.DefValue {
		if err := n.Value.Set("8"); err != nil {
			panic(err)
		}
	}
	return m.M.Run()
}

// run is the program, but for this: unless it is told which network namespaces
// to look at, it looks at its own. Tests that run beside this one make others.
func run(args []string) int {
	return runWith(args, func(o live.Options) (source.Source, error) {
		if o.Netns == live.AllNetns {
			o.Netns = live.OwnNetns
		}
		return live.Open(o)
	})
}

// runWith is the program, as main.go has it with live.Open.
func runWith(args []string, open func(live.Options) (source.Source, error)) int {
	return command.Run(args, command.Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Open: open, Dashboard: dashboard.Run, Fleet: fleet.Run,
	})
}

// TestScripts runs the program as a user does: see testdata/script.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GOOS", runtime.GOOS)
			env.Setenv("GOARCH", runtime.GOARCH)
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "race" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return race.Enabled, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"refuse":  refuse,
			"status":  status,
			"fields":  fields,
			"patient": patient,
		},
	})
}

// refuse MESSAGE ARG… runs ephtop, which must write just this line to standard
// error, nothing to standard output, and end with status 2.
func refuse(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: refuse MESSAGE ARG…")
	}
	if got := exitStatus(ts, "ephtop", args[1:]...); got != 2 {
		ts.Fatalf("exit status %d, want 2; standard error: %s", got, ts.ReadFile("stderr"))
	}
	if got := ts.ReadFile("stdout"); got != "" {
		ts.Fatalf("standard output is %q, want none", got)
	}
	if got, want := ts.ReadFile("stderr"), "ephtop: "+args[0]+"\n"; got != want {
		ts.Fatalf("standard error\n got %s\nwant %s", got, want)
	}
}

// patient ARG… runs ephtop, which must succeed, again where the machine was too
// busy for an answer within the time that the program takes for one.
func patient(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: patient ARG…")
	}
	for range 10 {
		err := ts.Exec("ephtop", args...)
		if !strings.Contains(ts.ReadFile("stdout")+ts.ReadFile("stderr"), "no answer within") {
			ts.Check(err)
			return
		}
	}
	ts.Fatalf("ten times no answer in time")
}

// status NUMBER COMMAND ARG… runs a command that must end with this status.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status NUMBER COMMAND ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitStatus(ts, args[1], args[2:]...); got != want {
		ts.Fatalf("exit status %d, want %d; standard error: %s", got, want, ts.ReadFile("stderr"))
	}
}

func exitStatus(ts *testscript.TestScript, name string, args ...string) int {
	var exit *exec.ExitError
	switch err := ts.Exec(name, args...); {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		ts.Fatalf("run %s: %v", name, err)
		return -1
	}
}

// fields NAME… checks that standard output is one JSON object with just these
// fields, in this order.
func fields(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: fields NAME…")
	}
	got, err := fieldNames([]byte(ts.ReadFile("stdout")))
	ts.Check(err)
	if strings.Join(got, " ") != strings.Join(args, " ") {
		ts.Fatalf("the fields are %v, want %v", got, args)
	}
}

func fieldNames(object []byte) ([]string, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var names []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		names = append(names, fmt.Sprint(name))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("field %v: %w", name, err)
		}
	}
	_, err := d.Token()
	return names, err
}

// TestRun is the program within the process: no flag of one run is left for
// the next.
func TestRun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args string
		want int
	}{
		{"version", 0}, {"version --interval 1ms", 2}, {"version", 0}, {"help", 0}, {"nothing", 2},
	} {
		t.Run(c.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			got := command.Run(strings.Fields(c.args), command.Env{
				Stdin: os.Stdin, Stdout: &stdout, Stderr: &stderr, Open: live.Open, Dashboard: dashboard.Run,
			})
			if got != c.want {
				t.Errorf("status %d, want %d; standard error: %s", got, c.want, &stderr)
			}
			if lines := strings.Count(stderr.String(), "\n"); lines != min(c.want, 1) {
				t.Errorf("%d lines on standard error: %s", lines, &stderr)
			}
		})
	}
}
