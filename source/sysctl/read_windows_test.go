package sysctl

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

const (
	someRange    = "Start Port      : 20000\r\nNumber of Ports : 100\r\n"
	someExcluded = "Start Port    End Port\r\n----------    --------\r\n     20010       20019     *\r\n"
)

// says is a netsh with two answers.
func says(dynamic, excluded string, err error) func(context.Context, ...string) (string, error) {
	return func(_ context.Context, show ...string) (string, error) {
		if show[0] == "dynamicport" {
			return dynamic, err
		}
		return excluded, err
	}
}

func TestReadAsksOnceAMinute(t *testing.T) {
	var asked [2]int
	r := &Reader{netsh: func(ctx context.Context, show ...string) (string, error) {
		asked[slices.Index([]string{"dynamicport", "excludedportrange"}, show[0])]++
		return says(someRange, someExcluded, nil)(ctx, show...)
	}}
	for range 3 {
		var m source.Moment
		var s source.Snapshot
		if err := r.Read(context.Background(), &m, &s); err != nil {
			t.Fatal(err)
		}
		if got := s.Settings.Range.String(); got != "20000-20099" || s.Settings.Assumed || s.Settings.Usable() != 90 || len(m.Limits) != 0 {
			t.Errorf("got %s, assumed %v, %d usable, limits %v", got, s.Settings.Assumed, s.Settings.Usable(), m.Limits)
		}
	}
	if asked != [2]int{1, 1} {
		t.Errorf("netsh was asked %d times", asked)
	}
}

func TestReadWhereNetshIsNoHelp(t *testing.T) {
	both := []source.LimitCode{source.LimitRange, source.LimitReserved}
	tests := []struct {
		name    string
		netsh   func(context.Context, ...string) (string, error)
		assumed bool
		limits  []source.LimitCode
	}{
		{"it fails", says(someRange, someExcluded, errors.New("not found")), true, both},
		{"it says nothing", says("", "", nil), true, both},
		{"it says what is mad", says("a: 0\nb: 0\n", "---\n9 1\n", nil), true, both},
		{"it is too old to tell of exclusions", says(someRange, "The following command was not found.\r\n", nil), false, both[1:]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m source.Moment
			var s source.Snapshot
			if err := (&Reader{netsh: tt.netsh}).Read(context.Background(), &m, &s); err != nil {
				t.Fatal(err)
			}
			var limits []source.LimitCode
			for _, l := range m.Limits {
				limits = append(limits, l.Code)
			}
			if diff := cmp.Diff(tt.limits, limits); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
			if s.Settings.Assumed != tt.assumed || tt.assumed && s.Settings.Range != Defaults("windows", "").Range || s.Settings.Reserved != nil {
				t.Errorf("got %+v", s.Settings)
			}
		})
	}
}

// hangVariable makes this program one that hangs, with a child that has its
// output.
const hangVariable = "EPHTOP_TEST_HANG"

func TestMain(m *testing.M) {
	switch n := os.Getenv(hangVariable); n {
	case "":
		os.Exit(m.Run())
	case "parent":
		os.Setenv(hangVariable, "child")
		me, _ := os.Executable()
		child := exec.Command(me)
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			os.Exit(1)
		}
		fallthrough
	default:
		time.Sleep(20 * time.Second) // of which nobody waits for the end
	}
}

func TestRunEndsWhatHangs(t *testing.T) {
	t.Setenv(hangVariable, "parent")
	me, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := run(context.Background(), time.Second, me)
		ended <- err
	}()
	select {
	case err := <-ended:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want that the deadline was exceeded", err)
		}
	case <-time.After(15 * time.Second):
		t.Error("a netsh that hangs is waited for")
	}
}
